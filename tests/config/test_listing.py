"""What `climxai list` is given, and the editor's schema."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from climxai.config.experiment import Experiment
from climxai.config.kinds import words
from climxai.config.listing import EntryRow, FieldRow, TableRows, listing, tables
from climxai.config.reading import read_file, read_text
from climxai.config.schema import json_schema
from climxai.core.record import Record
from climxai.core.region import AnyRegion
from climxai.data.labels import LABELS
from climxai.models.training import OPTIMIZERS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
Write = Callable[..., Path]


def rows() -> dict[str, TableRows]:
    return {each.key: each for each in listing()}


def entry(key: str, name: str) -> EntryRow:
    return next(each for each in rows()[key].entries if each.name == name)


def field(key: str, name: str, setting: str) -> FieldRow:
    return next(each for each in entry(key, name).fields if each.name == setting)


def test_tables_are_found_by_the_key_they_stand_under() -> None:
    found = tables()
    assert found["label"] is LABELS
    assert found["train.optimizer"] is OPTIMIZERS
    assert {
        "data",
        "preprocess",
        "split",
        "network",
        "explain.methods",
        "explain.objective",
    } <= set(found)


def test_every_section_and_every_entry_is_listed() -> None:
    listed = rows()
    for section in Experiment.model_fields:
        assert section in listed
    for key, table in tables().items():
        assert [each.name for each in listed[key].entries] == list(table)
    assert rows()["data"].default == "netcdf"
    assert rows()["train"].kind == "section"
    assert rows()["train.early_stopping"].kind == "block"


def test_a_field_says_type_default_and_meaning() -> None:
    assert field("train.optimizer", "sgd", "learning_rate") == FieldRow(
        "learning_rate",
        "a number greater than 0",
        "0.001",
        OPTIMIZERS["sgd"].model_fields["learning_rate"].description or "",
    )
    assert field("label", "box_index", "region").default is None
    assert field("train", "train", "optimizer").default == "adam"
    assert field("explain", "explain", "methods").default == "[{name: lrp, rule: alpha1beta0}]"
    assert field("data", "netcdf", "files").type == "a path or a list of 1 or more paths"


def test_everything_is_described() -> None:
    lacking = [
        f"{table.key} {each.name} {row.name}"
        for table in listing()
        for each in table.entries
        for row in each.fields
        if not row.doc
    ]
    lacking += [f"{t.key} {e.name}" for t in listing() for e in t.entries if not e.summary]
    assert lacking == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (float, "a number"),
        (int | None, "a whole number or nothing"),
        (tuple[int, ...], "a list of whole numbers"),
        (tuple[float, str], "a list [a number, text]"),
        (dict[str, float], "a block of names, each with a number"),
        (AnyRegion, "a region (a name, [south, north, west, east] or a block)"),
        (bool | str, "true or false or text"),
    ],
)
def test_types_in_plain_words(kind: object, said: str) -> None:
    assert words(kind) == said


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def complaints(validator: jsonschema.Draft202012Validator, value: object) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(value)]


def test_the_schema_is_plain_json_and_described() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "climxai configuration"
    assert sorted(schema["required"]) == ["data", "label", "network", "split"]
    for name, part in schema["properties"].items():
        assert part.get("description"), name
    assert schema["$defs"]["Training"]["properties"]["epochs"]["default"] == 100


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_accepts_the_examples(
    validator: jsonschema.Draft202012Validator, path: Path
) -> None:
    assert complaints(validator, read_file(path).value) == []


SHORT = """\
data: {files: [a.nc, b.nc], region: pacific, period: 1990}
preprocess: [detrend, {name: anomaly, fit: 1991-2020}]
label: {name: box_index, region: [-5, 5, 190, 240], classes: {a: {below: 0}, b: {above: 0}}}
split: {name: by_date, train: {end: 2016}, test: {start: 2017-06}}
network: linear
train: {l2: [1, 2], class_weights: balanced, optimizer: adam}
explain: {methods: lrp, objective: {name: class, class_name: a}}
compute: {memory: 1GB}
output: here
"""


def test_the_schema_knows_the_short_forms(validator: jsonschema.Draft202012Validator) -> None:
    short = SHORT.replace("methods: lrp", "methods: [saliency, {name: lrp, rule: zero}]")
    assert complaints(validator, read_text(short, "e.yaml").value) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("region: pacific", "region: atlantis"),
        ("network: linear", "network: liner"),
        ("detrend,", "detrand,"),
        ("balanced", "balance"),
        ("memory: 1GB", "memry: 1GB"),
        ("name: box_index, ", ""),
        ("{end: 2016}", "{ende: 2016}"),
        ("data: {files", "data: {fils"),
    ],
)
def test_the_schema_refuses_mistakes(
    validator: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    assert old in SHORT
    assert complaints(validator, read_text(SHORT.replace(old, new), "e.yaml").value)


def test_importing_it_loads_nothing_heavy() -> None:
    # How long it takes is measured in benchmarks/startup.py.
    imports = "climxai.config.experiment, climxai.config.listing, climxai.config.schema"
    code = f"import sys, {imports}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    heavy = {"torch", "xarray", "dask", "sklearn", "scipy", "matplotlib", "cartopy", "pandas"}
    assert loaded & heavy == set()
    assert "climxai" in loaded


def test_entries_have_a_name_of_their_own() -> None:
    for key, table in tables().items():
        for name, record in table.items():
            assert issubclass(record, Record)
            assert record.model_fields["name"].default == name, key
