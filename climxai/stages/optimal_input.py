"""Optimal input: bundles -> the inputs the networks would answer most clearly to, and pictures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.beforehand import check_start, check_targets, start_row
from climxai.stages.optimal_input_pictures import draw_optimal_inputs
from climxai.stages.outputs import (
    begin,
    drop_earlier,
    result_attributes,
    stage_output,
    write_provenance,
)
from climxai.stages.preparation import Prepared
from climxai.stages.surroundings import surroundings
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.visualise.optimise import Optimised
    from climxai.attribution.visualise.settings import OptimalInput
    from climxai.attribution.visualise.starts import ReadSample
    from climxai.attribution.visualise.targets import Target
    from climxai.config.experiment import Experiment
    from climxai.core.period import Period

LOG = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

HELD: Final = 0.9
"""From this part of a target's descent on, taken by the regularisers, it is told."""


@dataclass(frozen=True)
class OptimalInputs:
    """What the optimisation left: a netCDF file, pictures, and a row per target, seed, channel."""

    netcdf: Path
    pictures: tuple[Path, ...]
    rows: tuple[dict[str, Any], ...]


def optimal_input(experiment: Experiment) -> OptimalInputs:
    """Optimise the input of every seed's network for every target; write and draw it.

    Raises
    ------
    ClimxaiError
        When a network is missing, a target does not suit it, or the start is not in the data.
    """
    import torch

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    with stage_output(experiment, "optimal-input") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        prepared = prepare_with(experiment, bundles)
        networks, targets = _checked(experiment, bundles)
        check_start(experiment, prepared)
        started = begin(prepared.files)
        context = surroundings(experiment, prepared)
        start = experiment.optimal_input.start.map(context, _reader(prepared))
        found = _optimise(experiment, networks, targets, prepared, start, context)
        attributes = {
            "title": "Inputs optimised for what the networks should answer",
            **result_attributes(
                experiment, "optimal-input", started, {each.seed: each.digest for each in bundles}
            ),
            "optimal_input_settings": experiment.optimal_input.canonical(),
            "start": experiment.optimal_input.start.describe(),
        }
        dataset = _dataset(found, targets, start, prepared, attributes)
        write_netcdf(dataset, layout.optimal_input)
        pictures = draw_optimal_inputs(dataset, experiment, layout)
        drop_earlier(pictures, "map_*")
        write_provenance(
            layout,
            "optimal-input",
            started,
            outputs=[str(layout.optimal_input.relative_to(layout.root))],
        )
    return OptimalInputs(layout.optimal_input, tuple(pictures), tuple(rows_of(dataset)))


def _checked(
    experiment: Experiment, bundles: Sequence[Bundle]
) -> tuple[dict[int, Network], dict[str, Target]]:
    """Return the networks, traced in float64, and the single targets, which suit them."""
    import torch

    from climxai.attribution.network import trace
    from climxai.attribution.visualise.optimise import single_targets

    classes = bundles[0].classes
    targets = single_targets(experiment.optimal_input.targets, classes)
    networks = {
        bundle.seed: trace(bundle.network(), bundle.signature.shape, torch.float64)
        for bundle in bundles
    }
    for network in networks.values():
        check_targets(experiment, network, classes)
    return networks, targets


def _reader(prepared: Prepared) -> ReadSample:
    """Return what reads a sample of the record, whether it has a class or not."""
    from climxai.bridge.batches import to_tensor

    def read(period: Period, member: str | None) -> torch.Tensor:
        rows = start_row(prepared, period, member)
        inputs = prepared.preprocessing.apply(prepared.fields).isel(sample=rows)
        return to_tensor(inputs.compute(), prepared.valid.values)[0]

    return read


def _optimise(
    experiment: Experiment,
    networks: Mapping[int, Network],
    targets: Mapping[str, Target],
    prepared: Prepared,
    start: torch.Tensor,
    context: Context,
) -> dict[int, Optimised]:
    from climxai.attribution.visualise.optimise import optimise

    settings, classes = experiment.optimal_input, prepared.samples.classes
    found = {}
    with progress("optimising", settings.steps * len(networks)) as tick:
        for seed, network in networks.items():
            found[seed] = optimise(network, targets, classes, start, settings, context, tick)
            _warn(seed, found[seed], targets, settings)
    return found


