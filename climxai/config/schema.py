"""The JSON schema of a configuration, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any, Final

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
}
"""What may stand for a block, which pydantic does not see behind a record's own reading."""

_ONE_FOR_A_LIST: Final = (("Experiment", "preprocess"), ("Explain", "methods"))
"""Lists for which a single entry may stand."""


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a configuration file, as plain JSON values.

    It knows what a file may hold by itself; what needs several sections, or the data, only
    `load_experiment` and the stages can tell.
    """
    schema = Experiment.model_json_schema(mode="validation")
    definitions = schema["$defs"]
    for name, field in _ONE_FOR_A_LIST:
        owner = schema if name == "Experiment" else definitions[name]
        _allow_one(owner["properties"][field])
    for bound in definitions["Period"]["properties"].values():
        bound.pop("anyOf", None)
        bound.update(_DATE)
    finished = _finish(schema, definitions)
    return {"$schema": DIALECT, **finished, "title": "climxai configuration"}


def _allow_one(field: dict[str, Any]) -> None:
    listed = {key: field.pop(key) for key in ("type", "items", "minItems") if key in field}
    field["anyOf"] = [listed, listed["items"]]


def _finish(value: Any, definitions: dict[str, Any]) -> Any:
    """Return a part of the schema with short forms allowed and descriptions on one line."""
    if isinstance(value, list):
        return [_finish(each, definitions) for each in value]
    if not isinstance(value, dict):
        return value
    part = {key: _finish(each, definitions) for key, each in value.items()}
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split())
    target = str(part.get("$ref", "")).removeprefix("#/$defs/")
    names = definitions.get(target, {}).get("properties", {}).get("name", {}).get("enum")
    short = [{"type": "string", "enum": names}] if names else _SHORT_FORMS.get(target)
    if short:
        part["anyOf"] = [*short, {"$ref": part.pop("$ref")}]
    return part
