"""What a setting's type is, in plain words, and which types may stand under a key."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from climxai.core.paths import ConfigPath
from climxai.core.period import Period
from climxai.core.record import OneOf, Record
from climxai.core.region import Region

_IS_PATH = get_args(ConfigPath)[1]
_SCALARS = {
    str: ("text", "texts"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    type(None): ("nothing", "nothing"),
    Any: ("anything", "anything"),
}
_BOUNDS = (
    (annotated_types.Gt, "gt", "greater than"),
    (annotated_types.Ge, "ge", "at least"),
    (annotated_types.Lt, "lt", "less than"),
    (annotated_types.Le, "le", "at most"),
)


class Words(str):
    """Metadata of a type whose description in messages and listings is this text."""

    __slots__ = ()


def field_type(info: FieldInfo) -> Any:
    """Return a field's type together with its constraints."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def unwrap(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type inside ``Annotated`` and what annotates it."""
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        return inner, tuple(metadata)
    return kind, ()


def choice(metadata: tuple[Any, ...]) -> OneOf | None:
    """Return the table a type picks from, if it does."""
    return next((each for each in metadata if isinstance(each, OneOf)), None)


def branches(kind: Any) -> tuple[Any, ...]:
    """Return the alternatives of a union, or the type alone; a table is one alternative."""
    inner, metadata = unwrap(kind)
    if choice(metadata) is None and get_origin(inner) in (Union, types.UnionType):
        # What constrains the union constrains each alternative.
        outer = tuple(each for each in metadata if not isinstance(each, Words))
        parts = (Annotated[arg, *outer] if outer else arg for arg in get_args(inner))
        return tuple(alternative for part in parts for alternative in branches(part))
    return (kind,)


def words(kind: Any, many: bool = False) -> str:
    """Return a type in plain words, for example ``a whole number greater than 0``.

    Parameters
    ----------
    kind
        A type, with or without ``Annotated``.
    many
        Whether to use the plural.
    """
    parts = branches(kind)
    if len(parts) > 1:
        _, outer = unwrap(kind)
        said = next((each for each in outer if isinstance(each, Words)), None)
        return said or _join(list(dict.fromkeys(_alternatives(parts, many))), "or")
    inner, metadata = unwrap(kind)
    said = next((each for each in metadata if isinstance(each, Words)), None)
    if said is not None:
        return said
    table = choice(metadata)
    if table is not None:
        return f"{table.kind}s" if many else f"{_article(table.kind)} {table.kind}"
    if _IS_PATH in metadata:
        return "paths" if many else "a path"
    if get_origin(inner) is Literal:
        return _join([_shown(value) for value in get_args(inner)], "or")
    if inner in _SCALARS:
        bounds = _bounds(metadata) if inner in (int, float) else ""
        return _SCALARS[inner][many] + bounds
    if isinstance(inner, type) and issubclass(inner, Record):
        return _record(inner, many)
    return _container(inner, many, _lengths(metadata))


def _alternatives(parts: tuple[Any, ...], many: bool) -> Iterator[str]:
    for part in parts:
        inner, _ = unwrap(part)
        if get_origin(inner) is Literal:
            yield from (_shown(value) for value in get_args(inner))
        else:
            yield words(part, many)


def _record(record: type[Record], many: bool) -> str:
    if record is Region:
        return "regions" if many else "a region (a name, [south, north, west, east] or a block)"
    if record is Period:
        return "periods" if many else "a period like 1991-2020 or 1998-05/1999-02"
    if many:
        return "blocks"
    block = f"a block with {', '.join(each for each in record.model_fields if each != 'name')}"
    # A name that picks no record but one of several settings may stand for the block.
    names = named_forms(record)
    return _join([*map(_shown, names), block], "or") if names else block


def named_forms(record: type[Record]) -> tuple[str, ...]:
    """Return the names of a record that has several, each short for a block with it."""
    info = record.model_fields.get("name")
    options = get_args(info.annotation) if info and get_origin(info.annotation) is Literal else ()
    return options if len(options) > 1 else ()


