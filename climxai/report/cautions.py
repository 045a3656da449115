"""What a reader must know before believing a map: found in the numbers, each with its rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from climxai.core import dims
from climxai.report.agreement import between_seeds
from climxai.report.material import Composite, Material
from climxai.report.numbers import number, percent, plural, span
from climxai.report.scoring import PART_WORDS, counts, mean, over_seeds, parts_of

IMBALANCE: Final = 3.0
"""The largest class of a part over the smallest."""
SEEDS_APART: Final = 0.05
"""Balanced accuracy on the test part, highest less lowest."""
UNLIKE: Final = 0.7
"""Pattern correlation of two networks' composites."""
ZERO_MAPS: Final = 0.05
CONSERVED: Final = (0.9, 1.1)
LEAK: Final = 0.01
OVERFIT: Final = 0.1
STABLE: Final = ("stable:", "mostly stable")
"""Verdicts on clusters that are no warning."""
SHARES: Final = {"lrp", "deeplift", "integrated_gradients", "input_x_gradient", "shapley"}
"""Methods that share out the explained output, so that sums of relevance can be held against it."""


@dataclass(frozen=True)
class Caution:
    """One thing to know, and the section that shows it."""

    title: str
    text: str
    section: str


def cautions(material: Material) -> list[Caution]:
    """Return everything found, the data first and the maps last."""
    return [each for find in FINDERS for each in find(material)]


def told_by_stages(material: Material) -> Iterator[Caution]:
    """Yield what the stages themselves warned of: splits that leak, extrapolated trends, ...."""
    seen: set[str] = set()
    for stage in material.provenance.values():
        for text in stage.get("warnings", ()) if isinstance(stage, dict) else ():
            if str(text) not in seen:
                seen.add(str(text))
                said = str(text)[:1].upper() + str(text)[1:].rstrip(".") + "."
                yield Caution("Said while the run was made", said, "data")


def another_configuration(material: Material) -> Iterator[Caution]:
    """Say that settings have changed since, or that stages saw different samples."""
    if not material.same_config:
        yield Caution(
            "Another configuration",
            "The configuration this page was asked for differs from the one kept beside the "
            "results. The page describes the latter.",
            "again",
        )
    keys = {
        name: stage["samples"]
        for name, stage in material.provenance.items()
        if isinstance(stage, dict) and isinstance(stage.get("samples"), str)
    }
    if len(set(keys.values())) > 1:
        yield Caution(
            "Stages of different data",
            f"{' and '.join(keys)} were run on different samples: run the later ones again.",
            "provenance",
        )


def imbalance(material: Material) -> Iterator[Caution]:
    """Say where one class outweighs another, or is absent."""
    if material.scores is None:
        return
    for part, held in counts(material.scores).items():
        low, high = min(held, key=lambda k: held[k]), max(held, key=lambda k: held[k])
        if held[low] * IMBALANCE <= held[high]:
            text = ", ".join(f"{material.words(name)} {count}" for name, count in held.items())
            yield Caution(
                "Imbalance",
                f"The {PART_WORDS[part]} part holds {text}: plain accuracy flatters whoever always "
                f"says {material.words(high)}; read balanced accuracy.",
                "networks",
            )


def skill(material: Material) -> Iterator[Caution]:
    """Say where networks are no better than a straight line, overfit, or differ."""
    scores = material.scores
    if scores is None or "test" not in parts_of(scores):
        return
    test = over_seeds(scores, "test", "balanced_accuracy")
    training = over_seeds(scores, "train", "balanced_accuracy")
    ours, fitted = mean(test), mean(training)
    linear = scores.get("baselines", {}).get("linear", {}).get("test", {}).get("balanced_accuracy")
    if ours is not None and linear is not None and ours <= linear:
        yield Caution(
            "A linear model does as well",
            f"Balanced accuracy on the test part: {number(ours)} by the networks on average, "
            f"{number(linear)} by the linear baseline. Their maps need not tell more than its "
            "weights.",
            "networks",
        )
    if ours is not None and fitted is not None and fitted - ours > OVERFIT:
        yield Caution(
            "Overfitting",
            f"Balanced accuracy falls from {number(fitted)} on the training part to "
            f"{number(ours)} on the test part.",
            "networks",
        )
    if test and max(test) - min(test) > SEEDS_APART:
        yield Caution(
            "Seeds that disagree",
            f"Balanced accuracy on the test part is {span(test, 3)} over {len(test)} networks that "
            "differ in nothing but their seed.",
            "networks",
        )


