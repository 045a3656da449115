"""Composites from shards against numpy on everything at once."""

from __future__ import annotations

import itertools
import logging
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from climxai.composites import shards as shards_module
from climxai.composites.composite import compose, work
from climxai.composites.settings import Composite
from climxai.core.errors import OutputError


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def numpy_composite(explained, settings: Composite) -> dict[str, np.ndarray]:
    """Restate the composite, slow and obvious, on whole arrays."""
    maps, classes, seeds, rows, zeros, ratios = [], [], [], [], [], []
    for seed, relevance in explained.relevance.items():
        for i, one in enumerate(relevance.astype(np.float64)):
            label, prediction = explained.label[i], explained.prediction[seed][i]
            if settings.only == "correct" and label != prediction:
                continue
            if settings.only == "incorrect" and label == prediction:
                continue
            size = np.nan_to_num(np.abs(one))
            scale = {"none": 1.0, "max": size.max(), "sum": size.sum()}[settings.normalise]
            maps.append(one / scale if scale > 0 else one)
            classes.append(label if settings.by[0].name == "label" else prediction)
            seeds.append(seed)
            rows.append(i)
            zeros.append(size.max() == 0)
            ratios.append(explained.conservation[seed][i])
    maps, classes, seeds = np.array(maps), np.array(classes), np.array(seeds)
    fields = explained.fields.values.astype(np.float64)[rows]
    n, every = len(explained.classes), list(explained.relevance)
    shape = fields.shape[1:]
    out = {
        "relevance": np.full((n, *shape), np.nan),
        "relevance_std": np.full((n, *shape), np.nan),
        "relevance_seed_std": np.full((n, *shape), np.nan),
        "field": np.full((n, *shape), np.nan),
        "count": np.zeros(n, int),
        "relevance_by_seed": np.full((len(every), n, *shape), np.nan),
        "count_by_seed": np.zeros((len(every), n), int),
        "zero_fraction": np.full((len(every), n), np.nan),
        "conservation": np.full((len(every), n), np.nan),
    }
    for k in range(n):
        of_class = classes == k
        out["count"][k] = of_class.sum()
        if of_class.any():
            out["relevance"][k] = maps[of_class].mean(axis=0)
            out["relevance_std"][k] = maps[of_class].std(axis=0)
            out["field"][k] = fields[of_class].mean(axis=0)
        means = []
        for s, seed in enumerate(every):
            both = of_class & (seeds == seed)
            out["count_by_seed"][s, k] = both.sum()
            if both.any():
                means.append(maps[both].mean(axis=0))
                out["relevance_by_seed"][s, k] = means[-1]
                out["zero_fraction"][s, k] = np.array(zeros)[both].mean()
                out["conservation"][s, k] = np.nanmean(np.array(ratios)[both])
        if len(means) > 1:
            out["relevance_seed_std"][k] = np.std(means, axis=0)
    return out


def assert_equal(found: xr.Dataset, expected: dict[str, np.ndarray], tolerance=1e-6) -> None:
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name].values, values, rtol=tolerance, atol=tolerance / 4, err_msg=name
        )


@pytest.mark.parametrize("normalise", ["none", "max", "sum"])
@pytest.mark.parametrize("by", ["label", "prediction"])
@pytest.mark.parametrize("only", ["all", "correct", "incorrect"])
def test_equals_numpy_on_everything(explained, normalise, by, only) -> None:
    settings = Composite(normalise=normalise, by=by, only=only)
    explained.relevance[0][3] *= 0  # a zero map; land stays NaN
    explained.conservation[1][5] = np.nan
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    assert_equal(found, numpy_composite(explained, settings))


def test_several_channels_share_a_scale(make) -> None:
    explained = make(channels=3)
    explained.relevance[0][:, 1] *= 100
    found = compose(explained.write(), explained.fields, explained.classes, Composite(), tick=quiet)
    assert_equal(found, numpy_composite(explained, Composite()))


def test_each_field_of_the_settings_changes_the_result(explained) -> None:
    shards = explained.write()
    results = [
        compose(shards, explained.fields, explained.classes, settings, tick=quiet)
        for settings in (
            Composite(),
            Composite(normalise="none"),
            Composite(normalise="sum"),
            Composite(by="prediction"),
            Composite(only="correct"),
            Composite(only="incorrect"),
        )
    ]
    for one, other in itertools.combinations(results, 2):
        assert not np.allclose(one["relevance"], other["relevance"], equal_nan=True)


