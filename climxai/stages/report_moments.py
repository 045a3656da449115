"""Maps of single samples for the report: evenly chosen dates of the first method."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import ClimxaiError
from climxai.stages.layout import Layout

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.report.material import Moment, Moments

LOG = logging.getLogger(__name__)

MOST: Final = 60
"""Maps on the page: enough to see how they change, few enough to be loaded."""


def moments_of(experiment: Experiment, layout: Layout) -> Moments | None:
    """Draw at most `MOST` samples; None, with a line in the log, where relevance cannot be read."""
    if not layout.index.exists():
        return None
    try:
        return _drawn(experiment, layout)
    except ClimxaiError as error:
        LOG.warning("the report shows no single samples: %s", error)
        return None


def _drawn(experiment: Experiment, layout: Layout) -> Moments | None:
    from climxai.core.progress import progress
    from climxai.report.material import Moments
    from climxai.stages.explained import open_run
    from climxai.stages.wording import how_made

    run = open_run(experiment, layout)
    method = experiment.explain.methods[0]
    explained = run.open(method)
    kept = explained.chosen(None)
    order = explained.in_time(kept)
    if not order.size:
        return None
    chosen = order[np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(int))]
    with progress("drawing single samples", len(chosen)) as tick:
        moments = tuple(_moments(explained, chosen, kept, tick))
    return Moments(how_made(method), len(order), moments)


def _moments(explained: Any, chosen: Any, kept: Any, tick: Any) -> list[Moment]:
    from climxai.plots.colours import colour_limit, contour_levels
    from climxai.report.frames import Frames
    from climxai.report.material import Moment
    from climxai.stages.composite import colour_bar_label
    from climxai.stages.single_map import said_of

    run = explained.run
    rows = [int(explained.samples.row[at]) for at in chosen]
    maps = [values for _, values in explained.mean_maps(rows, 0, kept)]
    fields = list(explained.field_maps(rows, 0))
    lat = run.fields["lat"].values
    # One scale for all: that of a middling map, so that neither strong nor weak ones rule.
    limits = [colour_limit(values, lat) for values in maps if np.nan_to_num(values).any()]
    settings = run.experiment.maps
    limit = settings.limit or float(np.median(limits or [1.0]))
    if settings.contour_interval is None and settings.field_contours:
        interval, _ = contour_levels(np.stack(fields), None)
        settings = settings.model_copy(update={"contour_interval": interval})
    frames = Frames(
        explained.as_map(maps[0]),
        settings,
        signed=explained.method.signed,
        limit=limit,
        label=colour_bar_label(run.normalise),
    )
    found = []
    for at, values, field in zip(chosen.tolist(), maps, fields, strict=True):
        relevance = explained.as_map(values)
        date, words = explained.dates[at], said_of(explained, at, kept)
        pixels = frames.paint(relevance, explained.as_field(field, 0))
        found.append(Moment(date, words, f"Map of {date}: {words}. {_largest(relevance)}", pixels))
        tick()
    return found


def _largest(relevance: Any) -> str:
    from climxai.report.numbers import degrees, significant

    size = np.abs(relevance.values)
    if not np.isfinite(size).any() or np.nanmax(size) == 0:
        return "Relevance is zero everywhere."
    row, column = np.unravel_index(np.nanargmax(size), size.shape)
    where = (
        f"{degrees(float(relevance['lat'][row]), 'NS')}, "
        f"{degrees(float(relevance['lon'][column]), 'EW')}"
    )
    return f"Largest relevance at {where}: {significant(float(relevance.values[row, column]))}."
