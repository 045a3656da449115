"""Shares of relevance that lie in regions, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import DataError
from climxai.plots.curves import COLOURS
from climxai.plots.pages import heading, note
from climxai.plots.style import FAINT, INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS: Final = 3
GROUP: Final = 0.72
"""Of the distance between regions, what their bars take."""
# Inches.
HEAD: Final = 0.78
FOOT: Final = 0.50
LEGEND: Final = 0.22
THICK: Final = 0.155
BETWEEN: Final = 0.52


@dataclass(frozen=True)
class Share:
    """What share of a map's positive relevance lies in a region."""

    method: str
    group: str
    """class, cluster, season, …"""
    region: str
    share: float
    """of the mean map of all networks; NaN where it has no positive relevance"""
    by_seed: tuple[float, ...]
    cells: float
    """the region's share of the cells with relevance: what relevance spread evenly would give"""


def draw_shares(
    shares: Sequence[Share], *, title: str, subtitle: str = "", dpi: int = 300
) -> Figure:
    """Draw bars per region and group, a panel per method.

    Parameters
    ----------
    shares
        Of all methods, groups and regions, in the order in which they are drawn.
    title, subtitle
        Lines above the panels.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no share.
    """
    if not shares:
        raise DataError("there are no shares of relevance to draw")
    methods = list(dict.fromkeys(each.method for each in shares))
    regions = list(dict.fromkeys(each.region for each in shares))
    groups = list(dict.fromkeys(each.group for each in shares))
    with our_style():
        columns = min(COLUMNS, len(methods))
        rows = -(-len(methods) // columns)
        body = max(len(regions) * max(len(groups) * THICK / GROUP, 0.3), 0.7)
        total = HEAD + LEGEND + rows * body + (rows - 1) * BETWEEN + FOOT + 0.22
        figure = new_figure(total, dpi)
        left = 0.25 + 0.062 * min(max(len(_words(name)) for name in regions), 26)
        wide = (WIDTH - left - 0.18 - (columns - 1) * 0.22) / columns
        most = max((_largest(each) for each in shares), default=1.0)
        limit = min(1.0, max(0.1, np.ceil(most * 10.5) / 10))
        for number, method in enumerate(methods):
            row, column = divmod(number, columns)
            low = total - HEAD - LEGEND - (row + 1) * body - row * BETWEEN
            axes: Any = figure.add_axes(
                (
                    (left + column * (wide + 0.22)) / WIDTH,
                    low / total,
                    wide / WIDTH,
                    body / total,
                )
            )
            _bars(axes, [each for each in shares if each.method == method], regions, groups)
            axes.set_xlim(0, 100 * limit)
            axes.set_title(method, size=8.5, loc="left", pad=3)
            axes.set_yticks(
                range(len(regions)), [] if column else [_words(name) for name in regions], size=7.5
            )
            if row == rows - 1 or number + columns >= len(methods):
                axes.set_xlabel("% of the positive relevance", labelpad=2)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="upper left", ncols=min(len(labels), 5), fontsize=7.5,
            bbox_to_anchor=(0.09 / WIDTH, 1 - 0.47 / total), handlelength=1.2, columnspacing=1.2,
            borderpad=0.1,
        )  # fmt: skip
        heading(figure, title, subtitle)
        note(figure, _meaning(shares))
    return figure


def _bars(axes: Any, shares: Sequence[Share], regions: list[str], groups: list[str]) -> None:
    thick = GROUP / len(groups)
    for number, group in enumerate(groups):
        held = {each.region: each for each in shares if each.group == group}
        colour = COLOURS[number % len(COLOURS)]
        place = np.arange(len(regions)) + (number - (len(groups) - 1) / 2) * thick
        values = [100 * held[name].share if name in held else np.nan for name in regions]
        axes.barh(
            place, np.nan_to_num(values), height=0.86 * thick, color=colour, alpha=0.85, zorder=2,
            label=_words(group),
        )  # fmt: skip
        for at, name in zip(place, regions, strict=True):
            seeds = held[name].by_seed if name in held else ()
            if len(seeds) > 1:
                axes.plot(
                    100 * np.array(seeds), np.full(len(seeds), at), "o", markersize=2.6,
                    color=INK, markeredgecolor="white", markeredgewidth=0.4, zorder=4,
                )  # fmt: skip
    cells = {each.region: each.cells for each in shares}
    for at, name in enumerate(regions):
        axes.vlines(
            100 * cells[name], at - GROUP / 2 - 0.05, at + GROUP / 2 + 0.05, color=INK,
            linewidth=1.0, linestyle=(0, (2, 1.2)), zorder=3,
        )  # fmt: skip
    axes.set_ylim(len(regions) - 0.45, -0.55)
    axes.grid(axis="x", color="#000000", alpha=0.10, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_color(FAINT)


def _largest(each: Share) -> float:
    held = [value for value in (each.share, each.cells, *each.by_seed) if np.isfinite(value)]
    return max(held, default=0.0)


def _meaning(shares: Sequence[Share]) -> str:
    said = "Bars: mean map of all networks"
    if any(len(each.by_seed) > 1 for each in shares):
        said += "; dots: single networks"
    return f"{said}; dashed: the region's share of all cells, what an even spread would give"


def _words(name: str) -> str:
    return name.replace("_", " ")
