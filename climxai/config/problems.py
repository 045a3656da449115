"""pydantic's complaints in the user's terms: which key, on which line, found, expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from climxai.config.kinds import branches, choice, key_names, record_of, step, unwrap, words
from climxai.config.mistakes import Mistake
from climxai.config.reading import Document, Keys
from climxai.core.errors import did_you_mean
from climxai.core.record import OneOf

LONGEST_SHOWN = 60
_MISSING, _UNKNOWN = "missing", "extra_forbidden"


@dataclass(frozen=True)
class Problem:
    """One complaint, with its place in the file found out."""

    error: ErrorDetails
    keys: Keys
    """the value meant, or the block that lacks a key"""
    value: Any
    kind: Any
    """type expected there; None where it is not known"""
    union: Keys | None
    """where one of several alternative types was tried"""
    branch: str
    """the alternative"""
    siblings: tuple[str, ...]
    """for an unknown key: the keys that are known in its place"""
    inside: bool
    """whether the complaint is about a part that the short form in the file does not spell out"""

    @property
    def custom(self) -> bool:
        """Whether the text was written for users, by a record's own check."""
        return self.error["type"] not in _PYDANTIC_OWN


# Their words are pydantic's; all other errors were written for users, by a record's own check.
_PYDANTIC_OWN = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}


def mistakes(error: ValidationError, root: Any, document: Document) -> tuple[Mistake, ...]:
    """Return what is wrong with ``document`` as a ``root``, one mistake per wrong value."""
    problems = [_locate(each, root, document.value) for each in error.errors(include_url=False)]
    kept = _without_consequences(list(_best_branches(problems)))
    return tuple(dict.fromkeys(_mistake(each, document) for each in kept))


