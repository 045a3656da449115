"""Pictures of composites: panels of groups, networks and clusters, zonal and meridional means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import DataError, OutputError
from climxai.stages.composite import colour_bar_label, file_name
from climxai.stages.composited import (
    count_of,
    field_of,
    filled,
    networks,
    of_channel,
    open_composite,
    save,
    stem_of,
)
from climxai.stages.explained import Run
from climxai.stages.marks import marks_of
from climxai.stages.wording import how_made, words

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.composites.settings import Composite
    from climxai.plots.panels import Panel, Row

BESIDE: Final = 4
"""Groups up to which a page has a row per method; more get a page per method."""
COLUMNS: Final = 3
MOST: Final = 24
"""Panels on a page."""


def groups(run: Run) -> Iterator[Path]:
    """Draw methods by groups, a page per composite and channel; of many groups a page per method.

    Methods share one colour scale where all have one kind of signs and maps are normalised; where
    not, each row has its own.
    """
    from climxai.plots.panels import Row, draw_panels

    methods = run.experiment.explain.methods
    for settings in run.experiment.composite:
        opened = {str(m.id): open_composite(run, m, settings) for m in methods}
        for channel in run.channels:
            rows = []
            for method in methods:
                panels = _panels(run, opened[str(method.id)], settings, channel)
                label = colour_bar_label(settings.normalise)
                rows.append(Row(panels, method.signed, str(method.id), label))
            wide = max(len(row.panels) for row in rows)
            title = "Composite relevance" + of_channel(run, channel)
            stem = stem_of("panels", settings.id, channel if len(run.channels) > 1 else None)
            if wide <= BESIDE and len(rows) > 1:
                alike = len({row.signed for row in rows}) == 1 and settings.normalise != "none"
                scale: Any = "page" if alike else "row"
                how = "one colour scale" if alike else "a colour scale per method"
                short = [_short(row, scale) for row in rows]
                figure = draw_panels(
                    short, run.experiment.maps, title=title, scale=scale,
                    subtitle=f"{networks(opened[str(methods[0].id)])}; {how}",
                )  # fmt: skip
                yield from save(run, figure, stem)
                continue
            for method, row in zip(methods, rows, strict=True):
                yield from _page(run, row, opened[str(method.id)], method, title, stem)


def _short(row: Row, scale: str) -> Row:
    from dataclasses import replace

    # A bar beside one row of maps is too low for the whole text.
    return row if scale == "page" else replace(row, label="relevance (1)")


def _page(
    run: Run, row: Row, dataset: xr.Dataset, method: Method, title: str, stem: str
) -> Iterator[Path]:
    """Draw the panels of one method in rows of `COLUMNS`."""
    from climxai.plots.panels import draw_panels

    figure = draw_panels(
        wrapped(row, _columns(dataset)),
        run.experiment.maps,
        title=title,
        subtitle=f"{how_made(method)}, {networks(dataset)}; one colour scale",
    )
    yield from save(run, figure, f"{stem}_{method.id}")


def _columns(dataset: xr.Dataset) -> int:
    """Return how many panels stand in a row: classes by season stand a class per row."""
    count = int((dataset["count"] > 0).sum())
    return next((n for n in (COLUMNS, 4) if count % n == 0), COLUMNS if count > 2 else count)


def wrapped(row: Row, columns: int) -> list[Row]:
    """Return one long row as several, at most `MOST` panels."""
    from dataclasses import replace

    held = row.panels[:MOST]
    columns = max(1, min(columns, len(held)))
    return [
        replace(row, panels=held[at : at + columns], name="") for at in range(0, len(held), columns)
    ]


def seeds(run: Run) -> Iterator[Path]:
    """Draw classes by seeds of each method, all with one colour scale."""
    from climxai.plots.panels import Panel, Row, draw_panels

    if len(run.experiment.train.seeds) < 2:
        raise DataError("there is one network only: nothing to compare")
    settings = run.experiment.composite[0]
    for method in run.experiment.explain.methods:
        dataset = open_composite(run, method, settings)
        if dataset.sizes["seed"] < 2:
            continue
        numbers = [int(seed) for seed in dataset["seed"].values][:BESIDE]
        for channel in run.channels:
            rows = []
            for label in filled(dataset):
                chosen = dataset.sel({"class": label, "channel": channel})
                field = field_of(run, chosen)
                panels = tuple(
                    Panel(each, f"seed {seed}", field)
                    if np.isfinite(
                        (each := chosen["relevance_by_seed"].sel(seed=seed)).values
                    ).any()
                    else None
                    for seed in numbers
                )
                rows.append(
                    Row(panels, method.signed, words(label), colour_bar_label(settings.normalise))
                )
            more = dataset.sizes["seed"] - len(numbers)
            figure = draw_panels(
                rows[: MOST // BESIDE],
                run.experiment.maps,
                title="Composite relevance of single networks" + of_channel(run, channel),
                subtitle=f"{how_made(method)}; one colour scale"
                + (f"; {more} more networks are not shown" if more else ""),
            )
            stem = stem_of("seeds", str(method.id), channel if len(run.channels) > 1 else None)
            yield from save(run, figure, stem)


def clusters(run: Run) -> Iterator[Path]:
    """Draw the clusters of each method and group of samples that `climxai strategies` wrote."""
    import xarray as xr

    from climxai.plots.panels import Panel, Row, draw_panels

    folder = run.layout.strategies("x", "nc").parent
    found = sorted(folder.glob("*.nc"))
    if not found:
        raise OutputError(f"there are no clusters in {folder}: run `climxai strategies` first")
    known = {str(method.id): method for method in run.experiment.explain.methods}
    for path in found:
        dataset = xr.load_dataset(path)
        name = next(
            (n for n in sorted(known, key=len, reverse=True) if _belongs(path.stem, n)), None
        )
        if name is None or "cluster" not in dataset["relevance"].dims:
            continue
        method = known[name]
        within = words(path.stem.removeprefix(name).strip("_")) or "all classes"
        for channel in run.channels:
            here = dataset.sel(channel=channel)
            panels = tuple(
                Panel(
                    here["relevance"].sel(cluster=number),
                    f"cluster {number}{_count(here, number)}",
                    field_of(run, here.sel(cluster=number)),
                )
                for number in (int(each) for each in dataset["cluster"].values)
                if number > 0
            )
            if not panels:
                continue
            row = Row(
                panels, method.signed, label=colour_bar_label(run.experiment.strategies.normalise)
            )
            figure = draw_panels(
                wrapped(row, 2 if len(panels) in (2, 4) else COLUMNS),
                run.experiment.maps,
                title=f"Clusters of relevance: {within}" + of_channel(run, channel),
                subtitle=f"{how_made(method)}; one colour scale",
            )
            stem = stem_of("clusters", path.stem, channel if len(run.channels) > 1 else None)
            yield from save(run, figure, stem)


def _belongs(stem: str, method: str) -> bool:
    return stem == method or stem.startswith(f"{method}_")


def _count(dataset: xr.Dataset, number: int) -> str:
    if "count" not in dataset or "cluster" not in dataset["count"].dims:
        return ""
    return f", n = {int(dataset['count'].sel(cluster=number))}"


def means(run: Run) -> Iterator[Path]:
    """Draw every map of the first composite with its means along parallels and meridians."""
    from climxai.plots.style import save_figure
    from climxai.plots.zonal import draw_means

    settings = run.experiment.composite[0]
    for method in run.experiment.explain.methods:
        dataset = open_composite(run, method, settings)
        for label in filled(dataset):
            for channel in run.channels:
                chosen = dataset.sel({"class": label, "channel": channel})
                figure = draw_means(
                    chosen["relevance"],
                    field_of(run, chosen),
                    run.experiment.maps,
                    signed=method.signed,
                    title=f"Composite relevance: {words(label)}" + of_channel(run, channel),
                    subtitle=f"{how_made(method)}, {count_of(chosen)}, {networks(dataset)}",
                    label=colour_bar_label(settings.normalise),
                    seeds=chosen["relevance_by_seed"],
                    marks=marks_of(chosen, settings.significance, run.experiment.maps),
                )
                stem = f"means_{file_name(method, settings)}_{label}"
                stem += f"_{channel}" if len(run.channels) > 1 else ""
                paths = [run.layout.picture(stem, s) for s in run.experiment.maps.formats]
                yield from save_figure(figure, paths)


def _panels(run: Run, dataset: xr.Dataset, settings: Composite, channel: str) -> tuple[Panel, ...]:
    from climxai.plots.panels import Panel

    panels = []
    for label in filled(dataset):
        chosen = dataset.sel({"class": label, "channel": channel})
        panels.append(
            Panel(
                chosen["relevance"],
                f"{words(label)}, {count_of(chosen)}",
                field_of(run, chosen),
                marks_of(chosen, settings.significance, run.experiment.maps),
            )
        )
    return tuple(panels)
