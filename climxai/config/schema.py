"""The JSON schema of a configuration, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from climxai.config.experiment import Experiment
from climxai.core.region import NAMED_REGIONS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_DATE: Final = {"type": ["string", "integer", "null"]}
_SHORT_FORMS: Final[dict[str, list[dict[str, Any]]]] = {
    "Region": [
        {"type": "string", "enum": list(NAMED_REGIONS)},
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    ],
    "Period": [
        {"type": ["string", "integer"]},
        {"type": "array", "items": _DATE, "minItems": 2, "maxItems": 2},
    ],
    "Output": [{"type": "string"}],
    "Place": [{"type": "string"}, {"type": "object"}],
}
"""What may stand for a block, which pydantic does not see behind a record's own reading."""


class _Loose(GenerateJsonSchema):
    """Allows what a record's own reading turns into what it declares.

    One entry may stand for a list, and a list of blocks for a block of names: an editor that
    accepts too much is better than one that marks what is right.
    """

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        """Return the schema of a value that is read before it is checked."""
        inner = super().function_before_schema(schema)
        loose: list[JsonSchemaValue] = []
        for each in inner.get("anyOf", [inner]):
            loose.append(each)
            if "items" in each:
                loose.append(each["items"])
            if "additionalProperties" in each and "properties" not in each:
                loose.append({"type": "array", "items": {"type": "object"}})
        return inner if len(loose) == 1 else {"anyOf": loose}


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a configuration file, as plain JSON values.

    It knows what a file may hold by itself; what needs several sections, or the data, only
    `load_experiment` and the stages can tell.
    """
    schema = Experiment.model_json_schema(schema_generator=_Loose)
    definitions = schema["$defs"]
    for bound in definitions["Period"]["properties"].values():
        bound.pop("anyOf", None)
        bound.update(_DATE)
    finished = _finish(schema, definitions)
    return {"$schema": DIALECT, **finished, "title": "climxai configuration"}


def _finish(value: Any, definitions: dict[str, Any]) -> Any:
    """Return a part of the schema with short forms allowed and descriptions on one line."""
    if isinstance(value, list):
        return [_finish(each, definitions) for each in value]
    if not isinstance(value, dict):
        return value
    part = {key: _finish(each, definitions) for key, each in value.items()}
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split())
    if "oneOf" in part and "discriminator" not in part:
        part["anyOf"] = part.pop("oneOf")  # alternatives told apart by code may look alike
    target = str(part.get("$ref", "")).removeprefix("#/$defs/")
    names = definitions.get(target, {}).get("properties", {}).get("name", {}).get("enum")
    short = [{"type": "string", "enum": names}] if names else _SHORT_FORMS.get(target)
    if short:
        part["anyOf"] = [*short, {"$ref": part.pop("$ref")}]
    return part
