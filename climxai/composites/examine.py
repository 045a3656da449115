"""How far a composite is to be trusted: its tests, its null networks, and the seeds' agreement.

The maps are read again, in the order, groups and normalisation of the composite. Maps of several
networks that explain one sample are averaged before they are tested.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.composites.blocks import Blocks, mean_maps, means_over_seeds, single_maps
from climxai.composites.normalise import normalised
from climxai.composites.opening import open_shards, places
from climxai.composites.samples import Samples as Explained
from climxai.composites.samples import gather
from climxai.composites.select import select
from climxai.composites.settings import Composite
from climxai.composites.significance.field import run_tests
from climxai.composites.significance.gather import Cells, Samples
from climxai.composites.significance.nulls import NullTally
from climxai.composites.significance.variables import (
    domain,
    with_nulls,
    with_seed_agreement,
    with_tests,
)
from climxai.core import dims
from climxai.core.errors import OutputError
from climxai.core.progress import progress

if TYPE_CHECKING:
    import xarray as xr

LOG = logging.getLogger(__name__)

Shards = Mapping[int, Sequence[Path]]
SHARE: int = 8
"""Part of the memory that relevance may take: tests hold it in float64, and more than once."""


@dataclass(frozen=True)
class Maps:
    """The maps that a composite averages: which, of which groups, and how they are read."""

    explained: Explained
    group: npt.NDArray[np.bool_]
    """[map, group]"""
    names: tuple[str, ...]
    settings: Composite

    @classmethod
    def of(
        cls,
        shards: Shards,
        fields: xr.DataArray,
        classes: Sequence[str],
        settings: Composite,
        clusters: Sequence[Path] = (),
        *,
        allow_missing: bool = False,
    ) -> Maps:
        """Open shards and select their maps, as `compose` does."""
        heads = open_shards(shards, classes, fields, allow_missing=allow_missing)
        explained = gather(
            [head for seed in sorted(heads) for head in heads[seed]], classes, clusters
        )
        groups = select(explained, settings).groups
        return cls(explained, groups.member, groups.names, settings)

    @cached_property
    def means(self) -> Any:
        """The means over seeds, where seeds are averaged before maps are normalised."""
        if self.settings.seeds == "after":
            return None
        return means_over_seeds(self.explained, self.group)

    @property
    def row(self) -> npt.NDArray[np.int64]:
        """[map]: which sample each explains."""
        row = self.explained.row
        return row if self.means is None else row[self.means.first]

    @property
    def member(self) -> npt.NDArray[np.bool_]:
        """[map, group], of means where seeds are averaged first."""
        return self.group if self.means is None else np.asarray(self.means.group)

    def read(self) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
        """Yield numbers of maps and the maps [map, cell], normalised."""
        if self.means is None:
            blocks: Blocks = single_maps(self.explained, np.asarray(self.group.any(axis=1)))
        else:
            blocks = mean_maps(self.explained, self.means)
        for numbers, maps in blocks:
            yield numbers, normalised(maps, self.settings.normalise)


def examine(
    composite: xr.Dataset,
    shards: Shards,
    fields: xr.DataArray,
    classes: Sequence[str],
    settings: Composite,
    *,
    memory: int,
    clusters: Sequence[Path] = (),
    nulls: Shards | None = None,
    allow_missing: bool = False,
) -> xr.Dataset:
    """Return a composite with p-values, masks and counts of its tests, and agreement of seeds.

    Parameters
    ----------
    composite
        As `compose` made it of the same shards, fields, classes, settings and clusters.
    shards, fields, classes, settings, clusters, allow_missing
        As for `compose`.
    memory
        Bytes of which a part may hold relevance; the maps are read as often as that needs.
    nulls
        Number of a network trained on shuffled labels -> its shards of the same method; None or
        empty for no comparison.

    Raises
    ------
    OutputError
        When shards are missing, corrupt or do not belong together.
    """
    asked = settings.significance
    if asked.tests:
        maps = Maps.of(shards, fields, classes, settings, clusters, allow_missing=allow_missing)
        time, members = _when(fields, maps.row)
        cells = Cells(
            Samples.of(maps.row, maps.member, time, members),
            maps.read,
            memory // SHARE,
            domain(composite, asked) & np.isfinite(composite["relevance"].values).any(axis=0),
        )
        name = str(composite.attrs["method"])
        with progress(f"testing {name}", len(cells.slices())) as tick:
            outcomes = run_tests(
                cells,
                maps.names,
                asked,
                signed=bool(composite.attrs["signed"]),
                method=name,
                tick=tick,
                differences=settings.differences,
            )
        composite = with_tests(composite, outcomes, asked)
    if nulls:
        tally = tally_nulls(
            composite, nulls, fields, classes, settings, allow_missing=allow_missing
        )
        if tally is not None:
            composite = with_nulls(composite, tally, asked)
    return with_seed_agreement(composite)


def tally_nulls(
    composite: xr.Dataset,
    nulls: Shards,
    fields: xr.DataArray,
    classes: Sequence[str],
    settings: Composite,
    *,
    allow_missing: bool = False,
) -> NullTally | None:
    """Compare a composite with those of networks trained on shuffled labels, one after the other.

    Maps of null networks are selected and grouped as the others are, each by its own prediction
    where predictions count. Clusters and seeds are those of the other networks: a composite that
    depends on them has no counterpart, and None is returned with a warning.
    """
    # A null network is alone: there is nothing to average first.
    alike = settings.model_copy(
        update={"select": settings.select.model_copy(update={"seeds": None}), "seeds": "after"}
    )
    depends = [name for name in ("cluster", "seed") if alike.reads(name)]
    method = str(composite.attrs["method"])
    if depends:
        LOG.warning(
            "%s: no comparison with null networks: the composite depends on the %s of a map, which "
            "theirs do not have",
            method,
            " and the ".join(depends),
        )
        return None
    try:
        maps = Maps.of(nulls, fields, classes, alike, allow_missing=allow_missing)
    except OutputError as error:
        if "no map is left" not in str(error):
            raise
        LOG.warning("%s: no comparison with null networks: %s", method, error)
        return None
    found = [str(name) for name in composite[dims.CLASS].values]
    place = [found.index(name) if name in found else -1 for name in maps.names]
    networks = [
        replace(maps, group=maps.group & (maps.explained.seed == number)[:, None])
        for number in np.unique(maps.explained.seed)
    ]
    there = np.zeros(len(found), dtype=np.int64)
    for network in networks:
        for k, known in zip(place, np.any(network.group, axis=0).tolist(), strict=True):
            if k >= 0:
                there[k] += known
    relevance = composite["relevance"].values.reshape(len(found), -1)
    tally = NullTally(relevance, there, settings.significance.null_quantile)
    with progress(f"null networks, {method}", len(networks)) as tick:
        for network in networks:
            for k, mean in zip(place, _means(network), strict=True):
                if k >= 0 and mean is not None:
                    tally.add(k, mean)
            tick(1)
    return tally


def _means(maps: Maps) -> list[npt.NDArray[np.float64] | None]:
    """Return the mean map [cell] of each group, None for a group without maps."""
    count = maps.group.sum(axis=0)
    total: npt.NDArray[np.float64] | None = None
    for numbers, held in maps.read():
        part = maps.group[numbers].T.astype(np.float64) @ held
        total = part if total is None else total + part
    return [
        None if total is None or n == 0 else np.asarray(total[k] / n)
        for k, n in enumerate(count.tolist())
    ]


def _when(
    fields: xr.DataArray, row: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], list[npt.NDArray[Any]]]:
    """Return the time of rows, and their members and models where there are any."""
    place = places(fields)
    chosen = [place[each] for each in row.tolist()]
    names = [
        name
        for name in ("model", "member")
        if name in fields.coords and fields[name].dims == (dims.SAMPLE,)
    ]
    return fields["time"].values[chosen], [fields[name].values[chosen] for name in names]
