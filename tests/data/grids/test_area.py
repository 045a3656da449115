"""Areas of spherical bands and hand-written texts are the reference."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.data.grids.area import area_weights
from climxai.data.grids.describe import describe_grid


def test_weights_are_proportional_to_the_area_of_bands() -> None:
    # A band from a to b has the area 2π(sin b − sin a), and sin b − sin a = 2 sin(step/2) cos(mid).
    edges = np.linspace(-90, 90, 37)
    middle = (edges[1:] + edges[:-1]) / 2
    bands = np.diff(np.sin(np.deg2rad(edges)))
    weights = area_weights(middle)
    np.testing.assert_allclose(weights / weights.sum(), bands / bands.sum(), rtol=1e-12)


def test_weights_are_never_negative() -> None:
    weights = area_weights(np.array([-90.00001, -90, 0, 60, 90, 90.00001], np.float32))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights[[2, 3]], [1, 0.5])


@pytest.mark.parametrize(
    ("lat", "lon", "text"),
    [
        (np.arange(-88, 89, 2), np.arange(0, 360, 2), "89 x 180 cells, 2° x 2°, global"),
        (np.arange(-87.5, 90, 5), np.arange(-180, 180, 5), "36 x 72 cells, 5° x 5°, global"),
        (
            np.arange(-20, 21, 5),
            np.arange(120, 281, 10),
            "9 x 17 cells, 5° x 10°, 20°S-20°N, 120°E-80°W",
        ),
        (
            np.arange(-20, 21, 5),
            np.arange(0, 360, 10),
            "9 x 36 cells, 5° x 10°, 20°S-20°N, all longitudes",
        ),
        (
            np.arange(0, 41, 20),
            np.arange(100, 401, 10),
            "3 x 31 cells, 20° x 10°, 0°N-40°N, 100°E-40°E",
        ),
        (np.array([-1.0, 0, 2]), np.arange(3.0), "3 x 3 cells, about 1.5° x 1°, 1°S-2°N, 0°E-2°E"),
        (np.array([5.0]), np.array([10.0]), "1 x 1 cells, latitude 5 to 5, longitude 10 to 10"),
    ],
)
def test_descriptions(lat: np.ndarray, lon: np.ndarray, text: str) -> None:
    assert describe_grid(lat, lon) == text
