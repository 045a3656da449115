"""What is wrong with a configuration: a list of mistakes, each with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A line and column (from 1) of a file, or a setting of the command line (line 0)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong: where, under which key, and what was found and expected."""

    place: Place
    key: str
    text: str

    def __str__(self) -> str:
        # What was set on the command line already names its key.
        key = f"{self.key}: " if self.key and self.place.source != f"--set {self.key}" else ""
        return f"{self.place}: {key}{self.text}"


@dataclass(frozen=True)
class Mistakes:
    """All mistakes of one configuration."""

    source: str
    mistakes: tuple[Mistake, ...]

    def text(self) -> str:
        """Return one line for one mistake, else the count and a line for each, by place.

        What stands in the file comes first, what was set on the command line after it.
        """
        ordered = sorted(self.mistakes, key=lambda each: (each.place.line == 0, each.place))
        lines = list(dict.fromkeys(map(str, ordered)))
        if len(lines) == 1:
            return lines[0]
        return "\n  ".join([f"{len(lines)} mistakes in {self.source}:", *lines])
