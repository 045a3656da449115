"""Loss and accuracy against epochs, one line per seed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.style import FAINT, INK, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS: Final = (
    "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
)  # fmt: skip
# Okabe and Ito (2008): told apart by colour-blind readers too.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")

Rows = Sequence[Mapping[str, Any]]
Columns = dict[str, npt.NDArray[np.float64]]


def loss_curves(
    histories: Mapping[int, Rows | Path],
    *,
    best_epochs: Mapping[int, int] | None = None,
    title: str = "Training",
    dpi: int = 200,
) -> Figure:
    """Draw loss (left) and accuracy (right) of every seed: training thin, validation bold.

    Parameters
    ----------
    histories
        Seed -> rows with the columns ``epoch, train_loss, train_accuracy, validation_loss,
        validation_accuracy``, or the path of a CSV file with them. Validation may be missing.
    best_epochs
        Seed -> epoch whose weights were kept; marked by a dot.
    title
        Line above the panels.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no history, or one has no rows or lacks a column.
    """
    if not histories:
        raise DataError("there are no training histories to draw")
    columns = {seed: _columns(seed, history) for seed, history in histories.items()}
    with our_style():
        return _draw(columns, best_epochs or {}, title, dpi)


def _columns(seed: int, history: Rows | Path) -> Columns:
    where = f"the training history of seed {seed}"
    if isinstance(history, Path):
        where = str(history)
        try:
            with history.open(newline="", encoding="utf-8") as file:
                history = list(csv.DictReader(file))
        except OSError as error:
            raise DataError(f"{where} cannot be read: {error}") from error
    if not history:
        raise DataError(f"{where} holds no epochs")
    missing = [name for name in COLUMNS[:3] if name not in history[0]]
    if missing:
        raise DataError(
            f"{where} lacks the columns {', '.join(missing)}; found {', '.join(history[0])}"
        )
    try:
        return {name: np.array([_number(row.get(name)) for row in history]) for name in COLUMNS}
    except ValueError as error:
        raise DataError(f"{where} holds something that is not a number: {error}") from error


def _number(value: Any) -> float:
    return float("nan") if value in (None, "") else float(value)


def _draw(columns: dict[int, Columns], best: Mapping[int, int], title: str, dpi: int) -> Figure:
    figure = new_figure(3.0, dpi)
    loss, accuracy = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.835, bottom=0.185, wspace=0.2)
    figure.text(0.012, 0.975, title, size=10.5, weight="bold", va="top", ha="left")
    validated = False
    for number, (seed, history) in enumerate(columns.items()):
        colour = COLOURS[number % len(COLOURS)]
        for axes, what in ((loss, "loss"), (accuracy, "accuracy")):
            validation = history[f"validation_{what}"]
            has = bool(np.isfinite(validation).any())
            validated |= has
            axes.plot(
                history["epoch"],
                history[f"train_{what}"],
                color=colour,
                linewidth=0.7 if has else 1.3,
                alpha=0.55 if has else 1.0,
                label=None if has else f"seed {seed}",
            )
            if has:
                axes.plot(
                    history["epoch"], validation, color=colour, linewidth=1.4, label=f"seed {seed}"
                )
            if seed in best:
                kept = validation if has else history[f"train_{what}"]
                at = history["epoch"] == best[seed]
                axes.plot(
                    history["epoch"][at], kept[at], "o", color=colour, markersize=5,
                    markeredgecolor="white", markeredgewidth=0.8, zorder=5, clip_on=False,
                )  # fmt: skip
    _finish(loss, "Loss")
    _finish(accuracy, "Accuracy")
    low, high = accuracy.get_ylim()
    accuracy.set_ylim(max(0.0, low), min(max(high, 1.0), 1.01))
    accuracy.legend(
        loc="lower right", ncols=1 if len(columns) <= 6 else 2, handlelength=1.4, labelspacing=0.3
    )
    parts = ["Thin: training, bold: validation" if validated else "Training only, no validation"]
    if best:
        parts.append("dot: epoch whose weights were kept")
    figure.text(0.53, 0.02, "; ".join(parts), size=7, color=FAINT, va="bottom", ha="center")
    return figure


def _finish(axes: Any, name: str) -> None:
    axes.set_title(name, size=8.5, color=INK, loc="left", pad=5)
    axes.set_xlabel("Epoch", labelpad=2)
    axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(length=2.5)
    axes.margins(x=0.01)
