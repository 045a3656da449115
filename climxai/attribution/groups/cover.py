"""Groups of valid cells that are changed together, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ModelError

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cover:
    """Groups of valid cells of a map [channel, lat, lon]; a cell may be in several, or in none.

    Parameters
    ----------
    shape
        Shape of a map: channel, lat, lon.
    group, cell
        Pairs [pair]: which group holds which cell, a position in the flattened map; sorted by
        group.
    names
        What the groups are called; the same name in several channels.
    channels
        Per group the number of its channel, or None where it spans all.
    land
        Per group the share of its outline that is invalid.
    """

    shape: tuple[int, int, int]
    group: Numbers
    cell: Numbers
    names: tuple[str, ...]
    channels: tuple[int | None, ...]
    land: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def sizes(self) -> Numbers:
        """Number of valid cells per group; at least 1."""
        return np.bincount(self.group, minlength=len(self)).astype(np.int64)

    @cached_property
    def times(self) -> Numbers:
        """Per cell of the flattened map: how many groups hold it."""
        return np.bincount(self.cell, minlength=int(np.prod(self.shape))).astype(np.int64)

    @property
    def disjoint(self) -> bool:
        """Whether no cell is in two groups."""
        return bool(self.times.max(initial=0) <= 1)

    @cached_property
    def number(self) -> Numbers:
        """Per cell of the flattened map the number of its group, -1 where it is in none."""
        self.check_disjoint()
        number = np.full(int(np.prod(self.shape)), -1, dtype=np.int64)
        number[self.cell] = self.group
        return number

    def check_disjoint(self) -> None:
        """Raise `ModelError` where a cell is in two groups."""
        if self.disjoint:
            return
        both = np.flatnonzero(self.times > 1)
        one, other = (self.names[g] for g in self.group[self.cell == both[0]][:2])
        raise ModelError(
            f"{both.size} cells are in several groups, for example in {one!r} and in {other!r}; "
            "expected groups without common cells: make the regions smaller, or choose a method "
            "that takes them one by one, such as ablation"
        )


def cover_of(
    outlines: Iterable[tuple[str, Mask]], valid: Mask, channels: str, *, empty: str | None = None
) -> Cover:
    """Return the groups that lie inside outlines of the map.

    Parameters
    ----------
    outlines
        Names, and masks [lat, lon] of the cells inside.
    valid
        Valid cells [channel, lat, lon].
    channels
        ``"each"``: a group per outline and channel; ``"together"``: one that spans all channels.
    empty
        What an outline is called when it is refused for want of valid cells; None leaves such
        outlines out. A single channel without any is always left out.

    Raises
    ------
    ModelError
        When an outline has no valid cell, or no group is left.
    """
    parts = [None] if channels == "together" else list(range(valid.shape[0]))
    names: list[str] = []
    spans: list[int | None] = []
    land: list[float] = []
    cells: list[Numbers] = []
    area = valid.shape[1] * valid.shape[2]
    for name, outline in outlines:
        inside = np.flatnonzero(outline)
        found = False
        for channel in parts:
            each = range(valid.shape[0]) if channel is None else (channel,)
            flat = np.concatenate([inside + number * area for number in each])
            members = flat[valid.reshape(-1)[flat]]
            if members.size == 0:
                continue
            found = True
            names.append(name)
            spans.append(channel)
            land.append(1 - members.size / flat.size)
            cells.append(members.astype(np.int64))
        if not found and empty is not None:
            raise ModelError(
                f"{empty} {name!r} holds no valid cell ({inside.size or 'none'} of the grid's "
                "places lie inside): make it larger, or leave it out"
            )
    return joined(cells, names, spans, land, valid)


def joined(
    cells: Sequence[Numbers],
    names: Sequence[str],
    channels: Sequence[int | None],
    land: Sequence[float],
    valid: Mask,
) -> Cover:
    """Return groups given the cells of each.

    Raises
    ------
    ModelError
        When there is no group.
    """
    if not cells:
        raise ModelError("there is no valid cell to change: the network's mask is empty there")
    counts = [each.size for each in cells]
    return Cover(
        shape=(valid.shape[0], valid.shape[1], valid.shape[2]),
        group=np.repeat(np.arange(len(cells), dtype=np.int64), counts),
        cell=np.concatenate(cells),
        names=tuple(names),
        channels=tuple(channels),
        land=np.asarray(land, dtype=np.float64),
    )
