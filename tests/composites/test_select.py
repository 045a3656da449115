"""Which map goes to which class; expected values by hand."""

import numpy as np
import pytest

from climxai.composites.select import assign, describe
from climxai.composites.settings import Composite

LABEL = np.array([0, 0, 1, 1, -1])
PREDICTION = np.array([0, 1, 1, 0, 1])


@pytest.mark.parametrize(
    ("by", "only", "expected"),
    [
        ("label", "all", [0, 0, 1, 1, -1]),
        ("label", "correct", [0, -1, 1, -1, -1]),
        ("label", "incorrect", [-1, 0, -1, 1, -1]),
        ("prediction", "all", [0, 1, 1, 0, 1]),
        ("prediction", "correct", [0, -1, 1, -1, -1]),
        ("prediction", "incorrect", [-1, 1, -1, 0, -1]),
    ],
)
def test_assign(by: str, only: str, expected: list[int]) -> None:
    label, prediction = LABEL.copy(), PREDICTION.copy()
    found = assign(label, prediction, Composite(by=by, only=only))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(label, LABEL)
    np.testing.assert_array_equal(prediction, PREDICTION)


def test_every_selection_reads_differently() -> None:
    texts = {
        describe(Composite(by=by, only=only))
        for by in ("label", "prediction")
        for only in ("all", "correct", "incorrect")
    }
    assert len(texts) == 6