def _warn(
    seed: int, found: Optimised, targets: Mapping[str, Target], settings: OptimalInput
) -> None:
    """Say which inputs stopped on the way, and which the regularisers held back."""
    for number, (name, target) in enumerate(targets.items()):
        first, last = (float(found.value[number, at]) for at in (0, -1))
        if found.moves[number] < settings.steps:
            LOG.warning(
                "seed %d, target %s: the gradient vanished after %d of %d steps (start: %s), %s; "
                "another `optimal_input.start`, such as a sample or noise, may get around it",
                seed,
                name,
                found.moves[number],
                settings.steps,
                settings.start.describe(),
                "from there only the regularisers move the input"
                if settings.regularisers
                else "the input stays there",
            )
        elif found.held[number] >= HELD and not target.met(first, last):
            LOG.warning(
                "seed %d, target %s: the regularisers hold the input near its start, not the "
                "target ends the descent: %.3f at the start, reached %.3f; lower their weight (%s)",
                seed,
                name,
                first,
                last,
                ", ".join(
                    f"{each.model_dump()['name']} {each.weight:g}" for each in settings.regularisers
                ),
            )


def _dataset(
    found: Mapping[int, Optimised],
    targets: Mapping[str, Target],
    start: torch.Tensor,
    prepared: Prepared,
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    from climxai.bridge.optimised import optimised_dataset
    from climxai.composites.summary import pattern_correlation

    fields = _class_means(targets, prepared)
    dataset = optimised_dataset(
        found,
        targets,
        start.double().numpy(),
        fields,
        preprocessing=prepared.preprocessing,
        physical=prepared.physical,
        valid=prepared.valid.values.astype(bool),
        attributes=attributes,
    )
    lat = dataset["lat"].values
    whole = dataset["optimal_input"].values.astype(np.float64)
    change = whole - dataset["start"].values
    for name, maps, text in (
        ("correlation", whole, "optimised input"),
        ("change_correlation", change, "change from the start"),
    ):
        values = np.full(maps.shape[:3], np.nan)
        for target, seed, channel in np.ndindex(values.shape):
            values[target, seed, channel] = pattern_correlation(
                maps[target, seed, channel], fields[target, channel], lat
            )
        what = f"area-weighted pattern correlation of the {text} with the class's mean field"
        dims = ("target", "seed", "channel")
        dataset[name] = (dims, values, {"long_name": what, "units": "1"})
    return dataset


def _class_means(targets: Mapping[str, Target], prepared: Prepared) -> Array:
    """Return the mean field of each target's class over the whole record, NaN where it has none."""
    known = prepared.labelling.classes
    means: dict[str, Array] = {}
    empty = np.full(prepared.valid.shape, np.nan)
    for target in targets.values():
        name = getattr(target, "class_name", None)
        if name is not None and name not in means:
            rows = np.flatnonzero(prepared.labelling.numbers == known.index(name))
            chosen = prepared.physical.isel(sample=rows)
            mean = chosen.astype(np.float64).mean("sample") if rows.size else None
            means[name] = empty if mean is None else mean.compute().values
    return np.stack(
        [means.get(getattr(target, "class_name", None) or "", empty) for target in targets.values()]
    )


def rows_of(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """Return a row per target, seed and channel: what was reached, and how like the class it is."""
    rows = []
    for target in dataset["target"].values:
        for seed in dataset["seed"].values:
            one = dataset.sel(target=target, seed=seed)
            for channel in dataset["channel"].values:
                r = float(one["correlation"].sel(channel=channel))
                rows.append(
                    {
                        "target": str(target),
                        "quantity": str(one["quantity"].item()),
                        "seed": int(seed),
                        "channel": str(channel),
                        "start": float(one["value"][0]),
                        "reached": float(one["value"][-1]),
                        "moves": int(one["moves"]),
                        "correlation": None if np.isnan(r) else r,
                    }
                )
    return rows
