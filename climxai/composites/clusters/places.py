"""Places where relevance is suspect: land, outside a region, the edge of the grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.coarsen import goes_around
from climxai.composites.clusters.settings import Suspect
from climxai.core.geography import land_mask

Mask = npt.NDArray[np.bool_]


def masks(
    lat: npt.NDArray[np.floating], lon: npt.NDArray[np.floating], suspect: Suspect
) -> dict[str, Mask]:
    """Return place -> bool [lat, lon], the cells on which relevance is suspect.

    Places that are not asked for are absent; where there are several, ``any`` is their union.
    """
    found: dict[str, Mask] = {}
    if suspect.land:
        found["land"] = land_mask(lat, lon)
    if suspect.outside is not None:
        found["outside"] = ~suspect.outside.contains(lat, lon)
    if suspect.border:
        found["border"] = border(lat, lon, suspect.border)
    if len(found) > 1:
        found["any"] = np.logical_or.reduce(list(found.values()))
    return found


def border(lat: npt.NDArray[np.floating], lon: npt.NDArray[np.floating], width: int) -> Mask:
    """Return the strip of ``width`` cells along the edge; around the globe: north and south."""
    inside = np.zeros((lat.size, lon.size), dtype=bool)
    rows = slice(width, max(width, lat.size - width))
    columns = slice(None) if goes_around(lon) else slice(width, max(width, lon.size - width))
    inside[rows, columns] = True
    return ~inside


def place_names(suspect: Suspect) -> dict[str, str]:
    """Return place -> how it is called in messages."""
    outside = suspect.outside.describe() if suspect.outside is not None else ""
    cells = f"{suspect.border} cell{'s' if suspect.border > 1 else ''}"
    return {
        "land": "on land",
        "outside": f"outside {outside}",
        "border": f"within {cells} of the edge",
        "any": "in suspect places together",
    }
