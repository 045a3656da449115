"""Optimised inputs as a dataset: in the units of the field, beside the classes' mean fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.cf import LATITUDE, LONGITUDE
from climxai.data.preprocess.chain import units_left

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.visualise.optimise import Optimised
    from climxai.attribution.visualise.targets import Target
    from climxai.data.preprocess.chain import Preprocessing

Array = npt.NDArray[np.float64]

CURVES = {
    "loss": "what the target adds to the loss",
    "penalty": "what the regularisers add to the loss",
    "value": "the quantity aimed at",
}


def optimised_dataset(
    found: Mapping[int, Optimised],
    targets: Mapping[str, Target],
    start: Array,
    fields: Array,
    *,
    preprocessing: Preprocessing,
    physical: xr.DataArray,
    valid: npt.NDArray[np.bool_],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Return what was optimised as labelled arrays, NaN on invalid cells.

    Parameters
    ----------
    found
        Seed -> what its network's inputs became.
    targets
        Name -> target, in the order of the inputs.
    start
        The map they started from [channel, lat, lon], in the network's units.
    fields
        Mean field of every target's class [target, channel, lat, lon], in the field's units; NaN
        where a target has none.
    preprocessing
        What the inputs went through; it is undone as far as it leaves the field's units.
    physical
        The record in the field's units, for its coordinates.
    valid
        Valid cells [channel, lat, lon].
    attributes
        Global attributes.

    Returns
    -------
    xarray.Dataset
        optimal_input (target, seed, channel, lat, lon), start (channel, lat, lon), field (target,
        channel, lat, lon); loss, penalty, value (target, seed, step); moves, held (target, seed).
    """
    import xarray as xr

    values = np.stack([each.values.numpy() for each in found.values()], axis=1)
    place = ("channel", "lat", "lon")
    coords: dict[str, Any] = {
        "target": ("target", list(targets), {"long_name": "what the input is optimised for"}),
        "quantity": (
            "target",
            [target.quantity() for target in targets.values()],
            {"long_name": "quantity aimed at"},
        ),
        "seed": ("seed", list(found), {"long_name": "seed of the network"}),
        "step": (
            "step",
            np.arange(next(iter(found.values())).loss.shape[1]),
            {"long_name": "step of the optimisation, 0 is the start"},
        ),
        "lat": ("lat", physical["lat"].values, dict(LATITUDE)),
        "lon": ("lon", physical["lon"].values, dict(LONGITUDE)),
        **{name: physical[name].variable for name in ("channel", "units", "long_name")},
    }
    dataset = xr.Dataset(coords=coords, attrs=dict(attributes))

    def in_units(array: Array, dims: tuple[str, ...]) -> tuple[xr.DataArray, tuple[str, ...]]:
        maps = xr.DataArray(np.where(valid, array, np.nan), dims=dims)
        return preprocessing.undo_scaling(maps.assign_coords(lat=dataset["lat"]))

    optimal, remaining = in_units(values, ("target", "seed", *place))
    first, _ = in_units(start, place)
    units = units_left(physical["units"].values, remaining)
    dataset = dataset.assign_coords(units=("channel", units))
    same = {"units": units[0]} if len(set(units)) == 1 else {}
    many = " (see the coordinate units)" if not same else ""
    dataset["optimal_input"] = (
        optimal.dims,
        optimal.values.astype(np.float32),
        {"long_name": f"input optimised for the target{many}", **same},
    )
    dataset["start"] = (
        first.dims,
        first.values.astype(np.float32),
        {"long_name": f"input that the optimisation started from{many}", **same},
    )
    dataset["field"] = (
        ("target", *place),
        np.where(valid, fields, np.nan).astype(np.float32),
        {"long_name": "mean field of the target's class"},
    )
    for name, text in CURVES.items():
        curves = np.stack([getattr(each, name) for each in found.values()], axis=1)
        dataset[name] = (("target", "seed", "step"), curves, {"long_name": text, "units": "1"})
    dataset["moves"] = (
        ("target", "seed"),
        np.stack([each.moves for each in found.values()], axis=1).astype(np.int32),
        {
            "long_name": "steps before the target's gradient vanished; all where it did not",
            "units": "1",
        },
    )
    dataset["held"] = (
        ("target", "seed"),
        np.stack([each.held for each in found.values()], axis=1),
        {
            "long_name": "part of the target's descent that the regularisers take at the end",
            "units": "1",
        },
    )
    return dataset
