"""Bars of permutation importance, with intervals over repeats and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.curves import COLOURS
from climxai.plots.style import FAINT, INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

MOST: Final = 25
"""Groups that are drawn; more would not be told apart."""
LABELS: Final = {
    "cross_entropy": "rise of the cross entropy",
    "accuracy": "fall of the accuracy",
}
BAR: Final = 0.2
HEAD: Final = 0.62
FOOT: Final = 0.62


def draw_importance(dataset: xr.Dataset, metric: str, *, title: str, dpi: int = 200) -> Figure:
    """Draw the groups that matter most, the first on top.

    Parameters
    ----------
    dataset
        An importance: ``metric`` (seed, repeat, group), rank (seed, group); attributes passes and
        direction.
    metric
        ``cross_entropy`` or ``accuracy``.
    title
        Line above the panel.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is nothing to draw.
    """
    if metric not in dataset or dataset.sizes["group"] == 0:
        raise DataError(f"there is no importance by {metric} to draw")
    values = dataset[metric].transpose("group", "seed", "repeat").values
    order = places_of(dataset, metric)[:MOST]
    shown = values[order]
    places = np.arange(len(order))[::-1]
    mean = shown.mean(axis=(1, 2))
    low, high = np.percentile(shown.reshape(len(order), -1), [5, 95], axis=1)
    names = [str(dataset["group"].values[number]) for number in order]
    with our_style():
        height = HEAD + FOOT + BAR * max(len(order), 3)
        figure = new_figure(height, dpi)
        axes: Any = figure.add_axes((0.30, FOOT / height, 0.67, 1 - (HEAD + FOOT) / height))
        axes.barh(places, mean, height=0.62, color="#56b4e9", zorder=2)
        axes.hlines(places, low, high, color=INK, linewidth=0.9, zorder=3)
        seeds = dataset["seed"].values.tolist()
        if len(seeds) > 1:
            for number, seed in enumerate(seeds):
                axes.plot(
                    shown[:, number].mean(axis=1), places, "o", markersize=3, zorder=4,
                    color=COLOURS[(number + 1) % len(COLOURS)], markeredgecolor="white",
                    markeredgewidth=0.4, label=f"seed {seed}",
                )  # fmt: skip
            if len(seeds) <= len(COLOURS):
                axes.legend(loc="lower right", handlelength=0.8, labelspacing=0.3)
        axes.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
        axes.set_yticks(places, names, size=7 if len(order) <= 15 else 6.5)
        axes.set_ylim(-0.7, len(order) - 0.3)
        axes.margins(x=0.04)
        axes.grid(axis="x", color="#000000", alpha=0.10, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(length=2.5)
        axes.set_xlabel(LABELS[metric], labelpad=3)
        _head(figure, title, _subtitle(dataset, len(order)), height)
    return figure


def places_of(dataset: xr.Dataset, metric: str) -> npt.NDArray[np.intp]:
    """Return the groups' positions in order: by the passes' ranks where several rank them.

    A single pass has no order but that of the mean over seeds and repeats.
    """
    mean = dataset[metric].mean(("seed", "repeat")).values
    if dataset.attrs.get("passes") == "multi":
        return np.lexsort((-mean, dataset["rank"].mean("seed").values))
    return np.argsort(-mean, kind="stable")


def _subtitle(dataset: xr.Dataset, shown: int) -> str:
    groups, seeds = dataset.sizes["group"], dataset.sizes["seed"]
    counted = f"{groups} groups" if shown == groups else f"the first {shown} of {groups} groups"
    ways = {"single": "a single pass", "multi": "several passes"}
    how = f"{ways.get(str(dataset.attrs.get('passes')), 'passes')} {dataset.attrs.get('direction')}"
    dots = f" and {seeds} seeds; dots: seeds" if seeds > 1 else ""
    return f"{counted}, {how}; line: 5-95% over {dataset.sizes['repeat']} repeats{dots}"


def _head(figure: Figure, title: str, subtitle: str, height: float) -> None:
    size = 10.5 * min(1, 70 / max(len(title), 1))
    left = 0.09 / WIDTH
    figure.text(left, 1 - 0.09 / height, title, size=size, weight="bold", va="top", ha="left")
    figure.text(left, 1 - 0.31 / height, subtitle, size=8, color=FAINT, va="top", ha="left")
