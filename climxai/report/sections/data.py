"""The data and their gaps; the split and how many samples of each class it has."""

from __future__ import annotations

from typing import Any

from climxai.report.markup import Html, bullets, definitions, html, tag
from climxai.report.material import Material
from climxai.report.numbers import number, percent, plural, settings
from climxai.report.scoring import PART_WORDS, counts
from climxai.report.tables import table

SHOWN = 12
"""Holes in time that are listed."""


def body(material: Material) -> Html | None:
    """Return files, grid, gaps and counts."""
    found: list[Any] = [definitions([*_files(material), *_grid(material)])]
    if material.record is not None and material.record.holes:
        found.append(_holes(material.record.holes))
    found.append(_split(material))
    return html(found)


def _files(material: Material) -> list[tuple[str, Any]]:
    train = material.provenance.get("train", {})
    paths = list(train.get("inputs", {}))
    shown = bullets([tag("code", path) for path in paths[:SHOWN]], class_="plain")
    more = f"and {len(paths) - SHOWN} more (see provenance)" if len(paths) > SHOWN else None
    rows: list[tuple[str, Any]] = [("Files", html([shown, more]) if paths else None)]
    data = material.config.get("data", {})
    for key in ("period", "months", "region"):
        if data.get(key):
            rows.append((f"Only the {key}", settings(data[key])))
    record = material.record
    if record is not None:
        rows.append(
            (
                "Times",
                f"{number(record.rows)}, {record.first} to {record.last}, "
                f"calendar {record.calendar}",
            )
        )
        if record.holes is not None:
            none = "none: the times are evenly spaced" if not record.holes else None
            rows.append(("Gaps in time", none or plural(len(record.holes), "hole")))
    return rows


def _grid(material: Material) -> list[tuple[str, Any]]:
    signature = material.signature
    if signature is None:
        return []
    valid = signature["valid"]
    rows: list[tuple[str, Any]] = [("Grid", signature["grid"])]
    for name, cells in zip(signature["channels"], valid, strict=True):
        named = "Cells with data" + (f", {name}" if len(valid) > 1 else "")
        used, all_ = int(cells.sum()), int(cells.size)
        rows.append(
            (named, f"{number(used)} of {number(all_)} ({percent(used / all_)}); the others are "
             "land or missing, and no network sees them")
        )  # fmt: skip
    return rows


def _holes(holes: tuple[str, ...]) -> Html:
    more = len(holes) - SHOWN
    items: list[Any] = list(holes[:SHOWN])
    if more > 0:
        items.append(f"and {more} more")
    return html([tag("p", "No times between:"), bullets(items)])


def _split(material: Material) -> Html | None:
    held = counts(material.scores) if material.scores is not None else {}
    explained = material.explained or {}
    if "none" in explained:
        held = {**held, "none": dict(explained["none"])}
    if not held:
        return None
    names = list(next(iter(held.values())))
    rows: list[list[Any]] = [
        [PART_WORDS[part], *(each.get(name, 0) for name in names), sum(each.values())]
        for part, each in held.items()
    ]
    trained = held.get("train", {})
    total = sum(trained.values())
    note = ""
    if total:
        shares = ", ".join(f"{material.words(k)} {percent(v / total)}" for k, v in trained.items())
        note = f"Training part: {shares}."
    return table(
        "Samples per part and class",
        ["part", *(material.words(name) for name in names), "all"],
        rows,
        note=note,
    )
