"""Whatever is written into a configuration, the answer is an experiment or a `ConfigError`."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from climxai.config.experiment import load_experiment
from climxai.config.reading import read_text
from climxai.config.writing import to_yaml
from climxai.core.errors import ConfigError

BASE = """\
data: {files: sst.nc, region: pacific, period: 1990-2020, months: [1, 2]}
preprocess: [{name: anomaly, fit: 1991-2020}, detrend]
label: {name: box_index, region: nino34, classes: {a: {below: -0.5}, b: {above: 0.5}}}
split: {name: by_date, train: {end: 2016}, test: {start: 2017}}
network: {name: mlp, hidden: [8, 8], activation: {name: elu, alpha: 0.5}}
train: {seeds: [0, 1], l2: [25, 0.01], optimizer: {name: sgd, momentum: 0.9}, class_weights: null}
explain: {methods: [{name: lrp, rule: {name: map, default: zero}}, saliency], objective: true_class}
composite: {normalise: max}
maps: {projection: robinson, formats: [png]}
compute: {memory: 1GB, threads: 2}
output: {directory: here}
"""

_ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        10**30,
        1e-4,
        float("inf"),
        "",
        "name",
        "lrp",
        "box_index",
        "1998-05",
        "a/b",
        "\x85",
        [],
        [[]],
        [None],
        [1, "x", {}],
        {},
        {"name": None},
        {"name": "lrp"},
        {"name": ["x"]},
        {"": ""},
        {"name": "map", "default": {"name": "map"}},
    ]
)


def places(value: object, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        inner = list(enumerate(value))
    return [keys, *(place for key, each in inner for place in places(each, (*keys, key)))]


PLACES = [place for place in places(read_text(BASE, "e").value) if place]


def answer(path: Path, text: str, *overrides: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
    message = None
    try:
        load_experiment(path, overrides)
    except ConfigError as error:
        message = str(error)
    if message is not None:
        assert str(path) in message or "--set" in message
        assert "Input should" not in message


def has(value: object, key: str | int) -> bool:
    return (isinstance(value, dict) and key in value) or (
        isinstance(value, list) and isinstance(key, int) and key < len(value)
    )


def put(content: object, keys: tuple[str | int, ...], value: object) -> None:
    """Put a value under keys, unless an odd one stands in the way already."""
    here = content
    for key in keys[:-1]:
        if not (
            (isinstance(here, dict) and key in here)
            or (isinstance(here, list) and here and key == 0)
        ):
            return
        here = here[key]
    if isinstance(here, dict) or (isinstance(here, list) and here and keys[-1] == 0):
        here[keys[-1]] = deepcopy(value)


_SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_base_is_right(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(BASE, encoding="utf-8")
    load_experiment(path)


@_SETTINGS
@given(place=st.sampled_from(PLACES), value=_ODD, other=st.sampled_from(PLACES), second=_ODD)
def test_odd_values_anywhere(
    tmp_path: Path,
    place: tuple[str | int, ...],
    value: object,
    other: tuple[str | int, ...],
    second: object,
) -> None:
    content = read_text(BASE, "e").value
    put(content, place, value)
    put(content, other, second)
    answer(tmp_path / "e.yaml", to_yaml(content))


@_SETTINGS
@given(place=st.sampled_from(PLACES), value=_ODD)
def test_odd_settings_anywhere(tmp_path: Path, place: tuple[str | int, ...], value: object) -> None:
    setting = f"{'.'.join(map(str, place))}={to_yaml(value, flow=True)}"
    answer(tmp_path / "e.yaml", BASE, setting)


@_SETTINGS
@given(
    at=st.integers(0, len(BASE)),
    length=st.integers(0, 20),
    new=st.text(st.sampled_from(":{}[]-,#&*!|>'\"%@`? \n\tax1.\x00\x85\ufeff\ud7ff"), max_size=6),
)
def test_spoilt_text(tmp_path: Path, at: int, length: int, new: str) -> None:
    answer(tmp_path / "e.yaml", BASE[:at] + new + BASE[at + length :])


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_anything_left_out(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    content = read_text(BASE, "e").value
    here = content
    for key in place[:-1]:
        here = here[key]
    del here[place[-1]]
    answer(tmp_path / "e.yaml", to_yaml(content))
