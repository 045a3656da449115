"""Clusters as a dataset and as tables: names, CF-1.11 attributes and encodings."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.averages import Averages
from climxai.composites.clusters.clusterer import Numbers
from climxai.composites.clusters.found import Found
from climxai.composites.clusters.settings import Scale
from climxai.core import cf, dims

if TYPE_CHECKING:
    import xarray as xr

MEANING: dict[Scale, str] = {
    "none": "none: maps are averaged as they are, in units of the explained output",
    "max": "max: each map is divided by the largest absolute relevance of its valid cells",
    "sum": "sum: each map is divided by the sum of the absolute relevance of its valid cells",
    "l2": "l2: each map is divided by the root of the sum of squares over its valid cells",
}


def sample_coords(row: Numbers, time: Any) -> dict[str, Any]:
    """Return the coordinates of samples; ``time`` is the data's own coordinate of these rows."""
    return {
        dims.TIME: (dims.SAMPLE, np.asarray(time), dict(cf.TIME)),
        dims.ROW: (dims.SAMPLE, row, {"long_name": "row in the record", "units": "1"}),
    }


def cluster_variable(labels: Numbers, clusters: int) -> tuple[str, Any, dict[str, Any]]:
    """Return ``cluster(sample)`` with its meanings."""
    return (
        dims.SAMPLE,
        labels.astype(np.int32),
        {
            "long_name": "cluster of relevance",
            "flag_values": np.arange(clusters + 1, dtype=np.int32),
            "flag_meanings": " ".join(["none", *(f"cluster_{n + 1}" for n in range(clusters))]),
        },
    )


def labels_dataset(row: Numbers, time: Any, labels: Numbers, clusters: int) -> xr.Dataset:
    """Return the small file that selections read: ``cluster(sample)`` beside ``row(sample)``."""
    import xarray as xr

    return xr.Dataset({"cluster": cluster_variable(labels, clusters)}, sample_coords(row, time))


