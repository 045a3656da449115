"""The networks and their scores, beside the baselines."""

from __future__ import annotations

from typing import Any

from climxai.report.images import figure
from climxai.report.markup import Html, definitions, html, tag
from climxai.report.material import Material
from climxai.report.numbers import number, plural, settings, span
from climxai.report.scoring import PART_WORDS, over_seeds, parts_of
from climxai.report.tables import table

QUANTITIES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
}


def body(material: Material) -> Html | None:
    """Return the architecture, scores, confusion matrices and training curves."""
    if material.scores is None:
        return None
    scores = material.scores
    training = {
        key: value
        for key, value in material.config.get("train", {}).items()
        if key not in ("seeds", "name", "null_networks", "null_block_length")
    }
    nulls = material.config.get("train", {}).get("null_networks")
    found: list[Any] = [
        definitions(
            [
                ("Networks", f"{plural(len(scores['seeds']), 'network')}, alike but for their "
                             "seed"),
                ("Parameters", number(material.parameters) if material.parameters else None),
                ("Training", settings(training) or None),
                ("Null networks", f"{nulls}, trained on shuffled labels" if nulls else None),
            ]
        ),
        _scores(scores),
        tag(
            "details",
            tag("summary", "Confusion matrices"),
            [_confusion(material, each) for each in scores["seeds"]],
        ),
    ]  # fmt: skip
    if material.loss_curves is not None:
        found.append(
            figure(
                material.loss_curves,
                _curves(scores),
                "Loss and accuracy along training, one line per network and part.",
                href=material.relative(material.loss_curves),
            )
        )
    return html(found)


def _scores(scores: Any) -> Html:
    parts = parts_of(scores)
    header = ["network"]
    for part in parts:
        header += [f"{PART_WORDS[part]}: {text}" for text in QUANTITIES.values()]
    # How sure the networks are where they are asked something new.
    last = parts[-1:]
    header += [f"{PART_WORDS[part]}: cross-entropy" for part in last]
    rows = []
    for each in scores["seeds"]:
        rows.append([f"seed {each['seed']}", *_row(each, parts)])
    for name, each in scores.get("baselines", {}).items():
        rows.append([f"{name.replace('_', ' ')} (baseline)", *_row(each, parts)])
    return table(
        "Scores",
        header,
        rows,
        note="Balanced: mean recall over the classes; 1 over their number is guessing. The "
        "majority baseline always answers the most frequent class of the training part, the "
        "linear one is a logistic regression on the same cells.",
    )


def _row(scores: dict[str, Any], parts: list[str]) -> list[Any]:
    found = [scores.get(part, {}).get(quantity) for part in parts for quantity in QUANTITIES]
    return found + [scores.get(part, {}).get("cross_entropy") for part in parts[-1:]]


def _confusion(material: Material, scores: dict[str, Any]) -> list[Html]:
    found = []
    for part in ("test", "validation", "train"):
        if part in scores:
            names = list(scores[part]["recall"])
            rows = zip(names, scores[part]["confusion"], strict=True)
            found.append(
                table(
                    f"Seed {scores['seed']}, {PART_WORDS[part]} part: true class in rows, "
                    "predicted in columns",
                    ["true class", *(f"as {material.words(name)}" for name in names), "recall"],
                    [
                        [material.words(name), *row, scores[part]["recall"][name]]
                        for name, row in rows
                    ],
                    sortable=False,
                )
            )
            break
    return found


def _curves(scores: Any) -> str:
    text = "Curves of loss and accuracy against epochs."
    for part in parts_of(scores):
        values = over_seeds(scores, part, "cross_entropy")
        if values:
            text += f" Final cross-entropy on the {PART_WORDS[part]} part: {span(values, 3)}."
    return text
