"""What novelty leaves: a dataset, a ranking, and maps of the most novel samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.cf import LATITUDE, LONGITUDE
from climxai.data.time import iso

if TYPE_CHECKING:
    import xarray as xr

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]

MEANING = "root mean square of what the baseline's patterns leave, in its standard deviations"


def novelty_dataset(
    values: Mapping[int | None, Array],
    fields: xr.DataArray,
    chosen: Rows,
    *,
    baseline: Rows,
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    parts: npt.NDArray[np.int8],
    part_names: Sequence[str],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Return novelty and rank of the chosen rows; the mean over seeds where there are several.

    Parameters
    ----------
    values
        Seed of a network, None for the inputs -> novelty [chosen].
    fields
        The record, for its coordinates.
    chosen, baseline
        Positions of the ranked rows and of the baseline's.
    labels, parts
        Class (-1: none) and part of the split of every row of the record.
    classes, part_names
        Names in the order of their numbers.
    attributes
        Global attributes.

    Returns
    -------
    xarray.Dataset
        novelty, rank, in_baseline, label, split (sample); novelty_by_seed (seed, sample) where
        networks were compared.
    """
    import xarray as xr

    mean = np.mean(list(values.values()), axis=0)
    rank = np.empty(mean.size, dtype=np.int32)
    rank[np.argsort(-mean, kind="stable")] = np.arange(1, mean.size + 1)
    within = np.isin(chosen, baseline).astype(np.int8)
    dataset = xr.Dataset(
        {
            "novelty": ("sample", mean, {"long_name": MEANING, "units": "1"}),
            "rank": ("sample", rank, {"long_name": "rank, 1 is the most novel", "units": "1"}),
            "in_baseline": (
                "sample",
                within,
                _flags("whether the sample belongs to the baseline", 0, ("no", "yes"), within),
            ),
            "label": (
                "sample",
                labels[chosen].astype(np.int32),
                _flags("class", -1, ("no_class", *classes), np.empty(0, np.int32)),
            ),
            "split": (
                "sample",
                parts[chosen],
                _flags("part of the split", 0, part_names, parts),
            ),
        },
        coords=sample_coordinates(fields, chosen),
        attrs={"title": "Novelty of samples", **attributes},
    )
    seeds = [seed for seed in values if seed is not None]
    if seeds:
        long_name = f"{MEANING}, per network"
        dataset["novelty_by_seed"] = (
            ("seed", "sample"),
            np.stack([values[seed] for seed in seeds]),
            {"long_name": long_name, "units": "1"},
        )
        dataset = dataset.assign_coords(seed=("seed", seeds, {"long_name": "seed of the network"}))
    return dataset


def _flags(text: str, first: int, names: Sequence[str], like: npt.NDArray[Any]) -> dict[str, Any]:
    values = np.arange(first, first + len(names)).astype(like.dtype)
    return {"long_name": text, "flag_values": values, "flag_meanings": " ".join(names)}


def sample_coordinates(fields: xr.DataArray, chosen: Rows) -> dict[str, xr.DataArray]:
    """Return time, row, … of the chosen rows, without values of their own."""
    return {
        str(name): coordinate.isel(sample=chosen).reset_coords(drop=True)
        for name, coordinate in fields.coords.items()
        if coordinate.dims == ("sample",) and name != "sample"
    }


def ranking(
    dataset: xr.Dataset, classes: Sequence[str], part_names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a row per sample, from the most to the least novel."""
    known = ("", *classes)
    columns = {name: dataset[name].values for name in ("novelty", "label", "split", "in_baseline")}
    time, row = dataset["time"].values, dataset["row"].values
    members = dataset["member"].values if "member" in dataset.coords else None
    return [
        {
            "rank": number + 1,
            "time": iso(time[at]),
            "row": int(row[at]),
            **({} if members is None else {"member": str(members[at])}),
            "novelty": float(columns["novelty"][at]),
            "class": known[int(columns["label"][at]) + 1],
            "split": part_names[int(columns["split"][at])],
            "in_baseline": int(columns["in_baseline"][at]),
        }
        for number, at in enumerate(np.argsort(dataset["rank"].values))
    ]


def ranking_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a ranking as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "novelty": f"{row['novelty']:.6g}"} for row in rows)
    return text.getvalue()


def maps_dataset(
    dataset: xr.Dataset,
    physical: xr.DataArray,
    valid: npt.NDArray[np.bool_],
    error: npt.NDArray[np.float32] | None,
    units: Sequence[str],
) -> xr.Dataset:
    """Return fields and reconstruction errors of samples on the grid, NaN on invalid cells.

    Parameters
    ----------
    dataset
        Novelty of these samples, as `novelty_dataset` gives it.
    physical
        Their fields (sample, channel, lat, lon) in the field's units.
    valid
        Valid cells [channel, lat, lon].
    error
        What the baseline's patterns leave of them, same shape, in ``units`` [channel]; None where
        other things than inputs were compared.
    units
        Units of the errors per channel.
    """
    dims = ("sample", "channel", "lat", "lon")
    result = dataset[["novelty", "rank"]].assign_coords(
        {
            **{name: physical[name].variable for name in ("channel", "units", "long_name")},
            "lat": ("lat", physical["lat"].values, dict(LATITUDE)),
            "lon": ("lon", physical["lon"].values, dict(LONGITUDE)),
        }
    )
    result.attrs = {**dataset.attrs, "title": "Fields and reconstruction errors of samples"}
    values = np.where(valid, physical.values, np.nan).astype(np.float32)
    result["field"] = (dims, values, {"long_name": "field", **_same(physical["units"].values)})
    if error is not None:
        text = "what the baseline's patterns leave of the field"
        result["error"] = (
            dims,
            np.where(valid, error, np.nan).astype(np.float32),
            {"long_name": text, **_same(units)},
        )
    for name in ("field", "error"):
        if name in result:
            result[name].encoding = {"zlib": True, "complevel": 1}
    return result


def _same(units: Any) -> dict[str, str]:
    """Return the units of all channels, where they are one."""
    found = {str(each) for each in units}
    return {"units": found.pop()} if len(found) == 1 else {}
