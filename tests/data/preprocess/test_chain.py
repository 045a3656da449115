"""The chain: fitted in order, saved, read again, applied to other rows and refused elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climxai.core.errors import ConfigError, DataError, OutputError
from climxai.data.preprocess import STEPS, Anomaly, Detrend, LatitudeWeight, Standardise
from climxai.data.preprocess.chain import Preprocessing

CHAIN = (
    Anomaly(),
    Detrend(order=2),
    Standardise(per="field"),
    Standardise(),
    LatitudeWeight(power=0.5),
)


def with_land(make):
    values = np.array(make().values)
    values[:, :, 0, 0] = np.nan
    values[10:14, 0, 3, 3] = np.nan
    return make(values)


def test_steps_are_fitted_to_what_the_steps_before_leave(make):
    fields = with_land(make)
    training = np.arange(36)
    found = Preprocessing.fit(CHAIN[:2], fields, training).apply(fields).values
    first, second = CHAIN[:2]
    between = first.apply(fields, first.fit_to(fields, training))
    expected = second.apply(between, second.fit_to(between, training)).values
    assert np.array_equal(found, expected, equal_nan=True)


def test_round_trip_gives_the_same_bits(make, tmp_path):
    fields = with_land(make)
    fitted = Preprocessing.fit(CHAIN, fields, np.arange(36))
    path = tmp_path / "preprocessing.nc"
    fitted.save(path)
    again = Preprocessing.load(path)
    assert again.steps == CHAIN
    for one, other in zip(fitted.fitted, again.fitted, strict=True):
        assert set(one.variables) == set(other.variables)
        for name in one.variables:
            found, expected = other[name].values, one[name].values
            assert found.tobytes() == expected.tobytes() or list(found) == list(expected), name
    for rows in (slice(None), slice(40, 48), [3], [47, 2]):
        some = fields.isel(sample=rows)
        assert np.array_equal(fitted.apply(some).values, again.apply(some).values, equal_nan=True)
    assert fitted.warnings(fields) == again.warnings(fields) != ()
    assert [file.name for file in tmp_path.iterdir()] == ["preprocessing.nc"]


def test_saved_file_is_cf_netcdf(make, tmp_path):
    Preprocessing.fit(CHAIN, make(), np.arange(36)).save(tmp_path / "p.nc")
    with xr.open_dataset(tmp_path / "p.nc") as saved:
        assert saved.attrs["Conventions"] == "CF-1.11"
        assert saved["lat"].attrs["units"] == "degrees_north"
        assert saved["step0_climatology"].dims == ("step0_group", "channel", "lat", "lon")


def test_empty_chain_leaves_the_field(make, tmp_path):
    fields = make()
    empty = Preprocessing.fit((), fields, np.arange(3))
    empty.save(tmp_path / "p.nc")
    assert np.array_equal(Preprocessing.load(tmp_path / "p.nc").apply(fields), fields)


def test_physical_only_stops_before_units_are_lost(make):
    fields = make()
    fitted = Preprocessing.fit(CHAIN, fields, np.arange(36))
    physical = fitted.apply(fields, physical_only=True)
    alone = Preprocessing.fit(CHAIN[:2], fields, np.arange(36)).apply(fields)
    assert np.array_equal(physical, alone)
    assert list(physical["units"].values) == ["K", "K"]


def test_result_is_lazy_and_keeps_coordinates(make):
    fields = make(member=("sample", ["a"] * 48))
    found = Preprocessing.fit(CHAIN, fields, np.arange(36)).apply(fields)
    assert found.chunks == fields.chunks
    assert found.dims == fields.dims
    assert set(found.coords) == set(fields.coords)
    assert found.dtype == np.float32


def test_only_training_rows_are_looked_at(make):
    """Whatever the other rows hold, a fit to training rows stays the same, bit for bit."""
    fields = make()
    values = np.array(fields.values)
    values[36:] = np.random.default_rng(9).normal(1000, 300, values[36:].shape)
    training = np.arange(36)
    for step in CHAIN:
        one = step.fit_to(fields, training)
        other = step.fit_to(make(values), training)
        assert one.equals(other), step.name


@pytest.mark.parametrize("late", [Anomaly(), Detrend()])
@pytest.mark.parametrize("early", [Standardise(), LatitudeWeight()])
def test_order_that_labels_cannot_use_is_refused(make, early, late):
    with pytest.raises(ConfigError, match=f"put {late.name} before {early.name}"):
        Preprocessing.fit((early, late), make(), np.arange(36))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda f: f.assign_coords(lat=f["lat"] + 1), "fitted on lat -60 to 60 in 4 steps"),
        (lambda f: f.isel(lon=slice(1, None)), "lon 0 to 40 in 5 steps, the data have 10 to 40"),
        (lambda f: f.assign_coords(channel=["v0", "x"]), "channel v0, v1, the data have v0, x"),
    ],
)
def test_another_grid_is_refused(make, change, what):
    fields = make()
    fitted = Preprocessing.fit(CHAIN, fields, np.arange(36))
    with pytest.raises(DataError, match=what):
        fitted.apply(change(fields))


def test_latitude_weight_alone_refuses_another_grid(make):
    fitted = Preprocessing.fit((LatitudeWeight(),), make(), np.arange(36))
    with pytest.raises(DataError, match="step latitude_weight was fitted on lat"):
        fitted.apply(make().isel(lat=slice(2)))


def test_missing_and_damaged_files(make, tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        Preprocessing.load(tmp_path / "none.nc")
    path = tmp_path / "p.nc"
    Preprocessing.fit(CHAIN, make(), np.arange(36)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(OutputError, match="cannot be read"):
        Preprocessing.load(path)
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(OutputError, match="holds no preprocessing"):
        Preprocessing.load(tmp_path / "other.nc")


def test_file_without_the_fit_of_a_step(make, tmp_path):
    path = tmp_path / "p.nc"
    Preprocessing.fit((Anomaly(), Detrend()), make(), np.arange(36)).save(path)
    with xr.open_dataset(path) as saved:
        saved.load()
    saved.drop_vars("step1_coefficients").to_netcdf(tmp_path / "q.nc")
    with pytest.raises(OutputError, match="lacks what was fitted for step 2, detrend"):
        Preprocessing.load(tmp_path / "q.nc")


def test_table_names_are_the_records_names():
    for name, step in STEPS.items():
        assert step.model_fields["name"].default == name


def test_scaling_is_undone(make):
    # The oracle is the chain itself: with all steps and then undone, and without the steps that
    # change units.
    fields = with_land(make)
    fitted = Preprocessing.fit(CHAIN, fields, np.arange(36))
    undone, remaining = fitted.undo_scaling(fitted.apply(fields).astype("float64"))
    assert remaining == ()
    expected = fitted.apply(fields, physical_only=True)
    np.testing.assert_allclose(undone, expected, rtol=1e-4, atol=1e-5)
    assert undone.dims == expected.dims
    assert Preprocessing((), ()).undo_scaling(fields)[0] is fields


def test_a_constant_cell_and_the_pole_are_undone_as_far_as_can_be(make):
    values = np.array(make().values)
    values[:, :, 1, 1] = 3.0
    fields = make(values).assign_coords(lat=[-90.0, -30.0, 30.0, 90.0])
    steps = (Standardise(), LatitudeWeight(power=0.5))
    fitted = Preprocessing.fit(steps, fields, np.arange(36))
    undone, _ = fitted.undo_scaling(fitted.apply(fields))
    assert np.isnan(undone.values[:, :, [0, 3]]).all()
    np.testing.assert_allclose(undone.values[:, :, 1, 1], 3.0)


def test_a_step_that_cannot_be_undone_is_named(make, monkeypatch):
    fields = make()
    fitted = Preprocessing.fit((Standardise(), LatitudeWeight()), fields, np.arange(36))
    monkeypatch.setattr(Standardise, "undo", lambda *_: None)
    weighted = fitted.apply(fields)
    undone, remaining = fitted.undo_scaling(weighted)
    assert remaining == ("standardise",)
    expected = Standardise().apply(fields, fitted.fitted[0])
    np.testing.assert_allclose(undone, expected, rtol=1e-5, atol=1e-6)
