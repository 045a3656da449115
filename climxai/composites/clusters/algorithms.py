"""The algorithms: spectral clustering as in SpRAy, and scikit-learn's k-means and its kin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from climxai.composites.clusters.clusterer import (
    Array,
    Clusterer,
    HowMany,
    Numbers,
    in_order,
    one_thread,
)
from climxai.core.errors import DataError

STARTS = 10
"""k-means begins so often and keeps the best."""
MIXTURE_STARTS = 3
"""So often a mixture does: each begins from k-means."""


class Spectral(Clusterer):
    """Spectral clustering on a symmetric graph of nearest neighbours, as SpRAy does.

    Two samples are joined when one is among the k nearest of the other; k-means parts the leading
    eigenvectors of the normalised Laplacian. Clusters may have any shape. Consecutive months are
    each other's neighbours: records of months need more neighbours than records of winters.

    Source: Lapuschkin et al. (2019); von Luxburg (2007), doi 10.1007/s11222-007-9033-z, section 4
    (Shi and Malik's normalisation).
    """

    name: Literal["spectral"] = "spectral"
    clusters: HowMany = "suggest"
    """number of clusters, or `suggest`"""
    neighbours: int = Field(10, ge=1)
    """nearest neighbours that a sample is joined to"""

    @property
    def graph_neighbours(self) -> int:
        """Neighbours of its graph."""
        return self.neighbours

    def check(self, samples: int, clusters: int | None) -> None:
        """Refuse more clusters or more neighbours than there are samples.

        Raises
        ------
        DataError
            Naming both numbers and what to do.
        """
        super().check(samples, clusters)
        if self.neighbours >= samples:
            raise DataError(
                f"strategies.algorithm.neighbours: {self.neighbours} nearest neighbours of each of "
                f"{samples} samples: a sample has only {samples - 1} others; ask for fewer "
                "neighbours, or cluster more samples (`strategies.within`, `index`)"
            )

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster of each sample."""
        return self.fit_many(features, (clusters,), random)[clusters]

    def fit_many(self, features: Array, numbers: Iterable[int], random: int) -> dict[int, Numbers]:
        """Return the clusters for several numbers of them from one set of eigenvectors."""
        from climxai.composites.clusters.graph import eigen, neighbour_graph

        numbers = tuple(numbers)
        graph = neighbour_graph(features, self.neighbours)
        _, vectors = eigen(graph, max(numbers))
        return {number: _kmeans(vectors[:, :number], number, random) for number in numbers}


class KMeans(Clusterer):
    """K-means: compact clusters of about the same extent."""

    name: Literal["kmeans"] = "kmeans"
    clusters: HowMany = "suggest"
    """number of clusters, or `suggest`"""

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster of each sample, the best of ten starts."""
        return _kmeans(features, clusters, random)


class Agglomerative(Clusterer):
    """Agglomerative clustering: the two nearest clusters are merged until so many are left."""

    name: Literal["agglomerative"] = "agglomerative"
    clusters: HowMany = "suggest"
    """number of clusters, or `suggest`"""
    linkage: Literal["ward", "complete", "average", "single"] = "ward"
    """what the distance of two clusters is: the variance their union adds (ward), the largest,
    mean or smallest distance of their samples"""

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster of each sample; nothing is random."""
        from sklearn.cluster import AgglomerativeClustering

        del random
        made = AgglomerativeClustering(n_clusters=clusters, linkage=self.linkage)
        with one_thread():
            return in_order(made.fit_predict(features))


class Hdbscan(Clusterer):
    """HDBSCAN: dense regions, as many as there are; samples between them lie in no cluster."""

    name: Literal["hdbscan"] = "hdbscan"
    smallest: int = Field(5, ge=2)
    """samples a cluster has at least"""
    neighbours: int | None = Field(None, ge=1)
    """samples that make a place dense; null: as many as `smallest`"""

    @property
    def counted(self) -> bool:
        """Whether the algorithm is told how many clusters to make: it finds their number."""
        return False

    def check(self, samples: int, clusters: int | None) -> None:
        """Refuse clusters larger than all samples together.

        Raises
        ------
        DataError
            Naming both numbers and what to do.
        """
        del clusters
        for key, value in (("smallest", self.smallest), ("neighbours", self.neighbours)):
            if value is not None and value > samples:
                raise DataError(
                    f"strategies.algorithm.{key}: found {value}, there are only {samples} samples: "
                    "lower it, or cluster more samples (`strategies.within`, `index`)"
                )

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster of each sample, 0 for a sample between clusters."""
        from sklearn.cluster import HDBSCAN

        del clusters, random
        made = HDBSCAN(
            min_cluster_size=self.smallest, min_samples=self.neighbours, copy=True, n_jobs=1
        )
        with one_thread():
            return in_order(made.fit_predict(features))


class GaussianMixture(Clusterer):
    """A mixture of normal distributions: clusters of different size and, if asked, shape.

    Needs more samples than features: reduce these first (`strategies.pca`).
    """

    name: Literal["gaussian_mixture"] = "gaussian_mixture"
    clusters: HowMany = "suggest"
    """number of clusters, or `suggest`"""
    covariance: Literal["full", "tied", "diag", "spherical"] = "diag"
    """shape of the clusters: any (full), any but all alike (tied), along the axes, or round"""

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster each sample most probably belongs to."""
        import warnings

        import sklearn.mixture
        from sklearn.exceptions import ConvergenceWarning

        scale = float(features.std()) or 1.0
        made = sklearn.mixture.GaussianMixture(
            clusters, covariance_type=self.covariance, n_init=MIXTURE_STARTS, random_state=random
        )
        with one_thread(), warnings.catch_warnings():
            # The best of several starts is kept, converged or not.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return in_order(made.fit_predict(features / scale))


def _kmeans(features: Array, clusters: int, random: int) -> Numbers:
    import warnings

    import sklearn.cluster
    from sklearn.exceptions import ConvergenceWarning

    made = sklearn.cluster.KMeans(clusters, n_init=STARTS, random_state=random)
    with one_thread(), warnings.catch_warnings():
        # Fewer distinct points than clusters: some stay empty, which the counts show.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return in_order(made.fit_predict(features))
