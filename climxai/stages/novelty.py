"""Novelty: the record -> which samples are unlike a baseline, as a ranking, netCDF and pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.errors import DataError
from climxai.core.files import write_text
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.beforehand import baseline_rows
from climxai.stages.index import rows_per_shard
from climxai.stages.novelty_spaces import INPUTS, Spaces, spaces_of
from climxai.stages.outputs import (
    begin,
    drop_earlier,
    result_attributes,
    stage_output,
    write_provenance,
)
from climxai.stages.preparation import PARTS, Prepared, prepare
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.config.experiment import Experiment
    from climxai.data.novelty.patterns import Patterns

LOG = logging.getLogger(__name__)

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What novelty left: files, the ranking, and how the baseline was described."""

    netcdf: Path
    ranking: Path
    maps: Path | None
    pictures: tuple[Path, ...]
    rows: tuple[dict[str, Any], ...]
    summary: str


def novelty(experiment: Experiment) -> Found:
    """Rank the samples by how much of them the patterns of a baseline cannot reconstruct.

    Raises
    ------
    ClimxaiError
        When the baseline is too small, or the space is a layer that the networks do not have.
    """
    import torch

    from climxai.data.novelty.results import novelty_dataset, ranking, ranking_csv
    from climxai.stages.novelty_pictures import draw

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    with stage_output(experiment, "novelty") as layout:
        bundles: list[Bundle] = []
        if experiment.novelty.space != INPUTS:
            bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        prepared = prepare_with(experiment, bundles) if bundles else prepare(experiment)
        spaces = spaces_of(experiment, prepared, bundles)
        started = begin(prepared.files)
        baseline = baseline_rows(experiment, prepared)
        chosen = _chosen(experiment, prepared)
        patterns = _fit(experiment, prepared, spaces, baseline)
        values = _scores(experiment, prepared, spaces, patterns, chosen)
        summary = _summary(experiment, baseline, patterns)
        attributes = {
            **result_attributes(experiment, "novelty", started, spaces.digests),
            "novelty_settings": experiment.novelty.canonical(),
            "summary": summary,
            "patterns": [len(each.whole.patterns) for each in patterns.values()],
            "explained_variance": [each.whole.explained for each in patterns.values()],
        }
        dataset = novelty_dataset(
            values,
            prepared.fields,
            chosen,
            baseline=baseline,
            labels=prepared.labelling.numbers,
            classes=prepared.labelling.classes,
            parts=_parts(prepared),
            part_names=PARTS,
            attributes=attributes,
        )
        write_netcdf(dataset, layout.novelty)
        rows = ranking(dataset, prepared.labelling.classes, PARTS)
        write_text(layout.novelty_ranking, ranking_csv(rows))
        maps = _maps(experiment, prepared, dataset, spaces, patterns)
        if maps is not None:
            write_netcdf(maps, layout.novelty_maps)
        else:
            layout.novelty_maps.unlink(missing_ok=True)
        pictures = draw(experiment, layout, dataset, maps)
        drop_earlier(pictures, "map_*")
        write_provenance(
            layout, "novelty", started, outputs=[str(layout.novelty.relative_to(layout.root))]
        )
    return Found(
        layout.novelty,
        layout.novelty_ranking,
        None if maps is None else layout.novelty_maps,
        tuple(pictures),
        tuple(rows),
        summary,
    )


def _chosen(experiment: Experiment, prepared: Prepared) -> Rows:
    """Return the positions of the rows to rank, ascending."""
    part = experiment.novelty.samples
    if part == "record":
        return np.arange(prepared.fields.sizes["sample"], dtype=np.int64)
    members = prepared.members("all" if part == "labelled" else part)
    if not members.size:
        raise DataError(
            f"novelty.samples: the {part} part of the split has no sample with a class: choose "
            "another, or record"
        )
    labelled = np.flatnonzero(prepared.labelling.numbers >= 0)
    return np.asarray(labelled[members], dtype=np.int64)


