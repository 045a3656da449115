"""A composite as a dataset: names, CF-1.11 attributes and encodings.

Relevance has no standard name. Cell methods may only name dimensions and standard names, so the
mean over samples is one over ``time``, and a network (a seed) is a ``realization``.
"""

from __future__ import annotations

import json
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

FURTHER: Final[dict[str, tuple[str, ...]]] = {
    "relevance_median": _CLASS_MAP,
    "relevance_quantile": ("quantile", *_CLASS_MAP),
    "relevance_sign_agreement": _CLASS_MAP,
    "relevance_frequency": _CLASS_MAP,
    "relevance_count": _CLASS_MAP,
    "relevance_anomaly": _CLASS_MAP,
    "field_anomaly": _CLASS_MAP,
    "relevance_difference": ("difference", *dims.MAP_DIMS),
    "field_difference": ("difference", *dims.MAP_DIMS),
}
"""Variables that are there when asked for."""

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
    "relevance_median": {
        "long_name": "median relevance",
        "units": "1",
        "cell_methods": "time: realization: median",
        "comment": "exact, over all maps of all seeds that counted, pooled",
    },
    "relevance_quantile": {
        "long_name": "quantile of relevance over samples and seeds",
        "units": "1",
        "comment": "exact, linear between neighbours, over all maps of all seeds that counted",
    },
    "relevance_sign_agreement": {
        "long_name": "fraction of maps whose relevance has the sign of their mean",
        "units": "1",
        "comment": "over all maps of all seeds that counted, pooled; zero agrees with neither "
        "sign; missing where the mean is zero",
    },
    "relevance_frequency": {
        "long_name": "fraction of maps whose relevance exceeds their own quantile",
        "units": "1",
    },
    "relevance_count": {"long_name": "number of maps that are valid in a cell", "units": "1"},
    "relevance_anomaly": {
        "long_name": "mean relevance less that of all maps in any class",
        "units": "1",
        "cell_methods": "time: realization: mean",
    },
    "field_anomaly": {
        "long_name": "mean of the field less that over all maps in any class",
        "cell_methods": "time: realization: mean",
    },
    "relevance_difference": {
        "long_name": "difference of mean relevance",
        "units": "1",
        "cell_methods": "time: realization: mean",
    },
    "field_difference": {
        "long_name": "difference of the mean of the field",
        "cell_methods": "time: realization: mean",
    },
}

_BEFORE: Final = {
    "time: realization: mean": "realization: mean time: mean",
    "time: realization: standard_deviation": "realization: mean time: standard_deviation",
    "time: realization: median": "realization: mean time: median",
}
"""Cell methods where the seeds' maps of a sample are averaged first; they apply left to right."""


def assemble(
    fields: xr.DataArray,
    classes: Sequence[str],
    seeds: Sequence[int],
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    method: str,
    signed: bool,
    settings: Composite,
    steps: Sequence[tuple[str, int]] = (),
) -> xr.Dataset:
    """Return the composite as a dataset that is ready to be written.

    Parameters
    ----------
    fields
        Gives grid, channels and units.
    classes, seeds
        Coordinates; ``classes`` are the names of the groups.
    arrays
        Name -> values, with the dimensions of `DIMENSIONS` and `FURTHER`.
    method, signed
        Identifier of the method; whether its relevance has two signs, which chooses the colours.
    settings
        Written into the attributes.
    steps
        Each condition of the selection, and the number of maps it left.
    """
    import xarray as xr

    coords: dict[str, Any] = {
        dims.CLASS: (dims.CLASS, np.array(classes, dtype=object), {"long_name": _groups(settings)}),
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
    if settings.differences:
        names = [f"{one} minus {other}" for one, other in settings.differences]
        coords["difference"] = (
            "difference",
            np.array(names, dtype=object),
            {"long_name": "groups that are compared"},
        )
    if settings.statistic("quantiles"):
        coords["quantile"] = (
            "quantile",
            np.array(settings.statistic("quantiles").at),
            {"long_name": "quantile", "units": "1"},
        )
    variables: dict[str, Any] = {}
    for name, dimensions in (DIMENSIONS | FURTHER).items():
        if name in arrays:
            values = arrays[name]
            values = values.astype(np.float32 if values.dtype.kind == "f" else np.int32)
            attributes = _attributes(name, settings, units)
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
            "selection_counts": json.dumps([[words, count] for words, count in steps]),
            "seeds_averaged": _SEEDS[settings.seeds],
            "composite": settings.canonical(),
        },
    )
    for name in (dims.SEED, dims.LAT, dims.LON, "quantile"):
        if name in composite.coords:
            composite[name].encoding = {"_FillValue": None}
    return composite


_SEEDS: Final = {
    "after": "after: the maps of all seeds are normalised one by one and pooled",
    "before": "before: the maps that the seeds have of one sample are averaged first, then "
    "normalised and averaged over samples",
}


def _groups(settings: Composite) -> str:
    words = " and ".join(each.words() for each in settings.by)
    return "class" if words in ("true class", "class the network gave") else words


def _attributes(name: str, settings: Composite, units: npt.NDArray[np.object_]) -> dict[str, str]:
    """Return what a variable says of itself, with the choices that were made."""
    attributes = dict(ATTRIBUTES[name])
    if name.startswith("relevance") and name not in _COUNTED:
        attributes["normalisation"] = MEANING[settings.normalise]
    if name.startswith("field") and len(set(units)) == 1:
        attributes["units"] = units[0]
    if name == "relevance_frequency":
        above = settings.statistic("frequency").above
        attributes["comment"] = (
            f"above the {above:g} quantile of the map's own valid cells, over all channels; over "
            "all maps of all seeds that counted, pooled"
        )
    pooled = name not in ("relevance_by_seed", "relevance_seed_std", "count_by_seed")
    if settings.seeds == "before" and pooled and name not in ("zero_fraction", "conservation"):
        if "cell_methods" in attributes:
            methods = attributes["cell_methods"]
            attributes["cell_methods"] = _BEFORE.get(methods, methods)
        attributes["comment"] = _first_averaged(attributes.get("comment", ""))
    return attributes


def _first_averaged(comment: str) -> str:
    text = comment.replace("all maps of all seeds that counted, pooled", "all samples that counted")
    text = text.split("; over")[0] if text.startswith("above") else text
    first = "the seeds' maps of each sample are averaged first"
    return f"{first}; {text.split(': a seed weighs')[0]}" if text else first


_COUNTED: Final = ("relevance_count", "relevance_frequency")


def _texts(fields: xr.DataArray, name: str) -> npt.NDArray[np.object_]:
    return np.array([str(text) for text in fields.coords[name].values], dtype=object)


def _encoding(values: npt.NDArray[Any]) -> dict[str, Any]:
    if values.dtype.kind != "f":
        return {"dtype": "int32", "_FillValue": None}
    encoding: dict[str, Any] = {"dtype": "float32", "_FillValue": np.float32(np.nan)}
    if values.ndim > 2:
        encoding |= {"zlib": True, "complevel": 4, "shuffle": True}
    return encoding
