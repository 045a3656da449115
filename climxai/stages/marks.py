"""Significance of composites: what it is compared with, what is said of it, how maps show it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.stages.index import Shard, shards_of
from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.composites.settings import Composite
    from climxai.composites.significance.settings import Significance
    from climxai.config.experiment import Experiment
    from climxai.plots.settings import Maps
    from climxai.plots.stippling import Marks

LOG = logging.getLogger(__name__)

READABLE: Final = {
    "t_test": "the t-test",
    "sign_test": "the sign test",
    "block_bootstrap": "the block bootstrap",
    "permutation": "permutation against the other classes",
}
"""Names of tests as they stand under maps."""


def null_shards_of(
    experiment: Experiment,
    layout: Layout,
    index: dict[str, Any],
    method: Method,
    allow_missing: bool,
) -> dict[int, list[Path]]:
    """Return number of a null network -> its shards of one method, of those that are asked for.

    Raises
    ------
    OutputError
        When one is missing or damaged.
    """
    asked = experiment.train.null_networks
    shards = [Shard(**line) for line in index.get("null_shards", ()) if line["seed"] < asked]
    if not shards:
        return {}
    return shards_of(layout, shards, str(method.id), allow_missing=allow_missing)


def agreeing(composites: dict[str, xr.Dataset], settings: Composite) -> dict[str, xr.Dataset]:
    """Return one composite per method with the agreement of all of them about signs.

    Clusters are a method's own: groups made of them say nothing about those of another.
    """
    from climxai.composites.significance.variables import with_method_agreement

    return composites if settings.reads("cluster") else with_method_agreement(composites)


def tell(name: str, dataset: xr.Dataset) -> None:
    """Log how many cells each test calls significant, per class and channel."""
    for variable in dataset.data_vars:
        test = str(variable).removeprefix("cells_significant_")
        if test == variable:
            continue
        found = dataset[variable]
        for where in np.ndindex(*found.shape):
            names = [str(found[over].values[i]) for over, i in zip(found.dims, where, strict=True)]
            cells = int(dataset[f"cells_{test}"].values[where])
            if cells:
                LOG.info(
                    "%s, %s: %d of %d cells are significant (%s)",
                    name,
                    ", ".join(names),
                    int(found.values[where]),
                    cells,
                    test.replace("_", " "),
                )


def marks_of(chosen: xr.Dataset, settings: Significance, maps: Maps) -> Marks | None:
    """Return how the composite of one class and channel is marked on its map, None for not at all.

    The first test that the composite has is marked. Beside it, unless told otherwise, nothing is
    shaded that null networks show as well.
    """
    from climxai.composites.significance.variables import NULLS, drawn, mask_name
    from climxai.plots.stippling import Marks

    if maps.significance == "none":
        return None
    test = drawn([str(each.model_dump()["name"]) for each in settings.tests], chosen)
    if test is not None and not int(chosen[f"cells_{test}"]):
        test = None
    nulls = mask_name(NULLS) in chosen and bool(np.isfinite(chosen["null_quantile"]).any())
    if test is None and not nulls:
        return None
    compared = (
        f"the {settings.null_quantile:g} quantile of "
        f"{int(chosen[f'networks_{NULLS}'])} networks trained on shuffled labels"
        if nulls
        else ""
    )
    shaded = chosen[mask_name(NULLS)] if nulls else None
    only = f"Shaded only where beyond {compared} ({_count(chosen, NULLS)})" if nulls else ""
    if test is None:
        how = maps.significance or "only"
        said = {
            "dots": f"Dots: beyond {compared} ({_count(chosen, NULLS)})",
            "hatching": f"Hatched: not beyond {compared} ({_count(chosen, NULLS, rest=True)})",
            "only": only,
        }
        return Marks(chosen[mask_name(NULLS)], how, said[how])
    how = maps.significance or "dots"
    rule = (
        f"false discovery rate {settings.alpha:g}"
        if settings.correction == "fdr"
        else f"each cell at {settings.alpha:g}"
    )
    by = f"{READABLE.get(test, test)}, {rule}"
    text = {
        "dots": f"Dots: significant by {by} ({_count(chosen, test)})",
        "hatching": f"Hatched: not significant by {by} ({_count(chosen, test, rest=True)})",
        "only": f"Shaded only where significant by {by} ({_count(chosen, test)})",
    }[how]
    if maps.significance is None and nulls:
        return Marks(chosen[mask_name(test)], how, f"{text}\n{only}", shaded)
    return Marks(chosen[mask_name(test)], how, text)


def _count(chosen: xr.Dataset, test: str, rest: bool = False) -> str:
    """Return ``312 of 1,734 cells``: the significant ones, or the rest."""
    cells = int(chosen[f"cells_{test}"])
    significant = int(chosen[f"cells_significant_{test}"])
    return f"{cells - significant if rest else significant:,} of {cells:,} cells"
