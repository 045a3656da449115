"""What a wrong value is answered: exact place, key, found, expected, hint.

The records here are made up, so that the tests say what the machinery does whatever the tables
hold; lines and columns were counted by hand.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BeforeValidator, Field, PositiveInt, ValidationError, model_validator

from climxai.config.mistakes import Mistakes
from climxai.config.problems import misread_booleans, mistakes
from climxai.config.reading import read_text
from climxai.core.paths import ConfigPath
from climxai.core.period import AnyPeriod
from climxai.core.record import OneOf, Record
from climxai.core.region import AnyRegion


class Shape(Record):
    pass


class Box(Shape):
    name: Literal["box"] = "box"
    region: AnyRegion
    channel: str | None = None


class Series(Shape):
    name: Literal["series"] = "series"
    file: ConfigPath
    cuts: dict[str, float] = Field(default={})

    @model_validator(mode="after")
    def _even(self) -> Series:
        if len(self.cuts) % 2:
            raise ValueError("an even number of cuts is needed")
        return self


AnyShape = Annotated[Shape, OneOf({"box": Box, "series": Series}, "shape")]


class Tag(Record):
    name: Literal["keras", "torch"] = "keras"
    bias: float | None = None


AnyTag = Annotated[
    Tag, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value)
]


class Root(Record):
    shape: AnyShape = Box(region="nino34")  # type: ignore[arg-type]
    shapes: tuple[AnyShape, ...] = ()
    l2: float | tuple[float, ...] = 0.0
    fit: Literal["training", "all"] | AnyPeriod = "training"
    rule: str | AnyShape | None = None
    epochs: PositiveInt = 3
    part: Annotated[float, Field(gt=0, lt=1)] = 0.5
    files: ConfigPath | tuple[ConfigPath, ...] = "x"
    flag: bool = False
    pair: tuple[int, int] = (1, 2)
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    either: bool | int = 1
    tag: AnyTag = Tag()
    weights: dict[Literal["left", "middle"], float] = Field(default={})


class Strict(Record):
    shape: AnyShape
    epochs: PositiveInt


def answer(text: str, root: type[Record] = Root) -> str:
    document = read_text(text, "e.yaml")
    wrong = misread_booleans(root, document)
    try:
        root.model_validate(document.value)
    except ValidationError as error:
        wrong += mistakes(error, root, document)
    return Mistakes("e.yaml", wrong).text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # scalars
        ("epochs: -3", "1:9: epochs: found -3, expected a whole number greater than 0"),
        ("epochs: 1.5", "1:9: epochs: found 1.5, expected a whole number greater than 0"),
        ("epochs: ten", "1:9: epochs: found 'ten', expected a whole number greater than 0"),
        ("epochs: true", "1:9: epochs: found true, expected a whole number greater than 0"),
        ("epochs:", "1:8: epochs: found nothing, expected a whole number greater than 0"),
        ("epochs: [1]", "1:1: epochs: found [1], expected a whole number greater than 0"),
        ("epochs: {a: 1}", "1:1: epochs: found a block, expected a whole number greater than 0"),
        ("part: 1e2", "1:7: part: found 1e2, expected a number greater than 0 and less than 1"),
        ("part: .nan", "1:7: part: found .nan, expected a finite number"),
        ("flag: perhaps", "1:7: flag: found 'perhaps', expected true or false"),
        ("l2: abc", "1:5: l2: found 'abc', expected a number or a list of numbers"),
        ('l2: "a b"', '1:5: l2: found "a b", expected a number or a list of numbers'),
        ("l2: yes", "1:5: l2: found 'yes', expected a number or a list of numbers"),
        ("l2: true", "1:5: l2: found true, expected a number or a list of numbers"),
        ("l2: [1, true]", "1:9: l2.1: found true, expected a number"),
        ("l2:\n- 1\n- x", "3:3: l2.1: found 'x', expected a number"),
        ("files: 3", "1:8: files: found 3, expected a path or a list of paths"),
        ("files: [a, 3]", "1:12: files.1: found 3, expected a path"),
        ("pair: [1, 2, 3]", "1:1: pair: found [1, 2, 3], expected a list [a whole number, a whole"),
        ("seeds: []", "1:1: seeds: found [], expected a list of 1 or more whole numbers"),
        ("seeds: [x]", "1:9: seeds.0: found 'x', expected a whole number"),
        ("seeds: 3", "1:8: seeds: found 3, expected a list of 1 or more whole numbers"),
        # names
        ("epoch: 3", "1:1: epoch: unknown key. Did you mean 'epochs'?"),
        ("{epochs: 3, zzz: 1}", "1:13: zzz: unknown key. Known: shape, shapes, l2, fit, rule,"),
        ("fit: trainin", "1:6: fit: found 'trainin', expected 'training', 'all' or a period like"),
        ("shape: bax", "1:8: shape: there is no shape named 'bax'. Did you mean 'box'?"),
        ("shape:\n  name: bax", "2:9: shape.name: there is no shape named 'bax'. Did you mean"),
        ("shape: {region: nino4}", "1:1: shape: this shape needs a `name`, one of: box, series"),
        ("shape: [box]", "1:1: shape: found ['box'], expected a shape (box, series)"),
        ("shape: 3", "1:8: shape: found 3, expected a shape (box, series)"),
        ("shape: {name: [box]}", "1:9: shape.name: there is no shape named ['box']"),
        ("shapes: box", "1:9: shapes: found 'box', expected a list of shapes (box, series)"),
        # what is missing, or too much, inside an entry of a table
        ("shape: box", "1:8: shape.region: missing, expected a region (a name, [south, north,"),
        ("\nshape:\n  name: box", "2:1: shape.region: missing, expected a region (a name,"),
        ("shape: {name: box, region: nino34, chanel: a}", "1:36: shape.chanel: unknown key. Did"),
        ("shapes:\n- {name: series}", "2:3: shapes.0.file: missing, expected a path"),
        ("shapes:\n- box", "2:3: shapes.0.region: missing, expected a region"),
        (
            "tag: keers",
            "1:6: tag: found 'keers', expected 'keras' or 'torch'. Did you mean 'keras'",
        ),
        ("tag: {name: keras, bais: 1}", "1:20: tag.bais: unknown key. Did you mean 'bias'?"),
        ("tag: 3", "1:6: tag: found 3, expected 'keras', 'torch' or a block with bias"),
        ("weights: {left: 1, midle: 2}", "1:20: weights.midle: unknown key. Did you mean 'middle'"),
        ("weights: {left: x}", "1:17: weights.left: found 'x', expected a number"),
        ("weights: 3", "1:10: weights: found 3, expected a block of names, each with a number"),
        # regions and periods in their short forms
        ("shape: {name: box, region: nino43}", "1:28: shape.region: there is no region named"),
        ("shape: {name: box, region: [0, 1]}", "1:20: shape.region: a region as a list is ["),
        (
            "shape: {name: box, region: [0, 100, 3, 4]}",
            "1:32: shape.region.1: found 100, expected a number from -90 to 90",
        ),
        (
            "shape:\n  name: box\n  region:\n    south: x",
            "4:12: shape.region.south: found 'x', expected a number from -90 to 90",
        ),
        (
            "shape: {name: box, region: {south: 5, north: 5}}",
            "1:20: shape.region: south (5.0) must",
        ),
        ("fit: 1990-1980", "1:6: fit: the start 1990 lies after the end 1980"),
        ("fit: {start: 1990, end: 1980}", "1:1: fit: the start 1990 lies after the end 1980"),
        ("fit: {start: 1990, ende: 1980}", "1:20: fit.ende: unknown key. Did you mean 'end'?"),
        ("fit: {start: 1990-13}", "1:14: fit.start: '1990-13' is not a date like"),
        # alternatives, mappings, checks of a whole record
        (
            "rule: {name: bax}",
            "1:14: rule.name: there is no shape named 'bax'. Did you mean 'box'?",
        ),
        ("rule: {name: box}", "1:1: rule.region: missing, expected a region"),
        ("rule: 3", "1:7: rule: found 3, expected text, a shape or nothing (box, series)"),
        (
            "shape: {name: series, file: a, cuts: {a: 1, b: .inf}}",
            "1:48: shape.cuts.b: found .inf, expected a finite number",
        ),
        ("shape:\n  name: series\n  file: a\n  cuts: {a: 1}", "1:1: shape: an even number of cuts"),
    ],
)
def test_one_mistake_is_one_line(text: str, expected: str) -> None:
    said = answer(text)
    assert said.startswith(f"e.yaml:{expected}")
    assert "\n" not in said


def test_what_is_right_raises_nothing() -> None:
    text = "either: true\nl2: 1e-4\nfit: 1998\nepochs: '5'\nrule: abc\nflag: yes"
    document = read_text(text, "e.yaml")
    assert misread_booleans(Root, document) == ()
    root = Root.model_validate(document.value)
    assert (root.either, root.l2, root.epochs, root.rule, root.flag) == (True, 1e-4, 5, "abc", True)


def test_all_mistakes_in_the_order_of_the_file() -> None:
    text = "flag: x\nshape: {name: box, regoin: nino34}\nepochs: 0\nl2: [a, 1, b]\n"
    assert answer(text).splitlines() == [
        "5 mistakes in e.yaml:",
        "  e.yaml:1:7: flag: found 'x', expected true or false",
        "  e.yaml:2:20: shape.regoin: unknown key. Did you mean 'region'?",
        "  e.yaml:3:9: epochs: found 0, expected a whole number greater than 0",
        "  e.yaml:4:6: l2.0: found 'a', expected a number",
        "  e.yaml:4:12: l2.2: found 'b', expected a number",
    ]


def test_a_misspelt_key_is_not_also_missing_but_another_is() -> None:
    assert answer("shpae: box", Strict).splitlines() == [
        "2 mistakes in e.yaml:",
        "  e.yaml:1:1: epochs: missing, expected a whole number greater than 0",
        "  e.yaml:1:1: shpae: unknown key. Did you mean 'shape'?",
    ]


def test_a_key_named_like_an_entry_is_still_found() -> None:
    said = answer("shape: {name: box, region: nino34, box: 1}")
    assert said == "e.yaml:1:36: shape.box: unknown key. Known: name, region, channel."


def test_long_values_are_shortened() -> None:
    said = answer(f"flag: {'x' * 200}\nepochs: [{', '.join(['100'] * 50)}]")
    assert "…'" in said
    assert "found a list of 50 values" in said
    assert all(len(line) < 160 for line in said.splitlines())
