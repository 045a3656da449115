"""The relevance of a finished `explain`, opened for pictures: dates, means over seeds, fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError, OutputError, did_you_mean
from climxai.stages.index import Shard, check_index, read_index, shards_of
from climxai.stages.keys import samples_key
from climxai.stages.layout import Layout
from climxai.stages.wording import field_name

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.composites.samples import Samples
    from climxai.composites.shards import Head
    from climxai.config.experiment import Experiment
    from climxai.data.resolution import Resolution

AT_ONCE: Final = 16
"""Samples whose maps are read together."""

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """An experiment whose relevance is there and belongs to it."""

    experiment: Experiment
    layout: Layout
    shards: tuple[Shard, ...]
    index: dict[str, Any]
    files: tuple[Path, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers."""
        return tuple(self.index["classes"])

    @cached_property
    def fields(self) -> xr.DataArray:
        """The field in its own units, (sample, channel, lat, lon), all rows, lazy."""
        from climxai.data.preprocess.chain import Preprocessing

        bundle = self.layout.network(self.experiment.train.seeds[0])
        preprocessing = Preprocessing.load(bundle / "preprocessing.nc")
        return preprocessing.apply(self.experiment.data.open(), physical_only=True)

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return [str(name) for name in self.fields["channel"].values]

    @property
    def normalise(self) -> Any:
        """How maps are made comparable before they are averaged: as for the first composite."""
        return self.experiment.composite[0].normalise

    def method(self, name: str) -> Method:
        """Return a method by its id.

        Raises
        ------
        ConfigError
            When the configuration has none of that id.
        """
        known = {str(method.id): method for method in self.experiment.explain.methods}
        if name not in known:
            raise ConfigError(
                f"there is no method {name!r} in `explain.methods`."
                + did_you_mean(name, tuple(known))
            )
        return known[name]

    def open(self, method: Method) -> Explained:
        """Open the relevance of one method.

        Raises
        ------
        OutputError
            When a file is missing, damaged or of another run.
        """
        from climxai.composites.opening import open_shards
        from climxai.composites.samples import gather

        held = shards_of(self.layout, self.shards, str(method.id))
        heads = open_shards(held, self.classes, self.fields)
        every = [head for seed in sorted(heads) for head in heads[seed]]
        return Explained(self, method, gather(every, self.classes))


def open_run(experiment: Experiment, layout: Layout) -> Run:
    """Return the run of an experiment, after checking that its relevance belongs to it.

    Raises
    ------
    OutputError
        When there is no relevance, or it was made with another configuration.
    """
    shards, index = read_index(layout)
    files = experiment.data.paths()
    if index["samples"] != samples_key(experiment, files):
        raise OutputError(
            f"the relevance in {layout.root} was made from other data, or with another "
            "`preprocess`, `label` or `split`: run `climxai train` and `climxai explain` again"
        )
    check_index(experiment, layout, index)
    return Run(experiment, layout, tuple(shards), index, files)


