"""What an audit says: advice on the networks, pictures, and a summary per method and seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.stages.audit_walk import Books
from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment


def advice_on(experiment: Experiment, books: Books) -> tuple[str, ...]:
    """Return the advice on the networks; what holds for some seeds only names them."""
    from climxai.attribution.lrp.advice import advise
    from climxai.models.network import weighted_layers

    said: dict[str, list[int]] = {}
    for seed, network in books.networks.items():
        penalty = max(experiment.train.penalties(len(weighted_layers(network.module)))[0])
        scores = tuple(books.scores.get(seed, {}).values())
        for text in advise(network, scores=scores, first_layer_penalty=penalty):
            said.setdefault(text, []).append(seed)
    on_networks = (
        text if len(seeds) == len(books.networks) else f"Seed {', '.join(map(str, seeds))}: {text}"
        for text, seeds in said.items()
    )
    return (*on_networks, *_outside(books))


def _outside(books: Books) -> Iterator[str]:
    """Yield which methods met inputs outside the bounds of their z-B rule, and how many."""
    for name, seeds in books.parts.items():
        counts = np.concatenate(
            [audit.outside.max(0, initial=0) for parts in seeds.values() for _, audit in parts]
            or [np.zeros(0)]
        )
        beyond = counts[counts > 0]
        if beyond.size:
            yield (
                f"Method {name}: in {beyond.size} of {counts.size} maps inputs lie outside the "
                f"bounds of the rule z_box, {np.median(beyond):.0f} of them in the median of these "
                "maps: such inputs contribute negatively. Where that matters, set wider bounds, "
                "`low` and `high`."
            )


def draw(datasets: dict[str, xr.Dataset], layout: Layout, dpi: int) -> tuple[Path, ...]:
    """Draw every method's books and all methods' conservation; return the pictures' paths."""
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

    Shares are medians over the samples, of what was handed out at the output.
    """
    rows = []
    start = dataset["start"].where(dataset["start"] != 0)
    shares = {
        "conservation": dataset["conservation"],
        "bias": dataset["bias"].sum("layer", skipna=False) / start,
        "stabiliser": dataset["stabiliser"].sum("layer", skipna=False) / start,
        "other": dataset["other"].sum("layer", skipna=False) / start,
        "land": dataset["land"] / start,
    }
    for seed in dataset["seed"].values:
        row: dict[str, Any] = {"seed": int(seed), "n": int(start.sel(seed=seed).count())}
        row |= {
            name: float(share.sel(seed=seed).median("sample")) for name, share in shares.items()
        }
        row["zero_maps"] = float(dataset["zero_map"].sel(seed=seed).mean("sample"))
        rows.append(row)
    return rows
