"""Samples in order and cells in blocks, against a dictionary of lists."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.significance.gather import PROBE, Cells, Samples, spread


@pytest.fixture
def explained():
    """Three networks' maps of ten samples of two members, out of order, one cell invalid."""
    rng = np.random.default_rng(0)
    row = np.concatenate([rng.permutation(10) for _ in range(3)])
    maps = rng.normal(size=(30, 9)).astype(np.float32)
    maps[:, 4] = np.nan
    time = np.array([5, 1, 3, 2, 4, 9, 6, 8, 7, 0])[row]
    member = np.where(row < 6, "r1", "r2").astype(object)
    group = np.zeros((30, 3), dtype=bool)
    group[np.arange(30), row % 2] = True
    group[3, :2] = False  # one map that does not count
    group[:, 2] = row < 4  # a group that overlaps the others
    return row, group, time, member, maps


def blocks_of(maps: np.ndarray, size: int):
    def read():
        for begin in range(0, len(maps), size):
            yield np.arange(begin, min(begin + size, len(maps))), maps[begin : begin + size]

    return read


@pytest.mark.parametrize("size", [1, 4, 30])
def test_samples_are_means_over_networks_in_order(explained, size: int) -> None:
    row, group, time, member, maps = explained
    samples = Samples.of(row, group, time, [member])
    expected = {}
    for i in range(30):
        for k in np.flatnonzero(group[i]).tolist():
            key = (member[i], time[i], k)
            expected.setdefault(key, []).append(maps[i])
    keys = sorted(expected)
    assert samples.series.group.tolist() == [key[2] for key in keys]
    assert samples.networks.tolist() == [len(expected[key]) for key in keys]
    assert samples.series.member.tolist() == [int(key[0] == "r2") for key in keys]
    domain = np.isfinite(maps[0]).reshape(1, 3, 3)
    cells = Cells(samples, blocks_of(maps, size), 10**6, domain)
    assert cells.tested.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    values = cells.read(cells.tested)
    wanted = np.array([np.mean(expected[key], axis=0)[cells.tested] for key in keys])
    assert values == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_memory_bounds_the_cells_held_at_once(caplog: pytest.LogCaptureFixture) -> None:
    row = np.arange(100)
    samples = Samples.of(row, np.ones((100, 1), dtype=bool), row)
    cells = Cells(samples, lambda: iter(()), 4 * 100 * 130, np.ones((1, 20, 50), dtype=bool))
    parts = cells.slices()
    assert [part.stop - part.start for part in parts] == [128] * 7 + [104]
    assert "read all relevance 8 times" in caplog.text
    # never fewer than one aligned part, however little memory there is
    few = Cells(samples, lambda: iter(()), 1, np.ones((1, 1, 100), dtype=bool))
    assert [part.stop - part.start for part in few.slices()] == [64, 36]


def test_probes_are_spread_over_the_map() -> None:
    assert spread(0).tolist() == []
    assert spread(3).tolist() == [0, 1, 2]
    assert spread(PROBE + 20)[-1] == PROBE + 19
    assert len(set(spread(PROBE + 20).tolist())) == PROBE
    found = spread(10_000)
    assert len(found) == PROBE
    assert found[-1] > 9000
