"""What a shard that is missing, broken or of another run gets: an error that names it."""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from climxai.composites.composite import compose
from climxai.composites.settings import Composite
from climxai.core.errors import OutputError


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def error_of(explained, shards=None, fields=None, classes=None) -> str:
    with pytest.raises(OutputError) as caught:
        compose(
            explained.written if shards is None else shards,
            explained.fields if fields is None else fields,
            explained.classes if classes is None else classes,
            Composite(),
            tick=quiet,
        )
    return str(caught.value)


def test_a_truncated_shard_is_named_with_what_to_do(explained) -> None:
    bad: Path = explained.write()[1][1]
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    message = error_of(explained)
    assert str(bad) in message
    assert "delete it and run `climxai explain` again" in message
    assert message.count(".nc") == 1


def test_garbage_and_an_empty_file(explained) -> None:
    for content in (b"", b"\x00" * 5000, b"no netCDF"):
        bad: Path = explained.write()[0][0]
        bad.write_bytes(content)
        assert str(bad) in error_of(explained)


def test_a_shard_whose_maps_alone_are_damaged(explained) -> None:
    # The header is whole, so that only reading the maps finds it: compressed bytes overwritten.
    bad: Path = explained.write((24,))[0][0]
    content = bytearray(bad.read_bytes())
    streams = [match.start() for match in re.finditer(rb"\x78\x5e|\x78\x9c|\x78\x01", content)]
    assert streams
    for start in streams:
        content[start + 2 : start + 60] = b"\xff" * 58
    bad.write_bytes(bytes(content))
    message = error_of(explained)
    assert str(bad) in message
    assert "delete it" in message


def test_a_missing_shard(explained) -> None:
    bad: Path = explained.write()[0][1]
    bad.unlink()
    message = error_of(explained)
    assert str(bad) in message
    assert "does not exist" in message


def test_no_shard_at_all(explained) -> None:
    assert "run `climxai explain`" in error_of(explained, shards={})
    assert "seed 3" in error_of(explained, shards={**explained.write(), 3: []})


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("method", "saliency", ("saliency", "lrp")),
        ("class_names", '["la_nina", "neutral"]', ("neutral", "el_nino")),
        ("class_names", "la_nina, el_nino", ("class_names", "JSON")),
        ("seed", 5, ("seed 5", "expected 1")),
        ("signed", 0, ("signed",)),
    ],
)
def test_a_shard_of_another_run(explained, attribute, value, words) -> None:
    bad: Path = explained.write()[1][0]
    with netCDF4.Dataset(bad, "a") as file:
        file.setncattr(attribute, value)
    message = error_of(explained)
    for word in (str(bad), *words):
        assert word in message


def test_a_shard_on_another_grid(explained) -> None:
    bad: Path = explained.write()[1][0]
    with netCDF4.Dataset(bad, "a") as file:
        file.variables["lon"][:] = file.variables["lon"][:] - 180
    message = error_of(explained)
    assert str(bad) in message
    assert "grid" in message


def test_a_grid_stored_in_less_precision_is_the_same(explained) -> None:
    explained.fields = explained.fields.assign_coords(lat=np.linspace(-50.3, 49.9, 6))
    shards = explained.write()
    fields = explained.fields.assign_coords(lat=explained.fields["lat"].astype(np.float32))
    compose(shards, fields, explained.classes, Composite(), tick=quiet)


def test_a_shard_without_a_variable(explained) -> None:
    bad: Path = explained.write()[0][0]
    with netCDF4.Dataset(bad, "a") as file:
        file.renameVariable("prediction", "forecast")
    message = error_of(explained)
    assert str(bad) in message
    assert "lacks prediction" in message


def test_a_class_number_beyond_the_classes(explained) -> None:
    explained.label[2] = 2
    shards = explained.write()
    message = error_of(explained)
    assert str(shards[0][0]) in message
    assert "class number 2" in message


def test_a_row_explained_twice(explained) -> None:
    shards = explained.write()
    copy = shards[0][0].with_name("shard-00009.nc")
    copy.write_bytes(shards[0][0].read_bytes())
    message = error_of(explained, shards={**shards, 0: [*shards[0], copy]})
    assert str(copy) in message
    assert "row 3 of seed 0" in message


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_infinite_or_empty_map(explained, value) -> None:
    if np.isnan(value):
        explained.relevance[1][20] = value
    else:
        explained.relevance[1][20, 0, 0, 0] = value
    bad: Path = explained.write()[1][1]
    message = error_of(explained)
    assert str(bad) in message
    assert f"row {explained.row[20]}" in message


def test_fields_that_do_not_hold_what_was_explained(explained) -> None:
    shards = explained.write()
    fewer = explained.fields.isel(sample=slice(0, 20))
    message = error_of(explained, fields=fewer)
    assert str(shards[0][1]) in message
    assert f"row {explained.row[20]}" in message
    moved = explained.fields.assign_coords(lat=explained.fields["lat"] + 1)
    assert "the data changed" in error_of(explained, fields=moved)
    renamed = explained.fields.assign_coords(channel=["tos"])
    assert "tos" in error_of(explained, fields=renamed)
