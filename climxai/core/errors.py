"""Errors a user can act on, each with the exit code of its kind."""

from __future__ import annotations


class ClimxaiError(Exception):
    """An error caused by what the user gave, not by a defect of the program.

    The message says where, what was found, what was expected and what to do. Everything that is not
    a `ClimxaiError` is a bug and ends with exit code 1 and a traceback.
    """

    exit_code = 1


class ConfigError(ClimxaiError):
    """The configuration file or a command-line setting is wrong (exit code 2)."""

    exit_code = 2


class DataError(ClimxaiError):
    """An input file, or what it holds, does not suit the experiment (exit code 3)."""

    exit_code = 3


class ModelError(ClimxaiError):
    """A network, its training or its explanation cannot go on (exit code 4)."""

    exit_code = 4


class OutputError(ClimxaiError):
    """The output directory or a file in it cannot be written or read (exit code 5)."""

    exit_code = 5


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest known word, or the list of known words.

    Parameters
    ----------
    word
        What was found.
    known
        What would have been accepted.
    """
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(known)}." if known else ""
