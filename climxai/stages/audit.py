"""Audit: configuration + bundles -> what became of relevance, layer by layer, and advice."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.bridge.audited import audit_dataset
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.errors import ConfigError, DataError
from climxai.core.netcdf import write_netcdf
from climxai.stages.audit_summary import advice_on, draw, summarise
from climxai.stages.audit_walk import coordinates, walk
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, result_attributes, stage_output, write_provenance
from climxai.stages.preparation import Prepared
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audited:
    """What an audit left: files, a summary per method and seed, advice on the networks."""

    netcdfs: tuple[Path, ...]
    pictures: tuple[Path, ...]
    summaries: dict[str, list[dict[str, Any]]]
    advice: tuple[str, ...]


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
    books = walk(experiment, bundles, prepared, chosen, methods)
    if not any(parts for seeds in books.parts.values() for parts in seeds.values()):
        raise DataError(
            "there is no sample to audit: no network classifies one correctly; set "
            "`explain.only_correct` to false or train longer"
        )
    samples = coordinates(prepared, chosen)
    advice = advice_on(experiment, books)
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
    pictures = draw(datasets, layout, experiment.maps.dpi)
    netcdfs = tuple(layout.audit(name, "nc") for name in datasets)
    write_provenance(
        layout, "audit", started, outputs=[str(p.relative_to(layout.root)) for p in netcdfs]
    )
    summaries = {name: summarise(dataset) for name, dataset in datasets.items()}
    return Audited(netcdfs, pictures, summaries, advice)