@hypothesis_settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_any_shards_in_any_order_and_any_blocks(make_in, data) -> None:
    samples = data.draw(st.integers(1, 12))
    cuts = sorted(data.draw(st.lists(st.integers(0, samples), max_size=3)))
    lengths = np.diff([0, *cuts, samples]).tolist()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        explained = make_in(Path(folder), samples=samples, random=data.draw(st.integers(0, 1000)))
        explained.fields = explained.fields.chunk(sample=data.draw(st.integers(1, samples)))
        patch.setattr(shards_module, "BLOCK_BYTES", data.draw(st.sampled_from([1, 500, 10**6])))
        shards = {
            seed: data.draw(st.permutations(paths))
            for seed, paths in explained.write(lengths, compress=data.draw(st.booleans())).items()
        }
        settings = Composite(by="prediction", only="correct")
        if not any((explained.label == each).any() for each in explained.prediction.values()):
            with pytest.raises(OutputError, match="only correct: 0"):
                compose(shards, explained.fields, explained.classes, settings, tick=quiet)
            return
        found = compose(shards, explained.fields, explained.classes, settings, tick=quiet)
        assert_equal(found, numpy_composite(explained, settings))


def test_land_is_missing_and_nothing_else(explained) -> None:
    found = compose(explained.write(), explained.fields, explained.classes, Composite(), tick=quiet)
    land = np.isnan(explained.relevance[0][0])
    for name in ("relevance", "relevance_std", "field"):
        for values in found[name].values:
            np.testing.assert_array_equal(np.isnan(values), land)


def test_zero_maps_count_and_stay_zero(make) -> None:
    explained = make(samples=4, seeds=(7,))
    explained.label[:] = [0, 0, 0, 1]
    explained.relevance[7][:2] *= 0
    found = compose(explained.write(), explained.fields, explained.classes, Composite(), tick=quiet)
    third = explained.relevance[7][2]
    np.testing.assert_allclose(
        found["relevance"].values[0], third / np.nanmax(np.abs(third)) / 3, rtol=1e-6
    )
    assert found["count"].values.tolist() == [3, 1]
    np.testing.assert_allclose(found["zero_fraction"].values, [[2 / 3, 0]], rtol=1e-6)


def test_a_class_without_maps_is_empty_with_a_warning(make, caplog) -> None:
    explained = make(classes=("cold", "neutral", "warm"))
    explained.label[explained.label == 1] = 0
    with caplog.at_level(logging.WARNING):
        found = compose(
            explained.write(), explained.fields, explained.classes, Composite(), tick=quiet
        )
    assert found["count"].values[1] == 0
    for name in ("relevance", "relevance_std", "field"):
        assert np.isnan(found[name].values[1]).all()
    assert np.isnan(found["zero_fraction"].values[:, 1]).all()
    assert "neutral" in caplog.text
    assert "warm" not in caplog.text


def test_one_sample_per_class(make) -> None:
    explained = make(samples=2, seeds=(0,))
    explained.label[:] = [0, 1]
    settings = Composite(normalise="none")
    found = compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)
    np.testing.assert_array_equal(found["relevance"].values, explained.relevance[0])
    np.testing.assert_array_equal(found["field"].values, explained.fields.values)
    assert np.nanmax(found["relevance_std"].values) == 0
    # One network says nothing about the spread of networks.
    assert np.isnan(found["relevance_seed_std"].values).all()


def test_rows_of_the_field_are_found_by_their_number(explained) -> None:
    shards = explained.write()
    order = np.random.default_rng(0).permutation(len(explained.label))
    expected = numpy_composite(explained, Composite())
    found = compose(
        shards, explained.fields.isel(sample=order), explained.classes, Composite(), tick=quiet
    )
    assert_equal(found, expected)


def test_each_row_of_the_field_is_read_once(explained) -> None:
    import dask.array

    read: list[int] = []
    values = explained.fields.values

    def block(block_info=None) -> np.ndarray:
        begin, end = block_info[None]["array-location"][0]
        read.extend(range(begin, end))
        return values[begin:end]

    explained.fields = explained.fields.copy(
        data=dask.array.map_blocks(
            block, chunks=explained.fields.chunks, dtype=np.float32, meta=values[:0]
        )
    )
    shards = explained.write()
    read.clear()
    compose(shards, explained.fields, explained.classes, Composite(), tick=quiet)
    assert sorted(read) == list(range(len(explained.label)))


def test_progress_comes_to_its_announced_end(explained) -> None:
    ticks: list[int] = []
    shards = explained.write()
    compose(
        shards,
        explained.fields,
        explained.classes,
        Composite(),
        tick=lambda done=1, note="": ticks.append(done),
    )
    assert sum(ticks) == work(shards, explained.fields) == 4 + 5
    assert work(shards, explained.fields.load()) == 4 + 1
