"""Standard logging: to standard error for people, to ``run.log`` for the record."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _Plain(logging.Formatter):
    """Information as it is; anything graver with its level in front."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {text}"


def log_to_stderr(*, verbose: bool = False, quiet: bool = False) -> None:
    """Send the package's messages to standard error; call once, from the command line."""
    root = logging.getLogger("climxai")
    for handler in list(root.handlers):
        root.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(message)s"))
    # The level is the handler's: run.log keeps everything, however quiet the terminal is.
    handler.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.propagate = False


@contextmanager
def log_to_file(path: Path) -> Iterator[None]:
    """Append the package's messages, and Python warnings, to ``path`` while the block runs."""
    root = logging.getLogger("climxai")
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    root.addHandler(handler)
    shown = warnings.showwarning

    def to_log(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        del file, line
        root.debug("%s:%d: %s: %s", filename, lineno, category.__name__, message)

    warnings.showwarning = to_log
    try:
        yield
    finally:
        warnings.showwarning = shown
        root.removeHandler(handler)
        handler.close()
