"""Which samples are clustered together: a class, all of them, those in a range of the index."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from climxai.composites.clusters.gather import Explained
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Samples that are clustered together."""

    name: str
    """of its files"""
    within: str
    """in words"""
    rows: Numbers


def groups_of(
    experiment: Experiment,
    method: str,
    explained: Explained,
    fields: xr.DataArray,
    classes: list[str],
) -> Iterator[Group]:
    """Yield the groups that the section `strategies` asks for.

    Raises
    ------
    ClimxaiError
        When no explained sample is in the class or range asked for, or there is no such thing.
    """
    settings = experiment.strategies
    numbers = explained.label if settings.by == "label" else explained.prediction
    chosen = np.ones(len(numbers), dtype=bool)
    of_range = ""
    if settings.index is not None:
        chosen = _in_range(experiment, explained.row, fields)
        of_range = f" with an index {_range_in_words(experiment)}"
    wanted = classes if settings.within == "each" else [settings.within]
    for name in wanted:
        inside = chosen if name == "all" else chosen & (numbers == _class_number(name, classes))
        within = "all classes" if name == "all" else f"class {name}"
        if not inside.any() and settings.within != "each":
            raise DataError(
                f"strategies: no explained sample of {within}{of_range}: "
                f"{len(numbers)} are explained, {int(chosen.sum())} of them lie in the range"
            )
        if inside.any():
            file_name = method if name == "all" else f"{method}_{name}"
            yield Group(file_name, within + of_range, explained.row[inside])
        else:
            LOG.warning("%s: no explained sample of %s%s", method, within, of_range)


def _class_number(name: str, classes: list[str]) -> int:
    if name not in classes:
        raise ConfigError(
            f"strategies.within: there is no class {name!r}; `each` and `all` are the other "
            f"choices.{did_you_mean(name, tuple(classes))}"
        )
    return classes.index(name)


def _in_range(experiment: Experiment, row: Numbers, fields: xr.DataArray) -> npt.NDArray[np.bool_]:
    """Return which rows [sample] have a label index in the range asked for."""
    index = experiment.label.label(fields).index
    asked = experiment.strategies.index
    if index is None or asked is None:
        raise ConfigError(
            "strategies.index: this `label` has no index, only classes: leave `index` out"
        )
    place = {int(number): at for at, number in enumerate(fields["row"].values.tolist())}
    values = index.values[[place[int(each)] for each in row]]
    inside = np.ones(len(row), dtype=bool)
    if asked.above is not None:
        inside &= values > asked.above
    if asked.below is not None:
        inside &= values < asked.below
    if not inside.any():
        raise DataError(
            f"strategies.index: none of {len(row)} samples has its index "
            f"{_range_in_words(experiment)}; they reach from {np.nanmin(values):.3g} to "
            f"{np.nanmax(values):.3g}"
        )
    return inside


def _range_in_words(experiment: Experiment) -> str:
    asked = experiment.strategies.index
    if asked is None:
        return ""
    bounds = (("above", asked.above), ("below", asked.below))
    return " and ".join(f"{name} {value:g}" for name, value in bounds if value is not None)
