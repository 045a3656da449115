"""How stable clusters are: the adjusted Rand index when one setting is changed at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from climxai.composites.clusters.algorithms import KMeans, Spectral
from climxai.composites.clusters.clusterer import NONE, Numbers
from climxai.composites.clusters.features import features
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.number import agreement
from climxai.composites.clusters.settings import Scale, Strategies

WELL: Final = 0.8
HARDLY: Final = 0.5

Kind = Literal["resamples", "neighbours", "normalise", "seeds", "features", "run"]


@dataclass(frozen=True)
class Variant:
    """One changed setting and what became of the clusters."""

    kind: Kind
    change: str
    """what was changed, in words"""
    samples: int
    """samples that both clusterings hold"""
    clusters: int
    agreement: float
    """adjusted Rand index with the clusters reported; NaN where none could be made"""
    lowest: float | None = None
    """over several, where the change stands for several"""


def variants(
    gathered: Gathered, labels: Numbers, clusters: int, settings: Strategies
) -> Iterator[Variant]:
    """Yield the clusters' agreement with those that other settings make of the same maps.

    The number of clusters stays. Changed are the neighbours of the graph (spectral clustering
    only), the normalisation, the seeds (each network alone, each half of them), and what is
    compared: the fields instead of their relevance.
    """
    algorithm = settings.algorithm
    usual = features(gathered, settings)

    def again(kind: Kind, change: str, made: Numbers) -> Variant:
        return Variant(kind, change, len(labels), int(made.max(initial=0)), agreement(made, labels))

    if isinstance(algorithm, Spectral):
        for neighbours in settings.vary:
            if neighbours != algorithm.neighbours and neighbours < len(labels):
                other = algorithm.model_copy(update={"neighbours": neighbours})
                made = other.fit(usual, clusters, settings.random)
                yield again("neighbours", f"{neighbours} neighbours", made)
    if settings.features != "fields":
        for how in get_args(Scale):
            if how != settings.normalise:
                values = features(gathered, settings, normalise=how)
                made = algorithm.fit(values, clusters, settings.random)
                yield again("normalise", f"normalise: {how}", made)
        yield from _other_seeds(gathered, labels, clusters, settings)
    if settings.features == "relevance":
        on_fields = settings.model_copy(update={"features": "fields"})
        made = algorithm.fit(features(gathered, on_fields), clusters, settings.random)
        yield again("features", f"the fields themselves {_sizes(made)}", made)
        made = KMeans().fit(features(gathered, on_fields), clusters, settings.random)
        yield again("features", f"k-means of the fields {_sizes(made)}", made)


def _sizes(labels: Numbers) -> str:
    """Return how many samples the clusters hold, in parentheses."""
    counts = np.bincount(labels, minlength=2)[1:]
    return f"({' + '.join(map(str, counts.tolist()))})"


def _other_seeds(
    gathered: Gathered, labels: Numbers, clusters: int, settings: Strategies
) -> Iterator[Variant]:
    seeds = list(gathered.relevance)
    if len(seeds) < 2:
        return

    def compared(chosen: Sequence[int]) -> tuple[int, float]:
        values = features(gathered, settings, seeds=chosen)
        has = np.isfinite(values).all(axis=1)
        if has.sum() <= max(clusters, settings.algorithm.graph_neighbours or 0):
            return int(has.sum()), float("nan")
        made = settings.algorithm.fit(values[has], clusters, settings.random)
        return int(has.sum()), agreement(made, labels[has])

    alone = [compared([seed]) for seed in seeds]
    yield Variant(
        "seeds",
        f"each of {len(seeds)} networks alone (median)",
        min(count for count, _ in alone),
        clusters,
        float(np.median([value for _, value in alone])),
        lowest=float(min(value for _, value in alone)),
    )
    if len(seeds) > 3:
        for name, chosen in (
            ("first", seeds[: len(seeds) // 2]),
            ("last", seeds[-len(seeds) // 2 :]),
        ):
            count, value = compared(chosen)
            yield Variant("seeds", f"the {name} {len(chosen)} networks", count, clusters, value)


def other_run(name: str, mine: Mapping[int, int], theirs: Mapping[int, int]) -> Variant:
    """Return the agreement with the clusters of another run, over the rows both hold.

    Parameters
    ----------
    name
        What the other run is called.
    mine, theirs
        Row -> cluster.
    """
    rows = sorted(mine.keys() & theirs.keys())
    clusters = len({number for number in theirs.values() if number != NONE})
    value = (
        agreement(np.array([theirs[row] for row in rows]), np.array([mine[row] for row in rows]))
        if rows
        else float("nan")
    )
    return Variant("run", name, len(rows), clusters, value)


def verdict(resampled: float, found: Sequence[Variant]) -> str:
    """Return in words how stable the clusters are; comparison with the fields does not count."""
    values = [each.agreement for each in found if each.kind != "features"]
    values = [value for value in [*values, resampled] if np.isfinite(value)]
    if not values:
        return "stability unknown: too few samples to cluster a part of them"
    lowest = [each.lowest for each in found if each.lowest is not None]
    middle, least = float(np.median(values)), min([*values, *lowest])
    if least >= WELL:
        return f"stable: every change keeps them (adjusted Rand index at least {least:.2f})"
    if middle >= WELL:
        return (
            f"mostly stable: adjusted Rand index {middle:.2f} in the middle, but {least:.2f} under "
            "one change; say which settings were used"
        )
    if middle >= HARDLY:
        return (
            f"partly stable: adjusted Rand index {middle:.2f} in the middle, {least:.2f} at worst; "
            "do not read single samples from them"
        )
    return (
        f"hardly stable: adjusted Rand index {middle:.2f} in the middle, {least:.2f} at worst; the "
        "clusters follow the settings more than the maps"
    )
