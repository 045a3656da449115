"""How good a network is: its confusion matrix, and whether its confidence can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.curves import COLOURS
from climxai.plots.pages import heading, note
from climxai.plots.style import FAINT, INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES: Final = ("#ffffff", "#d3e3f0", "#8fbbdb", "#4a8fc0", "#1f5f99", "#0b2f66")
MOST_WRITTEN: Final = 8
"""Classes up to which cells hold numbers; of more only the shading is told apart."""
BINS: Final = 10

Array = npt.NDArray[np.float64]


def draw_confusion(
    matrices: Mapping[str, Sequence[npt.NDArray[np.int64]]],
    classes: Sequence[str],
    *,
    title: str,
    subtitle: str = "",
    dpi: int = 300,
) -> Figure:
    """Draw a confusion matrix per part of the split: shares of each true class.

    Parameters
    ----------
    matrices
        Part -> one matrix [true, predicted] of counts per network.
    classes
        Names in the order of their numbers.
    title, subtitle
        Lines above the panels.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no matrix, or one has not the classes' shape.
    """
    if not matrices:
        raise DataError("there is no confusion matrix to draw")
    shape = (len(classes), len(classes))
    for part, every in matrices.items():
        for one in every:
            if np.shape(one) != shape:
                raise DataError(
                    f"the confusion matrix of {part} has the shape {np.shape(one)}, "
                    f"expected {shape}"
                )
    with our_style():
        count = len(matrices)
        longest = max(len(name) for name in classes)
        left = 0.45 + 0.058 * min(longest, 24)
        size = min((WIDTH - left - 0.15 - 0.22 * (count - 1)) / max(count, 2), 2.6)
        foot = 1.0 if longest > 9 else 0.62
        total = 0.86 + size + foot
        figure = new_figure(total, dpi)
        for number, (part, every) in enumerate(matrices.items()):
            x = left + number * (size + 0.22)
            axes: Any = figure.add_axes((x / WIDTH, foot / total, size / WIDTH, size / total))
            _matrix(axes, np.asarray(every), size / len(classes))
            counts = {int(np.sum(one)) for one in every}
            n = f"n = {counts.pop()}" if len(counts) == 1 else f"n = {min(counts)} to {max(counts)}"
            axes.set_title(f"{part}, {n}", size=8.5, loc="left", pad=4)
            axes.set_xticks(
                range(len(classes)), classes, size=7, rotation=35 if longest > 9 else 0,
                ha="right" if longest > 9 else "center", rotation_mode="anchor",
            )  # fmt: skip
            axes.set_yticks(range(len(classes)), [] if number else classes, size=7)
            axes.set_xlabel("predicted", labelpad=2)
            if not number:
                axes.set_ylabel("true", labelpad=3)
        heading(figure, title, subtitle)
        several = max(len(every) for every in matrices.values()) > 1
        what = "Per cent of each true class, all networks together"
        note(figure, f"{what}; below: counts{', lowest to highest over networks' * several}")
    return figure


def _matrix(axes: Any, every: npt.NDArray[np.int64], inches: float) -> None:
    """Draw the matrices [network, true, predicted] as one."""
    from matplotlib.colors import LinearSegmentedColormap

    pooled = every.sum(axis=0).astype(float)
    total = pooled.sum(axis=1, keepdims=True)
    share = np.divide(pooled, total, out=np.full_like(pooled, np.nan), where=total > 0)
    colours = LinearSegmentedColormap.from_list("shares", list(SHADES))
    axes.imshow(np.ma.masked_invalid(share), cmap=colours, vmin=0, vmax=1)
    axes.set_facecolor("#e6e6e6")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
    for edge in range(1, len(pooled)):
        axes.axhline(edge - 0.5, color="white", linewidth=1)
        axes.axvline(edge - 0.5, color="white", linewidth=1)
    if len(pooled) > MOST_WRITTEN:
        return
    size = float(np.clip(18 * inches, 5.5, 11))
    for (i, j), value in np.ndenumerate(share):
        low, high = int(every[:, i, j].min()), int(every[:, i, j].max())
        text = f"{low}" if low == high else f"{low}-{high}"
        ink = "white" if value > 0.55 else INK
        words = "-" if np.isnan(value) else f"{100 * value:.0f}%"
        axes.text(j, i, words, size=size, color=ink, ha="center", va="bottom")
        axes.text(j, i + 0.08, text, size=0.72 * size, color=ink, ha="center", va="top")


@dataclass(frozen=True)
class Bins:
    """Predictions put together by their confidence; arrays are [bin]."""

    edges: Array
    count: npt.NDArray[np.int64]
    confidence: Array
    """mean confidence, NaN in empty bins"""
    accuracy: Array
    """share of right predictions, NaN in empty bins"""

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of accuracy from confidence."""
        held = self.count > 0
        if not held.any():
            return float("nan")
        away = np.abs(self.accuracy[held] - self.confidence[held])
        return float(away @ self.count[held] / self.count.sum())


