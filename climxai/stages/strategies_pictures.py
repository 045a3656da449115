"""Pictures of clusters: why so many, the samples in two dimensions, one map per cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.attribution.methods import Method
    from climxai.composites.clusters.found import Found
    from climxai.composites.clusters.report import Account
    from climxai.config.experiment import Experiment

NORMALISED = {
    "none": "in units of the explained output",
    "max": "each map divided by its maximum",
    "sum": "each map divided by its sum",
    "l2": "each map divided by its root of squares",
}


def draw(
    dataset: xr.Dataset,
    found: Found,
    told: Account,
    experiment: Experiment,
    method: Method,
    layout: Layout,
    *,
    year: npt.NDArray[np.float64],
    classes: list[str],
) -> list[Path]:
    """Draw and save all pictures of one method and group of samples; return their paths."""
    from climxai.plots.clusters import draw_number
    from climxai.plots.embedding import draw_embedding
    from climxai.plots.style import save_figure

    name, dpi = told["id"], experiment.maps.dpi
    title = f"{method.id}, {_readable(told)}"
    choice = found.choice
    pages: dict[str, Figure] = {
        "number": draw_number(
            numbers=choice.numbers,
            chosen=choice.clusters,
            given=choice.asked,
            silhouette=choice.silhouette,
            stability=choice.stability,
            spread=choice.stability_spread,
            eigenvalues=choice.eigenvalues,
            votes=choice.votes,
            neighbours=choice.neighbours,
            title=f"How many clusters: {title}",
            dpi=dpi,
        ),
        "embedding": draw_embedding(
            {"Principal components": found.pca, "t-SNE": found.tsne},
            cluster=found.labels,
            classes=[_words(name) for name in classes],
            year=year,
            variance=found.variance,
            title=f"Samples in two dimensions: {title}",
            dpi=dpi,
        ),
    }
    pages |= _maps(dataset, told, experiment, method)
    written: list[Path] = []
    for what, figure in pages.items():
        paths = [
            layout.strategies_picture(name, what, suffix) for suffix in experiment.maps.formats
        ]
        save_figure(figure, paths)
        written += paths
    return written


def _maps(
    dataset: xr.Dataset, told: Account, experiment: Experiment, method: Method
) -> dict[str, Figure]:
    """Draw one map per cluster and channel, all clusters with the same colours and contours."""
    from climxai.plots.colours import colour_limit, contour_levels
    from climxai.plots.maps import draw_map

    pages = {}
    for channel in (str(name) for name in dataset["channel"].values):
        here = dataset.sel(channel=channel)
        lat = here["lat"].values
        limit = experiment.maps.limit or max(
            (colour_limit(values, lat) for values in here["relevance"].values), default=1.0
        )
        interval = experiment.maps.contour_interval or max(
            (contour_levels(values, None)[0] for values in here["field"].values), default=None
        )
        look = experiment.maps.model_copy(update={"limit": limit, "contour_interval": interval})
        several = dataset.sizes["channel"] > 1
        for cluster in told["clusters"]:
            number = int(cluster["cluster"])
            chosen = here.sel(cluster=number)
            pages[f"cluster-{number}" + (f"_{channel}" if several else "")] = draw_map(
                chosen["relevance"],
                chosen["field"].assign_attrs(
                    long_name=f"mean {_field_name(chosen, experiment)}",
                    units=str(chosen["units"].item()),
                ),
                look,
                signed=method.signed,
                title=f"Cluster {number} of {len(told['clusters'])}: {_readable(told)}"
                + (f", {channel}" if several else ""),
                subtitle=_subtitle(told, cluster),
                label=f"relevance (1), {NORMALISED[experiment.strategies.normalise]}",
            )
    return pages


def _readable(told: Account) -> str:
    """Return which samples these are, class names as people write them."""
    return " ".join(map(_words, told["within"].split(" "))).removeprefix("class ")


def _words(name: str) -> str:
    from climxai.stages.wording import READABLE

    return READABLE.get(name, name.replace("_", " "))


def _subtitle(told: Account, cluster: dict[str, Any]) -> str:
    nearest = ", ".join(cluster["nearest"])
    return f"{told['method']}, n = {cluster['count']} of {told['samples']}; most typical: {nearest}"


def _field_name(chosen: xr.Dataset, experiment: Experiment) -> str:
    """Return what the contours are: the variable, as an anomaly where it is made one."""
    name = str(chosen["long_name"].item() or chosen["channel"].item())
    made = {step.name for step in experiment.preprocess}
    if made & {"anomaly", "detrend"} and "anomal" not in name.lower():
        return f"{name} anomaly"
    return name
