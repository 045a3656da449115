"""Pictures of an audit: how much relevance is left along the layers, and what took the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.curves import COLOURS
from climxai.plots.style import FAINT, INK, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

TAKEN: Final = {
    "bias": ("bias", "#0072b2"),
    "stabiliser": ("stabiliser", "#e69f00"),
    "other": ("empty sides, zeros, numbers", "#999999"),
}
SIGNS: Final = {"positive": ("positive", "#b2182b"), "negative": ("negative", "#2166ac")}
MOST_LETTERS: Final = 34
"""Letters that stand side by side below a narrow panel."""
LONGEST: Final = 26
"""Letters of a layer's name that are shown; the end tells layers apart."""

KINDS: Final = {"convolution": "conv.", "transposed_convolution": "transp. conv."}
STRETCHED: Final = 10.0
"""Beyond this many times the explained output the axis is stretched: linear to 1, then by powers
of ten."""

Array = npt.NDArray[np.float64]


def relevance_left(dataset: xr.Dataset) -> xr.DataArray:
    """Return how much relevance is left as a share of what the walk started from.

    It is what the walk started from less what the layers so far took, so that it holds for links
    and branches too.

    Parameters
    ----------
    dataset
        An audit: ``start`` (seed, sample); ``bias``, ``stabiliser``, ``other`` (seed, layer,
        sample).

    Returns
    -------
    xarray.DataArray
        (seed, step, sample): step 0 is the output, step n after n layers; NaN where nothing is
        explained.
    """
    import xarray as xr

    taken = dataset["bias"] + dataset["stabiliser"] + dataset["other"]
    start = dataset["start"].where(dataset["start"] != 0)
    after = 1 - taken.cumsum("layer", skipna=False) / start
    after = after.drop_vars(["layer", "kind", "rule"], errors="ignore").rename(layer="step")
    first = xr.ones_like(after.isel(step=[0])).where(start.notnull())
    left = xr.concat([first, after], "step", coords="minimal", compat="override")
    return left.transpose("seed", "step", "sample")


def draw_conservation(datasets: Mapping[str, xr.Dataset], *, dpi: int = 200) -> Figure:
    """Draw how much relevance is left along the layers: a line per method, all seeds together.

    Parameters
    ----------
    datasets
        Method -> its audit; all of the same networks.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When there is nothing to draw.
    """
    if not datasets:
        raise DataError("there is no audit to draw")
    any_dataset = next(iter(datasets.values()))
    labels = _Labels(["output", *layer_names(any_dataset)], 2.6 * MOST_LETTERS)
    with our_style():
        height = 3.6 + labels.extra
        figure = new_figure(height, dpi)
        axes = figure.subplots()
        figure.subplots_adjust(
            left=0.075, right=0.78, top=1 - 0.61 / height, bottom=(0.54 + labels.extra) / height
        )
        counts = {int(each["output"].notnull().sum()) for each in datasets.values()}
        seeds = any_dataset.sizes["seed"]
        _title(
            figure,
            height,
            "Relevance along the layers",
            f"n = {max(counts)} maps of {seeds} network{'s' if seeds > 1 else ''}; "
            "line: median, band: quartiles",
        )
        for number, (name, dataset) in enumerate(datasets.items()):
            left = relevance_left(dataset).stack(every=("seed", "sample")).transpose("step", ...)
            _line(axes, left.values, COLOURS[number % len(COLOURS)], number, len(datasets), name)
        _layers_below(axes, labels)
        _finish_shares(axes)
        axes.set_ylabel("share of what was handed out")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), handlelength=1.6)
    return figure


def draw_books(dataset: xr.Dataset, title: str, *, dpi: int = 200) -> Figure:
    """Draw one method's audit: what is left per seed, what took it, and both signs per layer.

    Parameters
    ----------
    dataset
        An audit as the file of a method holds it.
    title
        Line above the panels.
    dpi
        Dots per inch when saved as PNG.
    """
    steps = _Labels(["output", *layer_names(dataset)], MOST_LETTERS)
    layers = _Labels(layer_names(dataset, rules=True), MOST_LETTERS)
    extra = max(steps.extra, layers.extra)
    with our_style():
        height = 3.4 + extra
        figure = new_figure(height, dpi)
        left, taken, signs = figure.subplots(1, 3)
        figure.subplots_adjust(
            left=0.055,
            right=0.985,
            top=1 - 0.765 / height,
            bottom=(0.56 + extra) / height,
            wspace=0.24,
        )
        n = int(dataset["output"].notnull().any("seed").sum())
        _title(
            figure,
            height,
            title,
            f"n = {n} samples; shares of what was handed out at the output: medians, band: "
            "quartiles",
        )
        shares = relevance_left(dataset)
        seeds = dataset["seed"].values
        for number, seed in enumerate(seeds):
            colour = COLOURS[number % len(COLOURS)]
            values = shares.sel(seed=seed).transpose("step", "sample").values
            _line(left, values, colour, number, len(seeds), f"seed {seed}")
        _layers_below(left, steps)
        _finish_shares(left)
        _heading(left, "Relevance left")
        left.legend(loc="best", handlelength=1.2, labelspacing=0.3)
        _bars(taken, dataset, layers, TAKEN, stacked=False)
        _heading(taken, "Taken by")
        _bars(signs, dataset, layers, SIGNS, stacked=True)
        _heading(signs, "Passed on")
    return figure


