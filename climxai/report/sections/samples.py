"""Single samples: a slider through dates."""

from __future__ import annotations

import json

from climxai.report.images import embedded_pixels
from climxai.report.markup import Html, html, tag
from climxai.report.material import Material


def body(material: Material) -> Html | None:
    """Return the slider, and the pictures as data of the script."""
    held = material.moments
    if held is None or not held.moments:
        return None
    frames = [
        {
            "date": each.date,
            "words": each.words,
            "alt": each.shown,
            "src": embedded_pixels(each.pixels),
        }
        for each in held.moments
    ]
    first, last = held.moments[0], len(frames) - 1
    high, wide = first.pixels.shape[:2]
    intro = (
        f"Relevance by {held.method} of {len(frames)} of the {held.explained} explained samples, "
        "evenly chosen, in the order of time; each the mean over the networks."
    )
    controls = tag(
        "div",
        tag("label", "Date", for_="date"),
        tag("button", "Earlier", type="button", class_="step", data_by=-1),
        tag(
            "input", type="range", id="date", min=0, max=last, step=1, value=0,
            aria_valuetext=f"{first.date}, {first.words}", disabled=last == 0,
        ),
        tag("button", "Later", type="button", class_="step", data_by=1),
        tag("output", first.date, for_="date"),
        class_="slider needs-script",
    )  # fmt: skip
    shown = tag(
        "figure",
        tag("img", src=frames[0]["src"], alt=first.shown, width=wide, height=high),
        tag("figcaption", tag("strong", first.date), " ", tag("span", first.words)),
    )
    # "<" is written otherwise, so that no date or name can end the script.
    data = json.dumps(frames, ensure_ascii=False).replace("<", "\\u003c")
    return html(
        [
            tag("p", intro),
            tag("div", controls, shown, id="samples-viewer", class_="viewer"),
            Html(f'<script type="application/json" id="moments">{data}</script>'),
        ]
    )
