"""Novelty against time: baseline and other samples apart, the most novel ones named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.style import FAINT, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KNOWN: Final = "#8c8c8c"
OTHER: Final = "#d55e00"
HEIGHT: Final = 2.9
LEFT, RIGHT, TOP, BOTTOM = 0.075, 0.985, 0.79, 0.135
"""The panel on the page."""
SIZE: Final = 7
"""Points of the names' letters, about 0.62 of it wide."""


@dataclass(frozen=True)
class Strip:
    """The strip above the samples in which names are written: level, or upright where many are."""

    headroom: float
    """top of the axis over the largest novelty"""
    bend: float
    """height at which leader lines leave the vertical, as a share of the axis"""
    foot: float
    """height at which names begin"""
    rotation: float
    letters: bool
    """whether a name is as wide as its letters, not as one line"""

    def width(self, longest: int) -> float:
        """Return the width of a name of so many letters as a share of the axis, and a gap."""
        points = 0.62 * SIZE * longest + 5 if self.letters else 1.3 * SIZE
        return points / 72 / (WIDTH * (RIGHT - LEFT))


LEVEL: Final = Strip(1.24, 0.85, 0.9, 0, True)
UPRIGHT: Final = Strip(1.55, 0.68, 0.73, 90, False)


def draw_series(
    years: npt.NDArray[np.float64],
    novelty: npt.NDArray[np.float64],
    baseline: npt.NDArray[np.bool_],
    named: Mapping[int, str],
    *,
    subtitle: str,
    joined: bool,
    dpi: int = 200,
) -> Figure:
    """Draw novelty against time.

    Parameters
    ----------
    years
        Time of each sample as a year with its fraction [sample].
    novelty
        Novelty [sample].
    baseline
        Which samples belong to the baseline [sample]; they are drawn hollow.
    named
        Position of a sample -> text written above it, such as its date; the first count where
        there is no room for all.
    subtitle
        What was compared with what.
    joined
        Whether samples follow each other, so that a line joins them.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no sample.
    """
    if not novelty.size:
        raise DataError("there is no sample whose novelty could be drawn")
    with our_style():
        figure = new_figure(HEIGHT, dpi)
        axes: Any = figure.subplots()
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM)
        order = np.argsort(years, kind="stable")
        if joined:
            axes.plot(years[order], novelty[order], color=FAINT, alpha=0.5, linewidth=0.6)
        many = novelty.size > 400
        look: dict[str, Any] = {
            "markersize": 2.0 if many else 3.6,
            "linestyle": "none",
            "marker": "o",
        }
        axes.plot(
            years[~baseline], novelty[~baseline], color=OTHER, markeredgewidth=0,
            label="other samples", **look,
        )  # fmt: skip
        axes.plot(
            years[baseline], novelty[baseline], markerfacecolor="white", markeredgecolor=KNOWN,
            markeredgewidth=0.8, label="samples of the baseline", **look,
        )  # fmt: skip
        longest = max((len(text) for text in named.values()), default=0)
        strip = LEVEL if len(named) * LEVEL.width(longest) <= 1 else UPRIGHT
        axes.set_ylim(0, strip.headroom * float(novelty.max()) or 1.0)
        axes.set_ylabel("novelty")
        axes.margins(x=0.015)
        axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
        axes.tick_params(length=2.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.xaxis.get_major_formatter().set_useOffset(False)
        _names(axes, years, novelty, named, strip)
        at = 0.12 / WIDTH
        text = "Novelty of samples"
        figure.text(at, 1 - 0.12 / HEIGHT, text, size=10.5, weight="bold", va="top")
        size = 8.5 * min(1, 100 / max(len(subtitle), 1))
        figure.text(at, 1 - 0.31 / HEIGHT, subtitle, size=size, color=FAINT, va="top")
        figure.legend(
            *axes.get_legend_handles_labels(), loc="upper right", ncols=2, handlelength=1.0,
            bbox_to_anchor=(0.99, 1.0), columnspacing=1.2,
        )  # fmt: skip
    return figure


def _names(
    axes: Any,
    years: npt.NDArray[np.float64],
    novelty: npt.NDArray[np.float64],
    named: Mapping[int, str],
    strip: Strip,
) -> None:
    """Write names in a strip above all samples, in the order of time.

    Leader lines rise straight to the strip and spread there, so that no two of them cross.
    """
    from matplotlib.collections import LineCollection

    low, high = axes.get_xlim()
    axes.set_xlim(low, high)
    top = float(axes.get_ylim()[1])
    width = strip.width(max((len(text) for text in named.values()), default=0)) * (high - low)
    most = int((high - low) / width)
    chosen = sorted(list(named)[:most], key=lambda at: (years[at], novelty[at]))
    places = spread(np.array([years[at] for at in chosen]), width, low, high)
    lines = []
    for at, place in zip(chosen, places, strict=True):
        x, y = float(years[at]), float(novelty[at])
        lines.append([(x, y), (x, strip.bend * top), (place, (strip.foot - 0.015) * top)])
        axes.text(
            place, strip.foot * top, named[at], ha="center", va="bottom", size=SIZE,
            color="#333333", rotation=strip.rotation, zorder=6,
        )  # fmt: skip
    axes.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.4, zorder=1.5))


def spread(
    wished: npt.NDArray[np.float64], width: float, low: float, high: float
) -> npt.NDArray[np.float64]:
    """Return places near the wished ones [place], ascending, ``width`` apart, inside an interval.

    Places that are too close form a group around the mean of what they wish.
    """
    low, high = low + width / 2, high - width / 2
    groups: list[list[float]] = []
    starts: list[float] = []

    def start(group: list[float]) -> float:
        middle = sum(group) / len(group)
        long = (len(group) - 1) * width
        return max(low, min(middle - long / 2, high - long))

    for each in wished:
        groups.append([float(each)])
        starts.append(start(groups[-1]))
        while len(groups) > 1 and starts[-2] + len(groups[-2]) * width > starts[-1]:
            groups[-2:] = [groups[-2] + groups[-1]]
            starts[-2:] = [start(groups[-1])]
    return np.array(
        [
            first + number * width
            for first, group in zip(starts, groups, strict=True)
            for number in range(len(group))
        ]
    )
