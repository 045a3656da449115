from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from climxai.data.sampleset import SampleSet


def make(samples: int = 10, **changes: Any) -> SampleSet:
    values = np.arange(samples * 6, dtype=np.float32).reshape(samples, 1, 2, 3)
    parts = {
        "inputs": xr.DataArray(
            da.from_array(values, chunks=(4, -1, -1, -1)),
            dims=("sample", "channel", "lat", "lon"),
            coords={"row": ("sample", np.arange(samples))},
        ),
        "labels": xr.DataArray(np.arange(samples) % 2, dims="sample"),
        "valid": xr.DataArray(np.ones((1, 2, 3), bool), dims=("channel", "lat", "lon")),
        "classes": ("cold", "warm"),
    }
    return SampleSet(**{**parts, **changes})


def test_take_keeps_the_order_asked_for_and_reads_nothing() -> None:
    samples = make()
    rows = np.array([7, 0, 3, 3])
    taken = samples.take(rows)
    assert len(samples) == 10
    assert len(taken) == 4
    assert taken.inputs.chunks is not None
    np.testing.assert_array_equal(taken.inputs.values, samples.inputs.values[rows])
    np.testing.assert_array_equal(taken.labels, [1, 0, 1, 1])
    np.testing.assert_array_equal(taken.inputs["row"], rows)
    assert taken.classes == samples.classes


def test_a_shuffled_take_of_many_chunks_warns_of_nothing() -> None:
    samples = make(2000)
    rows = np.random.default_rng(0).permutation(2000)
    np.testing.assert_array_equal(samples.take(rows).inputs["row"], rows)
    np.testing.assert_array_equal(samples.take(rows).inputs.values, samples.inputs.values[rows])


def test_no_rows() -> None:
    assert len(make().take(np.array([], np.int64))) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": xr.DataArray(np.zeros(9, int), dims="sample")}, "9 labels for 10 samples"),
        ({"labels": xr.DataArray(np.full(10, 2), dims="sample")}, "labels go from 2 to 2"),
        ({"labels": xr.DataArray(np.full(10, -1), dims="sample")}, "labels go from -1 to -1"),
        ({"labels": xr.DataArray(np.zeros(10, int), dims="time")}, "labels have the dimensions"),
        (
            {"valid": xr.DataArray(np.ones((1, 2, 2), bool), dims=("channel", "lat", "lon"))},
            "the valid mask is",
        ),
    ],
)
def test_parts_must_belong_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)
