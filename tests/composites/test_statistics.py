"""Every statistic of a composite against numpy on all maps at once."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from climxai.composites import running as running_module
from climxai.composites import shards as shards_module
from climxai.composites.composite import compose, work
from climxai.composites.settings import Composite
from climxai.core.errors import ConfigError

ALL = ["median", {"name": "quantiles", "at": [0.05, 0.25, 0.9]}, "sign_agreement",
       {"name": "frequency", "above": 0.8}, "count"]  # fmt: skip


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def divided(one: np.ndarray, how: str) -> np.ndarray:
    """Restate the normalisation of one map, in float64."""
    one = one.astype(np.float64)
    size = np.abs(one[np.isfinite(one)])
    if how == "rank":
        result = np.full(one.shape, np.nan)
        ranked = scipy.stats.rankdata(size, method="average")
        result[np.isfinite(one)] = np.sign(one[np.isfinite(one)]) * ranked / size.size
        return result
    scale = {"none": 1.0, "max": size.max(), "sum": size.sum(), "l2": np.linalg.norm(size)}[how]
    return one / scale if scale > 0 else one


def numpy_statistics(explained, settings: Composite) -> dict[str, np.ndarray]:
    """Restate all statistics by true class, slow and obvious."""
    how, seeds = settings.normalise, list(explained.relevance)
    if settings.seeds == "before":
        raw = [np.mean([explained.relevance[s][i].astype(np.float64) for s in seeds], axis=0)
               for i in range(len(explained.label))]  # fmt: skip
        raw = [one.astype(np.float32) for one in raw]
        label, index = explained.label, np.arange(len(explained.label))
    else:
        raw = [one for s in seeds for one in explained.relevance[s]]
        label = np.tile(explained.label, len(seeds))
        index = np.tile(np.arange(len(explained.label)), len(seeds))
    maps = np.array([divided(one, how) for one in raw])
    own = np.array([np.nanquantile(one.astype(np.float64), 0.8) for one in raw])
    above = np.where(np.isnan(raw), 0, np.array(raw) > own.reshape(-1, 1, 1, 1))
    fields = explained.fields.values.astype(np.float64)[index]
    out: dict[str, list] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        overall, field = np.nanmean(maps, axis=0), np.nanmean(fields, axis=0)
        for k in range(len(explained.classes)):
            mine = maps[label == k]
            mean = np.nanmean(mine, axis=0)
            count = np.isfinite(mine).sum(axis=0)
            zero = np.abs(mean) <= 1e-6 * np.sqrt(np.nanmean(mine**2, axis=0))
            same = (np.sign(mine) == np.sign(mean)).sum(axis=0) / count
            one = {
                "relevance": mean,
                "relevance_std": np.nanstd(mine, axis=0),
                "relevance_median": np.nanmedian(mine, axis=0),
                "relevance_quantile": np.nanquantile(mine, [0.05, 0.25, 0.9], axis=0),
                "relevance_sign_agreement": np.where(zero, np.nan, same),
                "relevance_frequency": above[label == k].sum(axis=0) / count,
                "relevance_count": count,
                "relevance_anomaly": mean - overall,
                "field": np.nanmean(fields[label == k], axis=0),
                "field_anomaly": np.nanmean(fields[label == k], axis=0) - field,
                "count": (label == k).sum(),
            }
            for name, values in one.items():
                out.setdefault(name, []).append(values)
    found = {
        name: np.stack(values, axis=1 if name == "relevance_quantile" else 0)
        for name, values in out.items()
    }
    for name in ("relevance", "field"):
        found[f"{name}_difference"] = (found[name][1] - found[name][0])[None]
    return found


def assert_equal(found, expected: dict[str, np.ndarray]) -> None:
    for name, values in expected.items():
        size = np.nanmax(np.abs(values), initial=1e-30)
        np.testing.assert_allclose(
            found[name].values, values, rtol=1e-6, atol=1e-6 * size, err_msg=name
        )


def asked(**more) -> Composite:
    return Composite(
        statistics=ALL, anomaly=True, differences=["el_nino", "la_nina"], **more
    )  # fmt: skip


@pytest.mark.parametrize("seeds", ["after", "before"])
@pytest.mark.parametrize("normalise", ["none", "max", "sum", "l2", "rank"])
def test_equals_numpy_on_everything(explained, normalise, seeds) -> None:
    explained.relevance[0][3] *= 0
    explained.relevance[1][3] *= 0
    settings = asked(normalise=normalise, seeds=seeds)
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    assert_equal(found, numpy_statistics(explained, settings))


@hypothesis_settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_chunking_order_and_memory(make_in, data) -> None:
    samples = data.draw(st.integers(2, 14))
    cuts = sorted(data.draw(st.lists(st.integers(0, samples), max_size=3)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        explained = make_in(
            Path(folder),
            samples=samples,
            seeds=data.draw(st.sampled_from([(0,), (3, 1), (0, 1, 2)])),
            channels=data.draw(st.integers(1, 2)),
            random=data.draw(st.integers(0, 1000)),
        )
        explained.label[:2] = [0, 1]
        odd = data.draw(st.booleans())
        if odd:  # cells that only some maps have
            for maps in explained.relevance.values():
                maps[samples // 2 :, :, 4, 5:7] = np.nan
                maps[0, :, 1, 2] = 0.5
        patch.setattr(shards_module, "BLOCK_BYTES", data.draw(st.sampled_from([1, 900, 10**6])))
        patch.setattr(running_module, "FOLD", data.draw(st.sampled_from([1, 3, 1024])))
        patch.setattr(running_module, "ROWS", data.draw(st.sampled_from([1, 2, 32])))
        patch.setattr(running_module, "CELLS", data.draw(st.sampled_from([1, 20, 2**17])))
        lengths = np.diff([0, *cuts, samples]).tolist()
        shards = {
            seed: data.draw(st.permutations(paths))
            for seed, paths in explained.write(lengths, compress=data.draw(st.booleans())).items()
        }
        seeds = "after" if odd else data.draw(st.sampled_from(["after", "before"]))
        settings = asked(
            normalise=data.draw(st.sampled_from(["none", "max", "sum", "l2", "rank"])), seeds=seeds
        )
        found = compose(
            shards,
            explained.fields,
            explained.classes,
            settings,
            tick=quiet,
            memory=data.draw(st.sampled_from([1, 20_000, 10**8])),
        )
        assert_equal(found, numpy_statistics(explained, settings))


def test_by_seed_stays_each_networks_own(explained) -> None:
    shards = explained.write()
    found = {
        seeds: compose(
            shards, explained.fields, explained.classes, Composite(seeds=seeds), tick=quiet
        )
        for seeds in ("after", "before")
    }
    for name in ("relevance_by_seed", "count_by_seed", "relevance_seed_std", "conservation"):
        np.testing.assert_array_equal(found["after"][name], found["before"][name])
    assert found["after"]["count"].sum() == 48
    assert found["before"]["count"].sum() == 24


def test_seeds_that_disagree_are_averaged_apart(make) -> None:
    # Sample 0 is class 0 to both networks, sample 1 to the first only.
    explained = make(samples=2, seeds=(0, 1))
    explained.prediction = {0: np.array([0, 0]), 1: np.array([0, 1])}
    settings = Composite(by="prediction", seeds="before", normalise="none")
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    one, two = explained.relevance[0].astype(float), explained.relevance[1].astype(float)
    expected = ((one[0] + two[0]) / 2 + one[1]) / 2
    np.testing.assert_allclose(found["relevance"].values[0], expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found["relevance"].values[1], two[1], rtol=1e-6)
    assert found["count"].values.tolist() == [2, 1]


def test_overlapping_groups_hold_a_map_each(explained) -> None:
    settings = Composite(
        by={"name": "conditions", "groups": {"all": "True", "high": "nino34 > 0"}},
        normalise="none", statistics=["median"],
    )  # fmt: skip
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    maps = np.concatenate([explained.relevance[0], explained.relevance[1]]).astype(float)
    high = np.tile(explained.index > 0, 2)
    for k, chosen in enumerate((np.ones(48, bool), high)):
        np.testing.assert_allclose(
            found["relevance"].values[k], maps[chosen].mean(0), rtol=1e-6, atol=1e-6
        )
        np.testing.assert_allclose(
            found["relevance_median"].values[k], np.median(maps[chosen], 0), rtol=1e-6
        )
    assert found["class"].values.tolist() == ["all", "high"]


def test_a_seed_that_is_left_out_is_not_there(explained) -> None:
    settings = Composite(select={"seeds": [1]})
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    assert found["seed"].values.tolist() == [1]


def test_each_new_field_of_the_settings_changes_the_result(explained) -> None:
    shards = explained.write()
    plain = compose(shards, explained.fields, explained.classes, Composite(), tick=quiet)
    for more in (
        {"seeds": "before"}, {"where": "nino34 > 0"}, {"select": {"months": [1, 2, 3]}},
        {"normalise": "l2"}, {"normalise": "rank"}, {"by": "season"},
    ):  # fmt: skip
        other = compose(shards, explained.fields, explained.classes, Composite(**more), tick=quiet)
        assert other["relevance"].shape != plain["relevance"].shape or not np.allclose(
            other["relevance"], plain["relevance"], equal_nan=True
        )
    assert set(plain.data_vars) == {
        "relevance", "relevance_std", "relevance_seed_std", "field", "count", "relevance_by_seed",
        "count_by_seed", "zero_fraction", "conservation",
    }  # fmt: skip


def test_what_was_done_is_named(explained) -> None:
    settings = asked(id="x", seeds="before", normalise="rank", where="nino34 > -9")
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    assert found["relevance"].attrs["cell_methods"] == "realization: mean time: mean"
    assert found["relevance_std"].attrs["cell_methods"] == (
        "realization: mean time: standard_deviation"
    )
    assert found["relevance_median"].attrs["cell_methods"] == "realization: mean time: median"
    assert "averaged first" in found["relevance_frequency"].attrs["comment"]
    assert "0.8 quantile" in found["relevance_frequency"].attrs["comment"]
    assert "exact" in found["relevance_quantile"].attrs["comment"]
    assert found["relevance"].attrs["normalisation"].startswith("rank: ")
    assert found["difference"].values.tolist() == ["el_nino minus la_nina"]
    assert "where nino34 > -9" in found.attrs["selection"]
    assert found.attrs["seeds_averaged"].startswith("before: ")
    assert found.attrs["selection_counts"].startswith('[["explained", 48]')
    for variable in found.data_vars.values():
        assert variable.attrs["long_name"]


def test_a_difference_of_what_is_no_group(explained) -> None:
    settings = Composite(by="season", differences=["DJF", "el_nino"])
    with pytest.raises(ConfigError, match="'el_nino', which is no group"):
        compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e20, 1e30])
def test_maps_of_any_size(explained, size) -> None:
    for seed, maps in explained.relevance.items():
        explained.relevance[seed] = (maps * np.float32(size)).astype(np.float32)
    for normalise in ("none", "max", "l2"):
        settings = asked(normalise=normalise)
        found = compose(
            explained.write(), explained.fields, explained.classes, settings, tick=quiet
        )
        expected = numpy_statistics(explained, settings)
        for name in ("relevance", "relevance_std", "relevance_median"):
            np.testing.assert_allclose(
                found[name].values, expected[name], rtol=2e-5,
                atol=1e-6 * np.nanmax(np.abs(expected[name])), err_msg=name,
            )  # fmt: skip


def test_progress_comes_to_its_end_before_and_after(explained) -> None:
    shards = explained.write((7, 7, 10))
    for settings in (
        Composite(seeds="before"),
        Composite(select={"months": [1]}, where="row < 20"),
    ):
        ticks: list[int] = []
        compose(
            shards,
            explained.fields,
            explained.classes,
            settings,
            tick=lambda done=1, note="", ticks=ticks: ticks.append(done),
        )
        assert sum(ticks) == work(shards, explained.fields, settings)
