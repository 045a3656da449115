"""Clusters of relevance maps: the strategies by which networks decide (SpRAy).

Source: Lapuschkin et al. (2019), Nature Communications 10, 1096, doi 10.1038/s41467-019-08987-4.
"""

from typing import Final

from climxai.composites.clusters.algorithms import (
    Agglomerative,
    GaussianMixture,
    Hdbscan,
    KMeans,
    Spectral,
)
from climxai.composites.clusters.clusterer import Clusterer

CLUSTERERS: Final[dict[str, type[Clusterer]]] = {
    "spectral": Spectral,
    "kmeans": KMeans,
    "agglomerative": Agglomerative,
    "hdbscan": Hdbscan,
    "gaussian_mixture": GaussianMixture,
}
"""Algorithms by the name a configuration gives them."""

__all__ = ["CLUSTERERS", "Clusterer"]
