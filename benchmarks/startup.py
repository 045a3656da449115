"""How long `climxai --help` and the import of the configuration take.

python benchmarks/startup.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "climxai --help": (["-m", "climxai.cli.main", "--help"], 0.5),
    "climxai schema": (["-m", "climxai.cli.main", "schema"], None),
    "import climxai.config.experiment": (["-c", "import climxai.config.experiment"], None),
    "bare interpreter": (["-c", "pass"], None),
}


def seconds(arguments: list[str]) -> float:
    """Return the wall time of one interpreter run."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Time every command in turn, several rounds; print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args()
    rounds = 5 if options.quick else 21
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, (arguments, _) in COMMANDS.items():
            spent = seconds(arguments)
            if number:  # the first round fills caches
                found[name].append(spent)
    rows = []
    for name, (_, goal) in COMMANDS.items():
        value = statistics.median(found[name])
        holds = None if goal is None else value < goal
        rows.append(
            {"name": name, "value": round(value, 3), "unit": "s", "goal": goal, "holds": holds}
        )
        print(f"{name:36s} {value:7.3f} s   goal {goal}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
