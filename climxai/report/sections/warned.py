"""Warnings that matter, each with the part of the page that shows it."""

from __future__ import annotations

from climxai.report.cautions import cautions
from climxai.report.markup import Html, tag
from climxai.report.material import Material


def body(material: Material) -> Html:
    """Return everything to know before believing a map."""
    found = cautions(material)
    if not found:
        return tag(
            "p",
            "None: the scores, the maps and the stages gave no reason for one. That is no proof "
            "that the networks look at the right thing.",
        )
    return tag(
        "ul",
        [
            tag(
                "li",
                tag("strong", each.title, "."),
                " ",
                each.text,
                " ",
                tag("a", "See there", href=f"#{each.section}", aria_label=f"See: {each.section}"),
            )
            for each in found
        ],
        class_="cautions",
    )
