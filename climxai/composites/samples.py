"""What is known of every map beside the map itself: one entry per map of every seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.calendar import dates, seasons
from climxai.composites.columns import read_column, read_time
from climxai.composites.shards import Head
from climxai.core.errors import ConfigError, OutputError

CALENDAR: Final = ("year", "month", "day", "season")
"""What is known of a time."""
NO_CLUSTER: Final = 0
"""The cluster of a map that belongs to none: noise, or not clustered."""


@dataclass(frozen=True)
class Samples:
    """The maps of some shards, in their order; arrays are [map]."""

    classes: tuple[str, ...]
    heads: tuple[Head, ...]
    head: npt.NDArray[np.int64]
    """position in ``heads`` of the shard that holds a map"""
    position: npt.NDArray[np.int64]
    """its position in the shard"""
    seed: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    prediction: npt.NDArray[np.int64]
    known: tuple[str, ...]
    """names of all variables that conditions may read"""
    columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    """variables on sample that were read already, numbers or text"""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The names that variables holding names can take."""
        return {"label": self.classes, "prediction": self.classes}

    def correct(self) -> npt.NDArray[np.bool_]:
        """Return which maps are of correctly classified samples; one without a class is neither."""
        return np.asarray((self.label >= 0) & (self.label == self.prediction))

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a variable by name; ``label`` and ``prediction`` as names of classes.

        Raises
        ------
        ConfigError
            When the shards do not hold it.
        """
        if name in ("label", "prediction"):
            names = np.array([*self.classes, ""], dtype=object)
            return np.asarray(names[np.maximum(getattr(self, name), -1)])
        if name == "correct":
            return self.correct()
        if name in ("seed", "row"):
            return np.asarray(getattr(self, name))
        if name not in self.known:
            raise ConfigError(
                f"composite: the relevance holds no {name} of its samples{_ABSENT.get(name, '')}; "
                f"it holds {', '.join(self.known)}"
            )
        if name not in self.columns:
            if name in CALENDAR:
                parts = [dates(*read_time(head)) for head in self.heads]
                for k, part in enumerate(CALENDAR[:3]):
                    self.columns[part] = np.concatenate([each[k] for each in parts])
                self.columns["season"] = seasons(self.columns["month"])
            else:
                held = [read_column(head, name) for head in self.heads]
                self.columns[name] = np.concatenate(held)
        return self.columns[name]


_ABSENT: Final = {
    "confidence": ": it was made by an earlier version, delete it and run `climxai explain` again",
    "cluster": ": run `climxai strategies` first, or name its clusters with `composite.clusters`",
    "member": ": the data have no members",
    "model": ": the data have no models",
    "month": ": the data have no time",
}


def gather(heads: Sequence[Head], classes: Sequence[str], clusters: Sequence[Path] = ()) -> Samples:
    """Return what all shards say of their maps.

    Parameters
    ----------
    heads
        The shards, in the order in which their maps are wanted.
    classes
        Names of the classes.
    clusters
        netCDF files with ``row`` and ``cluster`` on ``sample``, and ``seed`` where clusters were
        made of single networks' maps. Numbers are from 1; 0 is none.

    Raises
    ------
    OutputError
        When the file of clusters cannot be read.
    """
    lengths = [len(head.row) for head in heads]
    seed = np.repeat([head.seed for head in heads], lengths).astype(np.int64)
    row = np.concatenate([head.row for head in heads])
    columns: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(head, name) for head in heads])
        for name in ("conservation", "zero_map")
    }
    for path in clusters:
        found = _clusters_of(path, seed, row)
        columns["cluster"] = np.maximum(columns.get("cluster", found), found)
    return Samples(
        classes=tuple(classes),
        heads=tuple(heads),
        head=np.repeat(np.arange(len(heads)), lengths),
        position=np.concatenate([np.arange(length) for length in lengths]),
        seed=seed,
        row=row,
        label=np.concatenate([head.label for head in heads]),
        prediction=np.concatenate([head.prediction for head in heads]),
        known=_known(heads, columns),
        columns=columns,
    )


def _known(heads: Sequence[Head], more: Iterable[str]) -> tuple[str, ...]:
    """Return what is known of the samples of all shards, each name once."""
    shared = [name for name in heads[0].columns if all(name in head.columns for head in heads[1:])]
    dated = CALENDAR if "time" in shared else ()
    first = ("label", "prediction", "correct", "seed", "row")
    own = [name for name in shared if name != "time"]
    return tuple(dict.fromkeys((*first, *own, *dated, *more)))


def _clusters_of(
    path: Path, seed: npt.NDArray[np.int64], row: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the cluster of each map, `NO_CLUSTER` for those that the file does not name."""
    import netCDF4

    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            rows = np.asarray(file.variables["row"][:]).tolist()
            cluster = np.asarray(file.variables["cluster"][:], dtype=np.int64).tolist()
            of = np.asarray(file.variables["seed"][:]).tolist() if _has_seed(file) else None
    except (OSError, RuntimeError, KeyError) as error:
        raise OutputError(
            f"{path}: these clusters cannot be read ({error}): run `climxai strategies` again"
        ) from error
    if of is None:
        by_row = dict(zip(rows, cluster, strict=True))
        found = [by_row.get(each, NO_CLUSTER) for each in row.tolist()]
    else:
        by_map = dict(zip(zip(of, rows, strict=True), cluster, strict=True))
        keys = zip(seed.tolist(), row.tolist(), strict=True)
        found = [by_map.get(key, NO_CLUSTER) for key in keys]
    return np.array(found, dtype=np.int64)


def _has_seed(file: Any) -> bool:
    return "seed" in file.variables and file.variables["seed"].dimensions == ("sample",)
