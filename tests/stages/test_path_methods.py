"""Path and noise gradients from the command line: baselines from the data, land, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.stages.conftest import Command

METHODS = """\
    - {{id: zero, name: integrated_gradients, steps: 1000}}
    - {{id: warm, name: integrated_gradients, steps: 200, rule: gauss_legendre,
        baseline: {{name: class_mean, class_name: warm}}}}
    - {{id: from_file, name: integrated_gradients, baseline: {{name: file, path: {file}}}}}
    - {{id: expected, name: integrated_gradients, steps: 200,
        baseline: {{name: sample, count: 10}}}}
    - {{id: shap, name: gradient_shap, draws: 4000, baseline: {{name: sample, count: 10}}}}
    - {{id: noisy, name: smoothgrad, form: square}}
"""


def with_methods(experiment: Path, methods: str) -> Path:
    text = experiment.read_text(encoding="utf-8")
    start, end = text.index("    - {name: lrp"), text.index("composite:")
    text = text[:start] + methods + text[end:]
    experiment.write_text(text.replace("seeds: [0, 1]", "seeds: [0]"), encoding="utf-8")
    return experiment


@pytest.fixture
def explained(climxai: Command, experiment: Path, tiny_file: Path) -> Path:
    # A map of zeros, land left out, is the baseline zero read from a file beside the configuration.
    with xr.open_dataset(tiny_file) as world:
        field = world["sst"]
        over = [dim for dim in field.dims if dim not in ("lat", "lon")]
        (field.mean(over) * 0).to_netcdf(experiment.parent / "zeros.nc")
    done = climxai("train", with_methods(experiment, METHODS.format(file="zeros.nc")))
    assert done.code == 0, done.err
    done = climxai("explain", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out" / "relevance"


def read(folder: Path, name: str) -> xr.Dataset:
    shards = sorted((folder / name / "seed-0").glob("*.nc"))
    return xr.concat([xr.load_dataset(path) for path in shards], "sample")


def test_baselines_come_from_the_data(explained: Path) -> None:
    held = {
        name: read(explained, name)
        for name in ("zero", "warm", "from_file", "expected", "shap", "noisy")
    }
    for name, each in held.items():
        seen = np.isfinite(each["relevance"].values)
        assert not seen.all(), "the tiny world has land"
        assert np.abs(each["relevance"].values[seen]).max() > 0, name
        leak = each["mask_leak"].values
        # Gradients do not know land; differences from a baseline are zero there.
        assert (np.abs(leak).max() == 0) == (name != "noisy"), name
    for name in ("zero", "warm", "expected"):
        gap = np.abs(held[name]["completeness_gap"].values)
        assert gap.max() < 0.05 * np.abs(held[name]["output"].values).max(), name
    same = held["from_file"]["output"].values, held["zero"]["output"].values
    np.testing.assert_allclose(*same, rtol=1e-5)
    far = held["shap"]["relevance"].fillna(0) - held["expected"]["relevance"].fillna(0)
    size = float(np.sqrt((held["expected"]["relevance"].fillna(0) ** 2).sum()))
    assert float(np.sqrt((far**2).sum())) < 0.1 * size
    assert np.isnan(held["noisy"]["conservation"].values).all()


@pytest.mark.parametrize(
    ("methods", "code", "words"),
    [
        (
            "    - {name: integrated_gradients, baseline: {name: class_mean, class_name: warn}}\n",
            4,
            "(integrated_gradients): the baseline is the mean of class 'warn'",
        ),
        (
            "    - {name: gradient_shap, baseline: {name: file, path: none.nc}}\n",
            3,
            "none.nc: there is no such file",
        ),
        ("    - {name: smoothgrad, form: variance, draws: 1}\n", 2, "set draws to 2"),
    ],
)
def test_what_cannot_be_had_is_refused_before_training(
    climxai: Command, experiment: Path, methods: str, code: int, words: str
) -> None:
    done = climxai("train", with_methods(experiment, methods))
    assert done.code == code
    assert words in " ".join(done.err.split())
    assert not (experiment.parent / "out" / "networks").exists()


def test_a_changed_baseline_file_is_another_method(climxai, experiment, tmp_path):
    import xarray as xr

    from climxai.config.experiment import load_experiment

    with xr.open_dataset(load_experiment(experiment).data.files) as record:
        zeros = xr.zeros_like(record["sst"].isel(time=0, drop=True)).fillna(0.0)
    baseline = tmp_path / "baseline.nc"
    zeros.to_dataset(name="sst").to_netcdf(baseline)
    method = f"{{name: integrated_gradients, baseline: {{name: file, path: {baseline}}}}}"
    asked = f"explain.methods=[{method}]"
    assert climxai("run", experiment, "--set", asked).code == 0
    shard = tmp_path / "out/relevance/integrated_gradients/seed-0/shard-00000.nc"
    before = xr.load_dataset(shard)
    (zeros + 1.0).to_dataset(name="sst").to_netcdf(baseline)
    assert climxai("explain", experiment, "--set", asked).code == 0
    after = xr.load_dataset(shard)
    assert after.attrs["key"] != before.attrs["key"]
    assert not after["relevance"].equals(before["relevance"])
