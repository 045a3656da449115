"""What further commands left in an output directory, gathered for the report."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.stages.layout import Layout
from climxai.stages.wording import READABLE

if TYPE_CHECKING:
    from climxai.report.material import Extra, Picture

KINDS: Final = {
    "panels": "Composite maps of all methods and classes on one page",
    "seeds": "Composite maps of each network, the table of composites has their correlations",
    "clusters": "Composite maps of all clusters on one page, the table of clusters has their sizes",
    "seasons": "Composite maps of each season",
    "means": "Composite map with means over longitudes and latitudes beside it",
    "sections": "Relevance and field along time, averaged over a band",
    "confusion": "Confusion matrix; its numbers stand in the tables of the networks",
    "reliability": "Reliability diagram: how often the networks are right where they are how sure",
    "shares": "Shares of relevance per region as bars; their numbers stand in the table above",
}
"""First word of a picture's name -> what can be seen."""
ROWS: Final = 12
"""Rows of a long table that are shown; the file has all."""
Table = tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...]]


def extras_of(layout: Layout) -> tuple[Extra, ...]:
    """Return importance, weights, optimal inputs, novelty, further pictures and animations."""
    parts = (_importance, _weights, _optimal_input, _novelty, _pictures, _animations)
    found = (part(layout) for part in parts)
    return tuple(each for each in found if each is not None)


def _importance(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra

    folder = layout.importance("x", "nc").parent
    files = sorted(folder.glob("*.png"))
    if not files:
        return None
    pictures = tuple(
        _picture(path, f"Importance of regions by {path.stem}: fall of the skill where a region's "
                 "cells are exchanged between samples.", path.stem)
        for path in files
    )  # fmt: skip
    text = "What regions are worth to the skill: how far it falls without them."
    return Extra("Importance", text, pictures, links=tuple(sorted(folder.glob("*.nc"))))


def _weights(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra

    files = sorted(layout.weights.parent.glob("*.png"))
    if not layout.weights.exists() or not files:
        return None
    pictures = tuple(
        _picture(path, f"Maps of the first layer's weights, one per unit, {_words(path.stem)}.",
                 _words(path.stem))
        for path in files
    )  # fmt: skip
    text = "What each unit of the first layer looks for in the field."
    return Extra("Weights of the first layer", text, pictures, links=(layout.weights,))


def _optimal_input(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra
    from climxai.stages.report_data import opened

    if not layout.optimal_input.exists():
        return None
    dataset = opened(layout.optimal_input)
    rows: list[tuple[Any, ...]] = []
    for target in dataset["target"].values:
        for seed in dataset["seed"].values:
            for channel in dataset["channel"].values:
                one = dataset.sel(target=target, seed=seed)
                rows.append(
                    (
                        _words(str(target)),
                        int(seed),
                        str(channel),
                        float(one["value"].isel(step=0)),
                        float(one["value"].isel(step=-1)),
                        float(one["correlation"].sel(channel=channel)),
                    )
                )
    header = ("target", "seed", "channel", "at the start", "reached", "correlation with the field")
    pictures = [
        _picture(path, _said_of_input(path, rows), _words(path.stem))
        for path in sorted(layout.optimal_input.parent.glob("map_*.png"))
    ]
    loss = layout.optimal_input_loss("png")
    if loss.exists():
        text = f"Loss along the {dataset.sizes['step'] - 1} steps, per target and network."
        pictures.append(_picture(loss, text, "loss"))
    return Extra(
        "Optimal inputs",
        "Inputs changed step by step until the networks answer what is asked for: their own idea "
        "of each class.",
        tuple(pictures),
        (("Optimal inputs", header, tuple(rows)),),
        (layout.optimal_input,),
    )


def _said_of_input(path: Path, rows: Sequence[tuple[Any, ...]]) -> str:
    name = _words(path.stem.removeprefix("map_"))
    mine = [row[5] for row in rows if name.startswith(str(row[0]))]
    text = f"Map of the input optimised for {name}, mean over networks."
    if mine:
        text += f" Correlation with the class's mean field {min(mine):.2f} to {max(mine):.2f}."
    return text


def _novelty(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra
    from climxai.stages.report_data import opened

    if not layout.novelty.exists():
        return None
    summary = str(opened(layout.novelty).attrs.get("summary", ""))
    tables: tuple[Table, ...] = ()
    if layout.novelty_ranking.exists():
        tables = (_table("The most novel samples", layout.novelty_ranking),)
    pictures = []
    series = layout.novelty_series("png")
    if series.exists():
        pictures.append(
            _picture(series, f"Novelty of every sample against time. {summary}", "along time")
        )
    for path in sorted(layout.novelty.parent.glob("map_*.png")):
        rank, _, date = path.stem.removeprefix("map_").partition("_")
        told = (
            f"Field and what the baseline's patterns leave of it: {date}, rank {rank.lstrip('0')}."
        )
        pictures.append(_picture(path, told, date.replace("_", " ")))
    return Extra(
        "Novelty",
        f"How unlike the baseline each sample is: {summary}.",
        tuple(pictures),
        tables,
        tuple(path for path in (layout.novelty_ranking, layout.novelty) if path.exists()),
    )


def _pictures(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra

    folder = layout.picture("x", "png").parent
    files = sorted(folder.glob("*.png"))
    if not files:
        return None
    pictures = tuple(_picture(path, _said_of_page(path), _words(path.stem)) for path in files)
    tables = tuple(_table(_words(path.stem), path) for path in sorted(folder.glob("*.csv")))
    return Extra("Pictures", "", pictures, tables)


def _said_of_page(path: Path) -> str:
    """Return what a page of `climxai pictures` shows; its numbers stand in a table nearby."""
    kind, _, rest = path.stem.partition("_")
    of = f", {_words(rest)}" if rest else ""
    return f"{KINDS.get(kind, f'Picture: {_words(kind)}')}{of}."


def _animations(layout: Layout) -> Extra | None:
    from climxai.report.material import Extra

    files = sorted(layout.animation("x", "gif").parent.glob("*.*"))
    files = [path for path in files if path.suffix in (".gif", ".mp4")]
    if not files:
        return None
    return Extra("Animations", "Relevance and field through time.", (), links=tuple(files))


def _picture(path: Path, shown: str, caption: str) -> Picture:
    from climxai.report.material import Picture

    return Picture(path, shown, caption[:1].upper() + caption[1:])


def _words(name: str) -> str:
    for known, readable in READABLE.items():
        name = name.replace(known, readable)
    return name.replace("_", " ").replace("seed-", "seed ")


def _table(caption: str, path: Path) -> Table:
    """Return the first rows of a CSV file; numbers as numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    header, body = (rows[0] if rows else []), rows[1 : 1 + ROWS]
    more = "" if len(rows) - 1 <= ROWS else f", the first {ROWS} of {len(rows) - 1}"
    kept = tuple(tuple(_value(each) for each in row) for row in body if len(row) == len(header))
    return f"{caption[:1].upper()}{caption[1:]}{more}", tuple(map(_words, header)), kept


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _words(text) if text in READABLE else text or None
