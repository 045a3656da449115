"""What was asked: of which field, with which network and methods."""

from __future__ import annotations

from typing import Any

from climxai.report.markup import Html, definitions, html, tag
from climxai.report.material import Material
from climxai.report.numbers import settings
from climxai.report.tables import table


def body(material: Material) -> Html | None:
    """Return the question, its classes and the methods."""
    config = material.config
    if not config:
        return None
    label = dict(config.get("label", {}))
    classes = label.pop("classes", None)
    if not _rules(classes) and classes:
        label["classes"] = classes
    explain = dict(config.get("explain", {}))
    rows = [
        ("Field", ", ".join(_channels(material)) or None),
        ("Label", settings(label, top=False)),
        ("Preprocessing", _steps(config.get("preprocess", ()))),
        ("Split", settings(config.get("split", {}), top=False)),
        ("Network", settings(config.get("network", {}), top=False)),
        ("Explained", _explained(explain)),
    ]
    found = [definitions(rows)]
    rules = _rules(classes)
    if rules:
        found.append(
            table(
                "Classes",
                ["class", "name in files", "where the label is"],
                [[material.words(name), name, rule] for name, rule in rules],
                sortable=False,
            )
        )
    methods = explain.get("methods", ())
    if methods:
        found.append(
            table(
                "Methods",
                ["id", "method", "settings"],
                [_method(each) for each in methods],
                sortable=False,
            )
        )
    return html(found)


def _rules(classes: Any) -> list[tuple[str, str]]:
    """Return name and rule of each class, as far as the label spells them out."""
    found = []
    for each in classes if isinstance(classes, list | tuple) else ():
        if isinstance(each, dict) and "class" in each:
            rest = {key: value for key, value in each.items() if key != "class"}
            found.append((str(each["class"]), settings(rest) or "anything else"))
    return found


def _channels(material: Material) -> list[str]:
    signature = material.signature
    if signature is None:
        return []
    pairs = zip(signature["channels"], signature["units"], strict=False)
    return [f"{name} ({units or '1'})" for name, units in pairs]


def _steps(steps: Any) -> Html | str:
    held = [settings(step, top=False) for step in steps]
    return tag("ol", [tag("li", step) for step in held]) if held else "none"


def _explained(explain: dict[str, Any]) -> str:
    what = str(explain.get("objective", {}).get("name", "")).replace("_", " ")
    which = {"all": "all samples", "train": "the training part"}.get(
        explain.get("samples", ""), f"the {explain.get('samples')} part"
    )
    only = ", those classified correctly" if explain.get("only_correct") else ""
    return f"{what}, before the softmax; of {which}{only}"


def _method(method: dict[str, Any]) -> list[Any]:
    rest = {key: value for key, value in method.items() if key not in ("id", "name")}
    return [method.get("id"), method.get("name"), settings(rest) or "defaults"]
