"""How many clusters: eigengap, silhouette and stability under resampling, and what they suggest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.clusterer import NONE, Array, Clusterer, Numbers, one_thread
from climxai.composites.clusters.graph import eigen, neighbour_graph, parts
from climxai.composites.clusters.settings import Suggest

DEFAULT_NEIGHBOURS: Final = 10
"""Neighbours of the graph whose eigenvalues are shown for algorithms without one."""
ALL_AT_ONCE: Final = 20_000
"""More samples than this: silhouettes are taken of a part of them."""


@dataclass(frozen=True)
class Choice:
    """The number of clusters, and the curves that show why.

    ``numbers`` are the numbers tried, 2, 3, …; ``silhouette`` and ``stability`` [number] stand
    beside them, NaN where one cannot be made. ``eigenvalues`` count from 1.
    """

    clusters: int
    asked: bool
    """whether the number was given"""
    numbers: tuple[int, ...]
    silhouette: Array
    stability: Array
    stability_spread: Array
    """[number]: standard deviation over the resamples"""
    eigenvalues: Array
    neighbours: int
    graph_parts: int
    """parts of the graph that no link joins"""
    votes: dict[str, int]
    """what eigengap, silhouette and stability would each take"""
    labels: dict[int, Numbers]
    """number -> clusters of all samples"""


def choose(
    features: Array,
    algorithm: Clusterer,
    settings: Suggest,
    random: int,
    tick: Callable[[], object],
) -> Choice:
    """Cluster for every number that is tried, and choose one.

    The number given is taken as it is. Else each criterion has a vote: the largest gap after the
    k-th eigenvalue, the largest mean silhouette (of equals the smaller number), the largest
    stability (of equals the larger one: coarser clusters of what is well parted are stable too).
    What two agree on is taken; where all differ, what is most stable.

    Parameters
    ----------
    features
        [sample, feature].
    algorithm
        Already checked against the number of samples.
    settings
        Largest number tried and how stability is measured.
    random
        Seed of everything random.
    tick
        Called `settings.resamples` times.
    """
    n = len(features)
    most = min(settings.most, n - 1)
    asked = algorithm.asked
    numbers = tuple(sorted({*range(2, most + 1), *([asked] if asked else [])}))
    if not algorithm.counted:
        return _found(features, algorithm, settings, random, tick)
    labels = algorithm.fit_many(features, numbers, random)
    silhouettes = np.array([silhouette(features, labels[number]) for number in numbers])
    stability, spread = resampled(features, algorithm, labels, settings, random, tick)
    values, neighbours, graph_parts = _spectrum(features, algorithm, most + 1)
    votes = _votes(numbers, silhouettes, stability, values)
    chosen = asked or _suggested(votes)
    return Choice(
        clusters=chosen,
        asked=asked is not None,
        numbers=numbers,
        silhouette=silhouettes,
        stability=stability,
        stability_spread=spread,
        eigenvalues=values,
        neighbours=neighbours,
        graph_parts=graph_parts,
        votes=votes,
        labels=labels,
    )


def _found(
    features: Array,
    algorithm: Clusterer,
    settings: Suggest,
    random: int,
    tick: Callable[[], object],
) -> Choice:
    """Return the choice of an algorithm that finds the number itself."""
    found = algorithm.fit(features, 0, random)
    number = int(found.max(initial=0))
    labels = {number: found}
    stability, spread = resampled(features, algorithm, labels, settings, random, tick)
    values, neighbours, graph_parts = _spectrum(
        features, algorithm, max(min(settings.most, len(features) - 1), number) + 1
    )
    return Choice(
        clusters=number,
        asked=False,
        numbers=(number,),
        silhouette=np.array([silhouette(features, found)]),
        stability=stability,
        stability_spread=spread,
        eigenvalues=values,
        neighbours=neighbours,
        graph_parts=graph_parts,
        votes={},
        labels=labels,
    )


def resampled(
    features: Array,
    algorithm: Clusterer,
    labels: dict[int, Numbers],
    settings: Suggest,
    random: int,
    tick: Callable[[], object],
) -> tuple[Array, Array]:
    """Return mean and spread over resamples of the agreement of part and whole, per number.

    Each time a part of the samples is drawn without replacement and clustered; its clusters are
    compared with those of all samples, restricted to the part, by the adjusted Rand index.

    Source: Ben-Hur, Elisseeff & Guyon (2002), Pac. Symp. Biocomput. 7, 6-17, with the adjusted
    index of Hubert & Arabie (1985).
    """
    n = len(features)
    generator = np.random.default_rng(random)
    part = max(2, round(settings.fraction * n))
    needed = algorithm.graph_neighbours or 0
    numbers = [number for number in labels if number <= part]
    found = np.full((settings.resamples, len(labels)), np.nan)
    order = list(labels)
    for draw in range(settings.resamples):
        chosen = np.sort(generator.choice(n, part, replace=False))
        if part > needed and numbers:
            made = algorithm.fit_many(features[chosen], numbers, random)
            for number in numbers:
                found[draw, order.index(number)] = agreement(made[number], labels[number][chosen])
        tick()
    counted = np.isfinite(found).any(axis=0)
    mean, spread = np.full(len(order), np.nan), np.full(len(order), np.nan)
    mean[counted] = np.nanmean(found[:, counted], axis=0)
    spread[counted] = np.nanstd(found[:, counted], axis=0)
    return mean, spread


def agreement(one: npt.NDArray[np.integer], other: npt.NDArray[np.integer]) -> float:
    """Return the adjusted Rand index of two clusterings: 1 for equal ones, about 0 for chance.

    A sample that lies in no cluster of either is compared like a member of one more cluster.
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


