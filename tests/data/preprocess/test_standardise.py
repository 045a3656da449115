"""Standardising and weighting against numpy, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.core.errors import DataError
from climxai.data.preprocess import LatitudeWeight, Standardise


def test_per_cell_equals_numpy(make):
    values = np.array(make().values)
    values[4:9, 1, 2, 2] = np.nan
    values[:, :, 0, 0] = np.nan
    fields = make(values)
    training = np.arange(3, 40)
    step = Standardise()
    found = step.apply(fields, step.fit_to(fields, training))
    land = np.isnan(values).all(axis=0)
    known = np.where(land, 0, values).astype(float)[training]
    expected = (values - np.nanmean(known, 0)) / np.where(land, 1, np.nanstd(known, 0))
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32
    assert list(found["units"].values) == ["1", "1"]
    assert list(fields["units"].values) == ["K", "K"], "the input is left alone"


def test_per_field_weights_by_area(make):
    values = np.array(make().values)
    values[:, :, 0, 0] = np.nan
    values[4, 1, 2, 2] = np.nan
    fields = make(values)
    training = np.arange(30)
    step = Standardise(per="field")
    fitted = step.fit_to(fields, training)
    weight = np.cos(np.deg2rad(fields["lat"].values))[:, None] * np.ones((4, 5))
    for channel in range(2):
        chosen = values[training, channel].astype(float)
        there = np.isfinite(chosen)
        w = np.broadcast_to(weight, chosen.shape)[there]
        mean = np.average(chosen[there], weights=w)
        std = np.sqrt(np.average((chosen[there] - mean) ** 2, weights=w))
        np.testing.assert_allclose(fitted["mean"].values[channel], mean, rtol=1e-12)
        np.testing.assert_allclose(fitted["scale"].values[channel], std, rtol=1e-9)


def test_constant_cell_becomes_zero_even_where_it_varies_later(make):
    values = np.array(make().values)
    values[:30, 0, 1, 1] = np.float32(271.35)
    values[40, 0, 1, 1] = 300
    fields = make(values)
    step = Standardise()
    found = step.apply(fields, step.fit_to(fields, np.arange(30))).values
    assert np.all(found[:, 0, 1, 1] == 0)
    assert np.isfinite(found).all()


def test_large_values_with_small_spread(make):
    values = 1e5 + np.random.default_rng(0).normal(0, 0.5, (400, 1, 2, 3)).astype(np.float32)
    fields = make(values)
    fitted = Standardise(fit="all").fit_to(fields, np.array([]))
    np.testing.assert_allclose(
        fitted["scale"].values, fields.values.astype(float).std(axis=0), rtol=1e-10
    )


def test_channel_that_does_not_vary_is_named(make):
    values = np.array(make().values)
    values[:, 1] = 3
    with pytest.raises(DataError, match="channel v1 does not vary"):
        Standardise().fit_to(make(values), np.arange(48))
    with pytest.raises(DataError, match="channel v1 does not vary"):
        Standardise(per="field").fit_to(make(values), np.arange(48))


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_latitude_weight(make, power):
    fields = make()
    step = LatitudeWeight(power=power)
    found = step.apply(fields, step.fit_to(fields, np.array([], int)))
    # cos 60° = 1/2 and cos 20° = 0.9396926208 (tables).
    weight = np.array([0.5, 0.9396926208, 0.9396926208, 0.5]) ** power
    expected = fields.values * weight[None, None, :, None]
    np.testing.assert_allclose(found.values, expected, rtol=1e-6)
    assert not step.physical


def test_weight_at_the_pole_is_zero(make):
    fields = make().assign_coords(lat=[-90.0, -30.0, 30.0, 90.0])
    step = LatitudeWeight(power=0.5)
    found = step.apply(fields, step.fit_to(fields, np.array([], int))).values
    assert np.isfinite(found).all()
    assert np.abs(found[:, :, [0, 3]]).max() < 1e-5
