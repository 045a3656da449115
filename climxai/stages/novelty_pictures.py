"""Pictures of novelty: its course in time, and maps of the most novel samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment


def draw(
    experiment: Experiment, layout: Layout, dataset: xr.Dataset, maps: xr.Dataset | None
) -> list[Path]:
    """Draw novelty against time, and a map per channel of each of the most novel samples.

    What the baseline's patterns leave is shaded and the field contoured; where a layer was
    compared, the field is shaded.
    """
    from climxai.data.resolution import resolution, short_date
    from climxai.data.time import decimal_years
    from climxai.plots.maps import draw_map
    from climxai.plots.novelty import draw_series
    from climxai.plots.style import save_figure

    time = dataset["time"].values
    unit = resolution(time)
    dates = [short_date(each, unit) for each in time]
    formats, most = experiment.maps.formats, experiment.novelty.most_novel
    written = [layout.novelty_series(suffix) for suffix in formats]
    figure = draw_series(
        decimal_years(time),
        dataset["novelty"].values,
        dataset["in_baseline"].values.astype(bool),
        {int(at): dates[int(at)] for at in np.argsort(dataset["rank"].values)[:most]},
        subtitle=str(dataset.attrs["summary"]),
        joined="member" not in dataset.coords,
        dpi=experiment.maps.dpi,
    )
    save_figure(figure, written)
    if maps is None:
        return written
    channels = [str(name) for name in maps["channel"].values]
    order = np.argsort(maps["rank"].values)[:most]
    for at in (int(each) for each in order):
        one = maps.isel(sample=at)
        date = short_date(one["time"].values[()], unit)
        member = f", {one['member'].item()}" if "member" in maps.coords else ""
        for channel in channels:
            chosen = one.sel(channel=channel)
            field = chosen["field"].assign_attrs(
                long_name=str(chosen["long_name"].item()), units=str(chosen["units"].item())
            )
            has_error = "error" in chosen
            figure = draw_map(
                chosen["error"] if has_error else chosen["field"],
                field if has_error else None,
                experiment.maps,
                signed=True,
                title=f"Novelty rank {int(one['rank'])}: {date}{member}"
                + (f", {channel}" if len(channels) > 1 else ""),
                subtitle=f"novelty {float(one['novelty']):.2f}; {dataset.attrs['summary']}",
                label=_label(maps, chosen, has_error),
            )
            several = channel if len(channels) > 1 else None
            name = f"{date}_{one['member'].item()}" if member else date
            paths = [
                layout.novelty_map(int(one["rank"]), name, several, suffix) for suffix in formats
            ]
            save_figure(figure, paths)
            written += paths
    return written


def _label(maps: xr.Dataset, chosen: xr.Dataset, has_error: bool) -> str:
    from climxai.plots.layers import readable_units

    where = "error" if has_error else "field"
    units = str(maps[where].attrs.get("units", chosen["units"].item()))
    name = str(chosen["long_name"].item())
    what = f"{name} that the baseline's patterns leave" if has_error else name
    return f"{what} ({readable_units(units) or '1'})"
