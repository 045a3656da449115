"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from climxai.core.errors import OutputError
from climxai.core.files import make_directory, read_json, write_json, write_text, written_aside


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "value.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path, "the value") == {"a": 2}
    assert [child.name for child in path.parent.iterdir()] == ["value.json"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "value.txt"
    write_text(path, "old")

    def half_written() -> None:
        with written_aside(path) as aside:
            aside.write_text("half")
            raise failure

    with pytest.raises(failure):
        half_written()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for content in ("one", "two"):
        with written_aside(path) as aside:
            aside.mkdir()
            (aside / content).write_text(content)
    assert [child.name for child in path.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    def write() -> None:
        with written_aside(tmp_path / "x.txt"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="disk is full: free some space"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_directory_is_needed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="a file stands where a directory is needed"):
        make_directory(tmp_path / "taken" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        make_directory(tmp_path / "below")


def test_nan_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", float("nan"))
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_not_there_or_not_json(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the scores is missing"):
        read_json(tmp_path / "scores.json", "the scores")
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(OutputError, match="the scores cannot be read"):
        read_json(tmp_path / "scores.json", "the scores")