def maps(material: Material) -> Iterator[Caution]:
    """Say which composites rest on zero maps, lost relevance or networks that disagree."""
    for composite in material.composites:
        yield from _zero_maps(material, composite)
        yield from _conservation(material, composite)
        yield from _seeds(material, composite)
        yield from _nothing_significant(material, composite)
    for method, leak in material.leaks.items():
        if leak > LEAK:
            yield Caution(
                "Relevance on cells without data",
                f"{method}: on average {percent(leak)} of the explained output lay on land or "
                "other cells without data, and was removed.",
                "composites",
            )


def _named(material: Material, composite: Composite, name: Any) -> str:
    return f"{composite.name}, {material.words(str(name))}"


def _zero_maps(material: Material, composite: Composite) -> Iterator[Caution]:
    dataset = composite.dataset
    if "zero_fraction" not in dataset:
        return
    for name in dataset[dims.CLASS].values:
        shares = dataset["zero_fraction"].sel({dims.CLASS: name}).values.tolist()
        worst = max((value for value in shares if np.isfinite(value)), default=0.0)
        if worst > ZERO_MAPS:
            yield Caution(
                "Zero maps",
                f"{_named(material, composite, name)}: up to {percent(worst)} of a network's maps "
                "are zero everywhere. They count, and say nothing about where it looked.",
                "composites",
            )


def _conservation(material: Material, composite: Composite) -> Iterator[Caution]:
    dataset = composite.dataset
    if "conservation" not in dataset or method_name(composite) not in SHARES:
        return
    low, high = CONSERVED
    parts = []
    for name in dataset[dims.CLASS].values:
        values = dataset["conservation"].sel({dims.CLASS: name}).values.tolist()
        held = [value for value in values if np.isfinite(value)]
        if held and (min(held) < low or max(held) > high):
            parts.append(f"{material.words(str(name))} {span(held)}")
    if parts:
        audited = any(each.method == dataset.attrs.get("method") for each in material.audits)
        yield Caution(
            "Conservation",
            f"{composite.name}: the sum of a map over the explained output, mean of each network: "
            f"{'; '.join(parts)}. It is 1 where all of the output is shared out to the input; "
            "biases, a reference or the stabiliser of the rule take the rest"
            + (", as the audit shows." if audited else "."),
            "audit" if audited else "composites",
        )


def _seeds(material: Material, composite: Composite) -> Iterator[Caution]:
    dataset = composite.dataset
    for name in dataset[dims.CLASS].values:
        for channel in dataset[dims.CHANNEL].values:
            found = between_seeds(dataset, str(name), str(channel))
            if found and min(found) < UNLIKE:
                yield Caution(
                    "Seeds that disagree",
                    f"{_named(material, composite, name)}: the composites of two networks "
                    f"correlate by {number(min(found), 2)} only (all pairs: {span(found)}). The "
                    "map of one network is not the map of another.",
                    "composites",
                )


def _nothing_significant(material: Material, composite: Composite) -> Iterator[Caution]:
    dataset = composite.dataset
    for variable in dataset.data_vars:
        test = str(variable).removeprefix("cells_significant_")
        if test == variable or dims.CLASS not in dataset[variable].dims:
            continue
        for name in dataset[dims.CLASS].values:
            found = int(dataset[variable].sel({dims.CLASS: name}).sum())
            tested = int(dataset[f"cells_{test}"].sel({dims.CLASS: name}).sum())
            if tested and not found:
                yield Caution(
                    "Nothing significant",
                    f"{_named(material, composite, name)}: none of {plural(tested, 'cell')} is "
                    f"significant by {test.replace('_', ' ')}.",
                    "significance",
                )


def method_name(composite: Composite) -> str:
    """Return the kind of method of a composite, as ``lrp``; empty where the file does not say."""
    import json

    try:
        found = json.loads(str(composite.dataset.attrs.get("method_settings", "{}")))
    except ValueError:
        return ""
    return str(found.get("name", "")) if isinstance(found, dict) else ""


def strategies(material: Material) -> Iterator[Caution]:
    """Say which clusters are suspect, and which do not hold."""
    for clusters in material.clusters:
        account = clusters.account
        within = str(account["within"])
        if within.startswith("class "):
            within = material.words(within.removeprefix("class "))
        named = f"{account['method']}, {within}"
        for suspect in account.get("suspects", ()):
            text = suspect.get("text") or suspect.get("reason") or ""
            where = f"cluster {suspect['cluster']}: " if suspect.get("cluster") else ""
            yield Caution("A suspect strategy", f"{named}, {where}{text}", "clusters")
        verdict = str(account.get("verdict", ""))
        if verdict and not verdict.startswith(STABLE):
            yield Caution("Clusters", f"{named}: {verdict}.", "clusters")


FINDERS: Final = (another_configuration, told_by_stages, imbalance, skill, maps, strategies)