def binned(confidence: Array, correct: npt.NDArray[np.bool_], lowest: float) -> Bins:
    """Return predictions in bins of equal width from the lowest possible confidence to 1.

    Parameters
    ----------
    confidence
        [sample]: probability of the predicted class.
    correct
        [sample]: whether it was the true one.
    lowest
        One over the number of classes.
    """
    edges = np.linspace(lowest, 1, BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    empty = np.full(BINS, np.nan)
    means = [
        np.divide(np.bincount(place, values, BINS), count, out=empty.copy(), where=count > 0)
        for values in (confidence.astype(float), correct.astype(float))
    ]
    return Bins(edges, count.astype(np.int64), *means)


def wilson(share: Array, count: Array) -> tuple[Array, Array]:
    """Return the 95% interval of shares by Wilson's (1927) score, NaN where nothing counts."""
    z = 1.959964
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
        half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half


def draw_reliability(
    predictions: Mapping[int, tuple[Array, npt.NDArray[np.bool_]]],
    classes: int,
    *,
    title: str,
    part: str,
    dpi: int = 300,
) -> Figure:
    """Draw how often predictions are right against how sure the network is of them.

    Parameters
    ----------
    predictions
        Seed -> confidence and whether it was right, both [sample].
    classes
        Their number: no prediction is less sure than one over it.
    title
        Line above the panels.
    part
        The part of the split these samples are.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is no prediction.
    """
    if not predictions or not any(len(held[0]) for held in predictions.values()):
        raise DataError(f"there are no predictions on the {part} part")
    lowest = 1 / classes
    seeds = {seed: binned(*held, lowest) for seed, held in predictions.items()}
    every = [np.concatenate([held[k] for held in predictions.values()]) for k in (0, 1)]
    pooled = binned(every[0], every[1].astype(bool), lowest)
    with our_style():
        total = 4.05
        figure = new_figure(total, dpi)
        side = 2.75
        left = 0.62
        axes: Any = figure.add_axes((left / WIDTH, 0.68 / total, side / WIDTH, side / total))
        bars: Any = figure.add_axes(
            ((left + side + 0.75) / WIDTH, 0.68 / total, 2.85 / WIDTH, side / total)
        )
        low = min(lowest, float(np.nanmin(pooled.accuracy))) if len(every[0]) else 0.0
        low = max(0.0, np.floor(low * 10 - 0.5) / 10)
        axes.plot([lowest, 1], [lowest, 1], color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
        if len(seeds) > 1:
            for number, (seed, held) in enumerate(seeds.items()):
                full = held.count > 0
                axes.plot(
                    held.confidence[full], held.accuracy[full], "-o", linewidth=0.7, markersize=2.2,
                    alpha=0.75, color=COLOURS[(number + 1) % len(COLOURS)], label=f"seed {seed}",
                )  # fmt: skip
        full = pooled.count > 0
        bottom, top = wilson(pooled.accuracy[full], pooled.count[full] / len(seeds))
        middle = pooled.accuracy[full]
        axes.errorbar(
            pooled.confidence[full], middle,
            yerr=[np.maximum(middle - bottom, 0), np.maximum(top - middle, 0)], fmt="o",
            color=COLOURS[0], markersize=4.5, elinewidth=0.9, markeredgecolor="white",
            markeredgewidth=0.6, zorder=5, label="all" if len(seeds) > 1 else "network",
        )  # fmt: skip
        axes.set_xlim(lowest - 0.02, 1.02)
        axes.set_ylim(low - 0.02, 1.02)
        axes.set_xlabel("confidence in the predicted class", labelpad=3)
        axes.set_ylabel("share of right predictions", labelpad=3)
        axes.grid(color="#000000", alpha=0.10, linewidth=0.5)
        axes.legend(loc="best", handlelength=1.2, labelspacing=0.25, fontsize=7)
        width = np.diff(pooled.edges)
        bars.bar(
            pooled.edges[:-1], pooled.count / len(seeds), width=width, align="edge",
            color="#56b4e9", edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        bars.set_xlim(lowest - 0.02, 1.02)
        bars.set_xlabel("confidence in the predicted class", labelpad=3)
        bars.set_ylabel("samples per network", labelpad=3)
        bars.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
        bars.set_axisbelow(True)
        for each in (axes, bars):
            each.tick_params(length=2.5)
        heading(figure, title, _calibration(pooled, seeds, every, part))
        note(
            figure,
            "Dashed: as sure as right. Bars: 95% intervals (Wilson) for as many independent "
            "samples as one network has; neighbours in time are none",
        )
    return figure


def _calibration(
    pooled: Bins, seeds: Mapping[int, Bins], every: list[npt.NDArray[Any]], part: str
) -> str:
    n = int(pooled.count.sum())
    per = f"n = {n}" if len(seeds) == 1 else f"n = {n} over {len(seeds)} networks"
    errors = [held.error for held in seeds.values()]
    spread = f" ({min(errors):.3f} to {max(errors):.3f} over networks)" if len(errors) > 1 else ""
    return (
        f"{part} part, {per}; right {100 * every[1].mean():.1f}%, mean confidence "
        f"{100 * every[0].mean():.1f}%; calibration error {pooled.error:.3f}{spread}"
    )
