"""Shards of relevance: what stands beside the maps, checks that they belong together, the maps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.core.errors import OutputError

BLOCK_BYTES = 4 * 2**20
"""Relevance held at once, as stored: it should stay in the processor's cache."""
TOLERANCE = 1e-4
"""Degrees by which the centres of equal grids may differ: coordinates may be stored as float32."""
PER_SAMPLE = ("row", "label", "prediction", "conservation", "zero_map")
AGAIN = "delete it and run `climxai explain` again"


@dataclass(frozen=True)
class Head:
    """What a shard says beside its maps; arrays are [sample]."""

    path: Path
    method: str
    seed: int
    signed: bool
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    row: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    prediction: npt.NDArray[np.int64]
    conservation: npt.NDArray[np.float64]
    zero_map: npt.NDArray[np.float64]
    columns: dict[str, str] = field(default_factory=dict)
    """all that is known of samples -> the variable that holds it; read with `read_column`"""
    at_once: int = 1
    """maps in a block"""
    kept: list[Any] = field(default_factory=list, repr=False, compare=False)
    """the file, where it was left open for its maps"""

    def close(self) -> None:
        """Close the file where it was left open."""
        while self.kept:
            self.kept.pop().close()


@contextmanager
def _file_of(head: Head) -> Iterator[Any]:
    """Yield a shard's open file: the one that was left open, once, or a new one."""
    with opened(head.path, head.kept.pop() if head.kept else None) as file:
        yield file


@contextmanager
def opened(path: Path, file: Any = None, *, keep: bool = False) -> Iterator[Any]:
    """Yield an open netCDF4 dataset; what cannot be read becomes an error that names the file.

    It is closed at the end, unless all went well and it is to be kept.
    """
    import netCDF4

    try:
        file = netCDF4.Dataset(path) if file is None else file
        file.set_auto_mask(False)
        try:
            yield file
        except BaseException:
            file.close()
            raise
        if not keep:
            file.close()
    except FileNotFoundError:
        raise OutputError(
            f"{path}: this shard of relevance does not exist: run `climxai explain` again"
        ) from None
    except PermissionError as error:
        raise OutputError(f"{path}: you may not read this shard of relevance") from error
    except (OSError, RuntimeError) as error:
        # The text of an OSError repeats the path, its strerror does not.
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{path}: this shard of relevance is corrupt or incomplete ({reason}): {AGAIN}"
        ) from error


def read_head(path: Path, *, keep: bool = False) -> Head:
    """Read everything in a shard but its maps; with ``keep`` its file stays open for them.

    To open a file takes as long as to read some megabytes of it.

    Raises
    ------
    OutputError
        When the file is missing, corrupt, or no shard of relevance.
    """
    with opened(path, keep=keep) as file:
        needed = ("relevance", "lat", "lon", "channel", *PER_SAMPLE)
        missing = [name for name in needed if name not in file.variables]
        missing += [
            name
            for name in ("method", "seed", "signed", "class_names")
            if name not in file.ncattrs()
        ]
        if missing:
            raise OutputError(
                f"{path}: not a whole shard of relevance, it lacks {', '.join(missing)}: {AGAIN}"
            )
        read = {name: np.asarray(file.variables[name][:]) for name in needed[1:]}
        shape = file.variables["relevance"].shape
        expected = tuple(len(read[name]) for name in ("row", "channel", "lat", "lon"))
        if shape != expected:
            raise OutputError(
                f"{path}: relevance has the shape {shape}, its coordinates {expected}: {AGAIN}"
            )
        return Head(
            path=path,
            method=str(file.method),
            seed=int(file.seed),
            signed=bool(file.signed),
            classes=_class_names(path, file.class_names),
            channels=tuple(str(name) for name in read["channel"]),
            lat=read["lat"].astype(np.float64),
            lon=read["lon"].astype(np.float64),
            row=read["row"].astype(np.int64),
            label=read["label"].astype(np.int64),
            prediction=read["prediction"].astype(np.int64),
            conservation=read["conservation"].astype(np.float64),
            zero_map=read["zero_map"].astype(np.float64),
            columns=_columns(file),
            at_once=_rows_at_once(file.variables["relevance"]),
            kept=[file] if keep else [],
        )


def _columns(file: Any) -> dict[str, str]:
    variables = file.variables
    found = {name: name for name, each in variables.items() if each.dimensions == ("sample",)}
    if "index" in found:
        found.setdefault(str(getattr(variables["index"], "short_name", "index")), "index")
    return found


def _class_names(path: Path, text: str) -> tuple[str, ...]:
    try:
        return tuple(str(name) for name in json.loads(text))
    except (ValueError, TypeError) as error:
        raise OutputError(
            f"{path}: its attribute class_names is not a JSON list ({error}): {AGAIN}"
        ) from error


