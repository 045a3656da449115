"""The loss along the steps of an optimised input: a panel per target, a line per seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import DataError
from climxai.plots.curves import COLOURS
from climxai.plots.style import FAINT, INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

COLUMNS: Final = 3
MOST: Final = 12
"""Panels on the page; more targets than that are left out, and the page says so."""
# Inches.
PANEL: Final = 1.55
HEAD: Final = 0.74
BETWEEN: Final = 0.66
FOOT: Final = 0.42
DECADES: Final = 1.5
"""Beyond so many powers of ten a positive loss is drawn on a logarithmic axis."""


def draw_loss(dataset: xr.Dataset, *, dpi: int = 200) -> Figure:
    """Draw the loss, regularisers included, against the step; to where the gradient vanished.

    Parameters
    ----------
    dataset
        ``loss`` and ``penalty`` (target, seed, step), and ``moves`` (target, seed).
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no target.
    """
    targets = [str(name) for name in dataset["target"].values]
    if not targets:
        raise DataError("there is no optimised input to draw the loss of")
    shown = targets[:MOST]
    total = dataset["loss"] + dataset["penalty"]
    with our_style():
        columns = min(COLUMNS, max(2, len(shown)))
        rows = math.ceil(len(shown) / columns)
        height = HEAD + rows * PANEL + (rows - 1) * BETWEEN + FOOT
        figure = new_figure(height, dpi)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        figure.subplots_adjust(
            left=0.085,
            right=0.985,
            top=1 - HEAD / height,
            bottom=FOOT / height,
            wspace=0.3,
            hspace=BETWEEN / PANEL,
        )
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        for axes, target in zip(panels, shown, strict=False):
            _panel(axes, total.sel(target=target), dataset["moves"].sel(target=target))
            axes.set_title(target, size=8.5, color=INK, loc="left", pad=5)
        text = "Loss of the optimised inputs"
        figure.text(0.12 / WIDTH, 1 - 0.12 / height, text, size=10.5, weight="bold", va="top")
        said = "target and regularisers"
        if bool((dataset["moves"] < dataset.sizes["step"] - 1).any()):
            said += "; a dot: the gradient vanished there"
        if len(shown) < len(targets):
            said += f"; the first {len(shown)} of {len(targets)} targets"
        figure.text(0.12 / WIDTH, 1 - 0.31 / height, said, size=8.5, color=FAINT, va="top")
        if dataset.sizes["seed"] > 1:
            panels[0].legend(loc="best", handlelength=1.4, labelspacing=0.25)
    return figure


def _panel(axes: Any, total: xr.DataArray, moves: xr.DataArray) -> None:
    for number, seed in enumerate(total["seed"].values):
        made = int(moves.sel(seed=seed))
        vanished = made < total.sizes["step"] - 1
        axes.plot(
            total["step"].values[: made + 1],
            total.sel(seed=seed).values[: made + 1],
            color=COLOURS[number % len(COLOURS)],
            linewidth=1.2,
            marker="o" if vanished else None,
            markevery=[made],
            markersize=3.6,
            clip_on=not vanished,
            zorder=3 if vanished else 2,
            label=f"seed {int(seed)}",
        )
    values = total.values
    smallest = float(values.min())
    if smallest > 0 and math.log10(float(values.max()) / smallest) > DECADES:
        axes.set_yscale("log")
    steps = total["step"].values
    axes.set_xlim(float(steps[0]) - 0.01 * len(steps), float(steps[-1]) + 0.01 * len(steps))
    axes.set_xlabel("Step", labelpad=2)
    axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(length=2.5)
    if np.ptp(values) == 0:
        axes.set_ylim(values.min() - 0.5, values.max() + 0.5)
