"""Composites of relevance, and of the field behind it, from shards; one block in memory at a time.

Per group and seed the maps that count are normalised, then averaged. Over seeds all those maps are
pooled: a seed weighs as much as it has maps; or the maps of one sample are averaged over seeds
first. The field is averaged over the same maps: a sample that counts for three seeds weighs three
times. Each shard and each row of the field is read once, unless quantiles or means over seeds are
asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.engine import Engine, Mask
from climxai.composites.fields import field_blocks, field_means
from climxai.composites.opening import close_all, open_shards, places
from climxai.composites.reductions import Array, Moments
from climxai.composites.samples import Samples, gather
from climxai.composites.select import select
from climxai.composites.settings import Composite
from climxai.composites.shards import Head
from climxai.core import dims
from climxai.core.errors import ConfigError, did_you_mean
from climxai.core.progress import Tick

if TYPE_CHECKING:
    import xarray as xr

LOG = logging.getLogger(__name__)

MEMORY: Final = 256_000_000
"""Bytes that exact quantiles may use."""


def work(
    shards: Mapping[int, Sequence[Path]], fields: xr.DataArray, settings: Composite | None = None
) -> int:
    """Return how many pieces of work `compose` ticks off: shards and blocks of the field."""
    files = sum(len(paths) for paths in shards.values())
    twice = settings is not None and settings.seeds == "before"
    return files * (2 if twice else 1) + sum(1 for _ in field_blocks(fields))


def compose(
    shards: Mapping[int, Sequence[Path]],
    fields: xr.DataArray,
    classes: Sequence[str],
    settings: Composite,
    *,
    tick: Tick,
    clusters: Sequence[Path] = (),
    allow_missing: bool = False,
    memory: int = MEMORY,
) -> xr.Dataset:
    """Average relevance per group and seed and over seeds, and the field over the same samples.

    Parameters
    ----------
    shards
        Seed -> shards of one method.
    fields
        [sample, channel, lat, lon] in physical units, lazy, with the coordinate ``row(sample)``.
    classes
        Names of the classes.
    settings
        How maps are selected, grouped and normalised, and which statistics are made of them. A
        group without a map gets the count 0 and NaN, with a warning.
    tick
        Called after each piece of work, `work` times in all.
    clusters
        netCDF files with ``row`` and ``cluster`` on ``sample``, where clusters are asked for.
    allow_missing
        Whether shards that are missing or corrupt are left out with a warning.
    memory
        Bytes that exact quantiles may use.

    Returns
    -------
    composite
        ``relevance``, ``relevance_std``, ``relevance_seed_std`` and ``field`` (class, channel, lat,
        lon); ``count`` (class); ``relevance_by_seed`` (seed, class, channel, lat, lon);
        ``count_by_seed``, ``zero_fraction`` and ``conservation`` (seed, class); and what further
        statistics are asked for. ``class`` holds the names of the groups. With attributes after
        CF 1.11 and encodings; nothing is written.

    Raises
    ------
    OutputError
        When shards are missing, corrupt, of different runs, or do not belong to the fields; when no
        map is left.
    ConfigError
        When the settings ask for what the maps do not have.
    """
    heads = open_shards(shards, classes, fields, allow_missing=allow_missing, keep=True)
    try:
        return _composed(heads, shards, fields, classes, settings, tick, clusters, memory)
    finally:
        close_all(heads)


def _composed(
    heads: Mapping[int, Sequence[Head]],
    shards: Mapping[int, Sequence[Path]],
    fields: xr.DataArray,
    classes: Sequence[str],
    settings: Composite,
    tick: Tick,
    clusters: Sequence[Path],
    memory: int,
) -> xr.Dataset:
    from climxai.composites.dataset import assemble

    seeds = sorted(heads)
    samples = gather([head for seed in seeds for head in heads[seed]], classes, clusters)
    selection = select(samples, settings)
    if settings.select.seeds is not None:
        seeds = [seed for seed in seeds if seed in settings.select.seeds]
    names, member = selection.groups.names, selection.groups.member
    _check_differences(settings, names)
    shape = tuple(fields.sizes[name] for name in dims.MAP_DIMS)
    engine = Engine(samples, member, settings, int(np.prod(shape)))
    empty = Moments.empty((engine.cells,))
    between = [empty for _ in names]
    arrays: dict[str, npt.NDArray[Any]] = {
        "relevance_by_seed": np.full((len(seeds), len(names), *shape), np.nan, dtype=np.float32),
        "count_by_seed": np.stack([member[samples.seed == seed].sum(axis=0) for seed in seeds]),
        "zero_fraction": _means(samples, member, seeds, "zero_map"),
        "conservation": _means(samples, member, seeds, "conservation"),
    }
    for i, seed in enumerate(seeds):
        done = engine.add_seed(seed, tick)
        tick(len(heads[seed]) - done, note=f"seed {seed}")
        for k, moments in enumerate(engine.of_seed):
            if moments is not None:
                mean = moments.finalise()["mean"]
                arrays["relevance_by_seed"][i, k] = mean.reshape(shape)
                between[k] = between[k].combine(Moments.chunk(mean[None], np.ones(1)))
    _warn_of_empty(names, seeds, arrays["count_by_seed"])
    unread = sum(len(paths) for paths in shards.values()) - sum(len(heads[seed]) for seed in seeds)
    tick(unread, note="shards")
    if settings.seeds == "before":
        engine.add_means(tick, sum(len(paths) for paths in shards.values()))
    arrays["relevance_seed_std"] = np.stack(
        [np.where(each.count > 1, each.finalise()["std"], np.nan) for each in between]
    ).reshape(-1, *shape)
    arrays |= engine.statistics(shape)
    arrays |= engine.quantiles(shape, memory)
    weights = np.zeros((fields.sizes[dims.SAMPLE], len(names) + 1))
    place = places(fields)
    rows, group = engine.counted()
    np.add.at(weights, [place[row] for row in rows.tolist()], _with_any(group).astype(np.float64))
    means = field_means(fields, weights, tick)
    arrays["field"] = means[:-1]
    if settings.anomaly:
        arrays["field_anomaly"] = means[:-1] - means[-1]
    _add_differences(arrays, settings, names)
    head = samples.heads[0]
    return assemble(
        fields,
        names,
        seeds,
        arrays,
        method=head.method,
        signed=head.signed,
        settings=settings,
        steps=selection.steps,
    ).assign_attrs(shards=np.int32(len(samples.heads)))


def _with_any(group: Mask) -> Mask:
    """Return groups [map, group] with one more that every map is in."""
    return np.concatenate([group, np.ones((len(group), 1), dtype=bool)], axis=1)


def _means(samples: Samples, member: Mask, seeds: Sequence[int], name: str) -> Array:
    """Return the mean of a variable over the maps of each seed and group that have it."""
    values = samples.column(name).astype(np.float64)
    known = np.isfinite(values)
    result = np.full((len(seeds), member.shape[1]), np.nan)
    for i, seed in enumerate(seeds):
        held = member & (known & (samples.seed == seed))[:, None]
        for k in np.flatnonzero(held.any(axis=0)).tolist():
            result[i, k] = values[held[:, k]].mean()
    return result


def _check_differences(settings: Composite, names: Sequence[str]) -> None:
    for pair in settings.differences:
        for name in pair:
            if name not in names:
                raise ConfigError(
                    f"composite: `differences` names {name!r}, which is no group."
                    + did_you_mean(name, tuple(names))
                )


def _add_differences(
    arrays: dict[str, npt.NDArray[Any]], settings: Composite, names: Sequence[str]
) -> None:
    """Add the first group's mean less the second's, per pair, of relevance and field."""
    if settings.differences:
        first, second = (
            [names.index(pair[side]) for pair in settings.differences] for side in (0, 1)
        )
        for name in ("relevance", "field"):
            arrays[f"{name}_difference"] = arrays[name][first] - arrays[name][second]


def _warn_of_empty(names: Sequence[str], seeds: Sequence[int], count: npt.NDArray[Any]) -> None:
    for name, column in zip(names, count.T, strict=True):
        without = [str(seed) for seed, number in zip(seeds, column, strict=True) if number == 0]
        if len(without) == len(seeds):
            LOG.warning("class %s: no map counted, its composite is empty", name)
        elif without:
            LOG.warning("class %s: no map counted for seeds %s", name, ", ".join(without))