def _line(axes: Any, values: Array, colour: str, number: int, lines: int, label: str) -> None:
    """Draw median and quartiles of values [step, sample]; lines on each other are set apart."""
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[1] == 0:
        axes.plot([], [], color=colour, label=f"{label} (no sample)")
        return
    low, middle, high = np.percentile(values, [25, 50, 75], axis=1)
    steps = np.arange(len(middle)) + 0.05 * (number - (lines - 1) / 2)
    axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(
        steps, middle, "o-", color=colour, linewidth=1.3, markersize=3.5,
        markeredgecolor="white", markeredgewidth=0.5, label=label,
    )  # fmt: skip


def _bars(
    axes: Any,
    dataset: xr.Dataset,
    labels: _Labels,
    parts: Mapping[str, tuple[str, str]],
    *,
    stacked: bool,
) -> None:
    """Draw the median share of each part per layer: side by side, or in one place."""
    start = dataset["start"].where(dataset["start"] != 0)
    steps = np.arange(dataset.sizes["layer"]) + 1
    width = 0.6 if stacked else 0.8 / len(parts)
    for number, (name, (text, colour)) in enumerate(parts.items()):
        share = (dataset[name] / start).median(("seed", "sample")).transpose("layer").values
        shift = 0.0 if stacked else width * (number - (len(parts) - 1) / 2)
        axes.bar(steps + shift, np.nan_to_num(share), width, color=colour, label=text)
    axes.axhline(0, color=FAINT, linewidth=0.6)
    labels.put(axes, steps)
    axes.set_xlim(0.4, len(steps) + 0.6)
    _finish_axis(axes)
    low, high = axes.get_ylim()
    if max(-low, high) < 1e-3:
        # Nothing but rounding: an empty panel says so better than its digits.
        axes.set_ylim(-0.1, 0.1)
    else:
        axes.set_ylim(low, high + 0.32 * (high - low))
    axes.legend(loc="upper right", handlelength=0.9, labelspacing=0.25)


def layer_names(dataset: xr.Dataset, *, rules: bool = False) -> list[str]:
    """Return each layer's name as rule maps and the file have it, its kind, and its rule if wanted.

    One line each; a step without a rule has none.
    """
    names = []
    for name, kind, rule in zip(
        *(map(str, dataset[key].values) for key in ("layer", "kind", "rule")), strict=True
    ):
        short = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
        lines = [short, KINDS.get(kind, kind.replace("_", " "))]
        if rules and rule:
            lines.append(str(json.loads(rule)["name"]))
        names.append("\n".join(lines))
    return names


class _Labels:
    """Names below an axis: side by side where they fit, else upright on one line each.

    Parameters
    ----------
    names
        One per place.
    most
        Letters that fit side by side.
    """

    def __init__(self, names: list[str], most: float) -> None:
        widest = max(len(line) for name in names for line in name.split("\n"))
        self.upright = (widest + 1.5) * len(names) > most
        self.names = [name.replace("\n", " ") for name in names] if self.upright else names
        letters = max(map(len, self.names))
        self.extra = max(0.0, 0.04 * letters - 0.25) if self.upright else 0.12
        """Inches that they need besides the usual."""

    def put(self, axes: Any, places: npt.NDArray[np.int64]) -> None:
        """Write them below an axis."""
        size = 6 if self.upright else 7
        axes.set_xticks(places, self.names, rotation=60 if self.upright else 0, size=size)
        if self.upright:
            for label in axes.get_xticklabels():
                label.set_ha("right")
                label.set_rotation_mode("anchor")


def _layers_below(axes: Any, labels: _Labels) -> None:
    labels.put(axes, np.arange(len(labels.names)))
    axes.set_xlim(-0.3, len(labels.names) - 0.7)
    axes.set_xlabel("after each layer, on the way to the input", labelpad=3, color=FAINT, size=7)


def _finish_shares(axes: Any) -> None:
    axes.axhline(1, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
    axes.axhline(0, color=FAINT, linewidth=0.6, zorder=1)
    low, high = axes.get_ylim()
    if max(-low, high) > STRETCHED:
        axes.set_yscale("symlog", linthresh=1)
    else:
        axes.set_ylim(min(low, -0.05), max(high, 1.1))
    _finish_axis(axes)


def _finish_axis(axes: Any) -> None:
    axes.grid(axis="y", color="#000000", alpha=0.10, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5)


def _heading(axes: Any, text: str) -> None:
    axes.set_title(text, size=8.5, color=INK, loc="left", pad=5)


def _title(figure: Figure, height: float, title: str, subtitle: str) -> None:
    size = 10.5 * min(1, 70 / max(len(title), 1))
    top, below = 1 - 0.085 / height, 1 - 0.32 / height
    figure.text(0.012, top, title, size=size, weight="bold", va="top", ha="left")
    figure.text(0.012, below, subtitle, size=8, color=FAINT, va="top", ha="left")
