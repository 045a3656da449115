"""A switch between pictures: groups of radio buttons, of which each picture answers to one each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from climxai.report.markup import Html, html, tag


@dataclass(frozen=True)
class Choice:
    """One group of buttons."""

    legend: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """What is shown when the options of these numbers, one per choice, are taken."""

    at: tuple[int, ...]
    content: Html
    told: str
    """one line that is read aloud when it comes up"""


def switch(name: str, choices: Sequence[Choice], panels: Sequence[Panel], absent: str) -> Html:
    """Return the buttons and all panels; the script hides those not chosen.

    Parameters
    ----------
    name
        Unique in the page, letters only.
    choices
        Groups; one with a single option shows no button.
    panels
        In any order; some combinations may be absent.
    absent
        What stands where there is no panel.
    """
    groups = [
        tag(
            "fieldset",
            tag("legend", choice.legend),
            [_button(f"{name}-{at}", number, text) for number, text in enumerate(choice.options)],
            hidden=len(choice.options) < 2,
            class_="choice",
        )
        for at, choice in enumerate(choices)
    ]
    shown = [
        tag(
            "div",
            panel.content,
            class_="panel",
            data_at=" ".join(map(str, panel.at)),
            data_told=panel.told,
        )
        for panel in panels
    ]
    return tag(
        "div",
        tag("div", groups, class_="choices needs-script"),
        html(shown),
        tag("p", absent, class_="absent", hidden=True),
        tag("p", class_="unseen", aria_live="polite"),
        class_="switch",
        id=name,
    )


def _button(group: str, number: int, text: str) -> Html:
    identity = f"{group}-{number}"
    return tag(
        "span",
        tag("input", type="radio", name=group, value=number, id=identity, checked=number == 0),
        tag("label", text, for_=identity),
    )
