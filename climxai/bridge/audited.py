"""The books of an explanation as a dataset: what became of relevance, by seed, layer and sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.lrp.audit import Audit

Positions = npt.NDArray[np.int64]

PER_LAYER: Final = {
    "arrived": "relevance that reached the layer's output",
    "passed": "relevance that the layer passed on to its inputs",
    "bias": "relevance that the layer's bias took",
    "stabiliser": "relevance that the layer's stabiliser took",
    "other": "relevance that empty sides, zero denominators, fixed numbers and rounding took",
    "positive": "sum of the positive values that the layer passed on",
    "negative": "sum of the negative values that the layer passed on",
    "outside": "how many valid inputs of the layer lay outside the bounds of its z-B rule",
}
PER_SAMPLE: Final = {
    "output": "explained output, less its reference where there is one",
    "start": "relevance handed out at the output, by which every share is measured",
    "total": "sum of relevance on all cells of the input",
    "land": "sum of relevance on invalid cells",
}


def audit_dataset(
    audits: Mapping[int, Sequence[tuple[Positions, Audit]]],
    samples: Mapping[str, xr.DataArray],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Return the audits of one method as labelled arrays, NaN where a sample was not explained.

    Parameters
    ----------
    audits
        Seed -> parts of the samples: their positions along ``sample``, and their audit. The layers
        are the same in all, from the output down to the input.
    samples
        Coordinates along ``sample``: time, row, ….
    attributes
        Global attributes.

    Returns
    -------
    xarray.Dataset
        `PER_LAYER` (seed, layer, sample); `PER_SAMPLE`, conservation and zero_map (seed, sample);
        coordinates layer, kind and rule of each layer; the rule is empty for steps that need none.
    """
    import xarray as xr

    any_audit = next(audit for parts in audits.values() for _, audit in parts)
    size = samples["row"].sizes["sample"]
    seeds, layers = list(audits), len(any_audit.layers)
    shape, flat = (len(seeds), layers, size), (len(seeds), size)
    deep = {name: np.full(shape, np.nan) for name in PER_LAYER}
    single = {name: np.full(flat, np.nan) for name in (*PER_SAMPLE, "zero_map")}
    for number, seed in enumerate(seeds):
        for where, audit in audits[seed]:
            for name, values in deep.items():
                values[number][:, where] = getattr(audit, name)
            for name, column in single.items():
                column[number, where] = getattr(audit, "score" if name == "output" else name)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (single["total"] - single["land"]) / single["start"]
    single["conservation"] = np.where(single["start"] != 0, share, np.nan)
    dataset = xr.Dataset(
        {
            **{
                name: (("seed", "layer", "sample"), values, _named(PER_LAYER[name]))
                for name, values in deep.items()
            },
            **{
                name: (("seed", "sample"), single[name], _named(text))
                for name, text in PER_SAMPLE.items()
            },
            "conservation": (
                ("seed", "sample"),
                single["conservation"],
                _named("sum of relevance on valid cells over what was handed out at the output"),
            ),
            "zero_map": (
                ("seed", "sample"),
                single["zero_map"],
                {
                    "long_name": "whether the map is zero everywhere",
                    "flag_values": np.array([0, 1], dtype=np.int8),
                    "flag_meanings": "some_relevance no_relevance",
                },
            ),
        },
        coords={
            "seed": ("seed", seeds, {"long_name": "seed of the network"}),
            "layer": (
                "layer",
                list(any_audit.layers),
                {"long_name": "layer, from the output down to the input"},
            ),
            "kind": ("layer", list(any_audit.kinds), {"long_name": "kind of layer"}),
            "rule": ("layer", list(any_audit.rules), {"long_name": "rule of the layer"}),
            **samples,
        },
        attrs=dict(attributes),
    )
    dataset["zero_map"].encoding = {"dtype": "int8", "_FillValue": np.int8(-1)}
    return dataset


def _named(text: str) -> dict[str, str]:
    return {"long_name": text, "units": "1"}
