"""What the report says of the data, the networks' input and the explained samples."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.core.errors import ClimxaiError, OutputError
from climxai.stages.layout import Layout
from climxai.stages.preparation import PARTS

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment
    from climxai.report.material import Record

LOG = logging.getLogger(__name__)


def opened(path: Path, without: Sequence[str] = ()) -> xr.Dataset:
    """Return a netCDF file in memory, but for some variables.

    Raises
    ------
    OutputError
        When it cannot be read.
    """
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="netcdf4", drop_variables=without) as dataset:
            return dataset.load()
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(f"{path} cannot be read ({error}): make it again") from error


def signature_of(kept: Experiment, layout: Layout) -> dict[str, Any] | None:
    """Return channels, units, grid and valid cells of the networks, None where there are none."""
    from climxai.bridge.bundle import load_bundle
    from climxai.data.grids.describe import describe_grid

    path = layout.network(kept.train.seeds[0])
    if not path.exists():
        return None
    signature = load_bundle(path).signature
    return {
        "channels": signature.channels,
        "units": signature.units,
        "grid": describe_grid(np.array(signature.lat), np.array(signature.lon)),
        "valid": signature.valid(),
    }


def parameters_of(weights: Path) -> int | None:
    """Return the number of weights, from the head of the file: 8 bytes of length, then JSON."""
    if not weights.exists():
        return None
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        head = json.loads(file.read(length))
    shapes = [each["shape"] for name, each in head.items() if name != "__metadata__"]
    return int(sum(int(np.prod(shape)) for shape in shapes))


def record_of(kept: Experiment) -> Record | None:
    """Return the time axis of the data, None where they are no longer there."""
    from climxai.data.resolution import resolution, short_date
    from climxai.data.time import calendar_of, decimal_years
    from climxai.report.material import Record

    try:
        time = kept.data.open()["time"]
    except ClimxaiError as error:
        LOG.warning("the report says nothing of the time axis: %s", error)
        return None
    times = np.unique(time.values)
    unit, years = resolution(times), decimal_years(times)
    steps = np.diff(years)
    holes: tuple[str, ...] | None = None
    if getattr(kept.data, "months", None) is None and steps.size:
        places = np.flatnonzero(steps > 1.5 * np.median(steps))
        holes = tuple(
            f"{short_date(times[at], unit)} and {short_date(times[at + 1], unit)}" for at in places
        )
    return Record(
        first=short_date(times[0], unit),
        last=short_date(times[-1], unit),
        rows=int(time.size),
        calendar=calendar_of(time),
        holes=holes,
    )


def shards_of(layout: Layout) -> tuple[dict[str, dict[str, int]] | None, dict[str, float]]:
    """Return the explained samples per part and class, and per method what lay on land."""
    from climxai.stages.index import read_index

    if not layout.index.exists():
        return None, {}
    shards, index = read_index(layout)
    counts: dict[str, dict[str, int]] = {}
    leaked: dict[str, list[float]] = {}
    first = (shards[0].method, shards[0].seed) if shards else None
    for shard in shards:
        try:
            head = opened(layout.root / shard.file, without=("relevance", "time"))
        except OutputError as error:
            LOG.warning("%s", error)
            continue
        sums = leaked.setdefault(shard.method, [0.0, 0.0])
        for at, name in enumerate(("mask_leak", "output")):
            sums[at] += float(np.nansum(np.abs(head[name].values)))
        if (shard.method, shard.seed) == first:
            for part, label in zip(head["split"].values, head["label"].values, strict=True):
                held = counts.setdefault(PARTS[int(part)], dict.fromkeys(index["classes"], 0))
                if label >= 0:
                    held[index["classes"][int(label)]] += 1
    leaks = {name: part / whole for name, (part, whole) in leaked.items() if whole > 0}
    return counts, leaks
