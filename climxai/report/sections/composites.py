"""Composites: a map per method and class, and how far each can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from climxai.composites.summary import pattern_correlation, summarise
from climxai.core import dims
from climxai.report.agreement import between_seeds
from climxai.report.images import figure
from climxai.report.markup import Html, html, link, tag
from climxai.report.material import Composite, Material
from climxai.report.numbers import degrees, number, plural, significant, span
from climxai.report.switch import Choice, Panel, switch
from climxai.report.tables import table


def body(material: Material) -> Html | None:
    """Return the switch between methods and classes, and the table below it."""
    if not material.composites:
        return None
    found: list[Any] = [
        tag(
            "p",
            "Relevance is shaded: where in the map the networks found what speaks for their "
            "answer. The field's own composite is contoured.",
        )
    ]
    if any(composite.pictures for composite in material.composites):
        found.append(_switch(material))
    found += [_table(material), _files(material)]
    return html(found)


def _switch(material: Material) -> Html:
    held = [composite for composite in material.composites if composite.pictures]
    classes = list(dict.fromkeys(name for each in held for name, _ in each.pictures))
    channels = list(dict.fromkeys(channel for each in held for _, channel in each.pictures))
    panels = []
    for at, composite in enumerate(held):
        for (name, channel), path in composite.pictures.items():
            shown = described(material, composite, name, channel)
            content = figure(path, shown, shown, href=material.relative(path))
            place = (at, classes.index(name), channels.index(channel))
            told = ", ".join(
                [composite.name, material.words(name), *([channel] if len(channels) > 1 else [])]
            )
            panels.append(Panel(place, content, f"Now shown: {told}"))
    choices = [
        Choice("Method", tuple(each.name for each in held)),
        Choice("Class", tuple(material.words(name) for name in classes)),
        Choice("Channel", tuple(channels)),
    ]
    return switch("maps", choices, panels, "There is no map of this method and class.")


def described(material: Material, composite: Composite, name: str, channel: str) -> str:
    """Return what a composite map shows, in words and numbers."""
    dataset = composite.dataset
    chosen = dataset.sel({dims.CLASS: name, dims.CHANNEL: channel})
    relevance, lat = chosen["relevance"].values, dataset[dims.LAT].values
    text = f"Composite relevance by {composite.name}, class {material.words(name)}"
    if dataset.sizes[dims.CHANNEL] > 1:
        text += f", channel {channel}"
    if "count" in chosen:
        seeds = plural(dataset.sizes.get(dims.SEED, 1), "network")
        text += f": mean of {plural(int(chosen['count']), 'map')} of {seeds}."
    else:
        text += "."
    size = np.abs(relevance)
    if not np.isfinite(size).any() or np.nanmax(size) == 0:
        return f"{text} It is zero everywhere."
    row, column = np.unravel_index(np.nanargmax(size), size.shape)
    lon = dataset[dims.LON].values
    where = f"{degrees(float(lat[row]), 'NS')}, {degrees(float(lon[column]), 'EW')}"
    text += f" Largest at {where} ({significant(float(relevance[row, column]))}"
    if "field" in chosen:
        field = chosen["field"].values
        units = str(chosen["units"].item()) if "units" in chosen.coords else ""
        if np.isfinite(field[row, column]):
            text += (
                f"; the field there {significant(float(field[row, column]), 2)} {units}".rstrip()
            )
        text += ")."
        like = pattern_correlation(relevance, np.abs(field), lat)
        if np.isfinite(like):
            text += f" Pattern correlation with the size of the field {number(like, 2)}."
    else:
        text += ")."
    agree = between_seeds(dataset, name, channel)
    if agree:
        text += f" Correlation between the networks' own composites {span(agree)}."
    return text


def _table(material: Material) -> Html:
    several = any(each.dataset.sizes[dims.CHANNEL] > 1 for each in material.composites)
    rows: list[list[Any]] = []
    for composite in material.composites:
        for row in summarise(composite.dataset):
            rows.append(
                [
                    composite.name,
                    material.words(row["class_name"]),
                    *([row["channel"]] if several else []),
                    row["seed"],
                    row["count"],
                    row["zero_fraction"],
                    row["conservation"],
                    row["correlation"],
                ]
            )
    return table(
        "How far each network's composite can be trusted",
        ["method", "class", *(["channel"] if several else []), "seed", "maps", "zero maps",
         "conservation", "correlation with |field|"],
        rows,
        note="Zero maps: share of maps that are zero everywhere. Conservation: sum of a map over "
        "the explained output, mean of its maps; it means something for methods that share the "
        "output out. Correlation: weighted by area.",
    )  # fmt: skip


def _files(material: Material) -> Html:
    links: list[Any] = []
    for composite in material.composites:
        links += [", " if links else "Files: ", link(material.relative(composite.file))]
    return tag("p", links, class_="note")
