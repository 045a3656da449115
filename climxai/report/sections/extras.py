"""Pictures of other commands: importance, weights, optimal inputs, novelty, further pictures."""

from __future__ import annotations

from typing import Any

from climxai.report.images import figure
from climxai.report.markup import Html, bullets, html, link, tag
from climxai.report.material import Extra, Material
from climxai.report.switch import Choice, Panel, switch
from climxai.report.tables import table

AT_ONCE = 2
"""Pictures that are shown without a switch."""


def body(material: Material) -> Html | None:
    """Return one part per command."""
    if not material.extras:
        return None
    return html([_extra(material, at, each) for at, each in enumerate(material.extras)])


def _extra(material: Material, at: int, extra: Extra) -> Html:
    found: list[Any] = [tag("h3", extra.title), tag("p", extra.text) if extra.text else None]
    found += [table(*each) for each in extra.tables]
    figures = [
        figure(each.path, each.shown, each.caption, href=material.relative(each.path))
        for each in extra.pictures
    ]
    if len(figures) <= AT_ONCE:
        found += figures
    else:
        options = tuple(each.caption for each in extra.pictures)
        panels = [
            Panel((place,), each, f"Now shown: {options[place]}")
            for place, each in enumerate(figures)
        ]
        choice = Choice("Picture", options)
        found.append(switch(f"extra-{at}", [choice], panels, "There is no such picture."))
    if extra.links:
        found.append(bullets(link(material.relative(path)) for path in extra.links))
    return html(found)
