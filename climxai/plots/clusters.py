"""Why so many clusters: eigenvalues, silhouette and stability against their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.plots.style import FAINT, INK, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

LINE: Final = "#0072b2"
CHOSEN: Final = "#d55e00"
"""Blue and vermilion of Okabe and Ito (2008), told apart by colour-blind readers too."""


def draw_number(
    *,
    numbers: Sequence[int],
    chosen: int,
    given: bool,
    silhouette: Array,
    stability: Array,
    spread: Array,
    eigenvalues: Array,
    votes: Mapping[str, int],
    neighbours: int,
    title: str,
    dpi: int = 200,
) -> Figure:
    """Draw what speaks for each number of clusters, and the number that is used.

    Parameters
    ----------
    numbers
        Numbers tried.
    chosen, given
        The number used; whether it was given rather than suggested.
    silhouette, stability, spread
        [number]: mean silhouette; mean and spread of the adjusted Rand index over resamples.
    eigenvalues
        Of the graph's normalised Laplacian, smallest first.
    votes
        ``eigengap``, ``silhouette``, ``stability``: the number each would take.
    neighbours
        Of the graph.
    title
        Line above the panels.
    dpi
        Dots per inch when saved as PNG.
    """
    with our_style():
        figure = new_figure(2.9, dpi)
        panels = figure.subplots(1, 3)
        figure.subplots_adjust(left=0.065, right=0.985, top=0.735, bottom=0.17, wspace=0.27)
        size = 10.5 * min(1, 70 / max(len(title), 1))
        figure.text(0.012, 0.975, title, size=size, weight="bold", va="top", ha="left")
        how = "given" if given else "found" if not votes else "suggested"
        taken = ", ".join(f"{name} {number}" for name, number in votes.items())
        note = f"{chosen} clusters ({how})" + (f"; best by each: {taken}" if taken else "")
        figure.text(0.012, 0.89, note, size=8, color=FAINT, va="top", ha="left")
        _eigenvalues(panels[0], eigenvalues, chosen, votes.get("eigengap"), neighbours)
        _curve(panels[1], numbers, silhouette, None, chosen, "Mean silhouette", (None, 1.0))
        _curve(panels[2], numbers, stability, spread, chosen, "Stability", (0.0, 1.0))
        panels[2].set_ylabel("adjusted Rand index", labelpad=2)
    return figure


def _eigenvalues(axes: Any, values: Array, chosen: int, best: int | None, neighbours: int) -> None:
    place = np.arange(1, len(values) + 1)
    axes.plot(place, values, "o-", color=LINE, linewidth=1.0, markersize=4,
              markeredgecolor="white", markeredgewidth=0.5)  # fmt: skip
    for number, colour, text in ((chosen, CHOSEN, "used"), (best, FAINT, "largest gap")):
        if number is None or number >= len(values) or (text != "used" and number == chosen):
            continue
        axes.axvspan(number, number + 1, color=colour, alpha=0.14, linewidth=0)
        axes.annotate(
            text, (number + 0.5, 1.0), (0, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", size=6.5, color=colour, ha="center", va="top", rotation=90,
        )  # fmt: skip
    axes.set_ylim(min(0.0, float(values.min())) - 0.02 * np.ptp(values), None)
    _finish(axes, f"Eigenvalues, {neighbours} neighbours", "Number")


def _curve(
    axes: Any,
    numbers: Sequence[int],
    values: Array,
    spread: Array | None,
    chosen: int,
    title: str,
    limits: tuple[float | None, float],
) -> None:
    place = np.asarray(numbers)
    if spread is not None:
        axes.fill_between(
            place, values - spread, np.minimum(values + spread, 1), color=LINE, alpha=0.15,
            linewidth=0,
        )  # fmt: skip
    axes.plot(place, values, "o-", color=LINE, linewidth=1.0, markersize=4,
              markeredgecolor="white", markeredgewidth=0.5)  # fmt: skip
    at = place == chosen
    axes.plot(place[at], values[at], "o", color=CHOSEN, markersize=6.5, markeredgecolor="white",
              markeredgewidth=0.8, zorder=5, clip_on=False)  # fmt: skip
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "too few samples", transform=axes.transAxes, ha="center", color=FAINT)
    low = limits[0]
    finite = values[np.isfinite(values)]
    if low is None:
        low = min(0.0, float(finite.min(initial=0.0))) - 0.02
        top = max(0.1, 1.15 * float(finite.max(initial=0.0)))
    else:
        low, top = min(low, float(finite.min(initial=0.0))) - 0.03, limits[1] + 0.03
    axes.set_ylim(low, top)
    if len(place) == 1:
        axes.set_xlim(place[0] - 1, place[0] + 1)
    _finish(axes, title, "Number of clusters")


def _finish(axes: Any, title: str, below: str) -> None:
    axes.set_title(title, size=8.5, color=INK, loc="left", pad=5)
    axes.set_xlabel(below, labelpad=2)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5)
