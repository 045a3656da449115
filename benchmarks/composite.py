"""How fast maps become composites, relative to a plain loop over netCDF4 on the same files.

Makes shards of relevance (180 x 360 cells, a third of them land) of four networks and the field
they explain, as the pipeline writes them (not compressed) and compressed. Then, in the same round,
one after the other, in a process each: a loop over netCDF4 that reads shards and field block by
block and adds them up per class, and `compose`, which normalises every map, selects and gives
means, standard deviations and spread per class and seed. The ratio of their speeds is the median
over rounds; peak memory is that of the process that composes. 80,000 maps need 28 GB of disk;
with --quick there are 6,400.

    python benchmarks/composite.py [--quick] [--json FILE] [--folder FOLDER] [--maps N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

from climxai.composites.composite import compose
from climxai.composites.settings import Composite

SHAPE = (1, 180, 360)
SEEDS = (0, 1, 2, 3)
CLASSES = ("cold", "warm")
ROWS = 123  # what 256 MB of working arrays allow, the default
GOAL_GB = 2.0
GOAL_SPEED = 0.5


def land() -> np.ndarray:
    """Return which cells have no value: a third of them, in blocks."""
    random = np.random.default_rng(5)
    coarse = random.random((18, 24)) < 1 / 3
    return np.kron(coarse, np.ones((10, 15), dtype=bool))[None]


def axes(file: netCDF4.Dataset, rows: np.ndarray) -> None:
    """Write dimensions and coordinates."""
    for name, size in zip(("sample", "channel", "lat", "lon"), (len(rows), *SHAPE), strict=True):
        file.createDimension(name, size)
    file.createVariable("lat", "f8", ("lat",))[:] = np.linspace(-89.5, 89.5, SHAPE[1])
    file.createVariable("lon", "f8", ("lon",))[:] = np.arange(SHAPE[2]) + 0.5
    file.createVariable("channel", str, ("channel",))[:] = np.array(["sst"], dtype=object)
    file.createVariable("row", "i8", ("sample",))[:] = rows
    clock = file.createVariable("time", "i8", ("sample",))
    clock.units, clock.calendar = "days since 1850-01-01", "proleptic_gregorian"
    clock[:] = rows


def make(folder: Path, samples: int, compress: bool) -> None:
    """Write the shards of every seed, and the field."""
    random = np.random.default_rng(0)
    gone = land()
    # One large pool of values, cut anew for each map: making them is not what is measured.
    pool = random.standard_normal(2**25, dtype=np.float32)
    cells = int(np.prod(SHAPE))

    def maps(count: int) -> np.ndarray:
        begins = random.integers(0, pool.size - cells, count)
        found = np.stack([pool[begin : begin + cells].reshape(SHAPE) for begin in begins])
        found[:, gone] = np.nan
        return found

    how = {"zlib": compress, "complevel": 4, "shuffle": compress}
    if compress:
        how["chunksizes"] = (1, *SHAPE)
    else:
        how["contiguous"] = True
    for seed in SEEDS:
        (folder / f"seed-{seed}").mkdir(parents=True)
        for number, begin in enumerate(range(0, samples, ROWS)):
            rows = np.arange(begin, min(begin + ROWS, samples))
            path = folder / f"seed-{seed}" / f"shard-{number:05d}.nc"
            with netCDF4.Dataset(path, "w") as file:
                axes(file, rows)
                relevance = file.createVariable(
                    "relevance", "f4", ("sample", "channel", "lat", "lon"),
                    fill_value=np.float32(np.nan), **how,
                )  # fmt: skip
                relevance[:] = maps(len(rows))
                label = (rows // 3) % 2
                for name, values in {
                    "label": label,
                    "prediction": np.where(rows % 10 == 0, 1 - label, label),
                    "zero_map": np.zeros(len(rows), int),
                }.items():
                    file.createVariable(name, "i4", ("sample",))[:] = values
                for name in ("output", "conservation", "confidence"):
                    file.createVariable(name, "f8", ("sample",))[:] = random.random(len(rows))
                file.method, file.seed, file.signed = "lrp", seed, 1
                file.class_names = json.dumps(CLASSES)
    with netCDF4.Dataset(folder / "field.nc", "w") as file:
        axes(file, np.arange(samples))
        field = file.createVariable(
            "field", "f4", ("sample", "channel", "lat", "lon"), fill_value=np.float32(np.nan), **how
        )
        for begin in range(0, samples, ROWS):
            field[begin : begin + ROWS] = maps(min(ROWS, samples - begin))


def shards(folder: Path, number: int | None = None) -> dict[int, list[Path]]:
    """Return the shards of each seed, or the first of them."""
    found = {seed: sorted((folder / f"seed-{seed}").glob("shard-*.nc")) for seed in SEEDS}
    return {seed: paths[:number] for seed, paths in found.items()}


def plain(folder: Path, number: int | None = None) -> None:
    """Read shards and field block by block, and add them up per class."""
    total = np.zeros((2, *SHAPE))
    for paths in shards(folder, number).values():
        for path in paths:
            with netCDF4.Dataset(path) as file:
                file.set_auto_mask(False)
                label = file.variables["label"][:]
                variable = file.variables["relevance"]
                for begin in range(0, variable.shape[0], 16):
                    block = variable[begin : begin + 16]
                    for k in range(2):
                        total[k] += block[label[begin : begin + 16] == k].sum(axis=0)
    with netCDF4.Dataset(folder / "field.nc") as file:
        file.set_auto_mask(False)
        variable = file.variables["field"]
        label = (file.variables["row"][: None if number is None else number * ROWS] // 3) % 2
        for begin in range(0, len(label), 16):
            block = variable[begin : min(begin + 16, len(label))]
            for k in range(2):
                total[k] += block[label[begin : begin + 16] == k].sum(axis=0)


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def ours(folder: Path, number: int | None = None) -> None:
    """Compose the same files with default settings."""
    with xr.open_dataset(
        folder / "field.nc", chunks={"sample": ROWS}, mask_and_scale=False
    ) as opened:
        fields = opened["field"].assign_coords(
            row=("sample", opened["row"].values),
            channel=["sst"],
            units=("channel", ["K"]),
            long_name=("channel", ["sst"]),
        )
        fields = fields.isel(sample=slice(None if number is None else number * ROWS))
        compose(shards(folder, number), fields, CLASSES, Composite(), tick=quiet)


def measured(what: str, folder: Path) -> tuple[float, float]:
    """Return seconds (without the start of the process) and peak memory in GB."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--run", what, "--folder", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seconds = float(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{what} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit / 1e9


def rows_for(folder: Path, maps: int, rounds: int) -> Iterator[dict[str, object]]:
    """Make the files, measure, and yield the rows of the table."""
    for compress in (False, True):
        name = "compressed" if compress else "not compressed"
        number = maps // 8 if compress else maps
        with tempfile.TemporaryDirectory(dir=folder) as where:
            make(Path(where), number // len(SEEDS), compress)
            ratios, speeds, peaks = [], [], []
            for _ in range(rounds):
                before, _ = measured("plain", Path(where))
                seconds, peak = measured("ours", Path(where))
                ratios.append(before / seconds)
                speeds.append(number / seconds)
                peaks.append(peak)
        ratio, peak = statistics.median(ratios), max(peaks)
        about = f"compose {number} maps of 180x360, {name}"
        yield row(f"{about}, speed", ratio, "of a plain loop", GOAL_SPEED, ratio >= GOAL_SPEED)
        yield row(f"{about}, peak memory", peak, "GB", GOAL_GB, peak < GOAL_GB)
        yield row(f"{about}, maps per second", statistics.median(speeds), "1/s", None, None)


def row(
    name: str, value: float, unit: str, goal: float | None, holds: bool | None
) -> dict[str, object]:
    """Return one row of the table."""
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "holds": holds}


def main() -> None:
    """Parse the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="6,400 maps, about a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--folder", type=Path, help="where the files are made")
    parser.add_argument("--maps", type=int, default=80_000, help="number of maps")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    parser.add_argument("--run", choices=("plain", "ours"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        run = {"plain": plain, "ours": ours}[given.run]
        run(given.folder, 1)  # libraries that are loaded on the way are no part of it
        begin = time.perf_counter()
        run(given.folder)
        print(time.perf_counter() - begin)
        return
    maps, rounds = (6_400, 5) if given.quick else (given.maps, given.rounds)
    rows = []
    for each in rows_for(given.folder, maps, rounds):
        rows.append(each)
        told = "" if each["goal"] is None else f"goal {each['goal']}"
        print(f"{each['name']:62s} {each['value']:>10} {each['unit']:15s} {told}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
