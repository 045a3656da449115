"""Where a result comes from: configuration, versions, input digests, command, times."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from climxai.core.digest import file_digest
from climxai.version import __version__

PACKAGES = (
    "torch",
    "numpy",
    "xarray",
    "dask",
    "netCDF4",
    "cf-xarray",
    "scikit-learn",
    "safetensors",
    "cartopy",
    "matplotlib",
)


def now() -> str:
    """Return the time in UTC, ISO 8601 to the second.

    The environment variable ``SOURCE_DATE_EPOCH`` fixes it, so that whole files can be compared.
    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    time = datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def command_line() -> str:
    """Return the command as it was typed, the program's folder left out."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return shlex.join([program, *sys.argv[1:]])


def versions() -> dict[str, str]:
    """Return the versions of this tool, of Python and of the packages that shape results."""
    found = {"climxai": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def input_digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return path -> SHA-256 of the bytes of each input file."""
    return {str(path): file_digest(path) for path in paths}


def history(verb: str) -> str:
    """Return one CF ``history`` line."""
    return f"{now()} climxai {__version__} {verb}: {command_line()}"


def record(inputs: Iterable[Path]) -> dict[str, Any]:
    """Return what ``provenance.json`` starts from: versions, platform, command, input digests."""
    return {
        "versions": versions(),
        "platform": platform.platform(),
        "command": command_line(),
        "started": now(),
        "inputs": input_digests(inputs),
    }
