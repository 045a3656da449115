"""The first layer's weights as labelled arrays on the grid the network was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.core.cf import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    import xarray as xr

    from climxai.bridge.signature import Signature
    from climxai.models.first_layer import FirstLayer


def weights_dataset(
    layers: Mapping[int, FirstLayer], signature: Signature, attributes: Mapping[str, Any]
) -> xr.Dataset:
    """Return the first layer's weights of every seed.

    Parameters
    ----------
    layers
        Seed -> first layer, all of one architecture.
    signature
        Channels, grid and valid cells.
    attributes
        Global attributes.

    Returns
    -------
    xarray.Dataset
        weight (seed, unit, channel, lat, lon), NaN on invalid cells, for a dense layer, or
        (seed, unit, channel, row, column) for a convolution, rows from south to north. With
        maxout ``unit`` counts every unit as often as it has pieces, told apart by piece (unit).
    """
    import xarray as xr

    some = next(iter(layers.values()))
    values = np.stack([layer.weights for layer in layers.values()])
    where: tuple[str, str] = ("lat", "lon") if some.dense else ("row", "column")
    if some.dense:
        values = np.where(signature.valid(), values, np.float32(np.nan))
    coords: dict[str, Any] = {
        "seed": ("seed", list(layers), {"long_name": "seed of the network"}),
        "channel": ("channel", list(signature.channels), {"long_name": "channel of the input"}),
        "unit": (
            "unit",
            np.arange(values.shape[1]) // some.pieces,
            {"long_name": "unit of the first layer, from 0"},
        ),
    }
    if some.pieces > 1:
        coords["piece"] = (
            "unit",
            np.arange(values.shape[1]) % some.pieces,
            {"long_name": "linear piece of the unit, of which maxout takes the largest, from 0"},
        )
    if some.dense:
        coords["lat"] = ("lat", list(signature.lat), dict(LATITUDE))
        coords["lon"] = ("lon", list(signature.lon), dict(LONGITUDE))
    else:
        for name, size, text in zip(
            where, values.shape[3:], ("from south to north", "from west to east"), strict=True
        ):
            away = np.arange(size) - size // 2
            coords[name] = (name, away, {"long_name": f"cells from the window's middle, {text}"})
    text = "weight of a cell" if some.dense else "weight of a cell of the window"
    return xr.Dataset(
        {
            "weight": (
                ("seed", "unit", "channel", *where),
                values,
                {"long_name": f"{text} in a unit's sum, per preprocessed input", "units": "1"},
            )
        },
        coords=coords,
        attrs={"layer": some.name, **attributes},
    )
