"""The parts of the synthetic record put together, with CF attributes and packing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from climxai.core.cf import LATITUDE, LONGITUDE, TIME
from climxai.core.errors import DataError
from climxai.core.geography import land_fraction
from climxai.data.sample import enso
from climxai.data.sample.noise import RedNoise, red_series
from climxai.data.sample.ocean import (
    FREEZING,
    Array,
    annual_cycle,
    mean_state,
    warming_pattern,
)
from climxai.version import __version__

if TYPE_CHECKING:
    from climxai.data.sample.synthetic import SyntheticSst

STEP: Final = 0.01
"""Resolution of the packed temperature, degrees Celsius."""
FILL: Final = -32768

# Standard deviation in °C, length in degrees and month-to-month memory of the two kinds of noise.
WEATHER: Final = (0.30, 7.0, 0.72)
SLOW: Final = (0.26, 16.0, 0.93)
# Standard deviation in °C and memory of the small swings of Niño3.4 between events.
BACKGROUND: Final = (0.25, 0.82)
FAR_DELAY: Final = 3.0
"""Months by which other oceans follow the tropical Pacific."""


def assemble(settings: SyntheticSst) -> xr.Dataset:
    """Return the synthetic record that the settings describe; see `SyntheticSst.generate`."""
    lat, lon, lat_edges, lon_edges = _grid(settings.resolution)
    months = 12 * settings.years
    roots = np.random.SeedSequence(settings.seed).spawn(4)
    for_events, for_background, for_weather, for_slow = map(np.random.default_rng, roots)

    land = land_fraction(lat_edges, lon_edges) >= 0.5
    events = enso.draw_events(for_events, settings.years)
    values = _temperature(
        settings,
        (lat, lon, ~land),
        events,
        BACKGROUND[0] * red_series(for_background, months, BACKGROUND[1]),
        RedNoise(for_weather, lat, lon.size, *WEATHER[1:]),
        RedNoise(for_slow, lat, lon.size, *SLOW[1:]),
    )
    values[:, land] = np.nan
    kinds = enso.event_types(events, np.arange(months, dtype=float) + 0.5)
    return _describe(settings, values, kinds, (lat, lon, lat_edges, lon_edges))


def _grid(resolution: float) -> tuple[Array, Array, Array, Array]:
    rows = round(180 / resolution)
    if abs(rows * resolution - 180) > 1e-9:
        raise DataError(
            f"synthetic_sst: resolution {resolution:g} does not divide 180 degrees; "
            "use for example 5, 4, 2.5 or 2"
        )
    lat_edges = np.linspace(-90, 90, rows + 1)
    lon_edges = np.linspace(0, 360, 2 * rows + 1)
    lat, lon = ((edges[:-1] + edges[1:]) / 2 for edges in (lat_edges, lon_edges))
    return lat, lon, lat_edges, lon_edges


def _temperature(
    settings: SyntheticSst,
    grid: tuple[Array, Array, np.ndarray],
    events: tuple[enso.Event, ...],
    background: Array,
    weather: RedNoise,
    slow: RedNoise,
) -> Array:
    """Return temperature [month, lat, lon] in °C, land included, rounded to the packing."""
    y, x = grid[0][:, None], grid[1][None, :]
    months = np.arange(background.size, dtype=float) + 0.5
    mean, cycle = mean_state(y, x), annual_cycle(y, x)

    # Normalised over the ocean, so that `warming` is the trend of its area mean.
    area = np.cos(np.deg2rad(y)) * grid[2]
    trend = warming_pattern(y, x)
    trend *= settings.warming / 120 * area.sum() / (trend * area).sum()

    canonical = (enso.pattern(enso.EAST, y, x) + enso.pattern(enso.CENTRAL, y, x)) / 2
    far = enso.far_pattern(y, x)
    signals = [
        (
            event.signed() * event.envelope(months),
            event.signed() * event.envelope(months, FAR_DELAY),
            enso.pattern(event.kind, y, x, event.shift),
        )
        for event in events
    ]
    # Mid-latitude weather stirs the upper ocean more than the trades do.
    stirred = 0.55 + 0.9 * np.exp(-(((np.abs(y) - 42) / 14) ** 2) / 2)

    values = np.empty((months.size, grid[0].size, grid[1].size))
    for month in range(months.size):
        field = mean + cycle[month % 12] + trend * (months[month] - months.size / 2)
        field = field + background[month] * canonical
        field += stirred * (WEATHER[0] * weather.next() + SLOW[0] * slow.next())
        for near, distant, pattern in signals:
            if max(abs(near[month]), abs(distant[month])) > 1e-3:
                field += near[month] * pattern + distant[month] * far
        values[month] = np.maximum(field, FREEZING)
    return np.asarray(np.round(values / STEP) * STEP)


def _describe(
    settings: SyntheticSst,
    values: Array,
    kinds: np.ndarray,
    grid: tuple[Array, Array, Array, Array],
) -> xr.Dataset:
    lat, lon, lat_edges, lon_edges = grid
    first = np.datetime64(f"{settings.first_year:04d}-01", "M")
    edges = (first + np.arange(values.shape[0] + 1)).astype("datetime64[ns]")
    middle = edges[:-1] + np.diff(edges) / 2
    days = {
        "units": f"days since {settings.first_year:04d}-01-01",
        "calendar": "standard",
        "dtype": "float64",
    }
    dataset = xr.Dataset(
        {
            "sst": (
                ("time", "lat", "lon"),
                values.astype(np.float32),
                {
                    "standard_name": "sea_surface_temperature",
                    "long_name": "synthetic sea surface temperature, monthly mean",
                    "units": "degC",
                    "cell_methods": "time: mean area: mean where sea",
                },
            ),
            "event_type": (
                "time",
                kinds,
                {
                    "long_name": "type of the synthetic event in each month",
                    "flag_values": np.arange(len(enso.MEANINGS), dtype=np.int8),
                    "flag_meanings": " ".join(enso.MEANINGS),
                    "comment": "an event lasts while its own signal, averaged over Nino3.4 "
                    f"(5S-5N, 170W-120W), is at least {enso.THRESHOLD} degC in size",
                },
            ),
            "time_bnds": (("time", "bnds"), np.stack([edges[:-1], edges[1:]], axis=1)),
            "lat_bnds": (("lat", "bnds"), np.stack([lat_edges[:-1], lat_edges[1:]], axis=1)),
            "lon_bnds": (("lon", "bnds"), np.stack([lon_edges[:-1], lon_edges[1:]], axis=1)),
        },
        coords={
            "time": ("time", middle, TIME | {"bounds": "time_bnds"}),
            "lat": ("lat", lat, LATITUDE | {"bounds": "lat_bnds"}),
            "lon": ("lon", lon, LONGITUDE | {"bounds": "lon_bnds"}),
        },
        attrs={
            "title": "Synthetic monthly sea surface temperature with known El Niño types",
            "source": f"SYNTHETIC: made by the random generator of climxai {__version__}; "
            "not an observation, reanalysis, reconstruction or climate model run",
            "comment": "Sum of a mean state, an annual cycle, a linear warming trend, noise red in "
            "space and time, and El Nino and La Nina events. Dates only order the months: "
            "no month resembles that month of the real ocean. Land after Natural Earth 1:110m.",
            "settings": settings.canonical(),
            "license": "CC0-1.0",
        },
    )
    packed = {"dtype": "int16", "scale_factor": STEP, "add_offset": 0.0, "_FillValue": FILL}
    packing = {"zlib": True, "complevel": 9, "shuffle": True}
    chunks = (min(120, values.shape[0]), lat.size, lon.size)
    dataset["sst"].encoding = packed | packing | {"chunksizes": chunks}
    dataset["event_type"].encoding = {"dtype": "int8"} | packing
    dataset["time"].encoding = days
    dataset["time_bnds"].encoding = days
    for name in ("time", "lat", "lon", "time_bnds", "lat_bnds", "lon_bnds"):
        dataset[name].encoding["_FillValue"] = None
    return dataset
