"""Paths in a configuration: relative to the YAML file, or to the shell for ``--set``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo


class FromCommandLine(str):
    """Text given by ``--set``: a path in it is relative to the working directory."""

    __slots__ = ()


def _resolve(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str | Path):
        return value
    text = os.path.expandvars(str(value))
    path = Path(text).expanduser()
    if isinstance(value, FromCommandLine):
        return str(Path.cwd() / path)
    base = (info.context or {}).get("base")
    # Joined without resolving links: the path a user sees is the path the user gave.
    return os.path.normpath(Path(base) / path) if base is not None else str(path)


ConfigPath = Annotated[str, BeforeValidator(_resolve)]
"""A path or glob; validated with ``context={"base": folder}`` it becomes absolute."""
