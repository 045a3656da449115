"""Fingerprints of files and values: what makes two runs the same run."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any


def digest_of(*parts: Any) -> str:
    """Return the SHA-256 of JSON-serialisable parts, as hexadecimal text."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; read once per process while size and time stay."""
    stat = path.stat()
    return _file_digest(path, (stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=4096)
def _file_digest(path: Path, _state: tuple[int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
