"""Files that appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from climxai.core.errors import OutputError

TEMPORARY = ".part-"
"""Every temporary name holds this, so that leftovers can be told from results and swept away."""


def _explain(path: Path, error: OSError) -> OutputError:
    reasons = {
        errno.ENOSPC: "the disk is full: free some space or choose another `output`",
        errno.EDQUOT: "your quota is used up: free some space or choose another `output`",
        errno.EACCES: "permission denied: choose an `output` you may write to",
        errno.EPERM: "permission denied: choose an `output` you may write to",
        errno.EROFS: "the file system is read-only: choose another `output`",
        errno.ENOTDIR: "a file stands where a directory is needed: choose another `output`",
        errno.EEXIST: "a file stands where a directory is needed: choose another `output`",
    }
    otherwise = f"{error.strerror or error}: choose another `output`"
    return OutputError(f"cannot write {path}: {reasons.get(error.errno or 0, otherwise)}")


def make_directory(path: Path) -> Path:
    """Create a directory and its parents; return it.

    Raises
    ------
    OutputError
        When it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _explain(path, error) from error
    if not os.access(path, os.W_OK):
        raise _explain(path, PermissionError(errno.EACCES, "not writable"))
    return path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    The temporary keeps the suffix of ``path`` (writers choose a format by it) and may become a file
    or a directory. On any failure, Ctrl-C included, it is removed and ``path`` is left as it was.

    Raises
    ------
    OutputError
        When the file system refuses, with what to do.
    """
    make_directory(path.parent)
    aside = path.parent / f".{path.stem}{TEMPORARY}{uuid.uuid4().hex[:8]}{path.suffix}"
    try:
        yield aside
        if aside.is_dir() and path.is_dir():
            _replace_directory(aside, path)
        else:
            aside.replace(path)
    except OSError as error:
        raise _explain(path, error) from error
    finally:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def _replace_directory(aside: Path, path: Path) -> None:
    # A directory cannot be renamed over a filled one: move the old one away first.
    old = path.parent / f".{path.name}{TEMPORARY}{uuid.uuid4().hex[:8]}"
    path.replace(old)
    aside.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, indented; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path, what: str) -> Any:
    """Read JSON; ``what`` names the file in the error.

    Raises
    ------
    OutputError
        When it is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OutputError(f"{what} is missing: {path} does not exist") from None
    except (OSError, ValueError) as error:
        raise OutputError(f"{what} cannot be read: {path}: {error}") from error
