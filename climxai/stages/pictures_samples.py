"""Pictures of samples: sections through time, and how right and how sure the networks are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import DataError
from climxai.core.files import read_json
from climxai.core.progress import progress
from climxai.stages.composite import colour_bar_label
from climxai.stages.composited import save
from climxai.stages.explained import Explained, Run
from climxai.stages.sections import section_work, sections_of
from climxai.stages.wording import field_name, how_made, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS: Final = ("train", "validation", "test")
SHORT: Final = {
    "none": "relevance (1)",
    "max": "relevance (1), maps divided by their maximum",
    "sum": "relevance (1), maps divided by their sum",
    "l2": "relevance (1), maps divided by their length",
    "rank": "relevance (1), ranks",
}
"""Colour bars of half a page have no room for more."""


def sections(run: Run) -> Iterator[Path]:
    """Draw relevance and field by longitude and time, and by latitude and time, of each method."""
    for method in run.experiment.explain.methods:
        explained = run.open(method)
        for number, channel in enumerate(run.channels):
            band = run.experiment.maps.section
            with progress(f"sections of {method.id}", section_work(explained)) as tick:
                found = sections_of(explained, number, band, tick)
            for along in ("lon", "lat"):
                figure = _section(explained, found, number, along)
                several = f"_{channel}" if len(run.channels) > 1 else ""
                what = "longitude" if along == "lon" else "latitude"
                yield from save(run, figure, f"sections_{method.id}{several}_{what}")


def _section(explained: Explained, found: Any, channel: int, along: Any) -> Figure:
    from climxai.plots.hovmoller import Section, draw_sections
    from climxai.plots.layers import readable_units
    from climxai.plots.mesh import goes_around

    run, method = explained.run, explained.method
    band = run.experiment.maps.section
    relevance, field = found.by_lon if along == "lon" else found.by_lat
    about = run.fields.isel(channel=channel)
    name = field_name(about, run.experiment)
    units = readable_units(str(about["units"].item()))
    finite = field[np.isfinite(field)]
    signed = bool(finite.size and finite.min() < 0 < finite.max())
    normalise = run.normalise
    panels = [
        Section(
            relevance,
            "Relevance",
            SHORT[normalise] if along == "lon" else "relevance (1)",
            method.signed,
            colours=run.experiment.maps.colours,
        )
    ]
    if signed or finite.size:
        low = 0.0 if signed else float(finite.min())
        panels.append(
            Section(
                field - low,
                name[:1].upper() + name[1:] + (f" less {low:.4g}" if low else ""),
                units,
                signed,
            )
        )
    edges = band.describe().split(", ")
    averaged = edges[0] if along == "lon" else edges[1]
    if averaged == "all longitudes" and not goes_around(run.fields["lon"].values):
        averaged = "all longitudes of the grid"
    member = f"{explained.members[0]}, " if explained.members else ""
    networks = len(explained.seeds)
    several = f", {run.channels[channel]}" if len(run.channels) > 1 else ""
    return draw_sections(
        panels,
        found.years,
        found.lon if along == "lon" else found.lat,
        run.experiment.maps,
        along=along,
        title=f"Relevance through time, mean over {averaged}{several}",
        subtitle=f"{how_made(method)}, {member}{networks} network{'s' * (networks > 1)}, "
        f"n = {len(found.years)}",
        text=_note(along, normalise),
    )


def _note(along: str, normalise: str) -> str:
    weights = "; latitudes weigh by their area" if along == "lon" else ""
    how = "" if along == "lon" else f"{colour_bar_label(normalise)}; "
    return f"{how}grey: no sample was explained, or no data{weights}"


def confusion(run: Run) -> Iterator[Path]:
    """Draw the confusion matrices that `climxai train` left, of every part of the split."""
    from climxai.plots.scores import draw_confusion

    scores = read_json(run.layout.scores, "the scores of the networks")
    matrices = {
        f"{part} part": [np.array(one[part]["confusion"], dtype=np.int64) for one in held]
        for part in PARTS
        if (held := [one for one in scores["seeds"] if part in one])
    }
    if not matrices:
        raise DataError(f"{run.layout.scores} holds no scores: run `climxai train` again")
    count = len(scores["seeds"])
    figure = draw_confusion(
        matrices,
        [words(name) for name in run.classes],
        title="True and predicted classes",
        subtitle=_accuracies(scores) + f"{count} network{'s' if count > 1 else ''}",
        dpi=run.experiment.maps.dpi,
    )
    yield from save(run, figure, "confusion")


def _accuracies(scores: dict[str, Any]) -> str:
    held = [one["test"]["balanced_accuracy"] for one in scores["seeds"] if "test" in one]
    known = [value for value in held if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f} to {high:.3f}"
    return f"balanced accuracy on the test part {span}; "


def reliability(run: Run) -> Iterator[Path]:
    """Draw the reliability of the networks' confidence on the test part, or the last there is."""
    from climxai.plots.scores import draw_reliability

    explain = run.experiment.explain
    if explain.only_correct:
        raise DataError(
            "only correctly classified samples were explained (`explain.only_correct`): of them "
            "every prediction is right"
        )
    usable = [method for method in explain.methods if not method.over_seeds]
    if not usable:
        raise DataError("all methods explain the mean of several networks: no single one is known")
    explained = run.open(usable[0])
    samples, sure = explained.samples, explained.column("confidence")
    if sure is None:
        raise DataError(
            "the relevance does not say how sure the networks were: delete it and run "
            "`climxai explain` again"
        )
    parts = samples.column("split").astype(str)
    part = next((name for name in reversed(PARTS) if (parts == name).any()), None)
    if part is None:
        raise DataError("no explained sample belongs to a part of the split")
    held = (parts == part) & (samples.label >= 0)
    confidence = np.asarray(sure, dtype=float)
    figure = draw_reliability(
        {
            int(seed): (
                confidence[held & (samples.seed == seed)],
                samples.correct()[held & (samples.seed == seed)],
            )
            for seed in np.unique(samples.seed)
        },
        len(run.classes),
        title="Can the networks' confidence be believed?",
        part=part,
        dpi=run.experiment.maps.dpi,
    )
    yield from save(run, figure, "reliability")
