"""Scores over the networks of a run, beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

PARTS: Final = ("train", "validation", "test")
PART_WORDS: Final = {
    "train": "training",
    "validation": "validation",
    "test": "test",
    "none": "in a gap",
}


def parts_of(scores: Mapping[str, Any]) -> list[str]:
    """Return the parts of the split that have scores."""
    held = [*scores.get("seeds", ()), *scores.get("baselines", {}).values()]
    return [part for part in PARTS if any(part in each for each in held)]


def over_seeds(scores: Mapping[str, Any], part: str, quantity: str) -> list[float]:
    """Return one score of every network that has it."""
    found = [each.get(part, {}).get(quantity) for each in scores.get("seeds", ())]
    return [float(value) for value in found if value is not None]


def counts(scores: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return part -> class -> number of samples: the rows of the confusion matrix."""
    found: dict[str, dict[str, int]] = {}
    for part in parts_of(scores):
        for each in scores["seeds"]:
            if part in each:
                names = list(each[part]["recall"])
                sums = [sum(row) for row in each[part]["confusion"]]
                found[part] = dict(zip(names, sums, strict=False))
                break
    return found


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, None of nothing."""
    return sum(values) / len(values) if values else None
