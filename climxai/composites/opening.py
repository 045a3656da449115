"""Opening the shards of one method, and finding out whether they belong together."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from climxai.composites.shards import (
    Head,
    check_alike,
    read_head,
    relevance_blocks,
    same_degrees,
)
from climxai.core import dims
from climxai.core.errors import OutputError

if TYPE_CHECKING:
    import xarray as xr

LOG = logging.getLogger(__name__)

KEPT: Final = 128
"""Files that stay open between their heads and their maps."""


def open_shards(
    shards: Mapping[int, Sequence[Path]],
    classes: Sequence[str],
    fields: xr.DataArray,
    *,
    allow_missing: bool = False,
    keep: bool = False,
) -> dict[int, list[Head]]:
    """Return what shards say beside their maps, per seed, after checking that they belong together.

    Parameters
    ----------
    shards
        Seed -> files.
    classes
        Names of the classes they must have.
    fields
        The data they must explain.
    allow_missing
        Whether shards that are missing or corrupt are left out with a warning; each is then read
        once more than needed. A seed without any shard is left out, too.
    keep
        Whether files may stay open for their maps; who asks for it closes the heads.

    Raises
    ------
    OutputError
        Naming the first shard that is missing, corrupt, of another run or of other data.
    """
    for seed, paths in shards.items():
        if not paths and not allow_missing:
            raise OutputError(f"no shard of relevance for seed {seed}: run `climxai explain`")
    heads: dict[int, list[Head]] = {}
    try:
        _read(shards, heads, allow_missing=allow_missing, keep=keep)
        if not heads:
            raise OutputError("no shard of relevance: run `climxai explain`")
        for seed in shards:
            if seed not in heads:
                LOG.warning("no shard of relevance is left for seed %d: it is left out", seed)
        together = [head for found in heads.values() for head in found]
        check_alike(together, classes)
        _check_fields(together, fields)
    except BaseException:
        close_all(heads)
        raise
    return heads


def close_all(heads: Mapping[int, Sequence[Head]]) -> None:
    """Close the files that were left open.

    The HDF5 library bears no two threads at once: a file that is left to the garbage collector may
    be closed by any thread at any time.
    """
    for found in heads.values():
        for head in found:
            head.close()


def _read(
    shards: Mapping[int, Sequence[Path]],
    heads: dict[int, list[Head]],
    *,
    allow_missing: bool,
    keep: bool,
) -> None:
    """Read the heads of all shards into ``heads``."""
    opened = 0
    for seed, paths in shards.items():
        for path in paths:
            try:
                head = read_head(path, keep=keep and not allow_missing and opened < KEPT)
                opened += 1
                if allow_missing:
                    for _ in relevance_blocks(head, np.ones(len(head.row), dtype=bool)):
                        pass
            except OutputError as error:
                if not allow_missing:
                    raise
                LOG.warning("left out: %s", error)
                continue
            heads.setdefault(seed, []).append(head)
            if head.seed != seed:
                raise OutputError(
                    f"{head.path}: made with seed {head.seed}, expected {seed}: delete it and run "
                    "`climxai explain` again"
                )


def places(fields: xr.DataArray) -> dict[int, int]:
    """Return where along ``sample`` each row of the record stands."""
    return {row: i for i, row in enumerate(fields[dims.ROW].values.tolist())}


def _check_fields(heads: Sequence[Head], fields: xr.DataArray) -> None:
    first, place = heads[0], places(fields)
    same = same_degrees(first.lat, fields[dims.LAT].values) and same_degrees(
        first.lon, fields[dims.LON].values
    )
    channels = tuple(str(name) for name in fields[dims.CHANNEL].values)
    if not same or first.channels != channels:
        raise OutputError(
            f"{first.path}: its grid or channels ({', '.join(first.channels)}) are not those of "
            f"the data ({', '.join(channels)}): the data changed, run `climxai explain` again"
        )
    for head in heads:
        lost = [row for row in head.row.tolist() if row not in place]
        if lost:
            raise OutputError(
                f"{head.path}: explains row {lost[0]}, which the data do not hold: the data "
                "changed, run `climxai explain` again"
            )
