"""Moments of many maps, per kind of map, at about the speed at which they are read.

Maps stay in float32 and go through the processor's cache once: each is divided by its scale, its
distance from an origin near the mean of its kind is summed, and so is the square of that. Every
`ROWS` maps the sums go on in float64; the origin follows the mean. What a sum of a few distances in
float32 loses is far below what relevance in float32 holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from climxai.composites.normalise import fast_scale, ranks, scales
from climxai.composites.reductions import Array, Moments
from climxai.composites.settings import Normalisation

FOLD: Final = 1024
"""Maps summed about one origin; fewer at first, where the origin is a single map."""
ROWS: Final = 64
"""Maps summed in float32."""
CELLS: Final = 2**17
"""Cells of a map worked on at once."""

Maps = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass
class _Open:
    """Sums about an origin: of the latest maps in float32, of those before in float64."""

    origin: Maps
    recent: Maps
    recent_squares: Maps
    total: Array
    squares: Array
    maps: int = 0

    @classmethod
    def about(cls, origin: Maps) -> _Open:
        """Return empty sums."""
        size = origin.shape
        return cls(
            origin,
            np.zeros(size, np.float32),
            np.zeros(size, np.float32),
            np.zeros(size),
            np.zeros(size),
        )

    def spill(self) -> None:
        """Add the latest sums to those before."""
        self.total += self.recent
        self.squares += self.recent_squares
        self.recent.fill(0)
        self.recent_squares.fill(0)


class Running:
    """Moments per kind of maps that share their valid cells, almost always.

    Parameters
    ----------
    cells
        Number of cells of a map.
    how
        What maps are divided by.
    spread
        Whether squares are summed; where not, the moments' ``m2`` is 0.
    """

    def __init__(self, cells: int, how: Normalisation, *, spread: bool = True) -> None:
        self.cells, self.how, self.spread = cells, how, spread
        self._missing: npt.NDArray[np.bool_] | None = None
        self._valid: Numbers = np.arange(cells)
        self._open: dict[int, _Open] = {}
        self._folded: dict[int, Moments] = {}
        self._limit: dict[int, int] = {}
        self._room = np.empty(min(cells, CELLS), np.float32)
        self._gaps = np.empty(cells, bool)
        self._parts = [slice(begin, begin + CELLS) for begin in range(0, cells, CELLS)]

    def add(self, maps: Maps, kinds: Numbers) -> tuple[Array, Numbers]:
        """Add maps [sample, cell] of given kinds [sample], those that are like the others.

        Returns
        -------
        scale, odd
            What each was divided by, [sample]; numbers of the maps that were not added because they
            are valid in other cells, infinite, or too large or small for float32. `add_carefully`
            can add them.
        """
        scale, odd = np.ones(len(maps)), []
        if self.how == "rank":
            maps = ranks(maps)
        for i, (one, kind) in enumerate(zip(maps, kinds.tolist(), strict=True)):
            missing = np.isnan(one, out=self._gaps)
            if self._missing is None:
                self._missing, self._valid = missing.copy(), np.flatnonzero(~missing)
            divisor = fast_scale(one, self._valid, self.how)
            if divisor is None or np.not_equal(missing, self._missing, out=missing).any():
                odd.append(i)
                continue
            scale[i] = divisor
            self._add_one(one, divisor, kind)
        return scale, np.array(odd, dtype=np.int64)

    def add_carefully(self, maps: Maps, kinds: Numbers) -> Array:
        """Add maps in float64, each with valid cells of its own; return their scales."""
        scale = scales(maps, self.how)
        values = ranks(maps) if self.how == "rank" else maps
        for kind in np.unique(kinds).tolist():
            chosen = kinds == kind
            held = values[chosen].astype(np.float64) / scale[chosen, None]
            self._fold(kind, Moments.chunk(held, np.ones(len(held))))
        return scale

    def moments(self) -> dict[int, Moments]:
        """Return the moments [cell] of each kind that had a map."""
        for kind in tuple(self._open):
            self._close(kind)
        return dict(self._folded)

    def _add_one(self, one: Maps, divisor: float, kind: int) -> None:
        factor = np.float32(1 / divisor)
        sums = self._open.get(kind)
        if sums is None:
            known = self._folded.get(kind)
            origin = one * factor if known is None else known.mean.astype(np.float32)
            self._open[kind] = sums = _Open.about(origin)
        for part in self._parts:
            room = self._room[: one[part].size]
            if factor == 1:
                np.subtract(one[part], sums.origin[part], out=room)
            else:
                np.multiply(one[part], factor, out=room)
                np.subtract(room, sums.origin[part], out=room)
            np.add(sums.recent[part], room, out=sums.recent[part])
            if not self.spread:
                continue
            np.square(room, out=room)
            np.add(sums.recent_squares[part], room, out=sums.recent_squares[part])
        sums.maps += 1
        if sums.maps % ROWS == 0:
            sums.spill()
        if sums.maps >= min(FOLD, self._limit.get(kind, 1)):
            # The mean of a few is soon a better origin than a single, perhaps odd, map.
            self._limit[kind] = (2 if sums.maps < 8 else 8) * sums.maps
            self._close(kind)

    def _close(self, kind: int) -> None:
        sums = self._open.pop(kind)
        sums.spill()
        gone = self._missing
        mean = sums.origin + sums.total / sums.maps
        m2 = np.maximum(sums.squares - sums.total**2 / sums.maps, 0) * self.spread
        count = np.full(self.cells, float(sums.maps))
        for values in (mean, m2, count):
            np.copyto(values, 0, where=False if gone is None else gone)
        self._fold(kind, Moments(count, mean, m2))

    def _fold(self, kind: int, moments: Moments) -> None:
        known = self._folded.get(kind)
        self._folded[kind] = moments if known is None else known.combine(moments)
