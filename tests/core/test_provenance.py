"""Digests against hashlib, versions against the packages, times that can be fixed."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from climxai.core import provenance
from climxai.core.digest import digest_of, file_digest
from climxai.core.log import log_to_file, log_to_stderr


def test_a_file_digest_is_its_sha256_and_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (b"one", b"other"):
        path.write_bytes(content)
        assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_the_digest_of_values_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of([1, 2]) != digest_of([2, 1])


def test_versions_are_those_installed() -> None:
    assert provenance.versions()["numpy"] == np.__version__


def test_the_time_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1e9 seconds after 1970 is a well-known moment.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert provenance.now() == "2001-09-09T01:46:40Z"


def test_messages_go_to_standard_error_and_to_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr()
    log = logging.getLogger("climxai.somewhere")
    with log_to_file(tmp_path / "run.log"):
        log.info("plain words")
        log.warning("mind this")
    log.info("after")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "plain words\nwarning: mind this\nafter\n"
    written = (tmp_path / "run.log").read_text()
    assert "plain words" in written
    assert "after" not in written
