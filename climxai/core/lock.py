"""One run at a time in an output directory."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from climxai.core.errors import OutputError
from climxai.core.files import make_directory

NAME = ".climxai.lock"
UNREADABLE_SECONDS = 60.0
"""A lock that cannot be read after this time was cut short, by a full disk or a crash."""


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
    except FileNotFoundError:
        return None
    except ValueError:
        # Just being written, or cut short by a crash: only its age can tell.
        return {"pid": "unknown", "host": "unknown", "command": "?", "since": "?"}
    return holder if isinstance(holder, dict) else None


def _abandoned(path: Path, holder: dict[str, Any] | None, host: Any) -> bool:
    """Return whether the lock's process is dead, or the lock is unreadable and not brand new."""
    if holder is None:
        return True
    if holder.get("pid") == "unknown":
        try:
            return time.time() - path.stat().st_mtime > UNREADABLE_SECONDS
        except FileNotFoundError:
            return True
    return holder.get("host") == host and not _alive(int(holder["pid"]))


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
            if _abandoned(path, holder, mine["host"]):
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
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(mine, file)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise OutputError(
                f"cannot write into {directory}: {error.strerror}; free some space or choose "
                "another `output`"
            ) from error
        break
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
