"""One run at a time in a directory."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import socket
from pathlib import Path

import pytest

from climxai.core.errors import OutputError
from climxai.core.lock import NAME, UNREADABLE_SECONDS, locked


def test_a_second_run_is_refused_and_told_who_holds_the_directory(tmp_path: Path) -> None:
    with locked(tmp_path, "train"):
        with pytest.raises(OutputError, match=r"in use by `climxai train` \(process \d+ on"):
            locked(tmp_path, "explain").__enter__()
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []


def test_it_is_released_on_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with locked(tmp_path, "train"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def _nothing() -> None:
    pass


def test_a_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_nothing)
    process.start()
    process.join()
    holder = {"host": socket.gethostname(), "pid": process.pid, "command": "train", "since": "?"}
    (tmp_path / NAME).write_text(json.dumps(holder))
    with locked(tmp_path, "explain"):
        assert json.loads((tmp_path / NAME).read_text())["command"] == "explain"


def test_a_lock_of_another_host_is_respected(tmp_path: Path) -> None:
    holder = {"host": "another-host", "pid": 1, "command": "train", "since": "yesterday"}
    (tmp_path / NAME).write_text(json.dumps(holder))
    with pytest.raises(OutputError, match="another-host"):
        locked(tmp_path, "explain").__enter__()


def test_a_lock_cut_short_does_not_hold_for_ever(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("")
    with pytest.raises(OutputError, match="in use by"):
        locked(tmp_path, "explain").__enter__()
    long_ago = path.stat().st_mtime - 2 * UNREADABLE_SECONDS
    os.utime(path, (long_ago, long_ago))
    with locked(tmp_path, "explain"):
        pass


def test_a_full_disk_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OutputError, match="free some space"):
        locked(tmp_path, "train").__enter__()
    assert list(tmp_path.iterdir()) == []
