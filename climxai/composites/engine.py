"""What goes through all maps once: moments, counts and scales of their groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.blocks import (
    Blocks,
    Means,
    check_maps,
    mean_maps,
    means_over_seeds,
    single_maps,
)
from climxai.composites.normalise import ranks
from climxai.composites.quantiles import quantiles
from climxai.composites.reductions import Array, Moments
from climxai.composites.running import Running
from climxai.composites.samples import Samples
from climxai.composites.settings import Composite
from climxai.composites.tallies import Tallies, Tally
from climxai.core.progress import Tick

Mask = npt.NDArray[np.bool_]

ROUNDING: Final = 1e-6
"""A mean below this share of the maps' root mean square is zero to rounding."""


class Engine:
    """Statistics of the groups of some maps, one seed after the other, then pooled.

    Parameters
    ----------
    samples
        All maps.
    member
        Which map is in which group, [map, group].
    settings
        How maps are normalised, and which statistics are asked for.
    cells
        Number of cells of a map.
    """

    def __init__(self, samples: Samples, member: Mask, settings: Composite, cells: int) -> None:
        self.samples, self.member, self.settings, self.cells = samples, member, settings, cells
        self.groups = member.shape[1]
        self.pooled: list[Moments | None] = [None] * self.groups
        self.of_seed: list[Moments | None] = [None] * self.groups
        self.all: Moments | None = None
        self.tally: list[Tally | None] = [None] * self.groups
        self.means: Means | None = None
        self.scale = np.ones(len(samples))

    def add_seed(self, seed: int, tick: Tick) -> int:
        """Gather the maps of one seed; return how many shards were ticked off."""
        wanted = (self.samples.seed == seed) & self.member.any(axis=1)
        seen: set[int] = set()

        def count(numbers: npt.NDArray[np.int64]) -> None:
            now = set(self.samples.head[numbers].tolist()) - seen
            seen.update(now)
            tick(len(now), note=f"seed {seed}")

        blocks = single_maps(self.samples, wanted)
        found, tally, overall = self._gather(blocks, self.member, self.scale, count)
        self.of_seed = found
        if self.settings.seeds == "after":
            self._pool(found, tally, overall)
        return len(seen)

    def add_means(self, tick: Tick, pieces: int) -> None:
        """Gather means over seeds, ticking off ``pieces`` in all."""
        self.means = means = means_over_seeds(self.samples, self.member)
        self.scale = np.ones(len(means.members))
        total, ticked = len(means.members), 0

        def count(numbers: npt.NDArray[np.int64]) -> None:
            nonlocal ticked
            now = (int(numbers[-1]) + 1) * pieces // total
            tick(now - ticked, note="means over seeds")
            ticked = now

        blocks = mean_maps(self.samples, means)
        self._pool(*self._gather(blocks, means.group, self.scale, count))

    def counted(self) -> tuple[npt.NDArray[np.int64], Mask]:
        """Return the row of each map that is averaged, and its groups [map, group]."""
        if self.means is not None:
            return self.samples.row[self.means.first], self.means.group
        chosen = self.member.any(axis=1)
        return self.samples.row[chosen], self.member[chosen]

    def _gather(
        self,
        blocks: Blocks,
        group: Mask,
        scale: Array,
        count: Callable[[npt.NDArray[np.int64]], None],
    ) -> tuple[list[Moments | None], list[Tally | None], Moments | None]:
        """Return moments and counts per group of blocks of maps, and the moments of all maps.

        Maps in the same groups are of one kind; kinds do not overlap, so that each map is worked on
        once however many groups it is in.
        """
        kind, patterns = _kinds(group)
        running = Running(self.cells, self.settings.normalise)
        tallies = Tallies(self.cells, self.settings)
        with closing(blocks):
            for numbers, maps in blocks:
                scale[numbers], odd = running.add(maps, kind[numbers])
                if odd.size:
                    if self.means is None:
                        check_maps(self.samples, numbers[odd], maps[odd])
                    scale[numbers[odd]] = running.add_carefully(maps[odd], kind[numbers[odd]])
                tallies.add(maps, kind[numbers])
                count(numbers)
        moments = running.moments()
        return (
            [_combined(moments[i] for i in moments if patterns[i, k]) for k in range(self.groups)],
            [
                _combined(tallies.found[i] for i in tallies.found if patterns[i, k])
                for k in range(self.groups)
            ],
            _combined(moments.values()) if self.settings.anomaly else None,
        )

    def _pool(
        self,
        moments: list[Moments | None],
        tally: list[Tally | None],
        overall: Moments | None,
    ) -> None:
        pairs = zip(self.pooled, moments, strict=True)
        self.pooled = [_combined(each for each in pair if each is not None) for pair in pairs]
        counts = zip(self.tally, tally, strict=True)
        self.tally = [_combined(each for each in pair if each is not None) for pair in counts]
        self.all = _combined(each for each in (self.all, overall) if each is not None)

    def statistics(self, shape: tuple[int, ...]) -> dict[str, npt.NDArray[Any]]:
        """Return the pooled statistics, [group, channel, lat, lon]."""
        empty = Moments.empty((self.cells,))
        moments = [empty if each is None else each for each in self.pooled]
        final = [each.finalise() for each in moments]
        mean = np.stack([each["mean"] for each in final])
        count = np.stack([each.count for each in moments])
        found: dict[str, npt.NDArray[Any]] = {
            "relevance": mean,
            "relevance_std": np.stack([each["std"] for each in final]),
        }
        no_maps = np.zeros(self.cells, np.int32)
        tally = [Tally(no_maps, no_maps, no_maps) if each is None else each for each in self.tally]
        with np.errstate(invalid="ignore"):
            if self.settings.statistic("sign_agreement"):
                positive = np.stack([each.positive for each in tally])
                negative = np.stack([each.negative for each in tally])
                # Ranks cancel exactly, sums of them only to rounding: such a mean has no sign.
                size = ROUNDING * np.hypot(mean, found["relevance_std"])
                agree = np.where(mean > size, positive, np.where(mean < -size, negative, np.nan))
                found["relevance_sign_agreement"] = agree / np.where(count > 0, count, np.nan)
            if self.settings.statistic("frequency"):
                above = np.stack([each.above for each in tally])
                found["relevance_frequency"] = above / np.where(count > 0, count, np.nan)
        if self.settings.statistic("count"):
            found["relevance_count"] = count.astype(np.int32)
        if self.settings.anomaly and self.all is not None:
            found["relevance_anomaly"] = mean - self.all.finalise()["mean"]
        found = {name: values.reshape(-1, *shape) for name, values in found.items()}
        found["count"] = self.counted()[1].sum(axis=0).astype(np.int32)
        return found

    def quantiles(self, shape: tuple[int, ...], memory: int) -> dict[str, npt.NDArray[Any]]:
        """Return the median and quantiles that are asked for, exact."""
        median = self.settings.statistic("median")
        asked = self.settings.statistic("quantiles")
        at = (() if median is None else (0.5,)) + (() if asked is None else asked.at)
        if not at:
            return {}
        group = self.member if self.means is None else self.means.group
        found = quantiles(self._read, self.scale, group, at, shape, memory)  # type: ignore[arg-type]
        named: dict[str, npt.NDArray[Any]] = {}
        if median is not None:
            named["relevance_median"] = found[0]
        if asked is not None:
            named["relevance_quantile"] = found[len(at) - len(asked.at) :]
        return named

    def _read(self, lat: slice) -> Blocks:
        """Yield the maps of some latitudes; ranks need the whole map first."""
        ranked = self.settings.normalise == "rank"
        part = slice(None) if ranked else lat
        blocks = (
            single_maps(self.samples, np.asarray(self.member.any(axis=1)), lat=part)
            if self.means is None
            else mean_maps(self.samples, self.means, lat=part)
        )
        head = self.samples.heads[0]
        with closing(blocks):
            for numbers, maps in blocks:
                if ranked:
                    whole = ranks(maps).reshape(len(maps), len(head.channels), len(head.lat), -1)
                    yield numbers, whole[:, :, lat].reshape(len(maps), -1)
                else:
                    yield numbers, maps


def _combined(states: Iterable[Any]) -> Any:
    """Return the state after all of several, None for none."""
    found = None
    for state in states:
        found = state if found is None else found.combine(state)
    return found


def _kinds(group: Mask) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return each map's kind, and which groups each kind is in [kind, group]."""
    packed = np.packbits(group, axis=1)
    _, first, kind = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return kind.reshape(-1).astype(np.int64), group[first]
