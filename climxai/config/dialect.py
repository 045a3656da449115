"""The YAML that configurations are written in: scalars, and syntax errors in plain words.

The dialect is the core schema of YAML 1.2: only ``true`` and ``false`` are booleans (``yes``,
``no``, ``on`` and ``off`` stay text), ``1e-4`` is a number, dates and sexagesimals stay text,
``0o17`` is octal and ``017`` is seventeen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from climxai.config.mistakes import Place

CORE = "tag:yaml.org,2002:"
MERGE = CORE + "merge"
# Longer numbers are floats, and infinite: int() refuses more than 4,300 digits.
_IMPLICIT = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]{1,300}|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^<<$", "<"),
)


class CoreLoader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2 in place of those of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, _pattern, _first in _IMPLICIT:
    CoreLoader.add_implicit_resolver(CORE + _name, re.compile(_pattern), list(_first))


def no_tag(tag: str) -> str:
    """Return why a tag is refused."""
    shown = "!!" + tag.removeprefix(CORE) if tag.startswith(CORE) else tag
    return (
        f"the tag `{shown}` is not allowed: a configuration holds only text, numbers, lists, blocks"
    )


def scalar_value(tag: str, text: str) -> Any:
    """Return the plain value of a scalar's text under a tag.

    Raises
    ------
    ValueError
        When the tag is not allowed, or the text is not what the tag says.
    """
    kind = tag.removeprefix(CORE)
    if tag == CORE + "str" or tag == MERGE:
        return text
    if not tag.startswith(CORE) or kind not in _VALUES:
        raise ValueError(no_tag(tag))
    if not re.match(next(pattern for name, pattern, _ in _IMPLICIT if name == kind), text):
        raise ValueError(f"{text!r} is not what its tag `!!{kind}` says")
    return _VALUES[kind](text)


def _truth(text: str) -> bool:
    return text.lower() == "true"


def _whole(text: str) -> int:
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _real(text: str) -> float:
    return float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))


def _nothing(_text: str) -> None:
    return None


_VALUES: dict[str, Callable[[str], Any]] = {
    "bool": _truth,
    "int": _whole,
    "float": _real,
    "null": _nothing,
}


def syntax_problem(error: yaml.YAMLError, text: str, source: str) -> str:
    """Return a parser's complaint in plain words, with its place."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before.rpartition("\n")[2]) + 1
        place = Place(source, before.count("\n") + 1, column)
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return f"{place}: the character U+{code:04X} is not allowed in YAML; remove it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{source}: not valid YAML: {error}"
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)
    problem, context = error.problem or "", error.context or ""
    at = text[mark.index : mark.index + 1] if mark and mark.index is not None else ""
    if "single document" in context:
        return f"{place}: a second document begins here, expected one; remove the `---`"
    if at == "\t" or "'\\t'" in problem:
        return f"{place}: a tab stands where YAML wants spaces; indent with spaces"
    if "undefined alias" in problem or "scanning an alias" in context:
        return f"{place}: text that begins with `*` must be quoted, as in '*.nc'"
    if "cannot start any token" in problem:
        return f"{place}: text cannot begin with {at!r} here; put it in quotes"
    if "mapping values are not allowed" in problem:
        return (
            f"{place}: a `:` was not expected here; check the indentation, or quote a text that "
            "holds `: `"
        )
    begin = error.context_mark
    far = begin is not None and mark is not None and begin.line != mark.line
    where = f" (in what begins on line {begin.line + 1})" if begin and far else ""
    said = ", ".join(part for part in (context, problem) if part)
    return f"{place}: not valid YAML: {said}{where}; check indentation, quotes and brackets"
