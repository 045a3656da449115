"""Confusion matrices and reliability: stored pictures, scikit-learn and statsmodels' formulas."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from sklearn.calibration import calibration_curve

from climxai.core.errors import DataError
from climxai.plots.scores import binned, draw_confusion, draw_reliability, wilson
from climxai.plots.style import save_figure
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


@pytest.mark.parametrize("name", ["confusion", "reliability"])
def test_pages_look_like_the_stored_ones(name, world, tmp_path):
    save_figure(pages.FIGURES[name](world), [tmp_path / f"{name}.png"])
    assert (
        compare_images(str(REFERENCE / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE)
        is None
    )


def test_bins_equal_those_of_scikit_learn():
    confidence, correct = pages.predictions()[0]
    # scikit-learn's bins go from 0 to 1: twice as many of them are ours from 0.5 on.
    share, mean = calibration_curve(correct, confidence, n_bins=20, strategy="uniform")
    found = binned(confidence, correct, 0.5)
    np.testing.assert_allclose(found.accuracy, share)
    np.testing.assert_allclose(found.confidence, mean)
    assert found.count.sum() == len(confidence)


def test_the_calibration_error_by_hand():
    # Ten at 0.6, of which nine are right, and ten at 0.9, of which six: (0.3 + 0.3) / 2.
    confidence = np.repeat([0.6, 0.9], 10)
    correct = np.array([True] * 9 + [False] + [True] * 6 + [False] * 4)
    assert binned(confidence, correct, 0.5).error == pytest.approx(0.3)


def test_the_surest_predictions_lie_in_the_last_bin():
    found = binned(np.array([0.5, 1.0]), np.array([False, True]), 0.5)
    assert found.count.tolist() == [1, *[0] * 8, 1]


def test_intervals_are_those_of_the_literature():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263 and 15 of 148.
    low, high = wilson(np.array([81 / 263, 15 / 148]), np.array([263, 148]))
    np.testing.assert_allclose(low, [0.2553, 0.0624], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605], atol=5e-5)


def test_the_matrix_holds_shares_and_counts():
    figure = draw_confusion(
        {"test part": [np.array([[8, 2], [1, 4]]), np.array([[9, 1], [1, 4]])]},
        ["a", "b"],
        title="t",
    )
    texts = [text.get_text() for text in figure.axes[0].texts]
    # 17 of 20 and 8 of 10; of both networks 8 and 9 were right.
    assert texts == ["85%", "8-9", "15%", "1-2", "20%", "1", "80%", "4"]
    assert figure.axes[0].get_title(loc="left") == "test part, n = 15"


def test_many_classes_are_shaded_only():
    figure = draw_confusion(
        {"test part": [np.eye(12, dtype=int)]}, [f"class number {k}" for k in range(12)], title="t"
    )
    assert not figure.axes[0].texts


def test_three_classes_begin_at_a_third():
    figure = draw_reliability(
        {0: (np.array([0.35, 0.9]), np.array([False, True]))}, 3, title="t", part="test"
    )
    assert figure.axes[0].get_xlim()[0] == pytest.approx(1 / 3 - 0.02)


def test_nothing_to_draw_is_said():
    with pytest.raises(DataError, match="no confusion matrix"):
        draw_confusion({}, ["a"], title="t")
    with pytest.raises(DataError, match=r"shape \(2, 2\), expected \(3, 3\)"):
        draw_confusion({"test": [np.eye(2, dtype=int)]}, ["a", "b", "c"], title="t")
    with pytest.raises(DataError, match="no predictions on the test part"):
        draw_reliability({}, 2, title="t", part="test")
