"""What pages of several panels share: title, colour bars, limits common to several maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.plots.colours import contour_levels
from climxai.plots.style import FAINT

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.maps import Frame
    from climxai.plots.settings import Maps

SIDE: Final = 0.12
"""Inches between the page's edge and its title."""


def heading(figure: Figure, title: str, subtitle: str) -> None:
    """Write two lines at the top; long ones in smaller letters."""
    width, height = figure.get_size_inches()
    size = 10.5 * min(1, 10 * width / max(len(title), 1))
    at = SIDE / width
    figure.text(at, 1 - 0.10 / height, title, size=size, weight="bold", va="top", ha="left")
    size = 8.5 * min(1, 13.5 * width / max(len(subtitle), 1))
    figure.text(at, 1 - 0.32 / height, subtitle, size=size, color=FAINT, va="top", ha="left")


def note(figure: Figure, text: str) -> Any:
    """Write the note at the bottom of a page; return it."""
    width, height = figure.get_size_inches()
    longest = max((len(line) for line in text.splitlines()), default=1)
    size = 7 * min(1, 16.5 * width / max(longest, 1))
    return figure.text(0.5, 0.07 / height, text, size=size, color=FAINT, va="bottom", ha="center")


def colour_bar(
    figure: Figure,
    shading: tuple[Any, str],
    place: tuple[float, float, float, float],
    label: str,
    *,
    vertical: bool = False,
) -> Any:
    """Draw a colour bar.

    Parameters
    ----------
    figure
        Its size already set.
    shading
        What `climxai.plots.layers.shade` returns.
    place
        Left, bottom, width and height in inches.
    label
        Text of the bar.
    vertical
        Whether it stands.
    """
    width, height = figure.get_size_inches()
    left, bottom, wide, high = place
    axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
    mappable, extend = shading
    bar: Any = figure.colorbar(
        mappable, cax=axes, orientation="vertical" if vertical else "horizontal", extend=extend
    )
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2.5, pad=2, labelsize=7)
    bar.formatter.set_powerlimits((-3, 4))
    bar.formatter.set_useMathText(True)
    bar.set_label(label, size=7.5, labelpad=3)
    return bar


def all_ends(extends: Iterable[str]) -> str:
    """Return the ends at which values go beyond a bar shared by several maps."""
    found = set(extends)
    low, high = bool(found & {"min", "both"}), bool(found & {"max", "both"})
    return {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}[(low, high)]


def with_shared_contours(
    frames: Iterable[tuple[Frame, xr.DataArray, xr.DataArray | None]], settings: Maps
) -> Maps:
    """Return settings whose contour interval suits all maps: frames, relevance, field of each."""
    if settings.contour_interval is not None or not settings.field_contours:
        return settings
    intervals = [
        contour_levels(field.values[frame.shown(relevance)], None)
        for frame, relevance, field in frames
        if field is not None
    ]
    found = [interval for interval, levels in intervals if levels.size]
    if not found:
        return settings
    return settings.model_copy(update={"contour_interval": float(np.max(found))})
