"""One run at a time in an output directory."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from climxai.core.errors import OutputError
from climxai.core.files import make_directory

NAME = ".climxai.lock"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holder(path: Path) -> dict[str, Any] | None:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return holder if isinstance(holder, dict) else None


@contextmanager
def locked(directory: Path, command: str) -> Iterator[None]:
    """Hold ``directory`` while the block runs.

    The lock is a file made with O_EXCL, which network file systems honour too. A lock left by a
    process of this host that no longer lives is taken over.

    Raises
    ------
    OutputError
        When another run holds the directory; the message names it.
    """
    make_directory(directory)
    path = directory / NAME
    mine = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for _ in range(2):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            holder = _holder(path)
            if holder and holder.get("host") == mine["host"] and not _alive(int(holder["pid"])):
                path.unlink(missing_ok=True)
                continue
            who = (
                f"`climxai {holder.get('command')}` (process {holder.get('pid')} on "
                f"{holder.get('host')}, since {holder.get('since')})"
                if holder
                else "another run"
            )
            raise OutputError(
                f"{directory} is in use by {who}: wait for it, choose another `output`, or remove "
                f"{path} if that run is no longer there"
            ) from None
        except OSError as error:
            raise OutputError(f"cannot write into {directory}: {error.strerror}") from error
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(mine, file)
        break
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
