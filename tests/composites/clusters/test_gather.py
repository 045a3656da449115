"""Streaming equals the whole: coarse maps, composites and shares, however shards are cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from climxai.composites.clusters import gather as module
from climxai.composites.clusters.averages import averages, work
from climxai.composites.clusters.coarsen import coarse_grid
from climxai.composites.clusters.gather import gather, read_heads
from climxai.composites.clusters.places import masks
from climxai.composites.clusters.settings import Strategies, Suspect
from climxai.core.errors import DataError, OutputError
from tests.composites.conftest import CLASSES, Explained

SUSPECT = Suspect(border=1, outside=[-60, 60, 0, 180], land=True)


def nothing(done: int = 1, note: str = "") -> None:
    del done, note


@pytest.mark.parametrize("lengths", [(24,), (1, 9, 14), (5, 5, 5, 9)])
@pytest.mark.parametrize(("coarsen", "channels"), [(None, 1), (2, 1), (None, 2), (3, 2)])
def test_coarse_maps_are_those_of_the_whole(
    make: Callable[..., Explained], lengths: tuple[int, ...], coarsen: int | None, channels: int
) -> None:
    explained = make(channels=channels)
    shards = {seed: paths[::-1] for seed, paths in explained.write(lengths).items()}
    opened = read_heads(shards, CLASSES)
    chosen = opened.row[opened.label == 1]
    made = gather(opened, explained.fields, chosen, Strategies(coarsen=coarsen), nothing)
    inside = explained.label == 1
    np.testing.assert_array_equal(made.row, explained.row[inside])
    grid = coarse_grid(explained.fields["lat"].values, explained.fields["lon"].values, coarsen)
    field, area = grid.means(explained.fields.values[inside])
    kept = (area > 0).ravel()
    np.testing.assert_allclose(made.field, field.reshape(len(field), -1)[:, kept], rtol=1e-5)
    np.testing.assert_allclose(made.area, area.ravel()[kept])
    for seed in (0, 1):
        whole = grid.means(explained.relevance[seed][inside])[0].reshape(inside.sum(), -1)
        np.testing.assert_allclose(made.relevance[seed], whole[:, kept], rtol=1e-5, atol=1e-7)
    assert np.isfinite(made.mean()).all()


def test_one_seed_is_read_alone(explained: Explained) -> None:
    opened = read_heads(explained.write(), CLASSES)
    made = gather(opened, explained.fields, opened.row, Strategies(seed=1), nothing)
    assert list(made.relevance) == [1]


def test_each_piece_of_work_is_told(explained: Explained) -> None:
    opened = read_heads(explained.write((10, 14)), CLASSES)
    told: list[int] = []
    gather(opened, explained.fields, opened.row, Strategies(), lambda n=1, note="": told.append(n))
    assert sum(told) == work(opened, explained.fields, Strategies())


def test_labels_and_what_most_seeds_gave(make: Callable[..., Explained]) -> None:
    explained = make(seeds=(0, 1, 2))
    opened = read_heads(explained.write(), CLASSES)
    np.testing.assert_array_equal(opened.label, explained.label)
    votes = np.array([explained.prediction[seed] for seed in (0, 1, 2)])
    np.testing.assert_array_equal(opened.prediction, (votes.sum(axis=0) >= 2).astype(int))
    np.testing.assert_allclose(opened.right, (votes == explained.label).mean(axis=0))


@pytest.mark.parametrize("lengths", [(24,), (7, 17)])
def test_averages_are_numpy_s(explained: Explained, lengths: tuple[int, ...]) -> None:
    opened = read_heads(explained.write(lengths), CLASSES)
    labels = np.random.default_rng(5).integers(0, 3, 24)  # 0: in no cluster
    places = masks(opened.first.lat, opened.first.lon, SUSPECT)
    made = averages(
        opened, explained.fields, opened.row, labels, Strategies(normalise="max"), places, nothing
    )
    for number in (1, 2):
        inside = labels == number
        maps = np.concatenate([explained.relevance[seed][inside] for seed in (0, 1)])
        size = np.nanmax(np.abs(maps), axis=(1, 2, 3), keepdims=True)
        np.testing.assert_allclose(made.relevance[number - 1], (maps / size).mean(0), atol=1e-6)
        np.testing.assert_allclose(made.relevance_std[number - 1], (maps / size).std(0), atol=1e-6)
        np.testing.assert_allclose(
            made.field[number - 1], explained.fields.values[inside].mean(axis=0), rtol=1e-6
        )
        assert made.maps[number - 1] == 2 * inside.sum()
        size = np.nan_to_num(np.abs(maps)).sum(axis=1)
        for place, mask in places.items():
            expected = size[:, mask].sum() / size.sum()
            assert made.shares[place][number - 1] == pytest.approx(expected, rel=1e-6)
            others = np.concatenate([explained.relevance[s][labels == 3 - number] for s in (0, 1)])
            others = np.nan_to_num(np.abs(others)).sum(axis=1)
            found = made.elsewhere(number)[place]
            assert found == pytest.approx(others[:, mask].sum() / others.sum(), rel=1e-6)


def test_relevance_found_on_invalid_cells_is_relevance_on_land(explained: Explained) -> None:
    import netCDF4

    paths = explained.write((24,), compress=False)
    with netCDF4.Dataset(paths[0][0], "a") as file:
        file.variables["mask_leak"][:] = 1000.0
    opened = read_heads(paths, CLASSES)
    places = masks(opened.first.lat, opened.first.lon, Suspect(land=True, border=1))
    labels = np.ones(24, dtype=np.int64)
    made = averages(opened, explained.fields, opened.row, labels, Strategies(), places, nothing)
    assert made.shares["land"][0] > 0.9
    assert made.shares["border"][0] < 0.1


def test_too_much_to_hold(explained: Explained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    opened = read_heads(explained.write(), CLASSES)
    with pytest.raises(DataError, match=r"coarsen the maps"):
        gather(opened, explained.fields, opened.row, Strategies(), nothing)


def test_data_that_changed(explained: Explained) -> None:
    opened = read_heads(explained.write(), CLASSES)
    with pytest.raises(OutputError, match=r"row 3, which the data do not hold"):
        gather(
            opened, explained.fields.isel(sample=slice(1, None)), opened.row, Strategies(), nothing
        )


def test_a_cell_missing_in_one_sample_is_left_out(explained: Explained) -> None:
    explained.fields = explained.fields.compute()
    explained.fields[4, 0, 5, 6] = np.nan
    opened = read_heads(explained.write(), CLASSES)
    made = gather(opened, explained.fields, opened.row, Strategies(), nothing)
    assert made.field.shape == (24, 6 * 8 - 6 - 1)
    assert np.isfinite(made.field).all()
