"""Audit: configuration + bundles -> what became of relevance, layer by layer, and advice."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.bridge.audited import audit_dataset
from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.errors import ConfigError, DataError
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.attribute import BATCH
from climxai.stages.index import rows_per_shard
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, result_attributes, stage_output, write_provenance
from climxai.stages.preparation import Prepared
from climxai.stages.surroundings import surroundings, traced, with_reference
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.attribution.context import Context
    from climxai.attribution.lrp.audit import Audit
    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Audited:
    """What an audit left: files, a summary per method and seed, advice on the networks."""

    netcdfs: tuple[Path, ...]
    pictures: tuple[Path, ...]
    summaries: dict[str, list[dict[str, Any]]]
    advice: tuple[str, ...]


@dataclass(frozen=True)
class _Block:
    """Samples held at once: inputs [sample, channel, lat, lon], labels, places among the chosen."""

    tensor: torch.Tensor
    labels: torch.Tensor
    where: Positions


@dataclass
class _Books:
    """Parts of audits per method and seed, and some outputs per seed for the advice."""

    parts: dict[str, dict[int, list[tuple[Positions, Audit]]]] = field(default_factory=dict)
    outputs: dict[int, torch.Tensor] = field(default_factory=dict)
    networks: dict[int, Network] = field(default_factory=dict)


def audit(experiment: Experiment) -> Audited:
    """Follow relevance through every network, for every LRP method of the configuration.

    Raises
    ------
    ClimxaiError
        When no method is LRP, a network is missing, or data, network and methods do not fit.
    """
    audited_methods(experiment)
    with stage_output(experiment, "audit") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        return keep_books(experiment, layout, bundles, prepare_with(experiment, bundles))


def audited_methods(experiment: Experiment) -> list[LayerwiseRelevance]:
    """Return the methods that can be audited; say which cannot.

    Raises
    ------
    ConfigError
        When there is none.
    """
    found = [m for m in experiment.explain.methods if isinstance(m, LayerwiseRelevance)]
    others = [
        str(m.id) for m in experiment.explain.methods if not isinstance(m, LayerwiseRelevance)
    ]
    if not found:
        raise ConfigError(
            f"explain.methods: found {', '.join(others)}, none of them layer-wise relevance "
            "propagation; an audit follows relevance from layer to layer, so add a method such as "
            "{name: lrp, rule: composite}"
        )
    if others:
        LOG.info("not audited, as they have no layers to follow: %s", ", ".join(others))
    return found


def keep_books(
    experiment: Experiment, layout: Layout, bundles: Sequence[Bundle], prepared: Prepared
) -> Audited:
    """Audit the chosen samples in a directory that is held already; write files and pictures.

    Raises
    ------
    DataError
        When there is no sample to audit.
    """
    methods = audited_methods(experiment)
    started = begin(prepared.files)
    chosen = prepared.members(experiment.explain.samples)
    if chosen.size == 0:
        raise DataError(
            f"there is no sample to audit in the part {experiment.explain.samples!r} of the "
            "split: choose another `explain.samples`"
        )
    books = _walk(experiment, bundles, prepared, chosen, methods)
    if not any(parts for seeds in books.parts.values() for parts in seeds.values()):
        raise DataError(
            "there is no sample to audit: no network classifies one correctly; set "
            "`explain.only_correct` to false or train longer"
        )
    samples = _coordinates(prepared, chosen)
    advice = _advice(experiment, books)
    datasets: dict[str, xr.Dataset] = {}
    for method in methods:
        name = str(method.id)
        attributes = {
            **result_attributes(
                experiment, "audit", started, {bundle.seed: bundle.digest for bundle in bundles}
            ),
            "title": f"Relevance layer by layer ({name})",
            "method": name,
            "method_settings": method.canonical(),
            "objective_settings": experiment.explain.objective_of(method).canonical(),
            "advice": "\n".join(advice),
        }
        datasets[name] = audit_dataset(books.parts[name], samples, attributes)
        write_netcdf(datasets[name], layout.audit(name, "nc"))
    pictures = _draw(datasets, layout, experiment.maps.dpi)
    netcdfs = tuple(layout.audit(name, "nc") for name in datasets)
    write_provenance(
        layout, "audit", started, outputs=[str(p.relative_to(layout.root)) for p in netcdfs]
    )
    summaries = {name: summarise(dataset) for name, dataset in datasets.items()}
    return Audited(netcdfs, pictures, summaries, advice)


def _walk(
    experiment: Experiment,
    bundles: Sequence[Bundle],
    prepared: Prepared,
    chosen: Positions,
    methods: Sequence[LayerwiseRelevance],
) -> _Books:
    """Audit block after block of samples, every seed and method on a block while it is held."""
    import torch

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    books = _Books()
    for method in methods:
        books.parts[str(method.id)] = {bundle.seed: [] for bundle in bundles}
    books.networks = traced({bundle.seed: bundle for bundle in bundles})
    context = surroundings(experiment, prepared)
    with progress("auditing", len(chosen) * len(bundles)) as tick:
        for block in _blocks(experiment, prepared, chosen, bundles[0].signature.shape):
            for bundle in bundles:
                _audit_block(experiment, prepared, books, bundle.seed, block, methods, context)
                tick(len(block.where))
    return books


def _blocks(
    experiment: Experiment, prepared: Prepared, chosen: Positions, shape: tuple[int, int, int]
) -> Iterator[_Block]:
    """Yield the chosen samples, as many at a time as memory allows, in batches."""
    import torch

    size = rows_per_shard(experiment, shape)
    for begins in range(0, len(chosen), size):
        positions = chosen[begins : begins + size]
        tensor = to_tensor(prepared.samples.take(positions).inputs.compute(), prepared.valid.values)
        labels = torch.from_numpy(prepared.samples.labels.values[positions].astype(np.int64))
        for first in range(0, len(positions), BATCH):
            part = slice(first, first + BATCH)
            where = np.arange(begins + first, begins + first + len(labels[part]))
            yield _Block(tensor[part], labels[part], where)


def _audit_block(
    experiment: Experiment,
    prepared: Prepared,
    books: _Books,
    seed: int,
    block: _Block,
    methods: Sequence[LayerwiseRelevance],
    context: Context,
) -> None:
    import torch

    network = books.networks[seed]
    with torch.no_grad():
        logits = network(block.tensor)
    books.outputs.setdefault(seed, logits)
    tensor, labels, where = block.tensor, block.labels, block.where
    if experiment.explain.only_correct:
        kept = torch.nonzero(logits.argmax(dim=1) == labels)[:, 0]
        tensor, labels, logits = tensor[kept], labels[kept], logits[kept]
        where = where[kept.numpy()]
    if not len(tensor):
        return
    for method in methods:
        objective = experiment.explain.objective_of(method)
        start = objective.weights(logits, labels, prepared.samples.classes)
        found = method.audit(network, tensor, start, with_reference(context, objective, network))
        books.parts[str(method.id)][seed].append((where, found))


def _coordinates(prepared: Prepared, chosen: Positions) -> dict[str, xr.DataArray]:
    """Return the coordinates of the chosen samples, without values of their own."""
    inputs = prepared.samples.inputs
    return {
        str(name): coordinate.isel(sample=chosen).reset_coords(drop=True)
        for name, coordinate in inputs.coords.items()
        if coordinate.dims == ("sample",) and name != "sample"
    }


def _advice(experiment: Experiment, books: _Books) -> tuple[str, ...]:
    """Return the advice on the networks; what holds for some seeds only names them."""
    from climxai.attribution.lrp.advice import advise
    from climxai.models.network import weighted_layers

    said: dict[str, list[int]] = {}
    for seed, network in books.networks.items():
        penalty = max(experiment.train.penalties(len(weighted_layers(network.module)))[0])
        for text in advise(network, scores=books.outputs.get(seed), first_layer_penalty=penalty):
            said.setdefault(text, []).append(seed)
    return tuple(
        text if len(seeds) == len(books.networks) else f"Seed {', '.join(map(str, seeds))}: {text}"
        for text, seeds in said.items()
    )


def _draw(datasets: dict[str, xr.Dataset], layout: Layout, dpi: int) -> tuple[Path, ...]:
    from climxai.plots.audit import draw_books, draw_conservation
    from climxai.plots.style import save_figure

    pictures = []
    for name, dataset in datasets.items():
        path = layout.audit(name, "png")
        save_figure(draw_books(dataset, f"Where relevance went: {name}", dpi=dpi), [path])
        pictures.append(path)
    save_figure(draw_conservation(datasets, dpi=dpi), [layout.conservation])
    return (*pictures, layout.conservation)


def summarise(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """Return per seed how much relevance reached the input and what took the rest.

    Shares are medians over the samples of what was taken over the explained output.
    """
    rows = []
    output = dataset["output"].where(dataset["output"] != 0)
    shares = {
        "conservation": dataset["conservation"],
        "bias": dataset["bias"].sum("layer", skipna=False) / output,
        "stabiliser": dataset["stabiliser"].sum("layer", skipna=False) / output,
        "other": dataset["other"].sum("layer", skipna=False) / output,
        "land": dataset["land"] / output,
    }
    for seed in dataset["seed"].values:
        row: dict[str, Any] = {"seed": int(seed), "n": int(output.sel(seed=seed).count())}
        row |= {
            name: float(share.sel(seed=seed).median("sample")) for name, share in shares.items()
        }
        row["zero_maps"] = float(dataset["zero_map"].sel(seed=seed).mean("sample"))
        rows.append(row)
    return rows
