"""Peak memory of `climxai explain` on a record larger than what it may hold.

Makes a record of 50,000 maps of 90 x 180 cells (float32, 3.2 GB), trains a small network on a
piece of it, then explains every sample with LRP-ε in a process of its own and reads that process's
peak resident memory from the operating system. With --quick the record has 5,000 maps.

    python benchmarks/memory.py [--quick] [--json FILE] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

SHAPE = (90, 180)
GOAL_GB = 1.5

CONFIG = """
data: {files: record.nc, variables: sst}
preprocess: [{name: anomaly, by: month}]
label:
  name: box_index
  region: [-20, 20, 120, 280]
  classes: {cold: {below: 0.0}, warm: {above: 0.0}}
split: {name: fraction, train: 0.02, validation: 0.0, test: 0.98}
network: {name: mlp, hidden: [8, 8]}
train: {epochs: 2, batch_size: 64}
explain: {methods: [{name: lrp, rule: epsilon}]}
output: out
"""


def make_record(path: Path, samples: int) -> None:
    """Write daily maps of noise with a slow common swing, a few hundred at a time."""
    random = np.random.default_rng(0)
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", samples), ("lat", SHAPE[0]), ("lon", SHAPE[1])):
            file.createDimension(name, size)
        clock = file.createVariable("time", "f8", ("time",))
        clock.units, clock.calendar = "days since 1850-01-01", "noleap"
        clock.standard_name = "time"
        clock[:] = np.arange(samples)
        for name, values, units in (
            ("lat", np.linspace(-89, 89, SHAPE[0]), "degrees_north"),
            ("lon", np.arange(SHAPE[1]) * 2.0, "degrees_east"),
        ):
            axis = file.createVariable(name, "f8", (name,))
            axis.units = units
            axis[:] = values
        sst = file.createVariable(
            "sst", "f4", ("time", "lat", "lon"), chunksizes=(50, *SHAPE), fill_value=-999.0
        )
        sst.units, sst.standard_name = "degC", "sea_surface_temperature"
        for begin in range(0, samples, 500):
            rows = min(500, samples - begin)
            swing = np.sin(np.arange(begin, begin + rows) / 200)[:, None, None]
            maps = random.standard_normal((rows, *SHAPE), dtype=np.float32) + swing
            maps[:, :20, :20] = -999.0
            sst[begin : begin + rows] = maps.astype(np.float32)


def command(stage: str, folder: Path) -> list[str]:
    """Return the command line of one stage."""
    return [sys.executable, "-m", "climxai.cli.main", stage, str(folder / "config.yaml")]


def peak_of(arguments: list[str]) -> tuple[float, float]:
    """Run a command; return its peak resident memory in GB and its wall time in seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / 1e9, time.perf_counter() - started


def main() -> None:
    """Make, train, explain, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5,000 maps instead of 50,000")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--folder", type=Path, help="where the record is made (needs 7 GB)")
    options = parser.parse_args()
    samples = 5_000 if options.quick else 50_000
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_record(folder / "record.nc", samples)
        size = (folder / "record.nc").stat().st_size / 1e9
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        subprocess.run(command("train", folder), check=True, stdout=subprocess.DEVNULL)
        peak, seconds = peak_of(command("explain", folder))
        made = sum(path.stat().st_size for path in folder.rglob("shard-*.nc")) / 1e9
    rows = [
        {
            "name": f"explain {samples} maps of 90x180 (record {size:.2f} GB), peak memory",
            "value": round(peak, 3),
            "unit": "GB",
            "goal": GOAL_GB,
            "holds": peak < GOAL_GB,
        },
        {
            "name": f"explain {samples} maps, relevance written per second",
            "value": round(made * 1000 / seconds, 1),
            "unit": "MB/s",
            "goal": None,
            "holds": None,
        },
    ]
    for row in rows:
        print(f"{row['name']:70s} {row['value']:>8} {row['unit']:5s} goal {row['goal']}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
