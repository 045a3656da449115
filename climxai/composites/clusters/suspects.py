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
from climxai.composites.clusters.places import Mask, place_names
from climxai.composites.clusters.settings import Suspect

STRONGEST: Final = 0.01
"""Part of a map's cells that count as its strongest."""
ALWAYS: Final = 0.95
"""A cell that is among the strongest in this part of the maps is a constant place."""
TIMES: Final = 2.0
MORE: Final = 0.1
"""Told of a place: a share so many times, and so much more than, that of the other clusters."""
STILL: Final = 0.1
"""A field that varies by less than this part of its variation in other samples stands still."""
ENOUGH: Final = 8
"""Samples needed to tell whether relevance follows the field."""

Kind = Literal["place", "still", "small", "constant"]


@dataclass(frozen=True)
class Finding:
    """Something about a cluster that should be looked at."""

    cluster: int
    kind: Kind
    text: str
    value: float
    """the number that crossed its threshold"""
    threshold: float


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


def still_place(
    relevance: npt.NDArray[np.floating],
    field: npt.NDArray[np.floating],
    inside: npt.NDArray[np.bool_],
) -> tuple[Mask, float]:
    """Return the cells [cell] whose field is the same in all samples of a cluster, and their share.

    Parameters
    ----------
    relevance, field
        [sample, cell]
    inside
        [sample]: those of the cluster; the others say how much the field varies elsewhere.

    Returns
    -------
    cells
        Standard deviation below `STILL` times that of the other samples.
    share
        Of the cluster's absolute relevance, that lies on them; NaN where there are fewer than three
        samples inside or outside.
    """
    if inside.sum() < 3 or (~inside).sum() < 3:
        return np.zeros(field.shape[1], dtype=bool), float("nan")
    values = field.astype(np.float64)
    cells = values[inside].std(axis=0) < STILL * values[~inside].std(axis=0)
    size = np.abs(relevance[inside].astype(np.float64))
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
    still_share: float
    still_where: str
    shares: dict[str, float]
    """place -> share of the cluster's absolute relevance"""
    elsewhere: dict[str, float]
    """place -> the same of all other clusters together"""


def looks(
    cluster: int,
    labels: Numbers,
    relevance: npt.NDArray[np.floating],
    field: npt.NDArray[np.floating],
    area: Array,
    places: tuple[Array, Array],
    shares: dict[str, float],
    elsewhere: dict[str, float],
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
    elsewhere
        Place -> share of the relevance of the other clusters.
    """
    inside = labels == cluster
    still, still_share = still_place(relevance, field, inside)
    cells, share = constant_place(relevance[inside])
    return Looks(
        cluster=cluster,
        count=int(inside.sum()),
        alike_relevance=alike(relevance[inside]),
        alike_field=alike(field[inside], area),
        follows=follows(relevance[inside], field[inside]),
        constant_share=share,
        constant_where=_where(places[0][cells], places[1][cells]),
        still_share=still_share,
        still_where=_where(places[0][still], places[1][still]),
        shares=shares,
        elsewhere=elsewhere,
    )


def check(found: list[Looks], labels: Numbers, suspect: Suspect) -> list[Finding]:
    """Return what is suspect about clusters, worst first within each."""
    result = []
    total = int((labels != NONE).sum())
    names = place_names(suspect)
    for each in found:
        told = {place for place in each.shares if _told(each, place, suspect)}
        for place in each.shares:
            # The union is told where no single place is.
            if place in told and (place != "any" or told == {"any"}):
                share, other = each.shares[place], each.elsewhere.get(place, float("nan"))
                text = (
                    f"{share:.0%} of its relevance lies {names[place]}, where there should be none"
                )
                if np.isfinite(other):
                    text += f" ({other:.0%} in the other clusters)"
                result.append(Finding(each.cluster, "place", text, share, suspect.share))
        if each.still_share > suspect.still:
            result.append(
                Finding(
                    each.cluster,
                    "still",
                    f"{each.still_share:.0%} of its relevance lies where the field is the same in "
                    f"all its samples but not in others, {each.still_where}: a mark?",
                    each.still_share,
                    suspect.still,
                )
            )
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


def _told(each: Looks, place: str, suspect: Suspect) -> bool:
    """Return whether so much relevance in a place is worth telling."""
    share, other = each.shares[place], each.elsewhere.get(place, float("nan"))
    return share > suspect.share or (share > TIMES * other and share > other + MORE)


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
