"""All tests of a composite together: noise, a planted signal, domain, refusals, memory, bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from climxai.composites.significance.field import FEWEST, Outcome, run_tests
from climxai.composites.significance.gather import Cells, Samples
from climxai.composites.significance.settings import Significance

ALL = ("t_test", "sign_test", "block_bootstrap", "permutation")
QUICK = [
    "t_test",
    "sign_test",
    {"name": "block_bootstrap", "resamples": 199},
    {"name": "permutation", "permutations": 199},
]


def smooth_noise(n: int, r: float, random: int) -> np.ndarray:
    """Red noise [sample, lat, lon] on 8 x 12 cells in which neighbours resemble each other."""
    rng = np.random.default_rng(random)
    shocks = rng.normal(size=(n, 10, 14))
    # a mean of 3 x 3 cells, of unit variance again
    shocks = sum(shocks[:, i : i + 8, j : j + 12] for i in range(3) for j in range(3)) / 3
    values = np.empty_like(shocks)
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = r * values[i - 1] + np.sqrt(1 - r**2) * shocks[i]
    return values.astype(np.float32)


def cells_of(maps: np.ndarray, label: np.ndarray, budget: int = 10**8) -> Cells:
    """Cells of maps [sample, lat, lon] of one network and member, in order of time."""
    n = len(maps)
    group = label[:, None] == np.arange(2)
    samples = Samples.of(np.arange(n), group, np.arange(n))
    domain = np.isfinite(maps[0])[None]
    return Cells(samples, lambda: iter([(np.arange(n), maps.reshape(n, -1))]), budget, domain)


def outcomes(
    cells: Cells, settings: Significance, signed: bool = True, **more: object
) -> dict[str, Outcome]:
    return run_tests(
        cells,
        ("cold", "warm"),
        settings,
        signed=signed,
        method="lrp",
        tick=lambda *_, **__: None,
        **more,
    )


@pytest.fixture
def labels() -> Callable[[int, int], np.ndarray]:
    """Classes that last for ten samples on average, without any part in the maps."""

    def make(n: int, random: int) -> np.ndarray:
        rng = np.random.default_rng([random, 99])
        return (np.cumsum(rng.uniform(size=n) < 0.1) + rng.integers(2)) % 2

    return make


def test_noise_is_significant_no_more_often_than_said(labels) -> None:
    settings = Significance(tests=QUICK, correction="none", alpha=0.1)
    shares: dict[str, list[float]] = {name: [] for name in ALL}
    for random in range(12):
        cells = cells_of(smooth_noise(120, 0.6, random), labels(120, random))
        for name, found in outcomes(cells, settings).items():
            shares[name].append(found.significant.mean())
    for name, each in shares.items():
        error = np.std(each) / np.sqrt(len(each))
        assert np.mean(each) <= 0.1 + 2 * error, name
        assert np.mean(each) > 0.01, name


def test_fields_of_noise_are_significant_no_more_often_than_the_rate(labels) -> None:
    settings = Significance(tests=["t_test", QUICK[3]], alpha=0.1)
    rejected: dict[str, list[bool]] = {"t_test": [], "permutation": []}
    shares = []
    for random in range(40):
        cells = cells_of(smooth_noise(80, 0.5, random), labels(80, random))
        for name, found in outcomes(cells, settings).items():
            rejected[name] += found.significant.any(axis=(1, 2, 3)).tolist()
            shares.append(found.significant.mean())
    for name, each in rejected.items():
        # 80 fields, of which a share of 0.1 would be 8 give or take 2.7
        assert np.mean(each) <= 0.1 + 2 * 0.034, name
    assert np.mean(shares) <= 0.1


def test_a_planted_signal_is_found_where_it_is(labels) -> None:
    maps, label = smooth_noise(160, 0.4, 1), labels(160, 1)
    maps[label == 1, 2:5, 3:8] += 1.2
    found = outcomes(cells_of(maps, label), Significance(tests=QUICK))
    planted = np.zeros((8, 12), dtype=bool)
    planted[2:5, 3:8] = True
    for name, each in found.items():
        mask = each.significant[1, 0]
        assert mask[planted].mean() > 0.9, name
        assert mask[~planted].mean() < 0.15, name
    # against zero the other class shows nothing
    assert found["t_test"].significant[0].mean() < 0.15


def test_memory_does_not_change_a_bit(labels, caplog: pytest.LogCaptureFixture) -> None:
    maps, label = smooth_noise(60, 0.4, 1), labels(60, 1)
    whole = outcomes(cells_of(maps, label), Significance(tests=QUICK))
    little = outcomes(cells_of(maps, label, budget=1), Significance(tests=QUICK))
    for name in ALL:
        assert whole[name].p.tolist() == little[name].p.tolist(), name


def test_land_is_not_tested_and_does_not_count(labels) -> None:
    maps, label = smooth_noise(60, 0.0, 1), labels(60, 1)
    maps[:, :3] = np.nan
    found = outcomes(cells_of(maps, label), Significance(tests=["t_test"]))["t_test"]
    assert np.isnan(found.p[:, :, :3]).all()
    assert np.isfinite(found.p[:, :, 3:]).all()
    assert not found.significant[:, :, :3].any()


def test_a_cell_without_relevance_in_one_sample_is_not_tested(labels) -> None:
    maps, label = smooth_noise(60, 0.0, 1), labels(60, 1)
    maps[7, 4, 4] = np.nan
    found = outcomes(cells_of(maps, label), Significance(tests=QUICK))
    for each in found.values():
        # the first sample decides which cells have relevance at all
        assert np.isnan(each.p[:, 0, 4, 4]).all()
        assert np.isfinite(each.p).sum() == 2 * 95


def test_zero_is_no_question_for_relevance_that_is_never_negative(
    labels, caplog: pytest.LogCaptureFixture
) -> None:
    maps, label = np.abs(smooth_noise(60, 0.0, 1)), labels(60, 1)
    found = outcomes(cells_of(maps, label), Significance(tests=QUICK), signed=False)
    assert list(found) == ["permutation"]
    assert "lrp: no t_test, since its relevance is never negative" in caplog.text
    assert "train.null_networks" in caplog.text


def test_too_few_samples_are_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    maps = smooth_noise(20, 0.0, 1)
    label = (np.arange(20) < FEWEST - 1).astype(int)
    found = outcomes(cells_of(maps, label), Significance(tests=QUICK))
    assert np.isnan(found["t_test"].p[1]).all()
    assert np.isfinite(found["t_test"].p[0]).all()
    assert found["t_test"].samples.tolist() == [16, 0]
    assert found["block_bootstrap"].block is not None
    assert found["block_bootstrap"].block[1] == 0
    assert "class warm: no t_test: 4 samples are too few, at least 5 are needed" in caplog.text


def test_one_class_alone_cannot_be_permuted(caplog: pytest.LogCaptureFixture) -> None:
    maps = smooth_noise(20, 0.0, 1)
    found = outcomes(cells_of(maps, np.zeros(20, int)), Significance(tests=["permutation"]))
    assert np.isnan(found["permutation"].p).all()
    assert "class cold: no permutation: no sample is of another class" in caplog.text


def test_thresholds_belong_to_each_map(labels) -> None:
    maps, label = smooth_noise(160, 0.4, 1), labels(160, 1)
    maps[label == 1, 2:5, 3:8] += 1.2
    found = outcomes(cells_of(maps, label), Significance(tests=["t_test"], alpha=0.05))["t_test"]
    from scipy import stats

    for k in range(2):
        expected = stats.false_discovery_control(found.p[k].ravel()) <= 0.05
        assert found.significant[k].ravel().tolist() == expected.tolist()


def test_a_difference_of_two_classes_is_tested_by_those_that_compare_classes(labels) -> None:
    maps, label = smooth_noise(160, 0.4, 1), labels(160, 1)
    maps[label == 1, 2:5, 3:8] += 1.2
    found = outcomes(
        cells_of(maps, label), Significance(tests=QUICK), differences=[("warm", "cold")]
    )
    assert list(found) == [*ALL, "permutation_difference"]
    pair = found["permutation_difference"]
    assert pair.differences
    assert pair.p.shape == (1, 1, 8, 12)
    assert pair.samples.tolist() == [160]
    # With two classes the others of one are the other one.
    assert pair.p[0].tolist() == found["permutation"].p[1].tolist()


def test_a_difference_of_a_class_and_itself_cannot_be_tested(
    labels, caplog: pytest.LogCaptureFixture
) -> None:
    maps, label = smooth_noise(40, 0.0, 1), labels(40, 1)
    found = outcomes(
        cells_of(maps, label), Significance(tests=QUICK[3]), differences=[("warm", "warm")]
    )
    assert np.isnan(found["permutation_difference"].p).all()
    assert "both classes hold the same samples" in caplog.text
