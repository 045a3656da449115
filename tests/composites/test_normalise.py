"""Normalisation against values worked out by hand."""

import numpy as np
import pytest

from climxai.composites.normalise import MEANING, normalised

NAN = np.nan
MAPS = np.array([[[1.0, -4.0], [NAN, 3.0]], [[0.0, 0.0], [NAN, 0.0]], [[2.0, 2.0], [NAN, 0.0]]])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", MAPS),
        ("max", [[[0.25, -1], [NAN, 0.75]], [[0, 0], [NAN, 0]], [[1, 1], [NAN, 0]]]),
        ("sum", [[[0.125, -0.5], [NAN, 0.375]], [[0, 0], [NAN, 0]], [[0.5, 0.5], [NAN, 0]]]),
    ],
)
def test_hand_worked(how: str, expected: object) -> None:
    before = MAPS.copy()
    np.testing.assert_array_equal(normalised(MAPS, how), expected)
    np.testing.assert_array_equal(MAPS, before)
    assert MEANING[how].startswith(how)


def test_the_scale_is_taken_over_all_channels() -> None:
    maps = np.array([[[[1.0]], [[-5.0]]]])
    np.testing.assert_allclose(normalised(maps, "max").ravel(), [0.2, -1])


@pytest.mark.parametrize("how", ["max", "sum"])
@pytest.mark.parametrize("size", [1e-38, 1e38])
def test_float32_maps_of_any_size_give_the_same(how: str, size: float) -> None:
    maps = np.array([[3.0, -1.0, 2.0]])
    np.testing.assert_allclose(
        normalised((maps * size).astype(np.float32), how), normalised(maps, how), rtol=1e-5
    )
