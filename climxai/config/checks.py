"""What sections must agree on, as far as it can be known without the data.

Every check takes the sections it compares, by name, and yields what is wrong. It is run when these
sections are right by themselves, so that its findings stand beside the mistakes in the others.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from climxai.attribution.visualise.settings import OptimalInput
from climxai.composites.clusters.settings import Strategies
from climxai.config.composite_checks import (
    composite_classes,
    composite_ids,
    enough_null_networks,
    some_left,
    tests_that_tell,
)
from climxai.config.known import LONGEST_NAME, SAFE_ID, Finding, class_names
from climxai.config.sections import Explain
from climxai.core.errors import did_you_mean
from climxai.core.period import Period
from climxai.core.region import Region
from climxai.data.labels import Label
from climxai.data.novelty.settings import Novelty
from climxai.data.readers import Reader
from climxai.data.split import SplitRule
from climxai.models.architectures import Architecture, Linear, Mlp
from climxai.models.training import Training

_UNSAFE_IN_FILES: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')


def findings(sections: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong between ``sections``; what needs an absent one is not looked at."""
    for check in CHECKS:
        needed = list(inspect.signature(check).parameters)
        if all(name in sections for name in needed):
            yield from check(**{name: sections[name] for name in needed})


def method_ids(explain: Explain) -> Iterator[Finding]:
    """Find ids that cannot be names of directories, or differ in case only."""
    seen: dict[str, str] = {}
    for index, method in enumerate(explain.methods):
        name = str(method.id)
        keys = ("explain", "methods", index, "id")
        if not SAFE_ID.fullmatch(name) or len(name) > LONGEST_NAME:
            yield (
                keys,
                f"found {name!r}, expected letters, digits, `.`, `_` and `-`, a letter or digit "
                f"first, at most {LONGEST_NAME}: it names files",
            )
        elif name.casefold() in seen:
            also = "" if seen[name.casefold()] == name else f" as {seen[name.casefold()]!r}"
            yield keys, f"{name!r} is already taken{also}: every method needs an id of its own"
        seen.setdefault(name.casefold(), name)


