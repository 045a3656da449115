"""The JSON schema of a configuration, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any

from climxai.config.experiment import Experiment

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a configuration file, as plain JSON values.

    It knows what a file may hold by itself; what needs several sections, or the data, only
    `load_experiment` and the stages can tell.
    """
    schema = Experiment.model_json_schema(mode="validation")
    _one_line_descriptions(schema)
    return {"$schema": DIALECT, **schema, "title": "climxai configuration"}


def _one_line_descriptions(value: Any) -> None:
    if isinstance(value, dict):
        text = value.get("description")
        if isinstance(text, str):
            value["description"] = " ".join(text.split())
        for inner in value.values():
            _one_line_descriptions(inner)
    elif isinstance(value, list):
        for inner in value:
            _one_line_descriptions(inner)
