"""Numbers that say how far to trust a composite: shares, correlations, spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt

from climxai.core import dims
from climxai.core.region import Region

if TYPE_CHECKING:
    import xarray as xr


class Row(TypedDict):
    """One line of the summary: one class and channel of one seed. Undefined numbers are None."""

    class_name: str
    channel: str
    seed: int
    count: int
    zero_fraction: float | None
    conservation: float | None
    correlation: float | None


class Spread(TypedDict):
    """Lowest and highest value of one quantity over the seeds that have it, for a class."""

    class_name: str
    channel: str
    quantity: str
    seeds: int
    lowest: float | None
    highest: float | None


QUANTITIES = ("zero_fraction", "conservation", "correlation")


def regional_share(
    map2d: npt.NDArray[np.floating],
    lat: npt.NDArray[np.floating],
    lon: npt.NDArray[np.floating],
    region: Region,
) -> float:
    """Return the share of a map's positive relevance that lies in a region.

    A plain sum over cells, without area weights: relevance belongs to a cell as a whole (it adds up
    to the explained output), it is no density. NaN counts for nothing, and so does negative
    relevance.

    Parameters
    ----------
    map2d
        Relevance [lat, lon].
    lat, lon
        Cell centres, degrees; a centre on the region's edge lies inside.
    region
        The box.

    Returns
    -------
    share
        From 0 to 1; NaN when the map has no positive relevance.
    """
    positive = np.where(map2d > 0, map2d, 0).astype(np.float64)
    total = positive.sum()
    return float(positive[region.contains(lat, lon)].sum() / total) if total > 0 else float("nan")


def pattern_correlation(
    relevance: npt.NDArray[np.floating],
    abs_field: npt.NDArray[np.floating],
    lat: npt.NDArray[np.floating],
    weights: Literal["area", "none"] = "area",
) -> float:
    """Return the centred pattern correlation of two maps over the cells where both are valid.

    Parameters
    ----------
    relevance, abs_field
        Maps [lat, lon]; for the yardstick of a composite the second is the absolute value of the
        field's composite.
    lat
        Cell centres, degrees north.
    weights
        ``area``: cells weigh as the cosine of their latitude; ``none``: all cells alike.

    Returns
    -------
    r
        From -1 to 1; NaN when fewer than two cells are valid in both or a map is constant there.
    """
    valid = np.isfinite(relevance) & np.isfinite(abs_field)
    if np.count_nonzero(valid) < 2:
        return float("nan")
    area = np.cos(np.deg2rad(lat.astype(np.float64)))[:, None] if weights == "area" else 1.0
    # A cell centred on the pole has no area; rounding must not make it negative.
    w = np.broadcast_to(np.maximum(area, 0), relevance.shape)[valid]
    a, b = relevance[valid].astype(np.float64), abs_field[valid].astype(np.float64)
    if np.ptp(a) == 0 or np.ptp(b) == 0 or not w.any():
        return float("nan")
    w = w / w.sum()
    # Scaled first, so that squares of tiny relevance do not vanish.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    a, b = a - w @ a, b - w @ b
    size = np.sqrt((w @ a**2) * (w @ b**2))
    return float(np.clip(w @ (a * b) / size, -1, 1)) if size > 0 else float("nan")


def summarise(composite: xr.Dataset) -> list[Row]:
    """Return one row per class, channel and seed of a composite.

    Each holds the number of maps, the fraction of zero maps, the mean conservation ratio, and the
    pattern correlation, weighted by area, between the seed's relevance and the absolute value of
    the field's composite.
    """
    lat = composite[dims.LAT].values
    size = np.abs(composite["field"].transpose(dims.CLASS, *dims.MAP_DIMS).values)
    relevance = (
        composite["relevance_by_seed"].transpose(dims.SEED, dims.CLASS, *dims.MAP_DIMS).values
    )
    per_class = {
        name: composite[name].transpose(dims.SEED, dims.CLASS).values
        for name in ("count_by_seed", "zero_fraction", "conservation")
    }
    return [
        Row(
            class_name=str(class_name),
            channel=str(channel),
            seed=int(seed),
            count=int(per_class["count_by_seed"][i, k]),
            zero_fraction=_number(per_class["zero_fraction"][i, k]),
            conservation=_number(per_class["conservation"][i, k]),
            correlation=_number(pattern_correlation(relevance[i, k, c], size[k, c], lat)),
        )
        for k, class_name in enumerate(composite[dims.CLASS].values)
        for c, channel in enumerate(composite[dims.CHANNEL].values)
        for i, seed in enumerate(composite[dims.SEED].values)
    ]


def spread_over_seeds(rows: Sequence[Row]) -> list[Spread]:
    """Return the lowest and highest value over seeds of each quantity, per class and channel.

    A good mean may hide a seed that learned something else: all seeds are right on the test years,
    one of them for reasons of its own.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["class_name"], row["channel"]), []).append(row)
    found: list[Spread] = []
    for (class_name, channel), group in groups.items():
        columns: dict[str, list[float | None]] = {
            "zero_fraction": [row["zero_fraction"] for row in group],
            "conservation": [row["conservation"] for row in group],
            "correlation": [row["correlation"] for row in group],
        }
        for quantity in QUANTITIES:
            values = [value for value in columns[quantity] if value is not None]
            found.append(
                Spread(
                    class_name=class_name,
                    channel=channel,
                    quantity=quantity,
                    seeds=len(values),
                    lowest=min(values, default=None),
                    highest=max(values, default=None),
                )
            )
    return found


def _number(value: Any) -> float | None:
    """Return a float, None where it is undefined: JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
