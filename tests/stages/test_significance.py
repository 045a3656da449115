"""Significance from the command line to the file and the map; one process reads it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from tests.stages.conftest import Command

BLOCK = """composite:
  normalise: none
  differences: [warm, cold]
  significance:
    tests:
      - t_test
      - sign_test
      - {name: block_bootstrap, resamples: 99}
      - {name: permutation, permutations: 99}
    alpha: 0.2
"""
TESTS = ("t_test", "sign_test", "block_bootstrap", "permutation")


@pytest.fixture
def run(climxai: Command, experiment: Path) -> Path:
    """The tiny experiment, explained by three methods, one of them without negative relevance."""
    text = experiment.read_text(encoding="utf-8")
    begin, end = text.index("  methods:"), text.index("composite:")
    methods = (
        "  methods:\n    - input_x_gradient\n    - {id: eps, name: lrp, rule: epsilon}\n"
        "    - {name: lrp, rule: alpha1beta0}\n"
    )
    text = text[:begin] + methods + text[end:].replace("composite: {normalise: max}\n", BLOCK)
    experiment.write_text(text, encoding="utf-8")
    done = climxai("run", experiment)
    assert done.code == 0, done.err
    (experiment.parent / "said").write_text(done.out + done.err, encoding="utf-8")
    return experiment.parent / "out"


def read(path: Path) -> xr.Dataset:
    with xr.open_dataset(path) as held:
        return held.load()


def test_the_whole_way(run: Path, climxai: Command) -> None:
    held = read(run / "composites" / "input_x_gradient.nc")
    valid = np.isfinite(held["relevance"].values)
    for name in TESTS:
        p = held[f"p_{name}"].values
        assert (np.isfinite(p) == valid).all(), name
        assert (held[f"cells_{name}"].values == valid.sum(axis=(2, 3))).all()
        for k in range(2):
            adjusted = stats.false_discovery_control(p[k][valid[k]].astype(float)) <= 0.2
            found = held[f"significant_{name}"].values[k][valid[k]] == 1
            # p-values are stored in float32: a tie with the threshold may fall either way.
            assert np.mean(found == adjusted) > 0.97, name
    assert held["p_permutation_difference"].dims == ("difference", "channel", "lat", "lon")
    # Two classes: the others of one are the other one.
    np.testing.assert_array_equal(
        held["p_permutation_difference"].values[0],
        held["p_permutation"].sel({"class": "warm"}).values,
    )
    assert held["sign_agreement_seeds"].values[valid].min() >= 0.5
    assert held["sign_agreement_methods"].attrs["long_name"].endswith(": input_x_gradient, eps")
    assert set(np.unique(held["sign_agreement_methods"].values[valid])) <= {0.5, 1.0}

    unsigned = read(run / "composites" / "lrp.nc")
    assert "p_t_test" not in unsigned
    assert "p_permutation" in unsigned
    assert "sign_agreement_methods" not in unsigned
    said = (run.parent / "said").read_text(encoding="utf-8")
    assert "lrp: no t_test, since its relevance is never negative" in said
    assert "input_x_gradient, warm, sst" in said
    # Little memory reads the maps more often and gives the same bits.
    before = {name: held[f"p_{name}"].values for name in TESTS}
    done = climxai("composite", run.parent / "tiny.yaml", "--set", "compute.memory=1MB")
    assert done.code == 0, done.err
    again = read(run / "composites" / "input_x_gradient.nc")
    for name in TESTS:
        np.testing.assert_array_equal(again[f"p_{name}"].values, before[name])


def test_the_t_test_of_the_seeds_means_by_hand(run: Path) -> None:
    """Maps of two seeds are averaged per sample; nothing else is known to the oracle."""
    folder = run / "relevance" / "input_x_gradient"
    seeds = []
    for seed in (0, 1):
        shards = [read(path) for path in sorted((folder / f"seed-{seed}").glob("*.nc"))]
        seeds.append(xr.concat(shards, "sample", data_vars="minimal", coords="minimal"))
    maps = (seeds[0]["relevance"].values + seeds[1]["relevance"].values) / 2
    inside = seeds[0]["label"].values == 1
    held = read(run / "composites" / "input_x_gradient.nc")
    assert (np.diff(seeds[0]["time"].values) > np.timedelta64(0)).all()
    cells = maps[inside].reshape(inside.sum(), -1).astype(float)
    n = len(cells)
    away = cells - cells.mean(axis=0)
    r = (away[1:] * away[:-1]).mean(axis=0) / (away**2).mean(axis=0)
    r = np.clip((n * r + 1) / (n - 3), 0, 1 - 1e-6)
    tested = np.isfinite(r)
    r = np.maximum(r, np.median(r[tested]))
    freedom = n * (1 - r) / (1 + r) - 1
    t = cells.mean(axis=0) / np.sqrt(cells.var(axis=0) / freedom)
    expected = 2 * stats.t.sf(np.abs(t), freedom)
    found = held["p_t_test"].sel({"class": "warm"}).values.ravel()
    assert (np.isfinite(found) == tested).all()
    assert found[tested] == pytest.approx(expected[tested], rel=1e-3)
    assert held["samples_t_test"].values[1] == n
    assert int(held["count"].values[1]) == 2 * n


def test_maps_show_it_unless_told_otherwise(run: Path, climxai: Command) -> None:
    picture = run / "maps" / "input_x_gradient_warm.png"
    pictures = {}
    for how in ("null", "dots", "hatching", "only", "none"):
        done = climxai("composite", run.parent / "tiny.yaml", "--set", f"maps.significance={how}")
        assert done.code == 0, done.err
        pictures[how] = picture.read_bytes()
    assert pictures["null"] == pictures["dots"]
    assert len(set(pictures.values())) == 4
