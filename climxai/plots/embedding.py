"""Samples in two dimensions, coloured by cluster, class and year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.plots.curves import COLOURS
from climxai.plots.style import FAINT, INK, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS: Final = ("o", "^", "s", "D", "v", "P", "X")
"""Clusters and classes differ in shape as well as in colour."""
YEARS: Final = "cividis"
MOST_NAMED: Final = 8
"""Entries of a legend; of more the rest are drawn without a line of their own."""

Array = npt.NDArray[np.float64]


def draw_embedding(
    places: Mapping[str, Array],
    *,
    cluster: npt.NDArray[np.int64],
    classes: Sequence[str],
    year: Array,
    variance: Array,
    title: str,
    dpi: int = 200,
) -> Figure:
    """Draw a row of three panels per embedding: by cluster, by class, by year.

    Parameters
    ----------
    places
        Name of the embedding -> [sample, 2]; NaN where a sample has no place. One that has no
        place at all is left out.
    cluster
        [sample]: from 1, 0 for none.
    classes
        [sample]: names.
    year
        [sample]: decimal years.
    variance
        Shares of the variance along the principal components.
    title
        Line above the panels.
    dpi
        Dots per inch when saved as PNG.
    """
    shown = {name: at for name, at in places.items() if np.isfinite(at).any()}
    with our_style():
        below = 0.30 + 0.14 * max(2, _lines(cluster), _lines(classes))
        height = 0.35 + below + 2.15 * len(shown)
        figure = new_figure(height, dpi)
        panels = np.atleast_2d(figure.subplots(max(len(shown), 1), 3))
        figure.subplots_adjust(
            left=0.045, right=0.972, top=1 - 0.55 / height, bottom=below / height, wspace=0.08,
            hspace=0.16,
        )  # fmt: skip
        size = 10.5 * min(1, 70 / max(len(title), 1))
        figure.text(0.012, 1 - 0.07 / height, title, size=size, weight="bold", va="top")
        points = float(np.clip(900 / np.sqrt(max(len(cluster), 1)) / 4, 5, 40))
        for row, (name, at) in zip(panels, shown.items(), strict=False):
            _groups(row[0], at, [f"cluster {n}" if n else "none" for n in cluster.tolist()], points)
            _groups(row[1], at, list(classes), points)
            dots = row[2].scatter(
                at[:, 0], at[:, 1], c=year, s=points, cmap=YEARS, linewidths=0.3,
                edgecolors="white",
            )  # fmt: skip
            for axes in row:
                _bare(axes)
            row[0].set_ylabel(_called(name, variance), size=7.5, color=INK, labelpad=3)
        for axes, text in zip(panels[0], ("Cluster", "Class", "Year"), strict=True):
            axes.set_title(text, size=8.5, color=INK, loc="left", pad=4)
        _legends(figure, panels[-1], height)
        if shown:
            _years(figure, panels[-1][2], dots, height)
    return figure


def _lines(names: Sequence[object] | npt.NDArray[np.int64]) -> int:
    """Return how many lines the legend of so many groups takes, two to a line."""
    groups = min(len(set(np.asarray(names).tolist())), MOST_NAMED + 1)
    return groups if groups < 3 else -(-groups // 2)


def _called(name: str, variance: Array) -> str:
    if name.startswith("Principal"):
        first, second = (f"{share:.0%}" for share in variance)
        return f"Principal components\n({first}, {second} of the variance)"
    return f"{name}\n(only nearness counts)"


def _groups(axes: Any, at: Array, names: Sequence[str], points: float) -> None:
    """Draw one mark and colour per name; ``none`` as small grey crosses."""
    order = sorted(set(names) - {"none"}, key=_natural)
    for number, name in enumerate(order):
        inside = np.array([each == name for each in names])
        axes.scatter(
            at[inside, 0], at[inside, 1], s=points, color=COLOURS[number % len(COLOURS)],
            marker=MARKS[(number + number // len(MARKS)) % len(MARKS)],
            linewidths=0.3, edgecolors="white",
            label=f"{name} ({inside.sum()})" if number < MOST_NAMED else None,
        )  # fmt: skip
    none = np.array([each == "none" for each in names])
    if none.any():
        axes.scatter(
            at[none, 0], at[none, 1], s=0.6 * points, color=FAINT, marker="x", linewidths=0.7,
            label=f"none ({none.sum()})",
        )  # fmt: skip


def _natural(name: str) -> tuple[str, int]:
    """Return what sorts cluster 2 before cluster 10."""
    text, _, number = name.rpartition(" ")
    return (text, int(number)) if number.isdigit() else (name, 0)


def _bare(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.07)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    for spine in axes.spines.values():
        spine.set_color("#cccccc")


def _legends(figure: Any, row: Any, height: float) -> None:
    for axes in row[:2]:
        handles, labels = axes.get_legend_handles_labels()
        if not handles:
            continue
        box = axes.get_position()
        labels = [label.replace("_", " ") for label in labels]
        figure.legend(
            handles, labels, loc="upper left",
            bbox_to_anchor=(box.x0 - 0.01, box.y0 - 0.02 / height),
            ncols=1 if len(labels) < 3 else 2, handletextpad=0.2, columnspacing=0.8, borderpad=0.2,
            labelspacing=0.25, fontsize=7 if len(labels) <= 6 else 6,
        )  # fmt: skip


def _years(figure: Any, axes: Any, dots: Any, height: float) -> None:
    from matplotlib.ticker import MaxNLocator

    box = axes.get_position()
    bar_axes = figure.add_axes((box.x0, box.y0 - 0.19 / height, box.width, 0.09 / height))
    bar = figure.colorbar(dots, cax=bar_axes, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2.5, pad=2)
    bar.locator = MaxNLocator(4, integer=True)
    bar.update_ticks()
