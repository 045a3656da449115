"""What can be written into a configuration: every table's entries with their fields."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from climxai.config.experiment import Experiment
from climxai.config.kinds import branches, choice, field_type, unwrap, words
from climxai.config.writing import to_yaml
from climxai.core.period import Period
from climxai.core.record import OneOf, Record
from climxai.core.region import Region


@dataclass(frozen=True)
class FieldRow:
    """One setting."""

    name: str
    type: str
    """in plain words"""
    default: str | None
    """as YAML on one line; None where the setting must be given"""
    doc: str


@dataclass(frozen=True)
class EntryRow:
    """One entry of a table, or one plain block."""

    name: str
    """for a block inside an entry of a table, the name of that entry"""
    summary: str
    """one line"""
    doc: str
    """the whole description, summary included"""
    fields: tuple[FieldRow, ...]


@dataclass(frozen=True)
class TableRows:
    """What may stand under one key."""

    key: str
    """dotted, as ``--set`` takes it, without list numbers: ``explain.methods``"""
    kind: str
    """what an entry is called; ``section`` or ``block`` for what is no table"""
    default: str | None
    """the entry meant when a block has no ``name``"""
    entries: tuple[EntryRow, ...]


def tables() -> Mapping[str, Mapping[str, type[Record]]]:
    """Return every table by the key under which its entries stand, nested ones included."""
    found = {each.key: each.what.table for each in _walk() if isinstance(each.what, OneOf)}
    return MappingProxyType(found)


def listing() -> tuple[TableRows, ...]:
    """Return every table and plain block in the order of the sections, as rows for printing."""
    rows = []
    for each in _walk():
        if isinstance(each.what, OneOf):
            table = each.what
            entries = tuple(_entry(name, record) for name, record in table.table.items())
            rows.append(TableRows(each.key, table.kind, table.default, entries))
        else:
            kind = "block" if "." in each.key else "section"
            entry = _entry(each.owner or each.key, each.what)
            rows.append(TableRows(each.key, kind, None, (entry,)))
    return tuple(rows)


@dataclass(frozen=True)
class _Found:
    """A table or a plain block, the key it stands under, and the table entry it belongs to."""

    key: str
    owner: str
    what: OneOf | type[Record]


def _walk() -> Iterator[_Found]:
    """Yield every table and plain block once, depth first."""
    seen: set[int] = {id(Experiment), id(Region), id(Period)}

    def inside(record: type[Record], key: str, owner: str) -> Iterator[_Found]:
        for name, info in record.model_fields.items():
            yield from of(field_type(info), f"{key}.{name}" if key else name, owner)

    def of(kind: Any, key: str, owner: str) -> Iterator[_Found]:
        for part in branches(kind):
            inner, metadata = unwrap(part)
            table = choice(metadata)
            if table is not None:
                new = {n: record for n, record in table.table.items() if id(record) not in seen}
                seen.update(map(id, new.values()))
                if new:
                    yield _Found(key, owner, table)
                for name, record in new.items():
                    yield from inside(record, key, name)
            elif isinstance(inner, type) and issubclass(inner, Record):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    yield _Found(key, owner, inner)
                    yield from inside(inner, key, owner)
            else:
                for arg in get_args(inner):
                    yield from of(arg, key, owner)

    yield from inside(Experiment, "", "")


def _entry(name: str, record: type[Record]) -> EntryRow:
    doc = inspect.cleandoc(record.__doc__ or "")
    fields = tuple(
        FieldRow(field, words(field_type(info)), _default(info), _one_line(info.description))
        for field, info in record.model_fields.items()
        if field != "name"
    )
    return EntryRow(name, _one_line(doc.split("\n\n")[0]), doc, fields)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _default(info: FieldInfo) -> str | None:
    if info.is_required():
        return None
    return to_yaml(_short(info.get_default(call_default_factory=True)), flow=True)


def _short(value: Any) -> Any:
    """Return a default as a user would write it: a record by its name, or what it changes."""
    if isinstance(value, BaseModel):
        block: dict[str, Any] = {}
        for name, info in type(value).model_fields.items():
            here = getattr(value, name)
            if name == "name" or here != info.get_default(call_default_factory=True):
                block[name] = _short(here)
        return block["name"] if list(block) == ["name"] else block
    if isinstance(value, tuple | list):
        return [_short(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _short(each) for key, each in value.items()}
    return value