@dataclass(frozen=True)
class Explained:
    """The explained samples of one method; arrays of `samples` are [map], one per seed."""

    run: Run
    method: Method
    samples: Samples

    @property
    def seeds(self) -> list[int]:
        """The seeds that have maps."""
        return [int(seed) for seed in np.unique(self.samples.seed)]

    @cached_property
    def unit(self) -> Resolution:
        """How finely the data are spaced in time."""
        from climxai.data.resolution import resolution

        return resolution(self.run.fields["time"])

    @cached_property
    def dates(self) -> list[str]:
        """Date of each map, as fine as the data."""
        from climxai.data.resolution import short_date

        times = self._times()
        return [short_date(value, self.unit) for value in times]

    @cached_property
    def years(self) -> Array:
        """Decimal year of each map."""
        from climxai.data.time import decimal_years

        return decimal_years(self._times())

    def _times(self) -> npt.NDArray[Any]:
        from climxai.composites.opening import places

        place = places(self.run.fields)
        return np.asarray(self.run.fields["time"].values)[
            [place[row] for row in self.samples.row.tolist()]
        ]

    def chosen(self, member: str | None, seed: int | None = None) -> npt.NDArray[np.bool_]:
        """Return which maps are of a member and seed; None: the first member, all seeds.

        Raises
        ------
        ConfigError
            When there are no such maps.
        """
        kept = np.ones(len(self.samples), dtype=bool)
        members = self.members
        if member is not None and member not in members:
            what = did_you_mean(member, tuple(members)) if members else " The data have no members."
            raise ConfigError(f"there is no relevance of a member {member!r}.{what}")
        if members:
            held = self.samples.column("member").astype(str)
            kept &= held == (member or members[0])
        if seed is not None:
            if seed not in self.seeds:
                raise ConfigError(
                    f"{self.method.id} has no relevance of seed {seed}, only of "
                    f"{', '.join(map(str, self.seeds))}"
                )
            kept &= self.samples.seed == seed
        return kept

    def column(self, name: str) -> npt.NDArray[Any] | None:
        """Return a variable on sample, None where the shards do not hold it."""
        return self.samples.column(name) if name in self.samples.known else None

    @property
    def members(self) -> list[str]:
        """The members, none where the data have none."""
        held = self.column("member")
        return [] if held is None else sorted(set(held.astype(str).tolist()))

    def in_time(self, kept: npt.NDArray[np.bool_]) -> Positions:
        """Return one map per row that is kept, in the order of time."""
        _, first = np.unique(np.where(kept, self.samples.row, -1), return_index=True)
        first = first[kept[first]]
        return np.asarray(first[np.argsort(self.years[first], kind="stable")], dtype=np.int64)

    def mean_maps(
        self, rows: Sequence[int], channel: int, kept: npt.NDArray[np.bool_]
    ) -> Iterator[tuple[int, Array]]:
        """Yield row and map [lat, lon] of each row: the mean over its kept, normalised maps.

        Some maps are in memory at once, whatever the number of rows.
        """
        for begin in range(0, len(rows), AT_ONCE):
            asked = list(rows[begin : begin + AT_ONCE])
            wanted = kept & np.isin(self.samples.row, asked)
            sums: dict[int, Array] = {}
            counts: dict[int, int] = {}
            for number in np.unique(self.samples.head[wanted]).tolist():
                here = wanted & (self.samples.head == number)
                head = self.samples.heads[number]
                for positions in _near(np.sort(self.samples.position[here])):
                    for row, one in self._normalised(head, positions, channel):
                        sums[row] = sums[row] + one if row in sums else one
                        counts[row] = counts.get(row, 0) + 1
            for row in asked:
                yield row, sums[row] / counts[row]

    def _normalised(
        self, head: Head, positions: Positions, channel: int
    ) -> Iterator[tuple[int, Array]]:
        from climxai.composites.normalise import normalised
        from climxai.composites.shards import check_block, relevance_of

        block = relevance_of(head, positions)
        check_block(head, positions, block)
        maps = normalised(block, self.run.normalise)[:, channel]
        yield from zip(head.row[positions].tolist(), maps, strict=True)

    def field_maps(self, rows: Sequence[int], channel: int) -> Iterator[npt.NDArray[Any]]:
        """Yield the field [lat, lon] of each row, some in memory at once."""
        from climxai.composites.opening import places

        place = places(self.run.fields)
        for begin in range(0, len(rows), AT_ONCE):
            asked = [place[row] for row in rows[begin : begin + AT_ONCE]]
            chosen = self.run.fields.isel(sample=asked, channel=channel)
            yield from chosen.transpose("sample", "lat", "lon").values

    def as_map(self, values: npt.NDArray[Any]) -> xr.DataArray:
        """Return values [lat, lon] on the grid of the field."""
        import xarray as xr

        coords = {name: self.run.fields[name].values for name in ("lat", "lon")}
        return xr.DataArray(values, coords, ("lat", "lon"))

    def as_field(self, values: npt.NDArray[Any], channel: int) -> xr.DataArray:
        """Return values [lat, lon] of the field with its name and units, as captions need them."""
        about = self.run.fields.isel(channel=channel)
        return self.as_map(values).assign_attrs(
            long_name=field_name(about, self.run.experiment), units=str(about["units"].item())
        )


def _near(positions: Positions) -> list[Positions]:
    """Return positions [map] in parts that lie together: what lies between is read with them."""
    return np.split(positions, np.flatnonzero(np.diff(positions) > 4) + 1)