def strategies_dataset(
    found: Found,
    averages: Averages,
    fields: xr.DataArray,
    row: Numbers,
    time: Any,
    more: Mapping[str, tuple[npt.NDArray[Any], dict[str, Any]]],
) -> xr.Dataset:
    """Return everything about the clusters of one method and group of samples.

    Parameters
    ----------
    found, averages
        The clusters and their composites.
    fields
        Gives grid, channels and units.
    row, time
        [sample].
    more
        Name -> (values [sample], attributes) of what else is known of the samples.
    """
    import xarray as xr

    choice, clusters = found.choice, found.clusters
    one = {"units": "1"}
    cluster_map = (dims.CLUSTER, *dims.MAP_DIMS)
    units = [str(text) for text in fields.coords["units"].values]
    variables: dict[str, Any] = {
        "sample_cluster": cluster_variable(found.labels, clusters),
        "silhouette": (dims.SAMPLE, found.silhouette, {"long_name": "silhouette", **one}),
        "distance": (
            dims.SAMPLE,
            found.distance,
            {"long_name": "distance to the centre of the sample's cluster", **one},
        ),
        "pca": (
            (dims.SAMPLE, "component"),
            found.pca,
            {
                "long_name": "principal components of what is compared",
                **one,
                "variance_shares": found.variance,
            },
        ),
        "tsne": (
            (dims.SAMPLE, "component"),
            found.tsne,
            {
                "long_name": "places by t-SNE",
                **one,
                "comment": "only nearness has a meaning: no distances, no axes",
            },
        ),
        "eigenvalue": (
            "eigenvalues",
            choice.eigenvalues,
            {
                "long_name": "eigenvalue of the normalised Laplacian of the graph of neighbours",
                **one,
                "neighbours": np.int32(choice.neighbours),
                "graph_parts": np.int32(choice.graph_parts),
            },
        ),
        "mean_silhouette": (
            "number",
            choice.silhouette,
            {"long_name": "mean silhouette for so many clusters", **one},
        ),
        "stability": (
            "number",
            choice.stability,
            {"long_name": "mean adjusted Rand index of resamples and whole", **one},
        ),
        "stability_std": (
            "number",
            choice.stability_spread,
            {"long_name": "its standard deviation over the resamples", **one},
        ),
        "relevance": (cluster_map, averages.relevance, {"long_name": "mean relevance", **one}),
        "relevance_std": (
            cluster_map,
            averages.relevance_std,
            {"long_name": "standard deviation of relevance over samples and seeds", **one},
        ),
        "field": (cluster_map, averages.field, {"long_name": "mean of the field"}),
        "count": (
            dims.CLUSTER,
            np.bincount(found.labels, minlength=clusters + 1)[1:].astype(np.int32),
            {"long_name": "number of samples", **one},
        ),
        "maps": (
            dims.CLUSTER,
            averages.maps.astype(np.int32),
            {"long_name": "number of maps, one per sample and seed", **one},
        ),
    }
    if len(set(units)) == 1:
        variables["field"][2]["units"] = units[0]
    for place, values in averages.shares.items():
        text = {"long_name": f"share of absolute relevance: {place}", **one}
        variables[f"share_{place}"] = (dims.CLUSTER, values, text)
        variables[f"sample_share_{place}"] = (dims.SAMPLE, averages.sample_shares[place], text)
    for name, (held, attributes) in more.items():
        variables[name] = (dims.SAMPLE, held, attributes)
    dataset = xr.Dataset(
        variables,
        {
            **sample_coords(row, time),
            dims.CLUSTER: (
                dims.CLUSTER,
                np.arange(1, clusters + 1, dtype=np.int32),
                {"long_name": "number of the cluster, the largest first", **one},
            ),
            "number": (
                "number",
                np.array(choice.numbers, dtype=np.int32),
                {"long_name": "number of clusters tried", **one},
            ),
            dims.CHANNEL: (dims.CHANNEL, _texts(fields.coords[dims.CHANNEL].values)),
            "units": (dims.CHANNEL, _texts(units), {"long_name": "units of the field"}),
            "long_name": (dims.CHANNEL, _texts(fields.coords["long_name"].values)),
            dims.LAT: (dims.LAT, fields[dims.LAT].values.astype(np.float64), dict(cf.LATITUDE)),
            dims.LON: (dims.LON, fields[dims.LON].values.astype(np.float64), dict(cf.LONGITUDE)),
        },
        {
            "clusters": np.int32(choice.clusters),
            "clusters_given": np.int32(choice.asked),
            **{f"suggested_by_{name}": np.int32(number) for name, number in choice.votes.items()},
        },
    )
    for name in (dims.LAT, dims.LON, dims.ROW):
        dataset[name].encoding = {"_FillValue": None}
    for array in dataset.data_vars.values():
        if array.dtype.kind == "f" and array.ndim > 2:
            array.encoding = {"dtype": "float32", "zlib": True, "complevel": 4}
    return dataset


def samples_csv(
    found: Found, dates: Sequence[str], columns: dict[str, Sequence[Any]], nearest: int
) -> str:
    """Return the list of samples as CSV: per cluster, the nearest to its centre first.

    Parameters
    ----------
    found
        The clusters.
    dates
        [sample]
    columns
        Name -> [sample]: what else stands in a line.
    nearest
        How many of each cluster are marked as nearest to its centre.
    """
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(["cluster", "date", "nearest", "distance", "silhouette", *columns])
    for cluster in [*range(1, found.clusters + 1), 0]:
        inside = found.nearest(cluster, len(found.labels))
        for place, at in enumerate(inside.tolist()):
            marked = place + 1 if cluster and place < nearest else ""
            write.writerow(
                [
                    cluster or "none",
                    dates[at],
                    marked,
                    _short(found.distance[at]),
                    _short(found.silhouette[at]),
                    *(values[at] for values in columns.values()),
                ]
            )
    return text.getvalue()


def _short(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""


def _texts(values: Any) -> npt.NDArray[np.object_]:
    return np.array([str(text) for text in values], dtype=object)
