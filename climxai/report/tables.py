"""Tables whose columns a reader can sort, wide ones with a scroll bar of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from climxai.report.markup import Html, html, tag
from climxai.report.numbers import number

SHORT_NAME: Final = 12
SHORT: Final = 32
"""Letters of a name of a column, of a cell, that is not broken into lines."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the value it is sorted by."""

    shown: Any
    value: float | str | None


def table(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    digits: int = 3,
    sortable: bool = True,
    note: str = "",
) -> Html:
    """Return a table; numbers stand to the right, the first column heads its row.

    Parameters
    ----------
    caption
        What it shows.
    header
        Names of the columns.
    rows
        Numbers, text, markup, None or `Cell`.
    digits
        Decimals of numbers that are not whole.
    sortable
        Whether the names of columns are buttons that sort.
    note
        Text below the caption.
    """
    held = [list(row) for row in rows]
    # The first column names its row: to the left, even where it is a number.
    numeric = [
        at > 0
        and bool(held)
        and all(_is_number(row[at]) or row[at] is None for row in held)
        and any(row[at] is not None for row in held)
        for at in range(len(header))
    ]
    head = tag(
        "tr",
        [
            tag(
                "th",
                tag("button", name, type="button") if sortable and len(held) > 1 else name,
                scope="col",
                class_=_classes(numeric[at], len(name) <= SHORT_NAME),
                aria_sort="none" if sortable and len(held) > 1 else None,
            )
            for at, name in enumerate(header)
        ],
    )
    body = [
        tag("tr", [_cell(value, at, numeric[at], digits) for at, value in enumerate(row)])
        for row in held
    ]
    written = tag(
        "caption", tag("span", caption), tag("span", note, class_="note") if note else None
    )
    inner = tag("table", written, tag("thead", head), tag("tbody", body))
    return tag("div", inner, class_="scroll", role="region", aria_label=caption, tabindex=0)


def _is_number(value: Any) -> bool:
    if isinstance(value, Cell):
        return isinstance(value.value, int | float)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any, at: int, numeric: bool, digits: int) -> Html:
    shown, by = (value.shown, value.value) if isinstance(value, Cell) else (value, value)
    if value is None or (not isinstance(value, Cell) and _is_number(value)):
        shown = number(value, digits)
    sorted_by = None if by is None or not isinstance(by, int | float) else repr(by)
    name, scope = ("th", "row") if at == 0 else ("td", None)
    short = not isinstance(shown, Html) and len(str(shown)) <= SHORT
    return tag(
        name, html(shown), scope=scope, class_=_classes(numeric, short), data_value=sorted_by
    )


def _classes(numeric: bool, short: bool) -> str | None:
    return " ".join(["number"] * numeric + ["short"] * short) or None
