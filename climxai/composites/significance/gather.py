"""Relevance of a few cells of all samples at once, gathered from blocks of maps within a budget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.blocks import ALIGNED
from climxai.composites.significance.serial import Series

LOG = logging.getLogger(__name__)

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Blocks = Callable[[], Iterator[tuple[Numbers, npt.NDArray[np.floating]]]]
"""Gives numbers of maps and the maps [map, cell], ready to be averaged; may be called again."""

PROBE: int = 64
"""Cells whose autocorrelation stands for the map."""
MANY: int = 4
"""Readings of all relevance that are worth a word."""


@dataclass(frozen=True)
class Samples:
    """Every pair of a sample and a group it counts for, in order, and which maps it is made of.

    A sample explained with several networks has one map per network; they are averaged, since they
    are no independent evidence. Where networks disagree about the group (composites by prediction),
    a sample stands once in each, with the maps of the networks that put it there.
    """

    series: Series
    networks: Numbers
    """[sample]: number of maps behind it"""
    map: Numbers
    """per pair of a map and a sample: number of the map, ascending"""
    place: Numbers
    """per pair: position of the sample in ``series``"""

    @classmethod
    def of(
        cls,
        row: Numbers,
        group: Mask,
        time: npt.NDArray[Any],
        members: Sequence[npt.NDArray[Any]] = (),
    ) -> Samples:
        """Put samples into order: by member, then by time, then by group.

        Parameters
        ----------
        row
            [map]: which sample a map explains.
        group
            [map, group]: which groups it counts for.
        time
            [map]: any values that ascend with time.
        members
            Each [map]: names of what does not depend on each other, as members and models.
        """
        number, k = np.nonzero(group)
        pairs, first, inverse = np.unique(
            np.stack([row[number], k]), axis=1, return_index=True, return_inverse=True
        )
        rank = np.unique(time[number][first], return_inverse=True)[1]
        member = np.zeros(pairs.shape[1], dtype=np.int64)
        for names in members:
            held = np.unique(names[number][first].astype(str), return_inverse=True)[1]
            member = member * (held.max(initial=0) + 1) + held
        order = np.lexsort((pairs[1], pairs[0], rank, member))
        position = np.empty(len(order), dtype=np.int64)
        position[order] = np.arange(len(order))
        place = position[inverse.reshape(-1)]
        return cls(
            series=Series(pairs[1][order], member[order], pairs[0][order]),
            networks=np.bincount(place, minlength=len(order)).astype(np.int64),
            map=number.astype(np.int64),
            place=place,
        )

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True)
class Cells:
    """The cells to test and how their relevance is read.

    Memory holds `budget` bytes of relevance; maps are read as often as that needs.
    """

    samples: Samples
    maps: Blocks
    budget: int
    domain: Mask
    """[channel, lat, lon]: where tests are wanted and relevance may be found"""

    @cached_property
    def tested(self) -> Numbers:
        """Positions in a flat map of the cells in the domain."""
        return np.flatnonzero(self.domain.ravel()).astype(np.int64)

    def slices(self) -> list[slice]:
        """Return the parts of `tested` that are held at once."""
        per_cell = 4 * max(1, len(self.samples))
        step = max(1, self.budget // (per_cell * ALIGNED)) * ALIGNED
        total = len(self.tested)
        if total > MANY * step:
            LOG.warning(
                "the tests of %d samples and %d cells read all relevance %d times to stay within "
                "the memory: more `compute.memory` makes them faster",
                len(self.samples),
                total,
                -(-total // step),
            )
        return [slice(begin, min(begin + step, total)) for begin in range(0, total, step)]

    def read(self, cells: Numbers) -> npt.NDArray[np.float32]:
        """Return the relevance [sample, cell] of cells, given by their positions in a flat map."""
        held = self.samples
        values = np.zeros((len(held), len(cells)), dtype=np.float32)
        for numbers, maps in self.maps():
            chosen = maps[:, cells] if len(cells) < maps.shape[1] else maps
            for i, number in enumerate(numbers.tolist()):
                first, last = np.searchsorted(held.map, [number, number + 1])
                for place in held.place[first:last].tolist():
                    values[place] += chosen[i]
        values /= held.networks[:, None]
        return values

    def probe(self) -> npt.NDArray[np.float32]:
        """Return the relevance [sample, cell] of a few cells spread over the map."""
        return self.read(self.tested[spread(len(self.tested))])


def spread(cells: int) -> Numbers:
    """Return at most `PROBE` positions spread over so many cells."""
    return np.linspace(0, max(0, cells - 1), min(cells, PROBE)).round().astype(np.int64)
