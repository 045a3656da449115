"""Colour maps, colour limits and contour levels that suit relevance."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# No relevance is no ink: both have pure white at zero.
SEQUENTIAL: Final = (
    "#ffffff", "#fff3c4", "#fedc82", "#feb34c", "#fc7f3a", "#ee3a25", "#c4101f", "#7d0025",
)  # fmt: skip
DIVERGING: Final = (
    "#0b2f66", "#2166ac", "#4393c3", "#92c5de", "#d8e9f3", "#ffffff", "#fbdfcf", "#f4a582",
    "#d6604d", "#b2182b", "#67001f",
)  # fmt: skip
COVERED: Final = 99.0
"""Per cent of the map's area whose relevance lies within the automatic colour limit."""


COLLECTIONS: Final = {"cmo": "cmocean", "cmc": "cmcrameri"}
"""Prefix of colour maps -> the package that brings them, where it is installed."""


def known_colours(name: str) -> bool:
    """Return whether there is a colour map; ``cmo.`` and ``cmc.`` load the packages behind them.

    Raises
    ------
    ConfigError
        When the package is not installed.
    """
    import matplotlib

    package = COLLECTIONS.get(name.partition(".")[0]) if "." in name else None
    if package is not None:
        try:
            importlib.import_module(f"{package}.cm")
        except ImportError:
            raise ConfigError(
                f"maps.colours: {name!r} needs the package {package}: install it "
                f"(pip install {package}), or choose one of matplotlib's colour maps"
            ) from None
    return name in matplotlib.colormaps


def colour_map(signed: bool, name: str | None = None) -> Colormap:
    """Return matplotlib's colour map ``name``, or ours: diverging for signed methods."""
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    if name is not None and known_colours(name):
        return matplotlib.colormaps[name]
    colours = DIVERGING if signed else SEQUENTIAL
    return LinearSegmentedColormap.from_list("relevance", list(colours), N=512)


def round_up(
    value: float, steps: tuple[float, ...] = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
) -> float:
    """Return the least number not below ``value`` that is one of ``steps`` times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    fitting = (step for step in (*steps, 10) if value <= step * power * (1 + 1e-9))
    return float(f"{next(fitting) * power:.6g}")


def colour_limit(values: npt.ArrayLike, lat: npt.ArrayLike) -> float:
    """Return the relevance at the end of the colour bar: a round number beyond `COVERED` per cent.

    Parameters
    ----------
    values
        [lat, lon], NaN where missing
    lat
        Degrees north; cells count by their area, the cosine of latitude.
    """
    size = np.abs(np.asarray(values, dtype=float))
    area = np.cos(np.deg2rad(np.asarray(lat, dtype=float)))[:, None] * np.ones_like(size)
    finite = np.isfinite(size)
    size, area = size[finite], area[finite]
    if size.size == 0 or size.max() == 0:
        return 1.0
    order = np.argsort(size)
    covered = np.cumsum(area[order]) / area.sum()
    limit = size[order][np.searchsorted(covered, COVERED / 100 - 1e-12)]
    # A map with a few cells of relevance only: the percentile says nothing.
    return round_up(float(limit) if limit > 0.02 * size.max() else float(size.max()))


def contour_levels(values: npt.ArrayLike, interval: float | None) -> tuple[float, npt.NDArray[Any]]:
    """Return the interval and the levels, multiples of it, that a field [lat, lon] crosses.

    Without an interval a round one is chosen that gives about six levels on the larger side.
    """
    values = np.asarray(values, dtype=float)
    finite = values[np.isfinite(values)]
    if finite.size == 0 or finite.min() == finite.max():
        return interval or 1.0, np.empty(0)
    low, high = float(finite.min()), float(finite.max())
    if interval is None:
        span = max(-low, high) if low < 0 < high else high - low
        interval = round_up(span / 7, (1, 2, 5))
    first, last = math.ceil(low / interval), math.floor(high / interval)
    # More than 200 lines are a black map: keep every n-th.
    every = max(1, math.ceil((last - first + 1) / 200))
    steps = np.arange(first, last + 1)
    return interval * every, interval * steps[steps % every == 0]
