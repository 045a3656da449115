"""Settings of the command line, ``--set train.epochs=5``, put into what the file holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from climxai.config.mistakes import Mistake, Place
from climxai.config.reading import Document, Keys, read_text
from climxai.core.errors import ConfigError
from climxai.core.paths import FromCommandLine


def apply_overrides(document: Document, overrides: Sequence[str]) -> tuple[Mistake, ...]:
    """Put ``a.b.c=value`` settings into ``document``, in order; the last of two equals counts.

    Blocks that are not there are made; an entry of a list is given by its number, from 0. Values
    are YAML. Text among them remembers that it came from the command line: paths in it are relative
    to the working directory.

    Returns
    -------
    What is wrong with the settings themselves; unknown keys are left for validation to find.
    """
    found = []
    for setting in overrides:
        path, equals, text = setting.partition("=")
        path = path.strip()
        place = Place(f"--set {path}")
        keys = path.split(".")
        if not equals or not all(keys):
            problem = f"found {setting!r}, expected KEY=VALUE such as train.epochs=5"
            found.append(Mistake(Place("--set"), "", problem))
            continue
        try:
            new = _read(text, place)
        except ConfigError as error:
            said = re.sub(rf"{re.escape(str(place))}:1:(\d+)", r"character \1", str(error))
            found.append(Mistake(place, path, said))
            continue
        obstacle = _put(document, keys, new, place)
        if obstacle:
            found.append(Mistake(place, path, obstacle))
    return tuple(found)


def _read(text: str, place: Place) -> Document:
    # An alias can refer to nothing here, and globs begin with a star.
    if not text.strip() or text.lstrip().startswith("*"):
        return Document(text.strip() or None, {(): place}, {}, {(): text.strip()})
    return read_text(text, place.source)


def _put(document: Document, keys: list[str], value: Document, place: Place) -> str | None:
    """Set one value; return what stands in the way, if anything does."""
    here: Any = document.value
    path: Keys = ()
    for position, key in enumerate(keys):
        last = position == len(keys) - 1
        if isinstance(here, list):
            if not key.isdecimal() or int(key) >= len(here):
                entries = f"entries 0 to {len(here) - 1}" if here else "no entries"
                return f"{_name(path)} is a list with {entries}, it has no {key!r}"
            index = int(key)
            path = (*path, index)
            if last:
                here[index] = _from_command_line(value.value)
            elif here[index] is None:
                here[index] = {}
            here = here[index]
        elif isinstance(here, dict):
            path = (*path, key)
            if last:
                here[key] = _from_command_line(value.value)
            elif here.get(key) is None:
                here[key] = {}
                document.names[path] = document.values[path] = place
                document.written.pop(path, None)
            here = here[key]
        else:
            return (
                f"{_name(path)} is {here!r} ({document.place(path)}), not a block; set it as a "
                f"whole: --set '{_name(path)}={{name: {here}, {keys[position]}: …}}'"
            )
    _note_places(document, path, value, place)
    return None


def _name(path: Keys) -> str:
    return ".".join(map(str, path)) or "the file"


def _note_places(document: Document, path: Keys, value: Document, place: Place) -> None:
    document.forget(path)
    for keys in value.values:
        document.values[path + keys] = document.names[path + keys] = place
    document.written.update({path + keys: text for keys, text in value.written.items()})


def _from_command_line(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _from_command_line(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_from_command_line(each) for each in value]
    return FromCommandLine(value) if isinstance(value, str) else value
