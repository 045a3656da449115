"""Counts over maps, cell by cell: signs, and relevance above a map's own quantile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.composites.settings import Composite

Counts = npt.NDArray[np.int32]
Maps = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Tally:
    """Numbers of maps per cell; a cell that is not valid counts for none of them."""

    positive: Counts
    negative: Counts
    above: Counts

    def combine(self, other: Tally) -> Tally:
        """Return the counts over the maps of both."""
        return Tally(
            self.positive + other.positive,
            self.negative + other.negative,
            self.above + other.above,
        )


class Tallies:
    """Counts per kind of map, gathered block by block.

    Parameters
    ----------
    cells
        Number of cells of a map.
    settings
        Which counts are asked for.
    """

    def __init__(self, cells: int, settings: Composite) -> None:
        self.signs = settings.statistic("sign_agreement") is not None
        frequency = settings.statistic("frequency")
        self.quantile: float | None = None if frequency is None else frequency.above
        self.cells = cells
        self.found: dict[int, Tally] = {}

    def add(self, maps: Maps, kinds: npt.NDArray[np.int64]) -> None:
        """Count maps [sample, cell] of given kinds [sample]."""
        if not self.signs and self.quantile is None:
            return
        none = np.zeros(self.cells, np.int32)
        threshold = self._thresholds(maps)
        for kind in np.unique(kinds).tolist():
            held = maps[kinds == kind]
            new = Tally(
                (held > 0).sum(axis=0, dtype=np.int32) if self.signs else none,
                (held < 0).sum(axis=0, dtype=np.int32) if self.signs else none,
                (held > threshold[kinds == kind, None]).sum(axis=0, dtype=np.int32)
                if self.quantile is not None
                else none,
            )
            known = self.found.get(kind)
            self.found[kind] = new if known is None else known.combine(new)

    def _thresholds(self, maps: Maps) -> npt.NDArray[np.float64]:
        """Return each map's own quantile over its valid cells, [sample]."""
        if self.quantile is None:
            return np.zeros(len(maps))
        valid = np.isfinite(maps)
        if (valid == valid[:1]).all():
            held = np.take(maps, np.flatnonzero(valid[0]), axis=1).astype(np.float64)
            return np.asarray(np.quantile(held, self.quantile, axis=1))
        return np.array(
            [
                np.quantile(one[there].astype(np.float64), self.quantile)
                for one, there in zip(maps, valid, strict=True)
            ]
        )