def silhouette(features: Array, labels: Numbers) -> float:
    """Return the mean silhouette of the samples that lie in clusters; NaN below two clusters."""
    return _mean(silhouettes(features, labels))


def silhouettes(features: Array, labels: Numbers) -> Array:
    """Return the silhouette [sample], -1 to 1; NaN outside clusters and where there are too few.

    Beyond `ALL_AT_ONCE` samples an even part of them is taken, the others are NaN.

    Source: Rousseeuw (1987), doi 10.1016/0377-0427(87)90125-7.
    """
    from sklearn.metrics import silhouette_samples

    result = np.full(len(labels), np.nan)
    inside = np.flatnonzero(labels != NONE)
    if inside.size > ALL_AT_ONCE:
        inside = inside[:: -(-inside.size // ALL_AT_ONCE)]
    number = np.unique(labels[inside]).size
    if 2 <= number < inside.size:
        with one_thread():
            result[inside] = silhouette_samples(features[inside], labels[inside])
    return result


def _spectrum(features: Array, algorithm: Clusterer, count: int) -> tuple[Array, int, int]:
    """Return eigenvalues, the neighbours of the graph they belong to, and its parts."""
    asked = algorithm.graph_neighbours or DEFAULT_NEIGHBOURS
    neighbours = min(asked, len(features) - 1)
    graph = neighbour_graph(features, neighbours)
    values, _ = eigen(graph, count)
    return values, neighbours, parts(graph)


def _votes(
    numbers: tuple[int, ...], silhouettes: Array, stability: Array, eigenvalues: Array
) -> dict[str, int]:
    gaps = np.diff(eigenvalues)  # gaps[k - 1] follows the k-th eigenvalue
    tried = [number for number in numbers if number <= gaps.size]
    votes = {}
    if tried:
        votes["eigengap"] = _best(tried, [gaps[number - 1] for number in tried])
    for name, curve in (("silhouette", silhouettes), ("stability", stability)):
        if np.isfinite(curve).any():
            votes[name] = _best(numbers, curve.tolist(), finest=name == "stability")
    return votes


def _best(numbers: Iterable[int], values: Iterable[float], *, finest: bool = False) -> int:
    """Return the number with the largest value; the smaller of equals, or the larger (finest)."""
    sign = 1 if finest else -1
    pairs = [
        (round(value, 9), sign * number)
        for number, value in zip(numbers, values, strict=True)
        if np.isfinite(value)
    ]
    return sign * max(pairs)[1]


def _suggested(votes: dict[str, int]) -> int:
    (number, count), *_ = Counter(votes.values()).most_common()
    return number if count > 1 else votes.get("stability", votes.get("silhouette", number))


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