def blocks(
    experiment: Experiment, prepared: Prepared, rows: Rows
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield parts of ``rows`` and their inputs [sample, channel, lat, lon], within memory."""
    inputs = prepared.preprocessing.apply(prepared.fields)
    shape = prepared.valid.shape
    size = rows_per_shard(experiment, (shape[0], shape[1], shape[2]))
    for first in range(0, rows.size, size):
        part = slice(first, min(first + size, rows.size))
        taken = inputs.isel(sample=rows[part]).compute()
        yield part, to_tensor(taken, prepared.valid.values.astype(bool))


def _fit(
    experiment: Experiment, prepared: Prepared, spaces: Spaces, baseline: Rows
) -> dict[int | None, Patterns]:
    from climxai.data.novelty.patterns import fit_patterns

    held: dict[int | None, list[Array]] = {seed: [] for seed in spaces.columns}
    for _, x in blocks(experiment, prepared, baseline):
        for seed, columns in spaces.columns.items():
            held[seed].append(columns(x))
    return {
        seed: fit_patterns(
            np.concatenate(held.pop(seed)),
            baseline,
            spaces.weights,
            spaces.groups,
            experiment.novelty.variance,
            experiment.novelty.folds,
            spaces.names if seed is None else (f"{spaces.names[0]} of seed {seed}",),
        )
        for seed in spaces.columns
    }


def _scores(
    experiment: Experiment,
    prepared: Prepared,
    spaces: Spaces,
    patterns: dict[int | None, Patterns],
    chosen: Rows,
) -> dict[int | None, Array]:
    values = {seed: np.empty(chosen.size) for seed in patterns}
    with progress("comparing", chosen.size) as tick:
        for part, x in blocks(experiment, prepared, chosen):
            for seed, columns in spaces.columns.items():
                values[seed][part] = patterns[seed].novelty(columns(x), chosen[part])
            tick(len(x))
    return values


def _summary(experiment: Experiment, baseline: Rows, patterns: dict[int | None, Patterns]) -> str:
    settings = experiment.novelty
    counts = [len(each.whole.patterns) for each in patterns.values()]
    several = " or ".join(map(str, sorted(set(counts))))
    where = "inputs" if settings.space == INPUTS else f"layer {settings.space}"
    return (
        f"{where}; baseline: {baseline.size} {settings.baseline.describe()}; {several} "
        f"{'patterns hold' if max(counts) > 1 else 'pattern holds'} {100 * settings.variance:g} % "
        "of its variance"
    )


def _parts(prepared: Prepared) -> npt.NDArray[np.int8]:
    """Return the part of the split of every row of the record, as a position in `PARTS`."""
    parts = np.full(prepared.fields.sizes["sample"], PARTS.index("none"), dtype=np.int8)
    for part in PARTS[:3]:
        parts[getattr(prepared.split, part)] = PARTS.index(part)
    return parts


def _maps(
    experiment: Experiment,
    prepared: Prepared,
    dataset: xr.Dataset,
    spaces: Spaces,
    patterns: dict[int | None, Patterns],
) -> xr.Dataset | None:
    """Return fields and, where inputs were compared, errors of the most novel or of all samples."""
    from climxai.data.novelty.results import maps_dataset
    from climxai.data.preprocess.chain import units_left

    rank = dataset["rank"].values
    order = np.argsort(rank)[: experiment.novelty.most_novel]
    where = np.arange(rank.size) if experiment.novelty.error_maps == "all" else order
    if not where.size:
        return None
    rows = _positions(prepared, dataset["row"].values[where])
    physical = prepared.physical.isel(sample=rows).compute()
    valid = prepared.valid.values.astype(bool)
    error: npt.NDArray[np.float32] | None = None
    remaining: tuple[str, ...] = ()
    if None in patterns:
        error = np.empty(physical.shape, dtype=np.float32)
        for part, x in blocks(experiment, prepared, rows):
            left = np.zeros(tuple(x.shape))
            left[:, valid] = patterns[None].error(spaces.columns[None](x), rows[part])
            whole = physical.isel(sample=part).copy(data=x.double().numpy())
            rest = whole.copy(data=whole.values - left)
            whole, remaining = prepared.preprocessing.undo_scaling(whole)
            rest, _ = prepared.preprocessing.undo_scaling(rest)
            error[part] = (whole - rest).values
    units = units_left(prepared.physical["units"].values, remaining)
    return maps_dataset(dataset.isel(sample=where), physical, valid, error, units)


def _positions(prepared: Prepared, rows: npt.NDArray[np.int64]) -> Rows:
    """Return where rows of the record stand along ``sample``."""
    known = prepared.fields["row"].values
    order = np.argsort(known)
    return np.asarray(order[np.searchsorted(known, rows, sorter=order)], dtype=np.int64)
