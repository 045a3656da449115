"""Peak memory of one LRP pass, relative to one plain forward and backward pass to the input.

Every pass runs in a process of its own, which says by how much its peak resident memory grew
beyond the input, the network and its export. With --quick the batches are a quarter as large.

    python benchmarks/pass_memory.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import torch
from attribution import NETWORKS, RULES, SHAPE, ours, plain

GOAL = 2.0
BATCHES = {"dense": 8192, "convolution": 256}
MEGABYTES = 1e6 if sys.platform == "darwin" else 1e6 / 1024


def peak() -> float:
    """Return the peak resident memory of this process so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES


def grown(network: str, way: str, batch: int) -> float:
    """Return by how many MB one pass raises this process's peak."""
    torch.manual_seed(0)
    module = NETWORKS[network]().eval()
    inputs = torch.randn(batch, *SHAPE)
    start = torch.zeros(batch, 2)
    start[:, 0] = 1
    small, small_start = inputs[:1].clone(), start[:1].clone()
    for x, weights in ((small, small_start), (inputs, start)):
        run = plain(module, x, weights) if way == "plain" else ours(module, way, x, weights)
        before = peak()
        run()
    return peak() - before


def in_process(network: str, way: str, batch: int) -> float:
    """Return what `grown` says in a fresh process."""
    arguments = [sys.executable, __file__, "--one", network, way, str(batch)]
    return float(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Parse the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller batches")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        network, way, batch = given.one
        print(grown(network, way, int(batch)))
        return
    rows = []
    for network, full in BATCHES.items():
        batch = full // 4 if given.quick else full
        reference = in_process(network, "plain", batch)
        for rule in RULES:
            value = in_process(network, rule, batch) / reference
            name = f"peak memory {rule} {network} batch {batch}"
            rows.append(
                {
                    "name": name,
                    "value": round(value, 3),
                    "unit": "of a plain forward + backward pass",
                    "goal": GOAL,
                    "holds": value <= GOAL,
                }
            )
            print(f"{name:50s} {value:6.2f}  goal {GOAL}  (plain {reference:.0f} MB)", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
