"""A composite as a dataset: names, CF-1.11 attributes and encodings.

Relevance has no standard name. Cell methods may only name dimensions and standard names, so the
mean over samples is one over ``time``, and a network (a seed) is a ``realization``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.normalise import MEANING
from climxai.composites.select import describe
from climxai.composites.settings import Composite
from climxai.core import cf, dims

if TYPE_CHECKING:
    import xarray as xr

_CLASS_MAP: Final = (dims.CLASS, *dims.MAP_DIMS)
DIMENSIONS: Final[dict[str, tuple[str, ...]]] = {
    "relevance": _CLASS_MAP,
    "relevance_std": _CLASS_MAP,
    "relevance_seed_std": _CLASS_MAP,
    "field": _CLASS_MAP,
    "count": (dims.CLASS,),
    "relevance_by_seed": (dims.SEED, *_CLASS_MAP),
    "count_by_seed": (dims.SEED, dims.CLASS),
    "zero_fraction": (dims.SEED, dims.CLASS),
    "conservation": (dims.SEED, dims.CLASS),
}
"""The variables of a composite file, in order."""

ATTRIBUTES: Final[dict[str, dict[str, str]]] = {
    "relevance": {
        "long_name": "mean relevance",
        "units": "1",
        "cell_methods": "time: realization: mean",
        "comment": "mean over all maps of all seeds that counted, pooled: a seed weighs as much as "
        "it has maps",
    },
    "relevance_std": {
        "long_name": "standard deviation of relevance over samples and seeds",
        "units": "1",
        "cell_methods": "time: realization: standard_deviation",
        "comment": "over all maps of all seeds that counted, pooled; divisor: their number",
    },
    "relevance_seed_std": {
        "long_name": "spread of the seeds' mean relevance",
        "units": "1",
        "cell_methods": "time: mean realization: standard_deviation",
        "comment": "standard deviation over the seeds that have maps; divisor: their number; "
        "missing where fewer than two seeds have maps",
    },
    "field": {
        "long_name": "mean of the field",
        "cell_methods": "time: realization: mean",
        "comment": "mean over the maps that count in `relevance`: a sample that counts for "
        "several seeds weighs as often",
    },
    "count": {"long_name": "number of maps over all seeds", "units": "1"},
    "relevance_by_seed": {
        "long_name": "mean relevance of one seed",
        "units": "1",
        "cell_methods": "time: mean",
    },
    "count_by_seed": {"long_name": "number of maps of one seed", "units": "1"},
    "zero_fraction": {
        "long_name": "fraction of maps without any relevance",
        "units": "1",
        "cell_methods": "time: mean",
    },
    "conservation": {
        "long_name": "mean conservation ratio, sum of relevance over explained output",
        "units": "1",
        "cell_methods": "time: mean",
        "comment": "before normalisation; samples whose ratio is undefined do not count",
    },
}


def assemble(
    fields: xr.DataArray,
    classes: Sequence[str],
    seeds: Sequence[int],
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    method: str,
    signed: bool,
    settings: Composite,
) -> xr.Dataset:
    """Return the composite as a dataset that is ready to be written.

    Parameters
    ----------
    fields
        Gives grid, channels and units.
    classes, seeds
        Coordinates.
    arrays
        Name -> values, with the dimensions of `DIMENSIONS`.
    method, signed
        Identifier of the method; whether its relevance has two signs, which chooses the colours.
    settings
        Written into the attributes.
    """
    import xarray as xr

    coords: dict[str, Any] = {
        dims.CLASS: (dims.CLASS, np.array(classes, dtype=object), {"long_name": "class"}),
        dims.SEED: (
            dims.SEED,
            np.array(seeds, dtype=np.int64),
            {
                "standard_name": "realization",
                "long_name": "seed of the network's initial weights",
                "units": "1",
            },
        ),
        dims.CHANNEL: (
            dims.CHANNEL,
            np.array([str(name) for name in fields[dims.CHANNEL].values], dtype=object),
            {"long_name": "variable of the input"},
        ),
        dims.LAT: (dims.LAT, fields[dims.LAT].values.astype(np.float64), dict(cf.LATITUDE)),
        dims.LON: (dims.LON, fields[dims.LON].values.astype(np.float64), dict(cf.LONGITUDE)),
    }
    units = _texts(fields, "units")
    coords["units"] = (dims.CHANNEL, units, {"long_name": "units of the field"})
    coords["long_name"] = (
        dims.CHANNEL,
        _texts(fields, "long_name"),
        {"long_name": "long name of the variable"},
    )
    variables: dict[str, Any] = {}
    for name, dimensions in DIMENSIONS.items():
        values = arrays[name]
        if values.dtype.kind == "f":
            values = values.astype(np.float32)
        attributes = dict(ATTRIBUTES[name])
        if name.startswith("relevance"):
            attributes["normalisation"] = MEANING[settings.normalise]
        if name == "field" and len(set(units)) == 1:
            attributes["units"] = units[0]
        variables[name] = (dimensions, values, attributes, _encoding(values))
    composite = xr.Dataset(
        variables,
        coords,
        {
            "Conventions": cf.CONVENTIONS,
            "title": f"Composites of relevance ({method}) per class",
            "method": method,
            "signed": np.int32(signed),
            "normalisation": settings.normalise,
            "selection": describe(settings),
            "composite": settings.canonical(),
        },
    )
    for name in (dims.SEED, dims.LAT, dims.LON):
        composite[name].encoding = {"_FillValue": None}
    return composite


def _texts(fields: xr.DataArray, name: str) -> npt.NDArray[np.object_]:
    return np.array([str(text) for text in fields.coords[name].values], dtype=object)


def _encoding(values: npt.NDArray[Any]) -> dict[str, Any]:
    if values.dtype.kind != "f":
        return {"dtype": "int32", "_FillValue": None}
    encoding: dict[str, Any] = {"dtype": "float32", "_FillValue": np.float32(np.nan)}
    if values.ndim > 2:
        encoding |= {"zlib": True, "complevel": 4, "shuffle": True}
    return encoding
