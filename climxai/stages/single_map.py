"""Single samples by date: their relevance from the shards, drawn over the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError, DataError
from climxai.core.period import Period, date_parts
from climxai.stages.explained import Explained, open_run
from climxai.stages.outputs import begin, stage_output, write_provenance
from climxai.stages.wording import how_made, words

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment

MOST_NAMED = 6
"""Dates a message names."""


@dataclass(frozen=True)
class SingleMap:
    """One sample's picture, and what the networks said of it."""

    method: str
    date: str
    words: str
    pictures: tuple[Path, ...]


def map_of(
    experiment: Experiment,
    date: str,
    *,
    methods: Sequence[str] = (),
    seed: int | None = None,
    member: str | None = None,
) -> tuple[SingleMap, ...]:
    """Draw the relevance of the sample of a date, over the field of that date.

    Parameters
    ----------
    experiment
        The validated configuration, explained before.
    date
        As 1998-05; it must mean one sample.
    methods
        Ids; none: all of the configuration.
    seed
        Of the network; None: the mean of all networks' maps, each normalised beforehand.
    member
        Where the data have members; None: the first.

    Raises
    ------
    DataError
        When no sample of that date was explained (the nearest dates are named), or several.
    ClimxaiError
        When relevance is missing or made with another configuration.
    """
    try:
        date_parts(date)
    except ValueError as error:
        raise ConfigError(f"--date: {error}") from None
    with stage_output(experiment, "map") as layout:
        run = open_run(experiment, layout)
        started = begin(())
        names = methods or [str(method.id) for method in experiment.explain.methods]
        found = []
        for name in names:
            explained = run.open(run.method(name))
            kept = explained.chosen(member, seed)
            at = sample_of(explained, date, kept)
            found.append(_draw(explained, at, kept, seed, member))
        outputs = [str(path.relative_to(layout.root)) for one in found for path in one.pictures]
        write_provenance(layout, "map", started, outputs=outputs)
    return tuple(found)


def sample_of(explained: Explained, date: str, kept: npt.NDArray[np.bool_]) -> int:
    """Return the first map of the sample of a date among those kept.

    Raises
    ------
    DataError
        When there is none, naming the nearest, or several, naming them.
    """
    from climxai.data.time import rows_in_period

    order = explained.in_time(kept)
    period = Period(start=date, end=date)
    fields = explained.run.fields
    held = set(fields["row"].values[rows_in_period(fields["time"], period)].tolist())
    found = [int(at) for at in order if int(explained.samples.row[at]) in held]
    if len(found) == 1:
        return found[0]
    dates = explained.dates
    if found:
        named = ", ".join(dates[at] for at in found[:MOST_NAMED])
        more = ", …" if len(found) > MOST_NAMED else ""
        raise DataError(
            f"{len(found)} explained samples lie in {date}: {named}{more}; name one of them"
        )
    first = period.first()
    year = first[0] + (first[1] - 0.5) / 12
    years = explained.years[order]
    near = sorted(np.argsort(np.abs(years - year), kind="stable")[:MOST_NAMED].tolist())
    why = (
        f"{date} is in the data, but was not explained: it falls into no class of `label`, into a "
        "gap of `split`, or `explain.samples` leaves it out"
        if held
        else f"the data hold no sample of {date}"
    )
    raise DataError(f"{why}. Nearest: {', '.join(dates[order[number]] for number in near)}")


def said_of(explained: Explained, at: int, kept: npt.NDArray[np.bool_]) -> str:
    """Return what the networks made of the sample of a map: true and predicted class, certainty."""
    samples = explained.samples
    row = samples.row[at]
    here = np.flatnonzero(kept & (samples.row == row))
    predictions = samples.prediction[here]
    true = int(samples.label[at])
    said = [f"true {words(samples.classes[true])}"] if true >= 0 else []
    counts = np.bincount(predictions, minlength=len(samples.classes))
    best = int(counts.argmax())
    by = "" if len(here) == 1 else f" by {counts[best]} of {len(here)} networks"
    said.append(f"predicted {words(samples.classes[best])}{by}")
    confidence = explained.column("confidence")
    if confidence is not None:
        # The probability of one class, whichever each network prefers, where there are two.
        chosen = np.asarray(confidence[here], dtype=float)[predictions == best]
        said.append(f"confidence {chosen.mean():.2f}")
    part = explained.column("split")
    if part is not None and str(part[at]) in ("train", "validation", "test"):
        said.append(f"{part[at]} part")
    return ", ".join(said)


def networks_of(explained: Explained, seed: int | None) -> str:
    """Return which networks a map is of."""
    seeds = explained.seeds
    if seed is not None or len(seeds) == 1:
        return f"seed {seeds[0] if seed is None else seed}"
    return f"mean of {len(seeds)} networks"


def _draw(
    explained: Explained,
    at: int,
    kept: npt.NDArray[np.bool_],
    seed: int | None,
    member: str | None,
) -> SingleMap:
    from climxai.plots.maps import draw_map
    from climxai.plots.style import save_figure
    from climxai.stages.composite import colour_bar_label

    run, method, date = explained.run, explained.method, explained.dates[at]
    row = int(explained.samples.row[at])
    told = said_of(explained, at, kept)
    member = member or (explained.members[0] if explained.members else None)
    written: list[Path] = []
    for number, channel in enumerate(run.channels):
        several = channel if len(run.channels) > 1 else None
        _, values = next(explained.mean_maps([row], number, kept))
        field = next(explained.field_maps([row], number))
        figure = draw_map(
            explained.as_map(values),
            explained.as_field(field, number),
            run.experiment.maps,
            signed=method.signed,
            title=", ".join(filter(None, (f"Relevance: {date}", member, several))),
            subtitle=f"{how_made(method)}, {networks_of(explained, seed)}; {told}",
            label=colour_bar_label(run.normalise),
        )
        name = "_".join(filter(None, (date, member, None if seed is None else f"seed-{seed}")))
        paths: list[Any] = [
            run.layout.map(str(method.id), name, several, suffix)
            for suffix in run.experiment.maps.formats
        ]
        save_figure(figure, paths)
        written += paths
    return SingleMap(str(method.id), date, told, tuple(written))
