"""Moments of many maps at once, per kind of map, at the speed at which they are read.

Maps stay in float32 and in the processor's cache: each is divided by its scale, its distance from
an origin near the mean of its kind is summed, and so are the squares of that. The origin follows
the mean; every `FOLD` maps the sums are folded into `Moments` in float64. What a sum of a few
distances in float32 loses is far below what relevance in float32 holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from climxai.composites.normalise import fast_scales, ranks, scales
from climxai.composites.reductions import Array, Moments
from climxai.composites.settings import Normalisation

FOLD: Final = 1024
"""Maps summed about one origin; fewer at first, where the origin is the mean of a few."""
ROWS: Final = 32
"""Maps summed in float32."""
TILE: Final = 2**17
"""Values worked on at once."""

Maps = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass
class _Open:
    """Sums about an origin, not yet folded."""

    origin: Maps
    total: Array
    squares: Array
    maps: int = 0


class Running:
    """Moments per kind of maps that share their valid cells, almost always.

    Parameters
    ----------
    cells
        Number of cells of a map.
    how
        What maps are divided by.
    """

    def __init__(self, cells: int, how: Normalisation) -> None:
        self.cells, self.how = cells, how
        self._valid: npt.NDArray[np.bool_] | None = None
        self._where: Numbers = np.arange(cells)
        self._open: dict[int, _Open] = {}
        self._folded: dict[int, Moments] = {}
        self._limit: dict[int, int] = {}

    def add(self, maps: Maps, kinds: Numbers) -> Array | None:
        """Add maps [sample, cell] of given kinds [sample].

        Returns
        -------
        scale
            What each was divided by, [sample]. None where these maps are unlike the others: valid
            in other cells, infinite, or too large or small for float32; nothing is added then, and
            `add_carefully` can do it.
        """
        if self._valid is None:
            self._valid = ~np.isnan(maps[0])
            self._where = np.flatnonzero(self._valid)
        gaps = len(maps) * (self.cells - self._where.size)
        if not self._where.size or np.count_nonzero(np.isnan(maps)) != gaps:
            return None
        if self.how == "rank":
            maps, scale = ranks(maps), np.ones(len(maps))
        else:
            scale, safe = fast_scales(maps, self._where, self.how)
            if not safe:
                return None
        factor = (1 / scale).astype(np.float32)[:, None]
        new: list[tuple[int, _Open]] = []
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            for first in range(0, rows.size, ROWS):
                piece = rows[first : first + ROWS]
                together = int(piece[-1]) - int(piece[0]) + 1 == piece.size
                held = maps[piece[0] : piece[-1] + 1] if together else np.take(maps, piece, axis=0)
                sums = self._sums(held, factor[piece], self._open.get(kind))
                if not np.array_equal(np.isfinite(sums.total), self._valid):
                    return None
                new.append((kind, sums))
        for kind, sums in new:
            self._keep(kind, sums)
        return scale

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

    def _sums(self, maps: Maps, factor: Maps, known: _Open | None) -> _Open:
        """Return the sums of maps about the known origin, or their own mean."""
        origin = np.empty(self.cells, np.float32) if known is None else known.origin
        total = np.empty(self.cells, np.float32)
        squares = np.empty(self.cells, np.float32)
        width = max(1, TILE // len(maps))
        room = np.empty((len(maps), min(width, self.cells)), np.float32)
        for begin in range(0, self.cells, width):
            part = slice(begin, begin + width)
            tile = room[:, : min(width, self.cells - begin)]
            np.multiply(maps[:, part], factor, out=tile)
            if known is None:
                np.divide(tile.sum(axis=0), len(maps), out=origin[part])
            np.subtract(tile, origin[part], out=tile)
            np.add.reduce(tile, axis=0, out=total[part])
            np.square(tile, out=tile)
            np.add.reduce(tile, axis=0, out=squares[part])
        return _Open(origin, total, squares, len(maps))  # type: ignore[arg-type]

    def _keep(self, kind: int, sums: _Open) -> None:
        known = self._open.get(kind)
        if known is None:
            self._open[kind] = known = _Open(
                sums.origin, sums.total.astype(np.float64), sums.squares.astype(np.float64)
            )
        elif known.origin is sums.origin:
            known.total += sums.total
            known.squares += sums.squares
        else:
            # Two first pieces of one block, each about its own mean.
            self._fold(kind, self._as_moments(sums))
            return
        known.maps += sums.maps
        if known.maps >= min(FOLD, self._limit.get(kind, ROWS)):
            self._limit[kind] = 2 * known.maps
            self._close(kind)

    def _close(self, kind: int) -> None:
        self._fold(kind, self._as_moments(self._open.pop(kind)))

    def _fold(self, kind: int, moments: Moments) -> None:
        known = self._folded.get(kind)
        self._folded[kind] = moments if known is None else known.combine(moments)

    def _as_moments(self, sums: _Open) -> Moments:
        valid = np.zeros(self.cells, dtype=bool) if self._valid is None else self._valid
        total = np.where(valid, sums.total, 0).astype(np.float64)
        squares = np.where(valid, sums.squares, 0).astype(np.float64)
        mean = np.where(valid, sums.origin + total / sums.maps, 0)
        m2 = np.maximum(squares - total**2 / sums.maps, 0)
        return Moments(np.where(valid, float(sums.maps), 0.0), mean, m2)
