"""One shard: the relevance of some samples as a dataset, and its file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.cf import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.relevance import Relevance


def shard_dataset(
    relevance: Relevance,
    inputs: xr.DataArray,
    valid: npt.NDArray[np.bool_],
    *,
    labels: npt.NDArray[np.int64],
    predictions: npt.NDArray[np.int64],
    parts: npt.NDArray[np.int8],
    part_names: tuple[str, ...],
    classes: tuple[str, ...],
    attributes: dict[str, Any],
    decomposes: bool = True,
    confidence: npt.NDArray[np.floating] | None = None,
    index: xr.DataArray | None = None,
) -> xr.Dataset:
    """Return relevance as labelled arrays; what lies on invalid cells is summed, then made NaN.

    Parameters
    ----------
    relevance
        ``values`` [sample, channel, lat, lon] and ``output`` [sample], the explained scalar, less
        its reference where there is one; conservation is measured by ``handed`` where it is given.
    inputs
        The maps explained, whose coordinates are taken over.
    valid
        Valid cells, bool [channel, lat, lon].
    labels, predictions
        Class numbers per sample.
    parts
        Which part of the split each sample belongs to, as a position in ``part_names``.
    classes
        Class names in the order of their numbers.
    attributes
        Global attributes: key, method, seed, ….
    decomposes
        Whether relevance shares out the explained output; where not, conservation and gap are NaN.
    confidence
        Probability of the predicted class per sample.
    index
        The series behind the labels, of these samples.

    Returns
    -------
    xarray.Dataset
        relevance, output, label, prediction, split, conservation, completeness_gap, zero_map,
        mask_leak; confidence and index where they are given.
    """
    import xarray as xr

    values = relevance.values.detach().cpu().numpy().astype(np.float32, copy=True)
    output = relevance.output.detach().cpu().numpy().astype(np.float64)
    handed = output
    if relevance.handed is not None:
        handed = relevance.handed.detach().cpu().numpy().astype(np.float64)
    leak = np.abs(values[:, ~valid].astype(np.float64)).sum(axis=1)
    on_valid = values[:, valid].astype(np.float64)
    total = on_valid.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        conservation = np.where(decomposes & (handed != 0), total / handed, np.nan)
    values[:, ~valid] = np.nan
    flags = {
        "flag_values": np.arange(len(classes), dtype=np.int32),
        "flag_meanings": " ".join(classes),
    }
    dataset = xr.Dataset(
        {
            "relevance": (
                inputs.dims,
                values,
                {"long_name": "relevance of each cell for the explained output", "units": "1"},
            ),
            "output": ("sample", output, {"long_name": "explained output", "units": "1"}),
            "label": ("sample", labels.astype(np.int32), {"long_name": "true class", **flags}),
            "prediction": (
                "sample",
                predictions.astype(np.int32),
                {"long_name": "predicted class", **flags},
            ),
            "split": (
                "sample",
                parts.astype(np.int8),
                {
                    "long_name": "part of the split",
                    "flag_values": np.arange(len(part_names), dtype=np.int8),
                    "flag_meanings": " ".join(part_names),
                },
            ),
            "conservation": (
                "sample",
                conservation,
                {
                    "long_name": "sum of relevance on valid cells over what was handed out: the "
                    "explained output, unless the method starts from something else",
                    "units": "1",
                },
            ),
            "completeness_gap": (
                "sample",
                np.where(decomposes, handed - total, np.nan),
                {
                    "long_name": "relevance handed out less the sum of relevance on valid cells",
                    "units": "1",
                },
            ),
            "zero_map": (
                "sample",
                (~on_valid.any(axis=1)).astype(np.int8),
                {
                    "long_name": "whether the map is zero everywhere",
                    "flag_values": np.array([0, 1], dtype=np.int8),
                    "flag_meanings": "some_relevance no_relevance",
                },
            ),
            "mask_leak": (
                "sample",
                leak,
                {"long_name": "sum of absolute relevance on invalid cells", "units": "1"},
            ),
        },
        coords={name: inputs.coords[name] for name in inputs.coords},
        attrs={
            "title": f"Relevance of single samples ({attributes['method']})",
            "class_names": json.dumps(list(classes)),
            **attributes,
        },
    )
    if confidence is not None:
        dataset["confidence"] = (
            "sample",
            confidence.astype(np.float32),
            {"long_name": "probability that the network gives the predicted class", "units": "1"},
        )
    if index is not None:
        dataset["index"] = ("sample", index.values.astype(np.float64), dict(index.attrs))
    dataset["lat"].attrs = dict(LATITUDE)
    dataset["lon"].attrs = dict(LONGITUDE)
    return dataset
