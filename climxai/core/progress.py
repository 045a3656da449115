"""Progress: a bar on a terminal, a line now and then in a batch log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 30.0


class Tick(Protocol):
    """Called after each piece of work; ``note`` is a short state, for example the loss."""

    def __call__(self, done: int = 1, note: str = "") -> None:
        """Count ``done`` more pieces of work."""


class _Lines:
    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self.started = self.last = time.monotonic()

    def __call__(self, done: int = 1, note: str = "") -> None:
        self.done += done
        now = time.monotonic()
        if now - self.last >= EVERY_SECONDS and self.done < self.total:
            self.last = now
            spent = now - self.started
            left = spent / max(self.done, 1) * (self.total - self.done)
            LOG.info(
                "%s: %d of %d, about %.0f s left%s",
                self.title,
                self.done,
                self.total,
                left,
                f" ({note})" if note else "",
            )


@contextmanager
def progress(title: str, total: int) -> Iterator[Tick]:
    """Show how far ``total`` pieces of work have come; yields the function to call after each.

    On a terminal (standard error) a bar with the time left, elsewhere a logged line every half
    minute. Nothing goes to standard output.
    """
    if not sys.stderr.isatty():
        yield _Lines(title, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, note="")

        def tick(done: int = 1, note: str = "") -> None:
            bar.update(task, advance=done, note=note)

        yield tick
