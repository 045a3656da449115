"""Averages over methods and seeds, and the random control, from the command line to composites."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr


@pytest.fixture
def run(climxai, experiment, tmp_path):
    text = experiment.read_text(encoding="utf-8")
    methods = text[text.index("  methods:") : text.index("composite:")]
    asked = (
        "  methods:\n"
        "    - input_x_gradient\n"
        "    - {name: seed_average, method: input_x_gradient}\n"
        "    - {name: average, methods: [{name: lrp, rule: zero}, input_x_gradient]}\n"
        "    - random\n"
        "  objective: {name: class, class_name: warm}\n"
    )
    experiment.write_text(text.replace(methods, asked), encoding="utf-8")
    done = climxai("run", experiment)
    assert done.code == 0, done.err
    return tmp_path / "out"


def read(path):
    with xr.open_dataset(path) as held:
        return held.load()


def test_an_average_over_seeds_is_the_mean_of_the_seeds_maps_and_stands_once(run):
    shards = {
        seed: read(run / "relevance" / "input_x_gradient" / f"seed-{seed}" / "shard-00000.nc")
        for seed in (0, 1)
    }
    folder = run / "relevance" / "seed_average"
    assert [each.name for each in folder.iterdir()] == ["seed-0"]
    together = read(folder / "seed-0" / "shard-00000.nc")
    mean = (shards[0]["relevance"].values + shards[1]["relevance"].values) / 2
    np.testing.assert_allclose(together["relevance"].values, mean, rtol=1e-5, atol=1e-7)
    outputs = (shards[0]["output"].values + shards[1]["output"].values) / 2
    np.testing.assert_allclose(together["output"].values, outputs, rtol=1e-5)
    assert together.attrs["seeds_averaged"] == "0,1"
    assert shards[1].attrs["seeds_averaged"] == "1"


def test_every_composition_becomes_a_composite(run):
    for name in ("seed_average", "average", "random"):
        composite = read(run / "composites" / f"{name}.nc")
        assert np.isfinite(composite["relevance"].values).any()
    assert read(run / "composites" / "seed_average.nc").sizes["seed"] == 1
    control = read(run / "composites" / "random.nc")
    assert np.isnan(control["conservation"].values).all()
    # A control for each network: its spread over seeds can be compared with a method's.
    assert not np.allclose(*control["relevance_by_seed"].values, equal_nan=True)
