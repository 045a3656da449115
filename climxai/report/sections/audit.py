"""The audit: what became of relevance on its way through the layers."""

from __future__ import annotations

from typing import Any

from climxai.report.images import figure
from climxai.report.markup import Html, bullets, html, tag
from climxai.report.material import Material
from climxai.report.tables import table

COLUMNS = {
    "n": "samples",
    "conservation": "reaches the map",
    "bias": "to biases",
    "stabiliser": "to the stabiliser",
    "other": "otherwise lost",
    "land": "on land",
    "zero_maps": "zero maps",
}


def body(material: Material) -> Html | None:
    """Return the shares per method and seed, advice and pictures."""
    if not material.audits:
        return None
    rows = [
        [each.method, row["seed"], *(row.get(name) for name in COLUMNS)]
        for each in material.audits
        for row in each.rows
    ]
    found: list[Any] = [
        table(
            "Where the explained output went",
            ["method", "seed", *COLUMNS.values()],
            rows,
            note="Medians over the samples of what was taken over the explained output.",
        )
    ]
    advice = [f"{each.method}: {text}" for each in material.audits for text in each.advice]
    if advice:
        found.append(bullets(advice))
    seen = set()
    for each in material.audits:
        for picture in each.pictures:
            if picture.path not in seen:
                seen.add(picture.path)
                where = material.relative(picture.path)
                found.append(figure(picture.path, picture.shown, picture.caption, href=where))
    found.append(tag("p", "The audit needs a rule for every layer: other methods have none."))
    return html(found)
