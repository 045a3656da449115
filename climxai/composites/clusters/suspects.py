"""A Clever Hans check: clusters whose relevance lies where it should not, or ignores the field.

Source: Lapuschkin et al. (2019), Nature Communications 10, 1096: strategies that are right for the
wrong reason stand out as clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.clusterer import NONE, Array, Numbers
from climxai.composites.clusters.coarsen import goes_around
from climxai.composites.clusters.settings import Suspect
from climxai.core.geography import land_mask

STRONGEST: Final = 0.01
"""Part of a map's cells that count as its strongest."""
ALWAYS: Final = 0.95
"""A cell that is among the strongest in this part of the maps is a constant place."""
ENOUGH: Final = 8
"""Samples needed to tell whether relevance follows the field."""

Kind = Literal["place", "small", "constant"]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Finding:
    """Something about a cluster that should be looked at."""

    cluster: int
    kind: Kind
    text: str
    value: float
    """the number that crossed its threshold"""
    threshold: float


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


def alike(maps: npt.NDArray[np.floating], weights: Array | None = None) -> float:
    """Return the mean cosine between two different maps [sample, cell]; NaN for fewer than two.

    Maps of zeros take no part.
    """
    values = maps.astype(np.float64) * (1.0 if weights is None else np.sqrt(weights))
    size = np.linalg.norm(values, axis=1)
    units = values[size > 0] / size[size > 0, None]
    n = len(units)
    if n < 2:
        return float("nan")
    return float((np.square(units.sum(axis=0)).sum() - n) / (n * (n - 1)))


def follows(relevance: npt.NDArray[np.floating], field: npt.NDArray[np.floating]) -> float:
    """Return the part of relevance's variation that the field of the same cell accounts for.

    Per cell the adjusted R² of relevance on the field over samples, averaged over cells by their
    mean absolute relevance; of relevance as it is and of maps divided by their sums, the larger:
    what is the same up to a factor per map does follow. 1: relevance is the field times a constant;
    about 0: it does not change, or not with the field.

    Parameters
    ----------
    relevance, field
        [sample, cell]

    Returns
    -------
    share
        At most 1; NaN for fewer than `ENOUGH` samples or without relevance.
    """
    n = len(relevance)
    size = np.abs(relevance.astype(np.float64))
    if n < ENOUGH or not size.any():
        return float("nan")
    y = field.astype(np.float64) - field.mean(axis=0, dtype=np.float64)
    found = []
    total = size.sum(axis=1, keepdims=True)
    for values in (relevance, relevance / np.where(total > 0, total, 1.0)):
        x = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
        xx, yy = np.square(x).sum(axis=0), np.square(y).sum(axis=0)
        # Rounding is no variation.
        still = (xx <= 1e-10 * np.square(values).sum(axis=0)) | (yy == 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            r2 = np.where(still, 0.0, np.square((x * y).sum(axis=0)) / (xx * yy))
        adjusted = np.where(still, 0.0, 1 - (1 - r2) * (n - 1) / (n - 2))
        weight = np.abs(values).sum(axis=0)
        found.append(float(weight @ adjusted / weight.sum()))
    return max(found)


def constant_place(maps: npt.NDArray[np.floating]) -> tuple[Mask, float]:
    """Return the cells [cell] that are among the strongest of nearly all maps, and their share.

    Parameters
    ----------
    maps
        Relevance [sample, cell].

    Returns
    -------
    cells
        Among the strongest `STRONGEST` of the cells in `ALWAYS` of the maps.
    share
        Of the absolute relevance, that lies on them; NaN where there is none at all.
    """
    size = np.abs(maps.astype(np.float64))
    most = max(1, round(STRONGEST * size.shape[1]))
    strongest = np.zeros(size.shape, dtype=bool)
    np.put_along_axis(strongest, np.argsort(-size, axis=1, kind="stable")[:, :most], True, axis=1)
    cells = (strongest & (size > 0)).mean(axis=0) >= ALWAYS
    total = size.sum()
    return cells, float(size[:, cells].sum() / total) if total > 0 else float("nan")


@dataclass(frozen=True)
class Looks:
    """What is known of one cluster beside its maps."""

    cluster: int
    count: int
    alike_relevance: float
    alike_field: float
    follows: float
    constant_share: float
    constant_where: str
    shares: dict[str, float]
    """place -> share of the cluster's absolute relevance"""


def looks(
    cluster: int,
    labels: Numbers,
    relevance: npt.NDArray[np.floating],
    field: npt.NDArray[np.floating],
    area: Array,
    places: tuple[Array, Array],
    shares: dict[str, float],
) -> Looks:
    """Return how alike the maps of one cluster are, and where they always lie.

    Parameters
    ----------
    cluster
        Its number.
    labels
        [sample].
    relevance, field
        Coarse maps [sample, cell].
    area
        [cell].
    places
        Latitudes and longitudes [cell].
    shares
        Place -> share of the cluster's relevance.
    """
    inside = labels == cluster
    cells, share = constant_place(relevance[inside])
    return Looks(
        cluster=cluster,
        count=int(inside.sum()),
        alike_relevance=alike(relevance[inside]),
        alike_field=alike(field[inside], area),
        follows=follows(relevance[inside], field[inside]),
        constant_share=share,
        constant_where=_where(places[0][cells], places[1][cells]),
        shares=shares,
    )


def check(found: list[Looks], labels: Numbers, suspect: Suspect) -> list[Finding]:
    """Return what is suspect about clusters, worst first within each."""
    result = []
    total = int((labels != NONE).sum())
    names = place_names(suspect)
    for each in found:
        told = {place for place, share in each.shares.items() if share > suspect.share}
        for place, share in each.shares.items():
            # The union is told where no single place is.
            if place in told and (place != "any" or told == {"any"}):
                text = (
                    f"{share:.0%} of its relevance lies {names[place]}, where there should be none"
                )
                result.append(Finding(each.cluster, "place", text, share, suspect.share))
        if each.constant_share > suspect.share:
            result.append(
                Finding(
                    each.cluster,
                    "constant",
                    f"{each.constant_share:.0%} of its relevance lies in one place that is the "
                    f"same in all its maps ({each.constant_where})",
                    each.constant_share,
                    suspect.share,
                )
            )
        elif each.alike_relevance >= suspect.alike and each.follows < suspect.follows:
            result.append(
                Finding(
                    each.cluster,
                    "constant",
                    "its maps of relevance are one and the same (mean cosine "
                    f"{each.alike_relevance:.2f}), and the field accounts for {each.follows:.0%} "
                    "of what varies in them: relevance ignores the field",
                    each.follows,
                    suspect.follows,
                )
            )
        share = each.count / total
        if len(found) > 1 and (share < suspect.small or each.count <= 2):
            text = f"it is small: {each.count} of {total} samples ({share:.1%})"
            result.append(Finding(each.cluster, "small", text, share, suspect.small))
    return result


def _where(lat: Array, lon: Array) -> str:
    """Return a place in words: its middle, across the seam like elsewhere."""
    if lat.size == 0:
        return "none"
    angle = np.deg2rad(lon)
    east = np.rad2deg(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()))
    north = float(lat.mean())
    return (
        f"near {abs(north):.0f}°{'S' if north < 0 else 'N'} "
        f"{abs(east):.0f}°{'W' if east < 0 else 'E'}"
    )
