"""The page as text: whole, escaped, readable by who does not see it, needing no network."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from climxai.report.material import Material
from climxai.report.page import page
from climxai.report.sections import SECTIONS
from tests.report.checking import Page
from tests.report.conftest import RUDE, RUDER

ROOT = Path(__file__).resolve().parents[2]


def test_a_full_page_is_in_order(material: Material) -> None:
    found = Page(page(material))
    assert found.wrong == []
    assert found.dead_links(material.root) == []
    expected = set(SECTIONS) - {"significance"}
    assert expected <= set(found.ids)
    assert "significance" not in found.ids  # nothing was tested


def test_names_are_data(material: Material) -> None:
    text = page(material)
    assert RUDE not in text
    assert RUDER not in text
    assert text.count("</script>") == 2  # the moments' and the page's own
    shown = "".join(Page(text).text)
    assert RUDE in shown  # and yet it can be read


def test_every_file_is_linked(material: Material) -> None:
    from urllib.parse import unquote

    links = {unquote(each).removeprefix("./") for each in Page(page(material)).links()}
    there = {path.relative_to(material.root).as_posix() for path in material.root.rglob("*.*")}
    assert there <= links
    assert "odd: name #1 <b>.txt" in links


def test_numbers_stand_beside_pictures(material: Material) -> None:
    words = [str(about["alt"]) for tag, about in Page(page(material)).elements if tag == "img"]
    first = next(each for each in words if "by lrp, class La Niña, channel sst" in each)
    # By hand: the fixture puts 0.9 and a field of 2.5 at 30 south, 240 east; 20 maps, 2 seeds.
    assert "mean of 20 maps of 2 networks" in first
    assert "Largest at 30°S, 120°W (0.9; the field there 2.5 degC)" in first


def test_what_is_absent_is_left_out(material: Material) -> None:
    for name in ("provenance.json", "config.yaml"):
        (material.root / name).unlink()
    bare = dataclasses.replace(
        material,
        provenance={},
        signature=None,
        parameters=None,
        record=None,
        explained=None,
        composites=(),
        moments=None,
        clusters=(),
        audits=(),
        extras=(),
        loss_curves=None,
    )
    found = Page(page(bare))
    assert found.wrong == []
    assert found.dead_links(material.root) == []
    gone = {"composites", "samples", "clusters", "audit", "extras", "provenance", "significance"}
    assert not gone & set(found.ids)
    assert {"asked", "networks", "warnings", "again", "files"} <= set(found.ids)
    assert "None" not in " ".join(found.text).replace("None: the scores", "")


def test_composites_without_scores_make_a_page(material: Material) -> None:
    found = Page(page(dataclasses.replace(material, scores=None)))
    assert found.wrong == []
    assert "networks" not in found.ids


def test_the_slider_has_all_moments_as_data(material: Material) -> None:
    text = page(material)
    data = re.search(r'<script type="application/json" id="moments">(.*?)</script>', text, re.S)
    assert data is not None
    moments = json.loads(data.group(1))
    assert [each["date"] for each in moments] == [f"199{at}-01" for at in range(5)]
    assert moments[0]["words"] == f"true {RUDE}"
    assert all(each["src"].startswith("data:image/") for each in moments)


def test_only_this_script_may_run(material: Material) -> None:
    # Source: CSP level 3: a hash names one script by its bytes; everything else is refused.
    import base64
    import hashlib

    text = page(material)
    script = re.search(r"<script>(.*?)</script>", text, re.S)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert script is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in policy.group(1)
    assert "default-src &#x27;none&#x27;" in policy.group(1)
    assert not re.search(r'style="', text)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [
        ("--ink", "--paper", 7.0),
        ("--faint", "--paper", 4.5),
        ("--faint", "--tint", 4.5),
        ("--blue", "--paper", 4.5),
        ("--blue", "--amber-tint", 4.5),
        ("--ink", "--amber-tint", 7.0),
        ("#878f97", "--paper", 3.0),  # edges of buttons
        ("#757d85", "--paper", 3.0),  # the sign that a column can be sorted
        ("#1b6fc2", "--paper", 3.0),  # the ring of the focus
    ],
)
def test_contrast(ink: str, paper: str, least: float) -> None:
    # Source: WCAG 2.2, success criteria 1.4.3 and 1.4.11, with its definition of contrast ratio.
    style = (ROOT / "climxai/report/page.css").read_text(encoding="utf-8")
    assert ink in style
    known = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", style))
    one, two = (luminance(known.get(each, each)) for each in (ink, paper))
    ratio = (max(one, two) + 0.05) / (min(one, two) + 0.05)
    assert ratio >= least, f"{ink} on {paper}: {ratio:.2f}"
