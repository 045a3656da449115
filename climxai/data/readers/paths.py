"""Paths and globs to existing files."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from climxai.core.errors import DataError, did_you_mean


def resolve_files(patterns: Sequence[str]) -> tuple[Path, ...]:
    """Return the files that paths and globs mean, each once, in the order given, globs sorted.

    Raises
    ------
    DataError
        When a path does not exist or is a directory, or a glob matches no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        for path in _matches(pattern):
            found.setdefault(path)
    return tuple(found)


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        raise DataError(
            f"{path} is a directory: give its files as a glob, for example {path / '*.nc'}"
        )
    # A file whose name holds brackets is itself, not a pattern.
    if path.exists():
        return [path]
    if glob.has_magic(pattern):
        # Path.glob takes no absolute pattern.
        names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
        files = [Path(name) for name in names if Path(name).is_file()]
        if not files:
            raise DataError(f"no file matches the glob {pattern}: check `data.files`")
        return files
    hint = ""
    if path.parent.is_dir():
        beside = sorted(other.name for other in path.parent.iterdir() if other.is_file())
        close = did_you_mean(path.name, beside)
        hint = close if close.startswith(" Did") else ""
    raise DataError(f"{path} does not exist: check `data.files`.{hint}")
