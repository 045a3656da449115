"""The graph of nearest neighbours and the spectrum of its normalised Laplacian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from climxai.composites.clusters.clusterer import Array, one_thread

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DENSE: Final = 1000
"""Up to so many samples all eigenvectors are computed, which is exact for any graph."""
SHIFT: Final = -1e-3
"""Just below the spectrum: the shifted Laplacian can be factorised."""


def neighbour_graph(features: Array, neighbours: int) -> csr_matrix:
    """Return the symmetric graph [sample, sample]: 1 where one is among the k nearest of the other.

    Source: Lapuschkin et al. (2019), methods: W_ij = max(C_ij, C_ji).
    """
    from sklearn.neighbors import kneighbors_graph

    with one_thread():
        one_way = kneighbors_graph(features, neighbours, mode="connectivity", include_self=False)
    graph: csr_matrix = one_way.maximum(one_way.T).tocsr()
    return graph


def parts(graph: csr_matrix) -> int:
    """Return into how many parts without any link between them a graph falls."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(graph, directed=False, return_labels=False))


def eigen(graph: csr_matrix, count: int) -> tuple[Array, Array]:
    """Return the smallest eigenvalues [count] and vectors [sample, count] of I - D^-1 W.

    They are the eigenvalues, and D^-1/2 times the vectors, of the symmetric normalised Laplacian.
    The largest element of each vector is positive, so that signs are settled.

    Source: von Luxburg (2007), proposition 3; scaled to unit length.
    """
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian
    from scipy.sparse.linalg import eigsh

    n = graph.shape[0]
    count = min(count, n)
    matrix, root = laplacian(graph, normed=True, return_diag=True)
    if n <= DENSE or count >= n - 1:
        values, vectors = eigh(matrix.toarray(), subset_by_index=(0, count - 1))
    else:
        start = np.random.default_rng(0).uniform(-1, 1, n)
        values, vectors = eigsh(matrix.tocsc(), k=count, sigma=SHIFT, which="LM", v0=start)
        order = np.argsort(values)
        values, vectors = values[order], vectors[:, order]
    vectors = vectors / root[:, None]
    vectors /= np.linalg.norm(vectors, axis=0)
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[largest, np.arange(count)])
    return np.maximum(values, 0.0), vectors
