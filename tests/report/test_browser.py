"""The page in a real browser: what moves, moves; nothing complains, nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from climxai.report.material import Material
from climxai.report.page import page
from tests.report.browser import Tab

SHOWN = "Array.from(document.querySelectorAll('#maps .panel:not([hidden])'), (p) => p.dataset.at)"


@pytest.fixture
def opened(tab: Tab, material: Material) -> Tab:
    path = material.root / "report.html"
    path.write_text(page(material), encoding="utf-8")
    tab.complaints.clear()
    tab.requested.clear()
    tab.type_of_media()
    tab.show(path, 1280)
    return tab


def test_it_opens_in_silence_and_fetches_nothing(opened: Tab, material: Material) -> None:
    assert opened.complaints == []
    assert {Path(each).name for each in opened.requested} == {"report.html"}
    assert opened.run("document.title").startswith("Where networks look to tell La Niña from")
    assert opened.run("document.images.length") > 10
    assert opened.run("Array.from(document.images).every((each) => each.naturalWidth > 0)")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits(opened: Tab, material: Material, width: int) -> None:
    opened.show(material.root / "report.html", width)
    opened.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert opened.run("document.documentElement.scrollWidth") <= width


def test_the_switch_by_keyboard(opened: Tab) -> None:
    assert opened.run(SHOWN) == ["0 0 0"]
    opened.run("document.querySelector('#maps input').focus()")
    opened.press("ArrowRight", 39)
    assert opened.run(SHOWN) == ["1 0 0"]
    assert opened.run("document.querySelector('#maps [aria-live]').textContent") == (
        "Now shown: saliency, La Niña, sst"
    )
    opened.press("Tab", 9)
    opened.press("ArrowRight", 39)
    # The fixture has no map of the second class by the second method.
    assert opened.run(SHOWN) == []
    assert opened.run("!document.querySelector('#maps .absent').hidden")
    opened.press("ArrowLeft", 37)
    opened.press("Tab", 9)
    opened.press("ArrowDown", 40)
    assert opened.run(SHOWN) == ["1 0 1"]
    assert opened.complaints == []


def test_the_slider_by_keyboard_and_buttons(opened: Tab) -> None:
    source = "document.querySelector('#samples-viewer img').getAttribute('src')"
    date = "document.querySelector('#samples-viewer output').textContent"
    first = opened.run(source)
    opened.run("document.getElementById('date').focus()")
    opened.press("ArrowRight", 39, times=2)
    assert opened.run(date) == "1992-01"
    assert opened.run(source) != first
    told = opened.run("document.getElementById('date').getAttribute('aria-valuetext')")
    assert told.startswith("1992-01, true ")
    assert opened.run("document.querySelector('#samples-viewer img').alt") == "Map of 1992-01."
    opened.press("End", 35)
    assert opened.run(date) == "1994-01"
    later = "document.querySelectorAll('#samples-viewer button')[1]"
    assert opened.run(f"{later}.getAttribute('aria-disabled')") == "true"
    opened.run(f"{later}.click()")
    assert opened.run(date) == "1994-01"
    opened.run("document.querySelector('#samples-viewer button').click()")
    assert opened.run(date) == "1993-01"


def test_tables_sort(opened: Tab) -> None:
    table = "document.querySelector('#networks table')"
    column = f"Array.from({table}.tBodies[0].rows, (row) => row.cells[4].textContent)"
    # Balanced accuracies on the test part, by hand: 20+20 of 40, 20/20 and 19/20, 15/20 twice.
    assert opened.run(column) == ["1.000", "0.975", "0.750"]
    head = f"{table}.querySelectorAll('th')[4]"
    opened.run(f"{head}.querySelector('button').focus()")
    opened.press("Enter", 13)
    assert opened.run(f"{head}.getAttribute('aria-sort')") == "ascending"
    assert opened.run(column) == ["0.750", "0.975", "1.000"]
    opened.run(f"{head}.querySelector('button').click()")
    assert opened.run(f"{head}.getAttribute('aria-sort')") == "descending"
    assert opened.run(column) == ["1.000", "0.975", "0.750"]


def test_the_first_key_offers_to_skip(opened: Tab) -> None:
    opened.press("Tab", 9)
    assert opened.run("document.activeElement.className") == "skip"
    seen = opened.run("document.activeElement.getBoundingClientRect().top")
    assert seen >= 0
    ring = opened.run("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_motion_is_reduced_for_who_asks(opened: Tab) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert opened.run(behaviour) == "smooth"
    opened.type_of_media(prefers_reduced_motion="reduce")
    assert opened.run(behaviour) == "auto"