def _held(kind: Any) -> str:
    inner, _ = unwrap(kind)
    if isinstance(inner, type) and issubclass(inner, Record) and inner not in (Region, Period):
        return f"{{{', '.join(each for each in inner.model_fields if each != 'name')}}}"
    return words(kind)


def _container(inner: Any, many: bool, count: str) -> str:
    origin, args = get_origin(inner), get_args(inner)
    if origin in (tuple, list, set, frozenset):
        if origin is not tuple or (len(args) == 2 and args[1] is Ellipsis):
            return f"{'lists' if many else 'a list'} of {count}{words(args[0], True)}"
        items = ", ".join(words(arg) for arg in args)
        return f"{'lists' if many else 'a list'} [{items}]"
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return f"{'blocks' if many else 'a block'} of names, each with {_held(args[1])}"
    return getattr(inner, "__name__", str(inner))


def _constraints(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        if isinstance(each, annotated_types.GroupedMetadata):
            yield from each
        elif isinstance(each, FieldInfo):
            yield from each.metadata
        else:
            yield each


def _bounds(metadata: tuple[Any, ...]) -> str:
    found = {}
    for each in _constraints(metadata):
        for cls, attribute, text in _BOUNDS:
            if isinstance(each, cls):
                found[text] = _shown(getattr(each, attribute))
    if {"at least", "at most"} <= set(found):
        return f" from {found['at least']} to {found['at most']}"
    return " and".join(f" {text} {bound}" for text, bound in found.items())


def _lengths(metadata: tuple[Any, ...]) -> str:
    least = most = None
    for each in _constraints(metadata):
        if isinstance(each, annotated_types.MinLen):
            least = each.min_length
        if isinstance(each, annotated_types.MaxLen):
            most = each.max_length
    if least is not None and most is not None:
        return f"{least} to {most} "
    if least is not None:
        return f"{least} or more "
    return f"at most {most} " if most is not None else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _join(parts: list[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def _article(word: str) -> str:
    spelt = len(word) > 1 and word[:2].isupper()
    return "an" if word[0] in ("AEFHILMNORSX" if spelt else "aeiou") else "a"


def record_of(kind: Any, value: Any) -> list[type[Record]]:
    """Return the records a value of this type may be meant as.

    A table's ``name`` picks one of its records; a value without a known name picks none.
    """
    found: list[type[Record]] = []
    for part in branches(kind):
        inner, metadata = unwrap(part)
        table = choice(metadata)
        if table is not None:
            name = value.get("name", table.default) if isinstance(value, Mapping) else value
            if isinstance(name, str) and name in table.table:
                found.append(table.table[name])
        elif isinstance(inner, type) and issubclass(inner, Record):
            found.append(inner)
        elif _is_list(inner) and not isinstance(value, list):
            found.extend(record_of(get_args(inner)[0], value))  # one entry, short for a list
    return found


def _is_list(inner: Any) -> bool:
    return get_origin(inner) in (tuple, list) and bool(get_args(inner))


def key_names(kind: Any) -> tuple[str, ...]:
    """Return the keys a block of names may have, where only some are known."""
    found: list[str] = []
    for part in branches(kind):
        args = get_args(unwrap(part)[0])
        if len(args) == 2 and get_origin(args[0]) is Literal:
            found.extend(get_args(args[0]))
    return tuple(found)


def step(kind: Any, value: Any, key: str | int) -> Any | None:
    """Return the type of what stands under ``key`` in a ``value`` of a type; None: not known."""
    found: list[Any] = []
    for record in record_of(kind, value):
        if key in record.model_fields:
            found.append(field_type(record.model_fields[str(key)]))
    for part in branches(kind):
        inner, metadata = unwrap(part)
        if choice(metadata) is not None:
            continue
        args = get_args(inner)
        if _is_list(inner) and isinstance(key, int):
            variable = get_origin(inner) is list or args[-1] is Ellipsis
            if variable or key < len(args):
                found.append(args[0] if variable else args[key])
        elif len(args) == 2 and isinstance(key, str) and not _is_list(inner):
            origin = get_origin(inner)
            if isinstance(origin, type) and issubclass(origin, Mapping):
                found.append(args[1])
    if not found:
        return None
    return found[0] if len(found) == 1 else Union[tuple(found)]  # noqa: UP007
