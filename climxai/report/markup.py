"""HTML as nested calls: whatever is not markup already is escaped, since names are data."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Final

VOID: Final = frozenset({"img", "input", "br", "hr", "meta"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def html(value: Any) -> Html:
    """Return a value as markup: lists joined, None as nothing, everything else escaped."""
    if value is None:
        return Html("")
    if isinstance(value, Html):
        return value
    if isinstance(value, list | tuple):
        return Html("".join(html(each) for each in value))
    return Html(escape(str(value), quote=True))


def tag(element: str, /, *children: Any, **attributes: Any) -> Html:
    """Return one element.

    Parameters
    ----------
    element
        As ``p``.
    children
        Markup, text or lists of them; None is nothing.
    attributes
        ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``; True is an attribute
        without a value, None and False leave it out.
    """
    written = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        written += f" {key}" if value is True else f' {key}="{escape(str(value), quote=True)}"'
    if element in VOID:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{html(children)}</{element}>")


def paragraphs(*texts: Any, class_: str | None = None) -> Html:
    """Return one paragraph per text that is not empty."""
    return Html("".join(tag("p", text, class_=class_) for text in texts if text))


def definitions(rows: Iterable[tuple[str, Any]]) -> Html:
    """Return pairs of a term and what it is; those without a value are left out."""
    held = [(term, value) for term, value in rows if value not in (None, "", [], ())]
    return tag(
        "dl",
        [tag("div", tag("dt", term), tag("dd", value)) for term, value in held],
    )


def link(path: str, text: Any = None) -> Html:
    """Return a link to a file, relative to the page; odd characters are encoded."""
    from urllib.parse import quote

    # ./ keeps a name with a colon from being taken for a scheme.
    return tag("a", path if text is None else text, href="./" + quote(path))


def bullets(items: Iterable[Any], class_: str | None = None) -> Html:
    """Return a list."""
    return tag("ul", [tag("li", item) for item in items], class_=class_)