def misread_booleans(root: Any, document: Document) -> tuple[Mistake, ...]:
    """Return where ``true`` or ``false`` stands for a number, which pydantic takes for 1 or 0."""

    def walk(value: Any, kind: Any, keys: Keys) -> Iterator[Mistake]:
        if kind is None:
            return
        if isinstance(value, bool):
            types = [unwrap(part)[0] for part in branches(kind)]
            if bool not in types and (int in types or float in types):
                text = f"found {shown(document, keys, value)}, expected {words(kind)}"
                yield Mistake(document.place(keys), dotted(keys), text)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                yield from walk(inner, step(kind, value, key), (*keys, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from walk(inner, step(kind, value, index), (*keys, index))

    return tuple(walk(document.value, root, ()))


def dotted(keys: Keys) -> str:
    """Return keys the way ``--set`` takes them."""
    return ".".join(map(str, keys))


def shown(document: Document, keys: Keys, value: Any) -> str:
    """Return a value as the user wrote it, shortened where it is long."""
    written = document.written.get(keys)
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a block" if value else "an empty block"
    if isinstance(value, list | tuple):
        parts = [shown(document, (*keys, index), each) for index, each in enumerate(value)]
        text = f"[{', '.join(parts)}]"
        return text if len(text) <= LONGEST_SHOWN else f"a list of {len(value)} values"
    if written is None:
        written = ("true" if value else "false") if isinstance(value, bool) else str(value)
    written = " ".join(written.split())
    if len(written) > LONGEST_SHOWN:
        written = written[: LONGEST_SHOWN - 1] + "…"
    if isinstance(value, str) and written[:1] not in ("'", '"'):
        return f"'{written}'"
    return written


def _tables(kind: Any) -> Iterator[OneOf]:
    for part in branches(kind):
        inner, metadata = unwrap(part)
        table = choice(metadata)
        if table is not None:
            yield table
        elif get_origin(inner) in (tuple, list):
            yield from _tables(get_args(inner)[0])


def _name_of(value: Any, kind: Any) -> str | None:
    """Return the entry of a table that a block or short form names."""
    for table in _tables(kind):
        name = value.get("name", table.default) if isinstance(value, Mapping) else value
        if isinstance(name, str) and name in table.table:
            return name
    return None


def _locate(error: ErrorDetails, root: Any, value: Any) -> Problem:
    """Follow pydantic's location through what the file holds.

    Its elements are keys and indices, but also names of union alternatives, of table entries, and
    parts that a short form (a region's name, one entry for a list) does not spell out.
    """
    keys: Keys = ()
    kind: Any = root
    union: Keys | None = None
    branch, named, inside = "", False, False
    around: tuple[str, ...] = ()
    part: Any = None
    outer: Any = None
    steps = error["loc"]
    if error["type"] == _MISSING:
        steps = steps[:-1]
    for element in steps:
        name = None if kind is None or named else _name_of(value, kind)
        if name is not None and element == name:
            named = True
        elif isinstance(value, Mapping) and element in value:
            around = () if kind is None else _fields(kind, value)
            outer = kind
            kind = None if kind is None else step(kind, value, element)
            keys, value, named, inside = (*keys, element), value[element], False, False
        elif isinstance(value, list) and isinstance(element, int) and element < len(value):
            kind = None if kind is None else step(kind, value, element)
            keys, value, named, inside = (*keys, element), value[element], False, False
        elif kind is not None and not isinstance(element, int) and _is_union(kind) and not branch:
            union, branch = keys, str(element)
        elif element == "[key]":
            around = key_names(outer)
        elif not isinstance(element, int):
            inside, part = True, None if kind is None else step(kind, {}, element)
    if error["type"] == "unknown_name" and isinstance(value, Mapping) and "name" in value:
        keys, value = (*keys, "name"), value["name"]
    if inside and union is None and part is not None and value == error["input"]:
        kind, inside = part, False  # one word, short for a block with just that
    if inside and isinstance(value, list):
        same = [i for i, each in enumerate(value) if each == error["input"]]
        if len(same) == 1:
            keys, value, inside = (*keys, same[0]), value[same[0]], False
            kind = part
    return Problem(error, keys, value, kind, union, branch, around, inside)


def _is_union(kind: Any) -> bool:
    return sum(unwrap(part)[0] is not type(None) for part in branches(kind)) > 1


def _best_branches(problems: list[Problem]) -> Iterator[Problem]:
    """Of the alternatives of a union keep the one that was meant, or one for all of them."""
    groups: dict[Keys, list[Problem]] = {}
    for each in problems:
        if each.union is None:
            yield each
        else:
            groups.setdefault(each.union, []).append(each)
    for keys, group in groups.items():
        by_branch: dict[str, list[Problem]] = {}
        for each in group:
            by_branch.setdefault(each.branch, []).append(each)
        # An alternative whose complaints all lie deeper was recognised as such.
        deeper = [
            one
            for one in by_branch.values()
            if all(each.keys != keys or each.error["type"] == _MISSING for each in one)
        ]
        if deeper:
            yield from min(deeper, key=len)
        else:
            yield _clearest(group)


def _clearest(group: list[Problem]) -> Problem:
    for each in group:
        if each.custom and "Did you mean" in each.error["msg"]:
            return each
    for each in group:
        if each.custom and (not each.inside or isinstance(each.value, Mapping | list)):
            return each
    # The expected words are those of the whole union.
    return next((each for each in group if not each.custom), group[0])


def _unknown(error: ErrorDetails) -> bool:
    key = error["loc"][-1:] == ("[key]",) and error["type"] in ("literal_error", "enum")
    return key or error["type"] == _UNKNOWN


def _without_consequences(problems: list[Problem]) -> list[Problem]:
    """Drop what another problem explains.

    That is "missing" where an unknown key beside it is plainly that key misspelt, and "too short"
    where an entry is wrong, which pydantic then does not count.
    """
    meant = set()
    for each in problems:
        if _unknown(each.error):
            hint = did_you_mean(str(each.keys[-1]), each.siblings)
            meant.add((each.keys[:-1], hint))

    def follows(problem: Problem) -> bool:
        if problem.error["type"] == "too_short":
            length = len(problem.keys)
            return any(p.keys[:length] == problem.keys and len(p.keys) > length for p in problems)
        hint = f" Did you mean {problem.error['loc'][-1]!r}?"
        return problem.error["type"] == _MISSING and (problem.keys, hint) in meant

    return [each for each in problems if not follows(each)]


def _fields(kind: Any, value: Any) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(name for each in record_of(kind, value) for name in each.model_fields)
    )


def _mistake(problem: Problem, document: Document) -> Mistake:
    error, keys, kind = problem.error, problem.keys, problem.kind
    place = document.place(keys)
    if _unknown(error):
        hint = did_you_mean(str(keys[-1]), problem.siblings)
        return Mistake(document.key_place(keys), dotted(keys), f"unknown key.{hint}")
    if error["type"] == _MISSING:
        lacking = error["loc"][-1]
        wanted = None if kind is None else step(kind, problem.value, lacking)
        text = "missing" if wanted is None else f"missing, expected {_expected(wanted)}"
        return Mistake(place, dotted((*keys, lacking)), text)
    if problem.custom or kind is None:
        text = _plain(error["msg"])
        if not problem.custom:
            text = f"found {shown(document, keys, problem.value)}, {text}"
        return Mistake(place, dotted(keys), text)
    if error["type"] == "finite_number":
        text = f"found {shown(document, keys, problem.value)}, expected a finite number"
        return Mistake(place, dotted(keys), text)
    hint = _literal_hint(problem.value, kind)
    text = f"found {shown(document, keys, problem.value)}, expected {_expected(kind)}{hint}"
    return Mistake(place, dotted(keys), text)


def _expected(kind: Any) -> str:
    known = [name for table in _tables(kind) for name in table.table]
    return f"{words(kind)} ({', '.join(known)})" if known else words(kind)


def _literal_hint(value: Any, kind: Any) -> str:
    options = [
        option
        for part in branches(kind)
        if get_origin(unwrap(part)[0]) is Literal
        for option in get_args(unwrap(part)[0])
        if isinstance(option, str)
    ]
    hint = did_you_mean(value, options) if isinstance(value, str) else ""
    return f".{hint}" if "Did you mean" in hint else ""


def _plain(message: str) -> str:
    for jargon, plain in (
        ("Value error, ", ""),
        ("Assertion failed, ", ""),
        ("Input should be ", "expected "),
        ("valid dictionary or instance of ", "block for "),
    ):
        message = message.replace(jargon, plain)
    return message