def check_alike(heads: Sequence[Head], classes: Sequence[str]) -> None:
    """Check that shards are of one method, one grid, the given classes and no row twice per seed.

    Raises
    ------
    OutputError
        Naming the first shard that differs, in what, and from which.
    """
    first = heads[0]
    seen: dict[tuple[int, int], Path] = {}
    for head in heads:
        if head.classes != tuple(classes):
            raise OutputError(
                f"{head.path}: made for the classes {', '.join(head.classes)}, expected "
                f"{', '.join(classes)}: {AGAIN}"
            )
        for what in ("method", "signed", "channels"):
            found, expected = getattr(head, what), getattr(first, what)
            if found != expected:
                raise OutputError(
                    f"{head.path}: its {what} is {found!r}, that of {first.path.name} is "
                    f"{expected!r}; shards of two runs cannot be averaged: {AGAIN}"
                )
        if not (same_degrees(head.lat, first.lat) and same_degrees(head.lon, first.lon)):
            raise OutputError(
                f"{head.path}: its grid ({_grid(head)}) is not that of {first.path.name} "
                f"({_grid(first)}); shards of two runs cannot be averaged: {AGAIN}"
            )
        largest = max(head.label.max(initial=-1), head.prediction.max(initial=-1))
        if largest >= len(classes):
            raise OutputError(
                f"{head.path}: it holds the class number {largest}, expected 0 to "
                f"{len(classes) - 1}: {AGAIN}"
            )
        rows, times = np.unique(head.row, return_counts=True)
        for row, count in zip(rows.tolist(), times.tolist(), strict=True):
            other = seen.setdefault((head.seed, row), head.path)
            if other is not head.path or count > 1:
                raise OutputError(
                    f"{head.path}: row {row} of seed {head.seed} is explained twice, also in "
                    f"{other.name}: {AGAIN}"
                )


def same_degrees(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> bool:
    """Return whether two axes are the same, to rounding."""
    return one.shape == other.shape and bool(np.all(np.abs(one - other) < TOLERANCE))


def _grid(head: Head) -> str:
    lat, lon = head.lat, head.lon
    return (
        f"{len(lat)} x {len(lon)} cells, {lat[0]:g} to {lat[-1]:g} north, {lon[0]:g} to "
        f"{lon[-1]:g} east"
    )


def relevance_blocks(
    head: Head,
    wanted: npt.NDArray[np.bool_],
    *,
    lat: slice = slice(None),
    check: bool = True,
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    """Yield positions and maps [sample, channel, lat, lon] of the wanted samples, block by block.

    Blocks follow the chunks of the file and hold `BLOCK_BYTES` or one chunk of rows; a block
    without a wanted sample is not read.

    Parameters
    ----------
    head
        The shard.
    wanted
        Which of its samples, [sample].
    lat
        The latitudes that are read.
    check
        Whether maps are checked here; who does not must do it with `check_block`.

    Raises
    ------
    OutputError
        When the file is corrupt, or a map is infinite or has no valid cell.
    """
    with _file_of(head) as file:
        variable = file.variables["relevance"]
        for start in range(0, len(head.row), head.at_once):
            positions = start + np.flatnonzero(wanted[start : start + head.at_once])
            if positions.size:
                block = _rows_of(variable, positions, lat)
                if check:
                    check_block(head, positions, block)
                yield positions, block


def relevance_of(
    head: Head, positions: npt.NDArray[np.int64], lat: slice = slice(None)
) -> npt.NDArray[np.float32]:
    """Return some maps of a shard [sample, channel, lat, lon]; positions ascend.

    Raises
    ------
    OutputError
        When the file is corrupt.
    """
    with _file_of(head) as file:
        return _rows_of(file.variables["relevance"], positions, lat)


def _rows_at_once(variable: Any) -> int:
    rows, *shape = variable.shape
    chunking = variable.chunking()
    chunk = min(chunking[0], rows) if isinstance(chunking, list | tuple) else 1
    per_row = max(1, int(np.prod(shape)) * variable.dtype.itemsize)
    return int(max(chunk, BLOCK_BYTES // per_row // max(chunk, 1) * chunk, 1))


def _rows_of(
    variable: Any, positions: npt.NDArray[np.int64], lat: slice
) -> npt.NDArray[np.float32]:
    begin, end = int(positions[0]), int(positions[-1]) + 1
    block = np.asarray(variable[begin:end, :, lat, :])
    return block if positions.size == end - begin else block[positions - begin]


def check_block(
    head: Head, positions: npt.NDArray[np.int64], block: npt.NDArray[np.float32]
) -> None:
    """Refuse maps that are infinite or have no valid cell.

    Raises
    ------
    OutputError
        Naming the shard and the row of the first such map.
    """
    flat = block.reshape(len(block), -1)
    bad = np.isinf(flat).any(axis=1) | np.isnan(flat).all(axis=1)
    if bad.any():
        row = head.row[positions[np.flatnonzero(bad)[0]]]
        raise OutputError(
            f"{head.path}: the map of row {row} is infinite or has no valid cell: {AGAIN}"
        )
