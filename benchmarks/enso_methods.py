"""What each method finds of El Niño's pattern in ERSSTv5, beside ranges measured with a prototype.

Runs configs/enso_methods.yaml on a monthly ERSSTv5 file of 2010-2020 and prints, per method, the
median over the networks that have maps: the share of positive relevance in the tropical Pacific
and in the Niño3.4 box, and the pattern correlation with the absolute SST composite (all cells
alike, as in the prototype). A number holds when it lies in twice the prototype's range.

    python benchmarks/enso_methods.py ersstv5.nc [--quick] [--json FILE] [--output DIR]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from climxai.composites.summary import pattern_correlation, regional_share
from climxai.config.experiment import load_experiment
from climxai.core.region import NAMED_REGIONS
from climxai.stages.run import run

CONFIG = Path(__file__).parents[1] / "configs" / "enso_methods.yaml"
QUANTITIES = ("tropical Pacific share", "Niño3.4 share", "correlation")
RANGES = {
    "lrp_a1b0": ((0.48, 0.50), (0.19, 0.20), (0.88, 0.90)),
    "lrp_0": ((0.57, 0.58), (0.23, 0.25), (0.88, 0.90)),
    "integrated_gradients": ((0.57, 0.60), (0.24, 0.25), (0.88, 0.89)),
    "gradient": ((0.39, 0.42), (0.11, 0.12), (0.595, 0.605)),
}
"""The prototype's lowest and highest values; a single number stands for its rounding."""
COMPOSITE = {"lrp_a1b0": "lrp_a1b0"}
"""α1β0 maps are divided by their maximum, as published; the others are averaged as they are."""


def measured(folder: Path, method: str) -> list[list[float]]:
    """Return the quantities of every network whose El Niño maps are not all zero."""
    name = COMPOSITE.get(method, f"{method}_raw")
    composite = xr.load_dataset(folder / "composites" / f"{name}.nc")
    chosen = composite.sel({"class": "el_nino", "channel": "sst"})
    lat, lon = composite["lat"].values, composite["lon"].values
    field = np.abs(chosen["field"].values)
    found = []
    for relevance in chosen["relevance_by_seed"].values:
        if np.nanmax(np.abs(relevance)) > 0:
            shares = [
                regional_share(relevance, lat, lon, NAMED_REGIONS[region])
                for region in ("tropical_pacific", "nino34")
            ]
            found.append([*shares, pattern_correlation(relevance, field, lat, weights="none")])
    return found


def main(arguments: list[str]) -> int:
    """Run, print the table and write the rows where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="monthly ERSSTv5, 2010 to 2020")
    parser.add_argument("--quick", action="store_true", help="three networks instead of five")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--output", type=Path, help="keep the run here")
    asked = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.output or Path(temporary)
        settings = [f"data.files={asked.file.absolute()}", f"output={folder}", "maps.formats=[png]"]
        run(load_experiment(CONFIG, settings + ["train.seeds=[0, 1, 3]"] * asked.quick))
        print(f"{'method':22} {'quantity':24} {'median':>7} {'range':>13} {'holds':>6}  networks")
        for method, ranges in RANGES.items():
            found = measured(folder, method)
            for k, (quantity, (low, high)) in enumerate(zip(QUANTITIES, ranges, strict=True)):
                value = statistics.median(each[k] for each in found)
                wider = (high - low) / 2
                holds = low - wider <= value <= high + wider
                print(
                    f"{method:22} {quantity:24} {value:7.3f} {low:6.3f}-{high:.3f} "
                    f"{'yes' if holds else 'no':>6}  "
                    + " ".join(f"{each[k]:.3f}" for each in found)
                )
                rows.append(
                    {
                        "name": f"{method}, {quantity}",
                        "value": value,
                        "unit": "1",
                        "goal": [low - wider, high + wider],
                        "holds": holds,
                    }
                )
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
