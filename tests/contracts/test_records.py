"""What every entry of every table must do: travel, be equal by content, and explain itself."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from climxai.config.listing import tables
from climxai.core.record import Record

NEEDED: dict[str, dict[str, Any]] = {
    "netcdf": {"files": "a.nc"},
    "box_index": {"region": "nino34", "classes": {"a": {"below": 0}, "b": {"above": 0}}},
    "series": {"file": "a.csv", "classes": {"a": {"below": 0}, "b": {"above": 0}}},
    "calendar": {"classes": {"a": [1], "b": [7]}},
    "by_date": {"train": 1990, "test": 1991},
    "member": {"test": ["r1"]},
    "years": {"test": [1990]},
    "kfold": {"folds": 5, "fold": 0},
    "random": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "fraction": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "class": {"class_name": "a"},
    "logit_difference": {"positive": "a", "negative": "b"},
    "alpha_beta": {"alpha": 2, "beta": 1},
    "map": {"default": "epsilon"},
    "unit": {"layer": "1", "unit": 0},
    "sample": {"date": "1998-01"},
    "novelty.baseline:period": {"period": "1961-1990"},
    "class_mean": {"class_name": "a"},
    "period_mean": {"period": 1990},
    "file": {"path": "a.nc"},
    "output_cell": {"lat": 0, "lon": 200},
    "output_region": {"region": "nino34"},
    "outcome": {"of": "a"},
    "periods": {"periods": {"early": 1961, "late": "1991-2020"}},
    "conditions": {"groups": {"strong": "nino34 > 1.5"}},
    "regions": {"regions": ["nino34", "nino4"]},
}
"""What an entry cannot do without, by its name, or by key and name where two tables share one; an
entry that needs more fails here and is added."""

ENTRIES = [
    pytest.param(key, name, record, id=f"{key}:{name}")
    for key, table in tables().items()
    for name, record in table.items()
]


def example(key: str, name: str, record: type[Record]) -> Record:
    """Return an entry with its defaults, and with what it needs where that is not enough."""
    try:
        return record()
    except ValidationError:
        needed = NEEDED.get(f"{key}:{name}")
        return record.model_validate(NEEDED[name] if needed is None else needed)


@pytest.mark.parametrize(("key", "name", "record"), ENTRIES)
def test_an_entry_travels_and_is_equal_by_content(
    key: str, name: str, record: type[Record]
) -> None:
    made = example(key, name, record)
    again = record.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.digest() == made.digest()
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301
    assert hash(again) == hash(made)
    assert made.model_dump()["name"] == name


@pytest.mark.parametrize(("key", "name", "record"), ENTRIES)
def test_an_entry_says_what_it_is(key: str, name: str, record: type[Record]) -> None:
    assert (record.__doc__ or "").strip().endswith(".")
    silent = [
        field
        for field, info in record.model_fields.items()
        if field != "name" and not info.description
    ]
    assert not silent


@pytest.mark.parametrize(("key", "name", "record"), ENTRIES)
def test_an_entry_refuses_what_it_does_not_know(key: str, name: str, record: type[Record]) -> None:
    made = example(key, name, record).model_dump(mode="json")
    with pytest.raises(ValidationError, match="no_such_setting"):
        record.model_validate({**made, "no_such_setting": 1})
