"""Sections through time, streamed from shards: one block of maps in memory at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.region import Region

if TYPE_CHECKING:
    from climxai.core.progress import Tick
    from climxai.stages.explained import Explained

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sections:
    """Relevance and field of one channel by time and place, samples in the order of time."""

    years: Array
    """[sample], decimal"""
    lon: Array
    """degrees east, ascending without a jump"""
    lat: Array
    by_lon: tuple[Array, Array]
    """[sample, lon]: means over the band's latitudes, of relevance and field"""
    by_lat: tuple[Array, Array]
    """[sample, lat]: means over the band's longitudes"""


def section_work(explained: Explained) -> int:
    """Return how many pieces of work `sections_of` ticks off."""
    from climxai.composites.fields import field_blocks

    return len(explained.samples.heads) + sum(1 for _ in field_blocks(explained.run.fields))


def sections_of(explained: Explained, channel: int, band: Region, tick: Tick) -> Sections:
    """Return means of every sample's normalised relevance, and of its field, over a band.

    Means over latitudes weigh cells by the cosine of latitude; cells without data do not count.
    Relevance is the mean over networks.

    Parameters
    ----------
    explained
        The samples; of data with members those of the first.
    channel
        Its number.
    band
        Its latitudes are averaged by longitude, its longitudes by latitude.
    tick
        Called after each shard and block of the field.
    """
    from climxai.composites.fields import field_blocks
    from climxai.composites.normalise import normalised
    from climxai.composites.shards import relevance_blocks

    run, samples = explained.run, explained.samples
    lat, lon = (run.fields[name].values.astype(float) for name in ("lat", "lon"))
    weight = np.maximum(np.cos(np.deg2rad(lat)), 0) * band.contains_lat(lat)
    columns = band.contains_lon(lon)
    kept = explained.chosen(None)
    order = explained.in_time(kept)
    rows = samples.row[order]
    place = {row: at for at, row in enumerate(rows.tolist())}

    sums = [np.zeros((len(rows), lon.size)), np.zeros((len(rows), lat.size))]
    counts = np.zeros(len(rows))
    for number, head in enumerate(samples.heads):
        here = samples.head == number
        wanted = np.zeros(len(head.row), dtype=bool)
        wanted[samples.position[here & kept]] = True
        for positions, block in relevance_blocks(head, wanted):
            maps = normalised(block, run.normalise)[:, channel]
            at = np.array([place[row] for row in head.row[positions].tolist()])
            for total, part in zip(sums, _means(maps, weight, columns), strict=True):
                np.add.at(total, at, part)
            np.add.at(counts, at, 1)
        tick(1, note="relevance")
    relevance = [total / counts[:, None] for total in sums]

    field = [np.full_like(total, np.nan) for total in sums]
    of_row = run.fields["row"].values
    for begin, end in field_blocks(run.fields):
        needed = [at for at in range(begin, end) if int(of_row[at]) in place]
        if needed:
            chosen = run.fields.isel(sample=needed, channel=channel)
            maps = chosen.transpose("sample", "lat", "lon").values.astype(float)
            at = np.array([place[int(of_row[each])] for each in needed])
            for total, part in zip(field, _means(maps, weight, columns), strict=True):
                total[at] = part
        tick(1, note="field")

    turned = _eastward(lon, band, run.experiment.maps.central_longitude)
    inside = np.flatnonzero(columns)
    shown = inside[np.argsort(turned[inside])]
    return Sections(
        explained.years[order],
        turned[shown],
        lat,
        (relevance[0][:, shown], field[0][:, shown]),
        (relevance[1], field[1]),
    )


def _means(maps: Array, weight: Array, columns: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return means [sample, lon] over latitudes by weight, and [sample, lat] over columns."""
    held = np.isfinite(maps)
    filled = np.where(held, maps, 0.0)
    by_lon = _ratio(np.einsum("snm,n->sm", filled, weight), np.einsum("snm,n->sm", held, weight))
    by_lat = _ratio(
        filled[:, :, columns].sum(axis=2), held[:, :, columns].sum(axis=2).astype(float)
    )
    return by_lon, by_lat


def _ratio(total: Array, count: Array) -> Array:
    return np.asarray(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 1e-9))


def _eastward(lon: Array, band: Region, centre: float | None) -> Array:
    """Return longitudes counted eastward from the western edge of the band, or of the map."""
    west = (180.0 if centre is None else centre) - 180 if band.whole_circle else band.west
    return np.asarray((lon - west + 1e-6) % 360 + west - 1e-6)
