"""Pictures of optimal inputs: a map per target and the loss curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment


def draw_optimal_inputs(dataset: xr.Dataset, experiment: Experiment, layout: Layout) -> list[Path]:
    """Draw the mean over seeds of every target's input, per channel, and the loss curves."""
    from climxai.plots.maps import draw_map
    from climxai.plots.optimal_input import draw_loss
    from climxai.plots.style import save_figure

    formats = experiment.maps.formats
    written = [layout.optimal_input_loss(suffix) for suffix in formats]
    save_figure(draw_loss(dataset, dpi=experiment.maps.dpi), written)
    channels = [str(name) for name in dataset["channel"].values]
    change = (dataset["optimal_input"] - dataset["start"]).mean("seed")
    for target in (str(name) for name in dataset["target"].values):
        for channel in channels:
            chosen = dataset.sel(target=target, channel=channel)
            field = chosen["field"].assign_attrs(
                long_name=f"mean {chosen['long_name'].item()} of {target}",
                units=str(chosen["units"].item()),
            )
            figure = draw_map(
                change.sel(target=target, channel=channel),
                field if bool(np.isfinite(field).any()) else None,
                experiment.maps,
                signed=True,
                title=_title(chosen, channel if len(channels) > 1 else None),
                subtitle=_subtitle(chosen),
                label=_label(chosen),
            )
            several = channel if len(channels) > 1 else None
            paths = [layout.optimal_input_map(target, several, suffix) for suffix in formats]
            save_figure(figure, paths)
            written += paths
    return written


def _title(chosen: xr.Dataset, channel: str | None) -> str:
    """Name the class as people write it; units and outputs in words."""
    from climxai.stages.wording import READABLE

    target = str(chosen["target"].item())
    of_class = bool(np.isfinite(chosen["field"]).any())
    words = target.replace("_", " ") if of_class else str(chosen["quantity"].item())
    return f"Optimal input: {READABLE.get(target, words)}" + (f", {channel}" if channel else "")


def _subtitle(chosen: xr.Dataset) -> str:
    """Say what was reached, by how many networks, and how like the class's field it is."""
    first, last = (chosen["value"].isel(step=at) for at in (0, -1))
    of_class = bool(np.isfinite(chosen["field"]).any())
    what = str(chosen["quantity"].item()) if of_class else "its value"
    text = f"{what} from {_span(first)} to {_span(last)}, "
    seeds = chosen.sizes["seed"]
    text += f"mean of {seeds} networks" if seeds > 1 else "1 network"
    still = int((chosen["moves"] < chosen.sizes["step"] - 1).sum())
    if still:
        text += f" ({still} stopped early)"
    r = chosen["correlation"].values
    r = r[np.isfinite(r)]
    if r.size:
        text += f", the input's r with the class's mean {_span(r)}"
    return text


def _span(values: Any) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    one, other = f"{low:.2f}", f"{high:.2f}"
    return one if one == other else f"{one} … {other}"


def _label(chosen: xr.Dataset) -> str:
    from climxai.plots.layers import readable_units

    units = readable_units(str(chosen["units"].item()))
    name = str(chosen["long_name"].item())
    if bool((abs(chosen["start"]).fillna(0.0) > 0).any()):
        name = f"change of {name} from the start ({chosen.attrs['start']})"
    return f"{name} ({units or '1'})"
