"""Baselines against numpy, on land, in number type; and what is refused before anything runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import BaseModel, ValidationError

from climxai.attribution.baselines import BASELINES, AnyBaseline
from climxai.attribution.baselines.maps import (
    ClassMean,
    Climatology,
    MapFile,
    PeriodMean,
    TrainingSample,
    Zero,
)
from climxai.attribution.context import Context
from climxai.core.errors import DataError, ModelError
from tests.attribution.plain_loops import VALID, context, inputs
from tests.attribution.rows import MemoryRows
from tests.attribution.small import SHAPE, samples

LABELS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1])


class DatedRows(MemoryRows):
    """Rows that note which period they were asked for."""

    asked = None

    def mean(self, class_name=None, period=None):
        self.asked = period
        return self.inputs[:3].mean(0) if period else super().mean(class_name)


def rows(**files):
    # Held in float32 and with values on land, as a careless implementation might.
    return DatedRows(samples(count=9).float() + 1, LABELS, ("cold", "warm"), files)


def test_zero_is_zero_and_needs_no_training_rows():
    Zero().check(context())
    maps = Zero().maps(inputs(), context())
    assert maps.shape == (1, *SHAPE)
    assert not maps.any()


def test_means_are_those_of_the_training_rows():
    held = rows()
    known = held.inputs.numpy().astype(np.float64) * VALID.numpy()
    found = Climatology().maps(inputs(), context(training=held))
    np.testing.assert_allclose(found[0], known.mean(0), rtol=1e-5, atol=1e-6)
    found = ClassMean(class_name="warm").maps(inputs(), context(training=held))
    np.testing.assert_allclose(found[0], known[LABELS == 1].mean(0), rtol=1e-5, atol=1e-6)
    found = PeriodMean(period="1961-1990").maps(inputs(), context(training=held))
    np.testing.assert_allclose(found[0], known[:3].mean(0), rtol=1e-5, atol=1e-6)
    assert (held.asked.start, held.asked.end) == ("1961", "1990")


def test_a_sample_holds_training_rows_none_twice():
    held = rows()
    maps = TrainingSample(count=6, seed=1).maps(inputs(), context(training=held))
    known = held.inputs.double() * VALID
    which = [int((known == each).flatten(1).all(1).nonzero()) for each in maps]
    assert len(set(which)) == 6
    other = TrainingSample(count=6, seed=2).maps(inputs(), context(training=held))
    assert not torch.equal(maps, other)


@pytest.mark.parametrize(
    "baseline",
    [
        Zero(),
        Climatology(),
        ClassMean(class_name="cold"),
        PeriodMean(period=1990),
        MapFile(path="a.nc"),
        TrainingSample(count=3),
    ],
    ids=lambda each: each.name,
)
def test_every_baseline_is_0_on_land_and_held_like_the_inputs(baseline):
    held = rows(**{"a.nc": torch.full(SHAPE, 7.0)})
    maps = baseline.maps(inputs(), context(training=held))
    assert maps.dtype == torch.float64
    assert maps.shape[1:] == SHAPE
    assert not maps[:, ~VALID].any()
    assert baseline.name == "zero" or maps[:, VALID].any()


def test_every_baseline_is_tested_above():
    assert set(BASELINES) == {"zero", "climatology", "class_mean", "period_mean", "file", "sample"}


def test_a_file_is_read_through_the_training_rows(tmp_path):
    path = tmp_path / "map.nc"
    path.touch()
    held = rows(**{str(path): torch.arange(96.0).reshape(SHAPE)})
    baseline = MapFile(path=str(path))
    baseline.check(context(training=held))
    found = baseline.maps(inputs(), context(training=held))
    torch.testing.assert_close(found[0, VALID], torch.arange(96.0).reshape(SHAPE)[VALID].double())


def test_what_cannot_be_had_is_refused(tmp_path):
    for baseline in (Climatology(), PeriodMean(period=1990), TrainingSample(), MapFile(path="a")):
        with pytest.raises(ModelError, match="there are none here"):
            baseline.check(context())
    with pytest.raises(ModelError, match="Did you mean 'warm'"):
        ClassMean(class_name="warn").check(context(training=rows()))
    with pytest.raises(DataError, match="no such file"):
        MapFile(path=str(tmp_path / "none.nc")).check(context(training=rows()))
    with pytest.raises(ValidationError):
        TrainingSample(count=0)


def test_a_map_of_another_shape_is_refused():
    held = MemoryRows(torch.zeros(3, 2, 6, 7))
    with pytest.raises(ModelError, match=r"\(2, 6, 7\), the inputs \(2, 6, 8\)"):
        Climatology().maps(inputs(), Context(VALID, training=held))


def test_a_bare_name_and_a_path_beside_the_configuration(tmp_path):
    class Holder(BaseModel):
        baseline: AnyBaseline

    assert Holder.model_validate({"baseline": "climatology"}).baseline == Climatology()
    given = {"baseline": {"name": "file", "path": "maps/a.nc"}}
    held = Holder.model_validate(given, context={"base": tmp_path})
    assert held.baseline.path == str(tmp_path / "maps" / "a.nc")
