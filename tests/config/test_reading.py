"""The YAML dialect, positions, and what is refused.

Expected values of scalars are those of the tables in section 10.3.2 of the YAML 1.2.2
specification; positions were counted by hand in the texts below.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from climxai.config.reading import read_file, read_text
from climxai.core.errors import ConfigError


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "e.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1E+3", 1000.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("12e03", 12000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("685230", 685230),
        ("+12", 12),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("NO", "NO"),
        ("y", "y"),
        ("1998-05-16", "1998-05-16"),
        ("1998-05", "1998-05"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("190:20:30", "190:20:30"),
        ("1_000", "1_000"),
        ("0b101", "0b101"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("=", "="),
        ("{a: <<}", {"a": "<<"}),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = read_text(text, "e.yaml").value
    assert read == value
    assert type(read) is type(value)


def test_nan_and_very_long_numbers_become_floats() -> None:
    assert math.isnan(read_text(".nan", "e.yaml").value)
    assert read_text("9" * 5000, "e.yaml").value == math.inf


def test_keys_stay_the_text_they_are() -> None:
    assert read_text("{1: a, yes: b, 1998-05: c, null: d}", "e.yaml").value == {
        "1": "a",
        "yes": "b",
        "1998-05": "c",
        "null": "d",
    }


def test_every_value_and_key_knows_its_place() -> None:
    document = read_text("a:\n  b: [1, x]\nc: {d: 2}\n", "e.yaml")
    assert str(document.place(("a", "b", 1))) == "e.yaml:2:10"
    assert str(document.key_place(("a", "b"))) == "e.yaml:2:3"
    assert str(document.place(("c", "d"))) == "e.yaml:3:8"
    assert str(document.place(("c", "absent", "deeper"))) == "e.yaml:3:1"
    assert document.written["a", "b", 1] == "x"


def test_anchors_and_merge_keys_are_understood() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 9}, *a]}\nd: *a\n"
    assert read_text(text, "e.yaml").value == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 9, "y": 2},
        "d": {"x": 1, "y": 2},
    }


def test_all_equal_keys_are_reported_with_both_places() -> None:
    message = refused("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert message.splitlines() == [
        "2 mistakes in e.yaml:",
        "  e.yaml:4:3: b.c: this key was already given at e.yaml:3:3; keep one of the two",
        "  e.yaml:5:1: a: this key was already given at e.yaml:1:1; keep one of the two",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/name:os.system x", "e.yaml:1:4: a: the tag `!!python/name:os.system` is not"),
        ("a: !!python/object/apply:os.system [x]", "e.yaml:1:4: a: the tag `!!python/object/ap"),
        ("a:\n- !mine {b: 1}", "e.yaml:2:3: a.0: the tag `!mine` is not allowed"),
        ("a: !!binary aGk=", "e.yaml:1:4: a: the tag `!!binary` is not allowed"),
        ("a: !!int x", "e.yaml:1:4: a: 'x' is not what its tag `!!int` says"),
        ("? [a, b]\n: 1", "e.yaml:1:3: found a list or block as a key, expected text"),
        ("a: &a [*a]", "e.yaml:1:4: holds itself through an alias"),
        ("a: &a {b: *a}", "e.yaml:1:4: holds itself through an alias"),
        ("a: &a\n  <<: *a\n", "e.yaml:1:4: a.<<: a block cannot be merged into itself"),
        ("a: {<<: 1}", "e.yaml:1:9: a.<<: expected the alias of a block"),
        ("[" * 100 + "]" * 100, "e.yaml:1:62: aliases or nesting"),
        ("[" * 100_000, "e.yaml: nested too deeply"),
        ("", "e.yaml:1:1: the file is empty"),
        ("# nothing\n", "e.yaml:1:1: the file is empty"),
        ("a: 1\n---\nb: 2\n", "e.yaml:2:1: a second document begins here, expected one"),
        ("a:\n\tb: 1\n", "e.yaml:2:1: a tab stands where YAML wants spaces"),
        ("a:\n  b: 1\n\tc: 2\n", "e.yaml:3:1: a tab stands where YAML wants spaces"),
        ("f: *.nc\n", "e.yaml:1:5: text that begins with `*` must be quoted, as in '*.nc'"),
        ("f: *all\n", "e.yaml:1:4: text that begins with `*` must be quoted, as in '*.nc'"),
        ("f: @x\n", "e.yaml:1:4: text cannot begin with '@' here; put it in quotes"),
        ("a: b: c\n", "e.yaml:1:5: a `:` was not expected here; check the indentation"),
        ("a: [1, 2\nb: 3\n", "e.yaml:2:2: not valid YAML: "),
        ("a: 'x\n", "e.yaml:2:1: not valid YAML: "),
        ("a: 1\nb: \x07\n", "e.yaml:2:4: the character U+0007 is not allowed in YAML"),
    ],
)
def test_what_is_not_a_configuration_is_refused_with_its_place(text: str, message: str) -> None:
    assert refused(text).startswith(message)


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    assert "aliases or nesting make more than 100,000 values" in refused("\n".join(lines))


def test_merges_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}")
    message = refused("\n".join(lines))
    assert "100,000" in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"

    def message() -> str:
        with pytest.raises(ConfigError) as caught:
            read_file(file)
        return str(caught.value)

    assert message() == f"{file}: there is no such configuration file"
    file.mkdir()
    assert message() == f"{file}: a directory was found, expected a YAML file"
    file.rmdir()
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert message().startswith(f"{file}:2:7: byte 0xe9 is not UTF-8 text")
    file.write_bytes("a: 1\n".encode("utf-16"))
    assert message().startswith(f"{file}:1:1: byte 0xff is not UTF-8 text")
    file.write_bytes(b"CDF\x01" + bytes(5_000_000))
    assert "larger than 4 MB" in message()
    file.write_text("- a\n- b\n")
    assert message() == f"{file}:1:1: found a list, expected sections such as `data:` and `label:`"
    file.write_text("just words\n")
    assert message().startswith(f"{file}:1:1: found a single value")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    document = read_file(file)
    assert document.value == {"a": 1, "b": "x"}
    assert str(document.place(("b",))) == f"{file}:2:4"
