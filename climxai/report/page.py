"""The whole page: head, summary, contents, parts; style and script inside it, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any, Final

from climxai.report.cautions import cautions
from climxai.report.markup import Html, link, tag
from climxai.report.material import Material
from climxai.report.numbers import number, percent, plural, span
from climxai.report.scoring import over_seeds, parts_of
from climxai.report.sections import SECTIONS

MANY_CLASSES: Final = 4


def page(material: Material) -> str:
    """Return the page of a run, as HTML."""
    bodies = {name: each.body(material) for name, each in SECTIONS.items()}
    held = {name: body for name, body in bodies.items() if body}
    style, script = (_resource(name) for name in ("page.css", "page.js"))
    title = heading(material)
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="generator", content=f"climxai {material.version}"),
        tag("title", f"{title} ({material.name})"),
        Html(f"<style>{style}</style>"),
    ]
    body = [
        tag("a", "Skip to the report", href="#report", class_="skip"),
        _header(material, title),
        tag(
            "div",
            _contents(held),
            tag(
                "main",
                [
                    tag(
                        "section",
                        tag("h2", SECTIONS[name].title, id=f"{name}-title"),
                        content,
                        id=name,
                        aria_labelledby=f"{name}-title",
                    )
                    for name, content in held.items()
                ],
                id="report",
                tabindex=-1,
            ),
            class_="columns",
        ),
        _footer(material),
        Html(f"<script>{script}</script>"),
    ]
    whole = tag("html", tag("head", head), tag("body", body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def heading(material: Material) -> str:
    """Return the title: what the networks were asked to tell apart."""
    names = [material.words(name) for name in material.classes]
    if not names:
        return f"Report of {material.name}"
    if len(names) > MANY_CLASSES:
        return f"Where networks look to tell {len(names)} classes apart"
    if len(names) == 1:
        return f"Where networks look for {names[0]}"
    return f"Where networks look to tell {', '.join(names[:-1])} from {names[-1]}"


def _header(material: Material, title: str) -> Html:
    found = len(cautions(material))
    signature, record = material.signature, material.record
    about: list[str] = []
    if signature is not None:
        about += [", ".join(signature["channels"]), signature["grid"]]
    if record is not None:
        about.append(f"{record.first} to {record.last}")
    warned = f"{plural(found, 'warning')} to read first" if found else "No warnings"
    return tag(
        "header",
        tag("p", f"climxai {material.version}, output directory {material.name}", class_="over"),
        tag("h1", title),
        tag("p", "; ".join(about), class_="about") if about else None,
        tag("dl", [tag("div", tag("dt", k), tag("dd", v)) for k, v in _figures(material)],
            class_="figures"),
        tag("p", tag("a", warned, href="#warnings"), class_="warned"),
    )  # fmt: skip


def _figures(material: Material) -> list[tuple[str, Any]]:
    """Return the few numbers that say how the run went."""
    found: list[tuple[str, Any]] = []
    scores = material.scores
    if scores is not None:
        parts = parts_of(scores)
        part = next((each for each in ("test", "validation", "train") if each in parts), None)
        if part is not None:
            ours = over_seeds(scores, part, "balanced_accuracy")
            found.append((f"balanced accuracy, {part} part", span(ours, 3)))
            linear = scores.get("baselines", {}).get("linear", {}).get(part, {})
            if linear.get("balanced_accuracy") is not None:
                found.append(("the linear baseline", number(linear["balanced_accuracy"])))
        found.append(("networks", number(len(scores["seeds"]))))
    if material.explained:
        total = sum(sum(each.values()) for each in material.explained.values())
        found.append(("explained samples", number(total)))
    methods = dict.fromkeys(str(each.dataset.attrs.get("method")) for each in material.composites)
    if methods:
        found.append(("methods", number(len(methods))))
    shares = [
        float(each.dataset["zero_fraction"].max())
        for each in material.composites
        if "zero_fraction" in each.dataset
    ]
    if shares:
        found.append(("zero maps, at most", percent(max(shares))))
    return found


def _contents(held: dict[str, Html]) -> Html:
    items = [tag("li", tag("a", SECTIONS[name].title, href=f"#{name}")) for name in held]
    return tag(
        "nav",
        tag("h2", "Contents", id="contents-title"),
        tag("ol", items),
        aria_labelledby="contents-title",
    )  # fmt: skip


def _footer(material: Material) -> Html:
    made = material.made.replace("T", " ").replace("Z", " UTC")
    words: list[Any] = [
        f"Made by climxai {material.version} on {made} from what stands in this directory; made "
        "again by ",
        tag("code", material.command),
        ".",
    ]
    for name in ("scores.json", "provenance.json"):
        if (material.root / name).exists():
            words += [" ", link(name)]
    return tag("footer", tag("p", words))


def _resource(name: str) -> str:
    return files("climxai.report").joinpath(name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str) -> str:
    """Return what the page may do: show what is inside it, and nothing else."""
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    )
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style_hash}'; "
        f"script-src 'sha256-{script_hash}'"
    )
