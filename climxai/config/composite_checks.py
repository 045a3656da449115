"""What composites must agree on with labels, methods and each other."""

from __future__ import annotations

from collections.abc import Iterator

from climxai.composites.groupings import ByOutcome
from climxai.composites.settings import Composite
from climxai.composites.significance.nulls import networks_needed
from climxai.config.known import LONGEST_NAME, SAFE_ID, Finding, class_names
from climxai.config.sections import Explain
from climxai.core.errors import did_you_mean
from climxai.data.labels import Label
from climxai.models.training import Training


def some_left(explain: Explain, composite: tuple[Composite, ...]) -> Iterator[Finding]:
    """Find composites of incorrect samples where only correct ones are explained."""
    for index, each in enumerate(composite):
        if explain.only_correct and each.only == "incorrect":
            yield (
                (*_composite(composite, index), "only"),
                "found incorrect, but `explain.only_correct` leaves only correct samples",
            )


def composite_ids(explain: Explain, composite: tuple[Composite, ...]) -> Iterator[Finding]:
    """Find composites whose files would have the names of others."""
    methods = [str(method.id) for method in explain.methods]
    seen = {name.casefold(): f"the method {name}" for name in methods}
    unnamed = [index for index, each in enumerate(composite) if each.id is None]
    for index in unnamed[1:]:
        yield (
            (*_composite(composite, index), "id"),
            "missing: of several composites only one can be without an id, it names their files",
        )
    for index, each in enumerate(composite):
        keys = (*_composite(composite, index), "id")
        if each.id is None:
            continue
        if not SAFE_ID.fullmatch(each.id) or len(each.id) > LONGEST_NAME:
            yield (
                keys,
                f"found {each.id!r}, expected letters, digits, `.`, `_` and `-`, a letter or digit "
                f"first, at most {LONGEST_NAME}: it names files",
            )
        for name in methods:
            whole = f"{name}_{each.id}"
            other = seen.setdefault(whole.casefold(), f"the composite {each.id}")
            if other != f"the composite {each.id}" or each.id in [
                before.id for before in composite[:index]
            ]:
                yield keys, f"files named {whole!r} are already those of {other}"
                break


def composite_classes(label: Label, composite: tuple[Composite, ...]) -> Iterator[Finding]:
    """Find classes that composites name and the label does not make."""
    known = class_names(label)
    if known is None:
        return
    for index, each in enumerate(composite):
        keys = _composite(composite, index)
        named: list[tuple[tuple[str | int, ...], str]] = [
            ((*keys, "select", field, place), name)
            for field in ("labels", "predictions")
            for place, name in enumerate(getattr(each.select, field) or ())
        ]
        named += [
            ((*keys, "by", place, "of"), by.of)
            for place, by in enumerate(each.by)
            if isinstance(by, ByOutcome)
        ]
        if len(each.by) == 1 and each.by[0].name in ("label", "prediction"):
            named += [
                ((*keys, "differences", place, side), name)
                for place, pair in enumerate(each.differences)
                for side, name in enumerate(pair)
            ]
        for where, name in named:
            if name not in known:
                text = f"there is no class {name!r} in `label`.{did_you_mean(name, known)}"
                yield where, text


def tests_that_tell(explain: Explain, composite: tuple[Composite, ...]) -> Iterator[Finding]:
    """Find tests against zero where no method has relevance below zero."""
    if any(method.signed for method in explain.methods):
        return
    for index, each in enumerate(composite):
        tests = each.significance.tests
        if tests and all(test.against == "zero" for test in tests):
            yield (
                (*_composite(composite, index), "significance", "tests"),
                f"relevance by {', '.join(str(method.id) for method in explain.methods)} is never "
                "negative, so a test against zero tells nothing: compare classes by `permutation`, "
                "or networks trained on shuffled labels by `train.null_networks`",
            )


def enough_null_networks(train: Training, composite: tuple[Composite, ...]) -> Iterator[Finding]:
    """Find fewer null networks than it takes to tell what lies beyond a quantile of theirs."""
    quantile = max(each.significance.null_quantile for each in composite)
    needed = networks_needed(quantile)
    if 0 < train.null_networks < needed:
        yield (
            ("train", "null_networks"),
            f"found {train.null_networks}, expected 0 or at least {needed}: with fewer nothing can "
            f"lie beyond the quantile {quantile:g} of `composite.significance.null_quantile`",
        )


def _composite(composite: tuple[Composite, ...], index: int) -> tuple[str | int, ...]:
    """Return the keys of a composite: one alone is written without its place."""
    return ("composite",) if len(composite) == 1 else ("composite", index)
