"""``--set``: where values go, what they become, and what is refused."""

from __future__ import annotations

import pytest

from climxai.config.overrides import apply_overrides
from climxai.config.reading import Document, read_text
from climxai.core.paths import FromCommandLine

TEXT = """\
data:
  files: [a.nc, b.nc]
network: linear
train:
explain:
  methods:
  - {name: lrp, rule: zero}
  - saliency
"""


@pytest.fixture
def document() -> Document:
    return read_text(TEXT, "e.yaml")


@pytest.mark.parametrize(
    ("setting", "keys", "value"),
    [
        ("train.epochs=5", ("train", "epochs"), 5),
        ("train.l2=1e-4", ("train", "l2"), 1e-4),
        ("train.optimizer={name: sgd, momentum: 0.9}", ("train", "optimizer", "momentum"), 0.9),
        ("explain.methods.0.rule=epsilon", ("explain", "methods", 0, "rule"), "epsilon"),
        ("explain.methods.1=lrp", ("explain", "methods", 1), "lrp"),
        ("compute.threads=2", ("compute", "threads"), 2),
        ("data.files=*.nc", ("data", "files"), "*.nc"),
        ("data.files=[x.nc, y.nc]", ("data", "files", 1), "y.nc"),
        ("label.classes.warm={above: 0.5}", ("label", "classes", "warm", "above"), 0.5),
        ("data.period=", ("data", "period"), None),
        ("data.note=a=b", ("data", "note"), "a=b"),
        ("network='yes'", ("network",), "yes"),
        (" train.epochs = 5", ("train", "epochs"), 5),
    ],
)
def test_values_are_yaml_and_go_where_the_key_says(
    document: Document, setting: str, keys: tuple[str | int, ...], value: object
) -> None:
    assert apply_overrides(document, [setting]) == ()
    found = document.value
    for key in keys:
        found = found[key]
    assert found == value
    source = f"--set {setting.partition('=')[0].strip()}"
    assert str(document.place(keys)) == source


def test_text_remembers_the_command_line_and_nothing_else_does(document: Document) -> None:
    apply_overrides(document, ["data.files=[x.nc, {deep: y.nc}]", "data.copy=5"])
    first, second = document.value["data"]["files"]
    assert type(first) is FromCommandLine
    assert type(second["deep"]) is FromCommandLine
    assert type(document.value["data"]["copy"]) is int
    assert type(document.value["network"]) is str


def test_the_last_of_two_equal_settings_counts(document: Document) -> None:
    assert apply_overrides(document, ["train.epochs=5", "train.epochs=7"]) == ()
    assert document.value["train"] == {"epochs": 7}


def test_what_is_replaced_leaves_no_place_behind(document: Document) -> None:
    apply_overrides(document, ["explain.methods=[saliency]"])
    assert str(document.place(("explain", "methods", 0, "rule"))) == "--set explain.methods"
    assert str(document.place(("explain", "methods", 1))) == "--set explain.methods"
    assert str(document.place(("explain",))) == "e.yaml:5:1"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epochs", "--set: found 'train.epochs', expected KEY=VALUE such as train.epochs=5"),
        ("=5", "--set: found '=5', expected KEY=VALUE such as train.epochs=5"),
        ("train..epochs=5", "--set: found 'train..epochs=5', expected KEY=VALUE"),
        ("train.l2=[1, 2", "--set train.l2: character 6: not valid YAML"),
        ("train.l2={a: 1, a: 2}", "--set train.l2: character 8: a: this key was already"),
        (
            "explain.methods.2.rule=zero",
            "--set explain.methods.2.rule: explain.methods is a list with entries 0 to 1, it has "
            "no '2'",
        ),
        (
            "explain.methods.first=lrp",
            "--set explain.methods.first: explain.methods is a list with",
        ),
        (
            "network.hidden=[3]",
            "--set network.hidden: network is 'linear' (e.yaml:3:10), not a block; set it as a "
            "whole: --set 'network={name: linear, hidden: …}'",
        ),
        ("data.files.0.x=1", "--set data.files.0.x: data.files.0 is 'a.nc' (e.yaml:2:11), not a"),
    ],
)
def test_what_cannot_be_set_is_said(document: Document, setting: str, message: str) -> None:
    (mistake,) = apply_overrides(document, [setting])
    assert str(mistake).startswith(message)
