"""Animation: relevance and field of one sample after the other, from shards, as GIF or MP4."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError, DataError, did_you_mean
from climxai.core.period import Period
from climxai.core.progress import progress
from climxai.stages.explained import Explained, open_run
from climxai.stages.outputs import begin, stage_output, write_provenance
from climxai.stages.single_map import networks_of, said_of
from climxai.stages.wording import how_made

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.plots.animation import Film, Format, Moment, Series

LOG = logging.getLogger(__name__)

MOST: Final = 240
"""Frames made without `every`: more samples are thinned."""
LOOKED_AT: Final = 48
"""Samples from which one colour scale and one contour interval for all frames are taken."""


@dataclass(frozen=True)
class Animated:
    """A film, and what it shows."""

    path: Path
    frames: int
    first: str
    last: str


def animate(
    experiment: Experiment,
    method: str | None = None,
    *,
    period: Period | None = None,
    every: int | None = None,
    seed: int | None = None,
    member: str | None = None,
    channel: str | None = None,
    form: Format = "gif",
    per_second: float = 6.0,
) -> Animated:
    """Write relevance and field through time as a film; frames are made and written one by one.

    Parameters
    ----------
    experiment
        The validated configuration, explained before.
    method
        Id of the method; None: the first of the configuration.
    period
        Only samples in it; None: all.
    every
        Every n-th sample; None: as many as make at most `MOST` frames.
    seed, member
        As for `climxai.stages.single_map.map_of`.
    channel
        Which one; None: the first.
    form
        ``gif``, or ``mp4`` where the program ffmpeg is there.
    per_second
        Frames per second.

    Raises
    ------
    DataError
        When no sample is left.
    ClimxaiError
        When relevance is missing or made with another configuration, or the film cannot be written.
    """
    from climxai.plots.animation import write_film

    with stage_output(experiment, "animate") as layout:
        run = open_run(experiment, layout)
        started = begin(())
        name = method or str(experiment.explain.methods[0].id)
        explained = run.open(run.method(name))
        number = _channel(channel, run.channels)
        kept = explained.chosen(member, seed)
        order = _in_period(explained, explained.in_time(kept), period)
        step = every or math.ceil(len(order) / MOST)
        if every is None and step > 1:
            LOG.info(
                "%d samples: every %s is drawn, --every 1 draws all",
                len(order),
                {2: "second", 3: "third"}.get(step, f"{step}th"),
            )
        order = order[::step]
        member = member or (explained.members[0] if explained.members else None)
        stem = "_".join(
            filter(
                None,
                (
                    name,
                    channel if len(run.channels) > 1 else None,
                    member,
                    None if seed is None else f"seed-{seed}",
                ),
            )
        )
        path = layout.animation(stem, form)
        with progress(f"animating {name}", len(order)) as tick:
            film = _film(explained, order, kept, number, seed, member)
            frames = (film.draw(one) for one in _moments(explained, order, kept, number))
            write_film(frames, path, per_second=per_second, tick=tick, palette=film.palette())
        dates = [explained.dates[int(at)] for at in order]
        write_provenance(layout, "animate", started, outputs=[str(path.relative_to(layout.root))])
    return Animated(path, len(order), dates[0], dates[-1])


def _channel(channel: str | None, channels: list[str]) -> int:
    if channel is None:
        return 0
    if channel not in channels:
        raise ConfigError(
            f"--channel: the data have no {channel!r}." + did_you_mean(channel, tuple(channels))
        )
    return channels.index(channel)


def _in_period(
    explained: Explained, order: npt.NDArray[np.int64], period: Period | None
) -> npt.NDArray[np.int64]:
    from climxai.data.time import rows_in_period

    if period is not None:
        fields = explained.run.fields
        held = fields["row"].values[rows_in_period(fields["time"], period)]
        inside = order[np.isin(explained.samples.row[order], held)]
        if not inside.size:
            dates = explained.dates
            span = f"{dates[int(order[0])]} to {dates[int(order[-1])]}" if order.size else "none"
            raise DataError(
                f"no explained sample lies in {period.describe()}; there are some from {span}"
            )
        return inside
    return order


def _film(
    explained: Explained,
    order: npt.NDArray[np.int64],
    kept: npt.NDArray[np.bool_],
    channel: int,
    seed: int | None,
    member: str | None,
) -> Film:
    """Return the page of the film, its scales taken from some of its samples."""
    from climxai.plots.animation import Film
    from climxai.plots.colours import colour_limit, contour_levels
    from climxai.stages.composite import colour_bar_label

    run, method = explained.run, explained.method
    settings = run.experiment.maps
    looked = order[np.unique(np.linspace(0, len(order) - 1, LOOKED_AT).astype(int))]
    rows = [int(explained.samples.row[at]) for at in looked]
    maps = [values for _, values in explained.mean_maps(rows, channel, kept)]
    lat = run.fields["lat"].values
    limits = [colour_limit(values, lat) for values in maps if np.nan_to_num(values).any()]
    limit = settings.limit or float(np.median(limits or [1.0]))
    if settings.contour_interval is None and settings.field_contours:
        fields = list(explained.field_maps(rows, channel))
        interval, _ = contour_levels(np.stack(fields), None)
        settings = settings.model_copy(update={"contour_interval": interval})
    named = run.channels[channel] if len(run.channels) > 1 else None
    which = ", ".join(filter(None, (networks_of(explained, seed), member, named)))
    return Film(
        explained.as_map(maps[0]),
        settings,
        signed=method.signed,
        limit=limit,
        title=f"{how_made(method)}, {which}",
        label=colour_bar_label(run.normalise),
        series=_series(explained, explained.in_time(kept), order),
    )


def _moments(
    explained: Explained,
    order: npt.NDArray[np.int64],
    kept: npt.NDArray[np.bool_],
    channel: int,
) -> Iterator[Moment]:
    from climxai.plots.animation import Moment

    rows = [int(explained.samples.row[at]) for at in order]
    maps = explained.mean_maps(rows, channel, kept)
    fields = explained.field_maps(rows, channel)
    for at, (_, values), field in zip(order.tolist(), maps, fields, strict=True):
        yield Moment(
            explained.as_map(values),
            explained.as_field(field, channel),
            explained.dates[at],
            said_of(explained, at, kept),
            float(explained.years[at]),
        )


def _series(
    explained: Explained, every: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
) -> Series | None:
    """Return the series behind the labels over the time of the film, where shards hold it."""
    from climxai.plots.animation import Series
    from climxai.plots.places import name_of

    held: Any = explained.column("index")
    if held is None:
        return None
    years = explained.years[every]
    first, last = explained.years[order[0]], explained.years[order[-1]]
    inside = every[(years >= first) & (years <= last)]
    region = getattr(explained.run.experiment.label, "region", None)
    label = (name_of(region) if region is not None else None) or "index"
    return Series(
        explained.years[inside], np.asarray(held, dtype=float)[inside], label.replace("_", " ")
    )
