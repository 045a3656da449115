"""Novelty against time: baseline and other samples apart, the most novel ones named."""

from __future__ import annotations

from collections.abc import Mapping
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
AWAY: Final = 0.075
"""Distance of a name from its sample, as a share of the time axis."""


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
        Position of a sample -> text written beside it, such as its date.
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
        figure.subplots_adjust(left=0.075, right=0.985, top=0.79, bottom=0.135)
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
        axes.set_ylim(0, 1.16 * float(novelty.max()) or 1.0)
        axes.set_ylabel("novelty")
        axes.margins(x=0.015)
        axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
        axes.tick_params(length=2.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.xaxis.get_major_formatter().set_useOffset(False)
        _names(axes, years, novelty, named)
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
) -> None:
    """Write the names of samples beside them, one above the other where they stand close."""
    span = float(np.ptp(years)) or 1.0
    top = 1.16 * float(novelty.max()) or 1.0
    taken: list[tuple[float, float]] = []
    # From the top down: a name moves down until it is clear of those above.
    for at, text in sorted(named.items(), key=lambda item: -novelty[item[0]]):
        left = years[at] > years.min() + 0.8 * span
        x, y = float(years[at]), float(novelty[at])
        beside, place = x + (-AWAY if left else AWAY) * span, y
        while any(
            abs(beside - ox) < 0.13 * span and abs(place - oy) < 0.062 * top for ox, oy in taken
        ):
            place -= 0.01 * top
        taken.append((beside, place))
        axes.annotate(
            text, (x, y), (beside, place), ha="right" if left else "left", va="center", size=7,
            color="#333333", zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.4, "shrinkA": 0,
                        "shrinkB": 2},
        )  # fmt: skip
