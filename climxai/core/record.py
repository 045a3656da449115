"""Records: frozen, serialisable settings with one verb; and tables of them.

A block of the YAML file *is* a record; a table is a literal dict from a record's ``name`` to its
class. `OneOf` turns a table into a pydantic type that picks the class by that name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from climxai.core.errors import did_you_mean


class Record(BaseModel):
    """A frozen block of settings. Unknown keys, NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        protected_namespaces=(),
        use_attribute_docstrings=True,
    )

    def __hash__(self) -> int:
        # Some records hold a mapping, which has no hash of its own.
        return hash(self.canonical())

    def canonical(self) -> str:
        """Return the record as JSON with sorted keys: equal records give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Return the SHA-256 of `canonical`, as hexadecimal text."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


@dataclass(frozen=True)
class OneOf:
    """Annotation that validates a block against the entry of a table its ``name`` picks.

    Use as ``Annotated[Label, OneOf(LABELS, "label")]``. The text ``linear`` is short for
    ``{name: linear}``.

    Parameters
    ----------
    table
        Name -> record class; every class has a field ``name: Literal[<name>] = <name>``.
    kind
        What an entry is called in messages, for example ``"label"``.
    default
        The entry meant when a block has no ``name``; None makes ``name`` compulsory.
    """

    table: Mapping[str, type[Record]]
    kind: str
    default: str | None = None

    def __hash__(self) -> int:
        return hash((self.kind, self.default, tuple(self.table)))

    def _expand(self, value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping):
            return value
        if "name" not in value and self.default is not None:
            value = {"name": self.default, **value}
        name = value.get("name")
        if name is None:
            raise PydanticCustomError(
                "missing_name",
                "this {kind} needs a `name`, one of: {known}",
                {"kind": self.kind, "known": ", ".join(self.table)},
            )
        if not isinstance(name, str) or name not in self.table:
            raise PydanticCustomError(
                "unknown_name",
                "there is no {kind} named {found}.{hint}",
                {
                    "kind": self.kind,
                    "found": repr(name),
                    "hint": did_you_mean(str(name), tuple(self.table)),
                },
            )
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        choices: dict[Any, CoreSchema] = {
            name: handler.generate_schema(cls) for name, cls in self.table.items()
        }
        return core_schema.no_info_before_validator_function(
            self._expand,
            core_schema.tagged_union_schema(choices=choices, discriminator="name"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        json_schema = handler(schema)
        short = {"type": "string", "enum": list(self.table)}
        choices: list[dict[str, Any]] = [short, {**json_schema, "required": ["name"]}]
        if self.default is not None:
            unnamed = json_schema["discriminator"]["mapping"][self.default]
            choices.append({"allOf": [{"$ref": unnamed}], "not": {"required": ["name"]}})
        return {"anyOf": choices}
