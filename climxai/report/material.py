"""What stands in an output directory, read and ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr


@dataclass(frozen=True)
class Picture:
    """A PNG file and what can be seen on it."""

    path: Path
    shown: str
    caption: str


@dataclass(frozen=True)
class Composite:
    """One composite file, and its maps by class and channel."""

    name: str
    file: Path
    dataset: xr.Dataset
    """held in memory, without relevance of null networks"""
    pictures: Mapping[tuple[str, str], Path]


@dataclass(frozen=True)
class Record:
    """The time axis of the data as they lie there."""

    first: str
    last: str
    rows: int
    calendar: str
    holes: tuple[str, ...] | None
    """where times are missing between two that are there; None where only some months are read"""


@dataclass(frozen=True)
class Moment:
    """One sample's map."""

    date: str
    words: str
    shown: str
    """what can be seen, for who does not see it"""
    pixels: npt.NDArray[np.uint8]
    """[row, column, 3]"""


@dataclass(frozen=True)
class Moments:
    """Maps of single samples through time."""

    method: str
    explained: int
    """samples there are, most of which are not shown"""
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Clusters:
    """What `climxai strategies` found within one group of samples."""

    account: Mapping[str, Any]
    pictures: tuple[Picture, ...]
    maps: Mapping[int, Path]


@dataclass(frozen=True)
class Audit:
    """What became of relevance layer by layer, of one method."""

    method: str
    rows: tuple[Mapping[str, Any], ...]
    """per seed: medians of the shares"""
    advice: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Extra:
    """The pictures of one more command, with its files."""

    title: str
    text: str
    pictures: tuple[Picture, ...]
    tables: tuple[tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...]], ...] = ()
    """caption, header, rows"""
    links: tuple[Path, ...] = ()
    """files that are no pictures"""


@dataclass(frozen=True)
class Material:
    """All that the page is made of; what is absent is None or empty."""

    root: Path
    name: str
    version: str
    made: str
    config: Mapping[str, Any]
    config_text: str
    same_config: bool
    """whether the configuration asked for is the one that made what is there"""
    command: str
    """how the page is made again"""
    readable: Mapping[str, str]
    """class -> as people write it"""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] | None = None
    signature: Mapping[str, Any] | None = None
    """channels, units, lat, lon, valid (bool [channel, lat, lon]) and grid in words"""
    parameters: int | None = None
    record: Record | None = None
    explained: Mapping[str, Mapping[str, int]] | None = None
    """part of the split -> class -> explained samples"""
    leaks: Mapping[str, float] = field(default_factory=dict)
    """method -> relevance found on invalid cells over the explained output, mean"""
    composites: tuple[Composite, ...] = ()
    moments: Moments | None = None
    clusters: tuple[Clusters, ...] = ()
    audits: tuple[Audit, ...] = ()
    extras: tuple[Extra, ...] = ()
    loss_curves: Path | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in their order, as far as anything there tells."""
        if self.scores is not None:
            first: Mapping[str, Any] = next(iter(self.scores["seeds"]), {})
            for part in ("train", "validation", "test"):
                if part in first:
                    return tuple(first[part]["recall"])
        return tuple(self.readable)

    def words(self, name: str) -> str:
        """Return the name of a class as people write it."""
        return self.readable.get(name, name.replace("_", " "))

    def relative(self, path: Path) -> str:
        """Return a path relative to the page."""
        return path.relative_to(self.root).as_posix()
