"""Shares of relevance in regions: bars, and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.core.errors import DataError
from climxai.core.files import write_text
from climxai.stages.composited import filled, of_channel, open_composite, save, stem_of
from climxai.stages.explained import Run
from climxai.stages.wording import words

if TYPE_CHECKING:
    from climxai.plots.places import Place


def shares(run: Run) -> Iterator[Path]:
    """Draw and tabulate the shares of positive relevance in regions, for the first composite."""
    from climxai.composites.summary import regional_share
    from climxai.plots.shares import Share, draw_shares

    places = regions_of(run)
    settings = run.experiment.composite[0]
    lines: list[dict[str, Any]] = []
    bars: dict[str, list[Share]] = {channel: [] for channel in run.channels}
    for method in run.experiment.explain.methods:
        dataset = open_composite(run, method, settings)
        lat, lon = (dataset[name].values.astype(float) for name in ("lat", "lon"))
        area = np.maximum(np.cos(np.deg2rad(lat)), 0)[:, None] * np.ones(lon.size)
        for label in filled(dataset):
            for channel in run.channels:
                chosen = dataset.sel({"class": label, "channel": channel})
                whole = chosen["relevance"].values
                single = chosen["relevance_by_seed"].transpose("seed", "lat", "lon").values
                valid = np.isfinite(whole)
                for place in places:
                    box = place.region
                    inside = box.contains(lat, lon) & valid
                    cells = float(inside.sum() / valid.sum())
                    share = regional_share(whole, lat, lon, box)
                    by_seed = [regional_share(one, lat, lon, box) for one in single]
                    about = {
                        "method": str(method.id),
                        "group": label,
                        "channel": channel,
                        "region": place.called,
                    }
                    more = {
                        "share_of_cells": cells,
                        "share_of_area": float(area[inside].sum() / area[valid].sum()),
                        "south": box.south,
                        "north": box.north,
                        "west": box.west,
                        "east": box.east,
                    }
                    held = [("all", share), *zip(dataset["seed"].values, by_seed, strict=True)]
                    for seed, value in held:
                        lines.append({**about, "seed": seed, "share": value, **more})
                    bars[channel].append(
                        Share(str(method.id), words(label), place.called, share,
                              tuple(by_seed), cells)
                    )  # fmt: skip
    table = run.layout.picture("shares", "csv")
    write_text(table, as_csv(lines))
    yield table
    for channel, held_bars in bars.items():
        figure = draw_shares(
            held_bars,
            title="Where relevance lies" + of_channel(run, channel),
            subtitle="share of the positive relevance of composites in regions, cells summed "
            "without area weights",
            dpi=run.experiment.maps.dpi,
        )
        yield from save(run, figure, stem_of("shares", channel if len(run.channels) > 1 else None))


def regions_of(run: Run) -> tuple[Place, ...]:
    """Return the regions of `maps.regions`, or the label's.

    Raises
    ------
    DataError
        When there is neither.
    """
    from climxai.plots.places import Place, name_of

    if run.experiment.maps.regions:
        return run.experiment.maps.regions
    region = getattr(run.experiment.label, "region", None)
    if region is None:
        raise DataError(
            "there is no region to take shares of: name some in `maps.regions`, such as "
            "[tropical_pacific, {north_pacific: [20, 60, 120, 250]}]"
        )
    return (Place(called=name_of(region) or "label region", region=region),)


def as_csv(lines: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV, numbers with six digits and undefined ones empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow(
            {
                key: ("" if np.isnan(value) else f"{value:.6g}")
                if isinstance(value, float)
                else value
                for key, value in line.items()
            }
        )
    return text.getvalue()
