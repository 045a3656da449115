"""Which map goes to which group: conditions first, one after the other, then groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.composites.conditions import holds, in_period
from climxai.composites.groupings import Groups, crossed
from climxai.composites.samples import Samples
from climxai.composites.settings import Composite
from climxai.core.errors import ConfigError, OutputError, did_you_mean

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """The groups of the maps that count, and how many each condition left."""

    groups: Groups
    steps: tuple[tuple[str, int], ...]


def select(samples: Samples, settings: Composite) -> Selection:
    """Return the groups of the maps for which all conditions hold.

    Raises
    ------
    OutputError
        When no map is left, with the count after each condition.
    ConfigError
        When a condition asks for what the maps do not have.
    """
    kept = np.ones(len(samples), dtype=bool)
    steps = [("explained", len(samples))]
    for words, condition in _conditions(settings):
        kept &= condition(samples)
        steps.append((words, int(np.count_nonzero(kept))))
    groups = crossed(settings.by, samples)
    member = groups.member & kept[:, None]
    by = " and ".join(each.words() for each in settings.by)
    steps.append((f"in a group by {by}", int(np.count_nonzero(member.any(axis=1)))))
    if steps[-1][1] == 0:
        emptied = next(words for words, count in steps if count == 0)
        told = "; ".join(f"{words}: {count}" for words, count in steps)
        name = "" if settings.id is None else f" {settings.id}"
        raise OutputError(
            f"composite{name}: no map is left, the condition `{emptied}` took the last ones. Maps "
            f"left after each: {told}"
        )
    return Selection(Groups(groups.names, member), tuple(steps))


def _conditions(settings: Composite) -> Iterator[tuple[str, Callable[[Samples], Mask]]]:
    """Yield each condition in words, and the maps it holds for."""
    if settings.only == "correct":
        yield "only correct", lambda samples: samples.correct()
    elif settings.only == "incorrect":
        yield (
            "only incorrect",
            lambda samples: (samples.label >= 0) & (samples.label != samples.prediction),
        )
    asked = settings.select
    for field, column in (("labels", "label"), ("predictions", "prediction")):
        names = getattr(asked, field)
        if names is not None:
            yield _listed(field, names), _classes(names, column, field)
    if asked.clusters is not None:
        yield _listed("clusters", asked.clusters), _among("cluster", asked.clusters, strict=False)
    if asked.seasons is not None:
        yield _listed("seasons", asked.seasons), _among("season", asked.seasons, strict=False)
    if asked.months is not None:
        yield _listed("months", asked.months), _among("month", asked.months, strict=False)
    if asked.period is not None:
        period = asked.period
        yield f"period {period.describe()}", lambda samples: in_period(samples, period)
    for field in ("members", "models"):
        names = getattr(asked, field)
        if names is not None:
            yield _listed(field, names), _among(field[:-1], names, strict=True)
    if asked.seeds is not None:
        yield _listed("seeds", asked.seeds), _among("seed", asked.seeds, strict=True)
    if asked.parts is not None:
        yield _listed("parts", asked.parts), _among("split", asked.parts, strict=False)
    if asked.confidence is not None:
        low, high = asked.confidence
        yield (
            f"confidence {low:g} to {high:g}",
            lambda samples: (
                (samples.column("confidence") >= low) & (samples.column("confidence") <= high)
            ),
        )
    if settings.where is not None:
        where = settings.where
        yield f"where {where}", lambda samples: holds(where, samples)


def _listed(field: str, values: tuple[object, ...]) -> str:
    return f"{field} {', '.join(map(str, values))}"


def _classes(names: tuple[str, ...], column: str, field: str) -> Callable[[Samples], Mask]:
    def condition(samples: Samples) -> Mask:
        for name in names:
            if name not in samples.classes:
                raise ConfigError(
                    f"composite: `select.{field}` names {name!r}, which is no class."
                    + did_you_mean(name, samples.classes)
                )
        return np.isin(getattr(samples, column), [samples.classes.index(name) for name in names])

    return condition


def _among(column: str, values: tuple[object, ...], *, strict: bool) -> Callable[[Samples], Mask]:
    """Return a condition; ``strict``: a value that no map has is a mistake."""

    def condition(samples: Samples) -> Mask:
        found = samples.column(column)
        if isinstance(values[0], str):
            found = found.astype(str)
        known = np.unique(found)
        for value in values if strict else ():
            if value not in known:
                raise ConfigError(
                    f"composite: no map has the {column} {value}."
                    + did_you_mean(str(value), tuple(str(each) for each in known))
                )
        return np.isin(found, np.array(values))

    return condition


def describe(settings: Composite) -> str:
    """Return which maps are in a composite, in words, for attributes and titles."""
    which = {
        "all": "all explained samples",
        "correct": "correctly classified samples",
        "incorrect": "wrongly classified samples",
    }[settings.only]
    more = [words for words, _ in _conditions(settings) if not words.startswith("only ")]
    held = f" ({'; '.join(more)})" if more else ""
    return f"{which}{held}, by the {' and the '.join(each.words() for each in settings.by)}"
