"""Weights: bundles -> the first layer's weights on the grid, as netCDF and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from climxai.bridge.bundle import load_bundle
from climxai.bridge.weights import weights_dataset
from climxai.core.errors import ModelError
from climxai.core.netcdf import write_netcdf
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, result_attributes, stage_output, write_provenance

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment


@dataclass(frozen=True)
class Weights:
    """What looking inside left: a netCDF file and pictures."""

    netcdf: Path
    pictures: tuple[Path, ...]


def weights(experiment: Experiment) -> Weights:
    """Write and draw the first layer's weights of every seed's network; no data are read.

    Raises
    ------
    ClimxaiError
        When a network is missing, the seeds' networks differ in shape, or the first layer is
        neither dense on the whole map nor a convolution on it.
    """
    from climxai.models.first_layer import first_layer

    with stage_output(experiment, "weights") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        started = begin(())
        signature = bundles[0].signature
        layers = {
            bundle.seed: first_layer(bundle.network(), bundle.architecture, bundle.signature.shape)
            for bundle in bundles
        }
        if len({layer.weights.shape for layer in layers.values()}) > 1 or any(
            bundle.signature != signature for bundle in bundles
        ):
            raise ModelError(
                f"the networks below {bundles[0].path.parent} differ in grid or architecture: run "
                "`climxai train` again"
            )
        attributes = {
            "title": "Weights of the first layer",
            **result_attributes(
                experiment, "weights", started, {each.seed: each.digest for each in bundles}
            ),
        }
        dataset = weights_dataset(layers, signature, attributes)
        write_netcdf(dataset, layout.weights)
        pictures = _draw(dataset, experiment, layout)
        write_provenance(
            layout, "weights", started, outputs=[str(layout.weights.relative_to(layout.root))]
        )
    return Weights(layout.weights, tuple(pictures))


def _draw(dataset: xr.Dataset, experiment: Experiment, layout: Layout) -> list[Path]:
    """Draw a page of panels per seed, and per channel for maps."""
    from climxai.plots.style import save_figure
    from climxai.plots.weights import draw_kernels, draw_weights

    written = []
    channels = [str(name) for name in dataset["channel"].values]
    for seed in (int(value) for value in dataset["seed"].values):
        chosen = dataset["weight"].sel(seed=seed)
        title = f"Weights of the first layer, seed {seed}"
        if "lat" in chosen.dims:
            pages = {
                channel if len(channels) > 1 else None: draw_weights(
                    chosen.sel(channel=channel),
                    experiment.maps,
                    title=title + (f": {channel}" if len(channels) > 1 else ""),
                )
                for channel in channels
            }
        else:
            pages = {None: draw_kernels(chosen, title=title, dpi=experiment.maps.dpi)}
        for channel, figure in pages.items():
            paths = [
                layout.weights_picture(seed, channel, suffix) for suffix in experiment.maps.formats
            ]
            save_figure(figure, paths)
            written += paths
    return written
