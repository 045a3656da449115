"""Clustering one group of samples, from coarse maps to clusters and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from climxai.composites.clusters.clusterer import NONE, Array, Numbers
from climxai.composites.clusters.embedding import pca_places, tsne_places
from climxai.composites.clusters.features import features
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.number import Choice, choose, silhouettes
from climxai.composites.clusters.settings import Strategies
from climxai.core.errors import DataError

FEWEST = 3
"""Fewer samples than these have no clusters worth the name."""


@dataclass(frozen=True)
class Found:
    """The clusters of one group of samples."""

    labels: Numbers
    """[sample]: from 1; `NONE` for maps without relevance and samples between clusters"""
    choice: Choice
    features: Array
    """[clustered sample, feature]"""
    clustered: Numbers
    """positions of the samples that were clustered: those with any relevance"""
    silhouette: Array
    """[sample]"""
    distance: Array
    """[sample]: Euclidean distance to the centre of its cluster, NaN outside clusters"""
    pca: Array
    """[sample, 2]"""
    tsne: Array
    """[sample, 2]"""
    variance: Array
    """[2]: shares of the variance along the two principal components"""

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.labels.max(initial=0))

    def nearest(self, cluster: int, count: int) -> Numbers:
        """Return the positions of the samples nearest to a cluster's centre, nearest first."""
        inside = np.flatnonzero(self.labels == cluster)
        order = np.argsort(self.distance[inside], kind="stable")
        return inside[order][:count]


def find(gathered: Gathered, settings: Strategies, where: str, tick: Callable[[], object]) -> Found:
    """Cluster samples; those whose map of relevance is zero everywhere are left out.

    Parameters
    ----------
    gathered
        Their coarse maps.
    settings
        What is compared and how.
    where
        Which samples these are, for messages.
    tick
        Called once per resample.

    Raises
    ------
    DataError
        When there are too few samples for the clusters or neighbours asked for.
    """
    mean = gathered.mean()
    any_relevance = np.flatnonzero(np.abs(mean).max(axis=1, initial=0.0) > 0)
    count = any_relevance.size
    if count < FEWEST:
        raise DataError(
            f"{where}: {len(gathered.row)} samples, of which {count} have any relevance; at least "
            f"{FEWEST} are needed: choose others (`strategies.within`, `index`) or another method"
        )
    settings.algorithm.check(count, settings.algorithm.asked)
    held = gathered.take(any_relevance)
    values = features(held, settings)
    choice = choose(values, settings.algorithm, settings.suggest, settings.random, tick)
    labels = choice.labels[choice.clusters]
    places, variance = pca_places(values)
    n = len(gathered.row)

    def spread(part: Array) -> Array:
        whole = np.full((n, *part.shape[1:]), np.nan)
        whole[any_relevance] = part
        return whole

    everywhere = np.full(n, NONE, dtype=np.int64)
    everywhere[any_relevance] = labels
    return Found(
        labels=everywhere,
        choice=choice,
        features=values,
        clustered=any_relevance,
        silhouette=spread(silhouettes(values, labels)),
        distance=spread(_distances(values, labels)),
        pca=spread(places),
        tsne=spread(tsne_places(values, settings.perplexity, settings.random)),
        variance=variance,
    )


def _distances(values: Array, labels: Numbers) -> Array:
    result = np.full(len(values), np.nan)
    for number in np.unique(labels[labels != NONE]).tolist():
        inside = labels == number
        centre = values[inside].mean(axis=0)
        result[inside] = np.linalg.norm(values[inside] - centre, axis=1)
    return result
