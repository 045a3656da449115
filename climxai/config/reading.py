"""YAML text to plain values, every one of which knows its line and column.

Equal keys, unknown tags, several documents and aliases that multiply are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from climxai.config.dialect import CORE, MERGE, CoreLoader, no_tag, scalar_value, syntax_problem
from climxai.config.mistakes import Mistake, Mistakes, Place
from climxai.core.errors import ConfigError

Keys = tuple[str | int, ...]
"""Where a value stands: the keys and list indices that lead to it."""

MOST_BYTES = 4_000_000
MOST_VALUES = 100_000
MOST_LEVELS = 60


@dataclass
class Document:
    """A file's plain values, and where each of them was written."""

    value: Any
    values: dict[Keys, Place] = field(default_factory=dict)
    """place of each value"""
    names: dict[Keys, Place] = field(default_factory=dict)
    """place of the key in front of each value"""
    written: dict[Keys, str] = field(default_factory=dict)
    """each scalar as the user wrote it"""
    mistakes: tuple[Mistake, ...] = ()
    """equal keys and tags: reading went on behind them, so that all mistakes are found at once"""

    def place(self, keys: Keys) -> Place:
        """Return where the value under ``keys``, or the closest block around it, was written."""
        for stop in range(len(keys), 0, -1):
            part = keys[:stop]
            # A block is best shown by its name: its own first line is already its first key.
            places = self.values if part in self.written else self.names
            if part in places or part in self.values:
                return places.get(part) or self.values[part]
        return self.values[()]

    def forget(self, keys: Keys) -> None:
        """Drop the places of what stands under ``keys``, which is about to be replaced."""
        places: tuple[dict[Keys, Any], ...] = (self.values, self.names, self.written)
        for each in places:
            for old in [old for old in each if old[: len(keys)] == keys]:
                del each[old]

    def key_place(self, keys: Keys) -> Place:
        """Return where the key in front of the value under ``keys`` was written."""
        return self.names.get(keys) or self.place(keys)


def read_file(path: Path) -> Document:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    ConfigError
        With file, line and column: the file is missing, not UTF-8, not YAML, empty, holds several
        documents or aliases without end, or is not a mapping. Equal keys and tags are left in the
        document's `mistakes`.
    """
    source = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{source}: there is no such configuration file") from None
    except IsADirectoryError:
        raise ConfigError(f"{source}: a directory was found, expected a YAML file") from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror or error}") from error
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            f"{source}: larger than {MOST_BYTES // 10**6} MB, expected a configuration; "
            "is it a data file?"
        )
    document = _parse(_decode(raw, source), source)
    if not isinstance(document.value, dict):
        kind = "a list" if isinstance(document.value, list) else "a single value"
        raise ConfigError(
            f"{document.values[()]}: found {kind}, expected sections such as `data:` and `label:`"
        )
    return document


def _decode(raw: bytes, source: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise ConfigError(
            f"{Place(source, line, column)}: byte 0x{raw[error.start]:02x} is not UTF-8 text; "
            "save the file as UTF-8"
        ) from None


def read_text(text: str, source: str) -> Document:
    """Read YAML text; ``source`` is what places are called, a file name for example.

    Raises
    ------
    ConfigError
        As `read_file`; all equal keys and tags are reported together.
    """
    document = _parse(text, source)
    if document.mistakes:
        raise ConfigError(Mistakes(source, document.mistakes).text())
    return document


def _parse(text: str, source: str) -> Document:
    try:
        loader = CoreLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigError(syntax_problem(error, text, source)) from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply to be a configuration") from None
    if node is None:
        raise ConfigError(f"{Place(source, 1, 1)}: the file is empty, expected sections")
    return _Conversion(text, source).document(node)


class _Conversion:
    """One walk from YAML nodes to plain values, noting places and collecting mistakes."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source
        self.found = Document(None)
        self.mistakes: dict[tuple[Place, str], Mistake] = {}
        self.count = 0
        self.open: set[int] = set()

    def document(self, node: Node) -> Document:
        self.found.value = self.convert(node, ())
        self.found.mistakes = tuple(self.mistakes.values())
        return self.found

    def place(self, node: Node) -> Place:
        return Place(self.source, node.start_mark.line + 1, node.start_mark.column + 1)

    def wrong(self, node: Node, keys: Keys, text: str) -> None:
        mistake = Mistake(self.place(node), ".".join(map(str, keys)), text)
        self.mistakes[mistake.place, text] = mistake  # an alias shows the same node again

    def convert(self, node: Node, keys: Keys) -> Any:
        self.count += 1
        if id(node) in self.open:
            raise ConfigError(f"{self.place(node)}: holds itself through an alias")
        if self.count > MOST_VALUES or len(keys) > MOST_LEVELS:
            raise ConfigError(
                f"{self.place(node)}: aliases or nesting make more than {MOST_VALUES:,} values or "
                f"{MOST_LEVELS} levels; write the values out"
            )
        self.found.values[keys] = self.place(node)
        if isinstance(node, ScalarNode):
            return self.scalar(node, keys)
        known = CORE + ("map" if isinstance(node, MappingNode) else "seq")
        if node.tag != known:
            self.wrong(node, keys, no_tag(node.tag))
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.convert(item, (*keys, i)) for i, item in enumerate(node.value)]
            result = {}
            for name, key, value in self.pairs(node, keys):
                self.found.names[(*keys, name)] = self.place(key)
                result[name] = self.convert(value, (*keys, name))
            return result
        finally:
            self.open.discard(id(node))

    def pairs(self, node: Node, keys: Keys) -> Iterator[tuple[str, Node, Node]]:
        """Yield (name, key, value); what ``<<`` merges in comes first, unless given here too."""
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                for name, inner, content in self.merge(value, keys):
                    merged.setdefault(name, (inner, content))
                continue
            if not isinstance(key, ScalarNode):
                self.wrong(key, keys, "found a list or block as a key, expected text")
                continue
            if key.tag.removeprefix(CORE) not in ("str", "int", "float", "bool", "null"):
                self.wrong(key, keys, no_tag(key.tag))
            if key.value in own:
                first = self.place(own[key.value][0])
                text = f"this key was already given at {first}; keep one of the two"
                self.wrong(key, (*keys, key.value), text)
            own[key.value] = (key, value)
        for name, (key, value) in merged.items():
            if name not in own:
                yield name, key, value
        for name, (key, value) in own.items():
            yield name, key, value

    def merge(self, node: Node, keys: Keys) -> Iterator[tuple[str, Node, Node]]:
        parts = node.value if isinstance(node, SequenceNode) else [node]
        for part in parts:
            self.count += 1
            if not isinstance(part, MappingNode):
                self.wrong(part, (*keys, "<<"), "expected the alias of a block, as in `<<: *name`")
            elif id(part) in self.open or self.count > MOST_VALUES:
                self.wrong(part, (*keys, "<<"), "a block cannot be merged into itself")
            else:
                self.open.add(id(part))
                yield from self.pairs(part, keys)
                self.open.discard(id(part))

    def scalar(self, node: ScalarNode, keys: Keys) -> Any:
        written = self.text[node.start_mark.index : node.end_mark.index].strip()
        self.found.written[keys] = written if node.style != "|" and node.style != ">" else "a text"
        try:
            return scalar_value(node.tag, node.value)
        except ValueError as error:
            self.wrong(node, keys, str(error))
            return node.value