def class_file_names(label: Label) -> Iterator[Finding]:
    """Find class names that cannot be parts of file names."""
    seen: dict[str, str] = {}
    for name in class_names(label) or ():
        keys = ("label", "classes", name)
        if not name.strip() or len(name) > LONGEST_NAME or _UNSAFE_IN_FILES.search(name):
            yield (
                keys,
                f"found {name!r} as a class name, expected 1 to {LONGEST_NAME} characters without "
                '/ \\ : * ? " < > |: it names files',
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            yield keys, f"{name!r} and {other!r} differ in case only: they name the same files"


def objective_classes(label: Label, explain: Explain) -> Iterator[Finding]:
    """Find classes that an objective names and the label does not make."""
    known = class_names(label)
    asked: list[tuple[tuple[str | int, ...], Any]] = [(("objective",), explain.objective)]
    asked += [
        (("methods", index, "objective"), method.objective)
        for index, method in enumerate(explain.methods)
    ]
    for keys, objective in asked:
        for field in ("class_name", "positive", "negative"):
            name = getattr(objective, field, None)
            if known is not None and name is not None and name not in known:
                text = f"there is no class {name!r} in `label`.{did_you_mean(name, known)}"
                yield ("explain", *keys, field), text


def classes_elsewhere(
    label: Label, optimal_input: OptimalInput, novelty: Novelty
) -> Iterator[Finding]:
    """Find classes that an optimal input or a baseline names and the label does not make."""
    known = class_names(label)
    named: list[tuple[tuple[str | int, ...], Any]] = [
        (("optimal_input", "targets", index), target)
        for index, target in enumerate(optimal_input.targets)
    ]
    named += [(("optimal_input", "start"), optimal_input.start)]
    named += [(("novelty", "baseline"), novelty.baseline)]
    for keys, record in named:
        name = getattr(record, "class_name", None)
        if known is not None and name is not None and name not in known:
            text = f"there is no class {name!r} in `label`.{did_you_mean(name, known)}"
            yield (*keys, "class_name"), text


def clustered(
    label: Label, explain: Explain, train: Training, strategies: Strategies
) -> Iterator[Finding]:
    """Find methods, classes and seeds that are to be clustered and do not exist."""
    methods = [str(method.id) for method in explain.methods]
    for index, name in enumerate(strategies.methods or ()):
        if name not in methods:
            text = f"there is no method {name!r} in `explain.methods`."
            yield ("strategies", "methods", index), text + did_you_mean(name, tuple(methods))
    known, name = class_names(label), strategies.within
    if known is not None and name not in (*known, "each", "all"):
        text = f"there is no class {name!r} in `label`; `each` and `all` are the other choices."
        yield ("strategies", "within"), text + did_you_mean(name, known)
    if strategies.seed != "mean" and strategies.seed not in train.seeds:
        text = f"the seed {strategies.seed} is not among `train.seeds`"
        yield ("strategies", "seed"), text


def class_weights(label: Label, train: Training) -> Iterator[Finding]:
    """Find weights that are not one per class."""
    known, weights = class_names(label), train.class_weights
    if known is not None and isinstance(weights, tuple) and len(weights) != len(known):
        text = f"found {len(weights)} weights, expected {len(known)}: {', '.join(known)}"
        yield ("train", "class_weights"), text


def penalties(network: Architecture, train: Training) -> Iterator[Finding]:
    """Find more penalties than layers with weights."""
    layers = weighted_layers(network)
    for field in ("l1", "l2"):
        value = getattr(train, field)
        if layers is not None and isinstance(value, tuple) and len(value) > layers:
            yield (
                ("train", field),
                f"found {len(value)} numbers, expected at most {layers}, one per layer with "
                "weights, first to last",
            )


def validation_samples(split: SplitRule, train: Training) -> Iterator[Finding]:
    """Find early stopping that has no validation samples to watch."""
    if has_part(split, "validation") is not False:
        return
    if train.early_stopping is not None:
        yield (
            ("train", "early_stopping"),
            "there are no validation samples to watch: give `split` a validation part, or leave "
            "early_stopping out",
        )


def explained_part(split: SplitRule, explain: Explain) -> Iterator[Finding]:
    """Find an explained part that the split does not make."""
    part = explain.samples
    if part != "all" and has_part(split, part) is False:
        yield ("explain", "samples"), f"`split` has no {part} part: choose another, or all"


def periods_read(data: Reader, preprocess: tuple[Any, ...], split: SplitRule) -> Iterator[Finding]:
    """Find periods of the split and of fits outside the period that is read."""
    read = getattr(data, "period", None)
    if not isinstance(read, Period):
        return
    named = [(("split", part), getattr(split, part, None)) for part in PARTS]
    named += [
        (("preprocess", index, "fit"), getattr(step, "fit", None))  # type: ignore[misc]
        for index, step in enumerate(preprocess)
    ]
    for keys, period in named:
        if isinstance(period, Period) and (
            period.last() < read.first() or period.first() > read.last()
        ):
            yield (
                keys,
                f"{period.describe()} lies outside `data.period` ({read.describe()}), nothing is "
                "read there",
            )


def box_read(data: Reader, label: Label) -> Iterator[Finding]:
    """Find an index box outside the region that is read."""
    read, box = getattr(data, "region", None), getattr(label, "region", None)
    if not isinstance(read, Region) or not isinstance(box, Region):
        return
    if box.south > read.north or box.north < read.south or not _share_longitudes(box, read):
        yield (
            ("label", "region"),
            f"{box.describe()} lies outside `data.region` ({read.describe()}): widen that",
        )


def channel_read(data: Reader, label: Label) -> Iterator[Finding]:
    """Find an index of a channel that is not read, or of none where several are."""
    variables, channel = getattr(data, "variables", None), getattr(label, "channel", None)
    known = (variables,) if isinstance(variables, str) else variables
    if not known:
        return
    if channel is not None and channel not in known:
        text = f"{channel!r} is not among `data.variables`.{did_you_mean(channel, known)}"
        yield ("label", "channel"), text
    elif channel is None and len(known) > 1 and hasattr(label, "channel"):
        yield (
            ("label", "channel"),
            f"missing: `data.variables` names {len(known)} ({', '.join(known)}), say which one the "
            "index is made of",
        )


CHECKS: Final[tuple[Callable[..., Iterator[Finding]], ...]] = (
    method_ids,
    class_file_names,
    objective_classes,
    classes_elsewhere,
    clustered,
    class_weights,
    penalties,
    validation_samples,
    explained_part,
    some_left,
    composite_ids,
    composite_classes,
    enough_null_networks,
    tests_that_tell,
    periods_read,
    box_read,
    channel_read,
)

PARTS: Final = ("train", "validation", "test")


def weighted_layers(network: Architecture) -> int | None:
    """Return how many layers have weights; None where only the built network can tell."""
    if isinstance(network, Mlp):
        return len(network.hidden) + 1
    return 1 if isinstance(network, Linear) else None


def has_part(split: SplitRule, part: str) -> bool | None:
    """Return whether a split has a part; None where that cannot be known from its settings."""
    if part not in type(split).model_fields:
        return None
    value = getattr(split, part)
    return value is not None and value != 0 and value != ()


def _share_longitudes(one: Region, other: Region) -> bool:
    return bool(
        one.whole_circle
        or other.whole_circle
        or one.contains_lon(other.west)
        or other.contains_lon(one.west)
    )
