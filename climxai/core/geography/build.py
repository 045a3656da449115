"""Convert Natural Earth land from TopoJSON into the packaged file.

Run by hand when the source changes: ``python -m climxai.core.geography.build land-110m.json``.
`ORIGIN.md` says where that file comes from.

Source: TopoJSON format specification, section 2.1 (arcs, delta coding, quantisation).
"""

from __future__ import annotations

import gzip
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from climxai.core.files import written_aside

PACKAGED: Final = Path(__file__).with_name("land_110m.json.gz")
STEPS_PER_DEGREE: Final = 1000
"""Coordinates are stored as whole thousandths of a degree, about 100 m; the source is coarser."""

Point = tuple[float, float]
Ring = list[Point]


def decode_arcs(topology: dict[str, Any]) -> list[Ring]:
    """Return the arcs of a topology as (degrees east, degrees north)."""
    scale_x, scale_y = topology["transform"]["scale"]
    shift_x, shift_y = topology["transform"]["translate"]
    arcs: list[Ring] = []
    for arc in topology["arcs"]:
        x = y = 0
        points: Ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale_x + shift_x, y * scale_y + shift_y))
        arcs.append(points)
    return arcs


def join_arcs(numbers: list[int], arcs: list[Ring]) -> Ring:
    """Join arcs end to end into a ring; ``~n`` is arc n walked backwards."""
    ring: Ring = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring.extend(arc if not ring else arc[1:])
    return ring


def unwrap(ring: Ring) -> Ring:
    """Let a ring run on beyond ±180 where it crosses the date line, instead of jumping back."""
    result: Ring = [ring[0]]
    turn = 0.0
    for (x0, _), (x1, y1) in pairwise(ring):
        if x1 - x0 > 180:
            turn -= 360
        elif x1 - x0 < -180:
            turn += 360
        result.append((x1 + turn, y1))
    return result


def close_to_pole(ring: Ring) -> Ring:
    """Close a ring that runs once around the globe along the meridian and the nearer pole."""
    (x0, y0), (x1, _) = ring[0], ring[-1]
    if abs(x1 - x0) < 180:
        return ring
    pole = -90.0 if y0 < 0 else 90.0
    return [*ring, (x1, pole), (x0, pole), (x0, y0)]


def into_shell(hole: Ring, shell: Ring) -> Ring:
    """Move a hole by whole turns to where its shell runs on beyond the date line."""
    west, east = min(x for x, _ in shell), max(x for x, _ in shell)
    for turn in (0.0, -360.0, 360.0):
        if all(west <= x + turn <= east for x, _ in hole):
            return [(x + turn, y) for x, y in hole]
    raise ValueError(f"a hole at {hole[0]} lies outside its polygon, {west} to {east} east")


def quantise(ring: Ring) -> list[int]:
    """Return x0, y0, dx1, dy1, … in steps; points that coincide afterwards are dropped."""
    steps = [(round(x * STEPS_PER_DEGREE), round(y * STEPS_PER_DEGREE)) for x, y in ring]
    kept = [steps[0]] + [b for a, b in pairwise(steps) if a != b]
    flat = [*kept[0]]
    for (x0, y0), (x1, y1) in pairwise(kept):
        flat += [x1 - x0, y1 - y0]
    return flat


def convert(topology: dict[str, Any]) -> dict[str, Any]:
    """Return the packaged form of a world-atlas land topology."""
    arcs = decode_arcs(topology)
    polygons = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"]:
            shell, *holes = (unwrap(join_arcs(ring, arcs)) for ring in polygon)
            shell = close_to_pole(shell)
            polygons.append([quantise(r) for r in (shell, *(into_shell(h, shell) for h in holes))])
    return {
        "source": "Natural Earth 4.1.0, 1:110m land, public domain, by way of world-atlas 2.0.2",
        "steps_per_degree": STEPS_PER_DEGREE,
        "polygons": polygons,
    }


def main(arguments: list[str]) -> int:
    """Convert the file named on the command line; print what was written."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m climxai.core.geography.build land-110m.json\n")
        return 2
    content = convert(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    text = json.dumps(content, separators=(",", ":"))
    with written_aside(PACKAGED) as aside:
        aside.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    sys.stdout.write(f"{PACKAGED.name}: {len(content['polygons'])} polygons\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
