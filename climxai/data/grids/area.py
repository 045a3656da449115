"""The area a cell stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def area_weights(lat: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return cos(latitude), never below 0, for latitudes in degrees north.

    On a grid of equal steps in degrees it is proportional to the area of a cell.
    """
    return np.clip(np.cos(np.deg2rad(np.asarray(lat, np.float64))), 0.0, None)
