"""The graph and its spectrum against loops and against graphs whose spectrum is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from climxai.composites.clusters.graph import DENSE, eigen, neighbour_graph, parts


def test_two_samples_are_joined_when_one_is_near_the_other() -> None:
    # The oracle sorts distances sample by sample.
    values = np.random.default_rng(0).normal(size=(30, 4))
    expected = np.zeros((30, 30))
    for i in range(30):
        away = [(np.sqrt(((values[i] - values[j]) ** 2).sum()), j) for j in range(30) if j != i]
        for _, j in sorted(away)[:4]:
            expected[i, j] = expected[j, i] = 1
    np.testing.assert_array_equal(neighbour_graph(values, 4).toarray(), expected)


def test_spectrum_of_a_ring() -> None:
    # Chung (1997), example 1.5: the eigenvalues of a cycle are 1 - cos(2 pi k / n).
    n = 12
    ring = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    values, vectors = eigen(csr_matrix(ring), n)
    np.testing.assert_allclose(
        values, np.sort(1 - np.cos(2 * np.pi * np.arange(n) / n)), atol=1e-12
    )
    assert (np.abs(vectors).argmax(axis=0) == vectors.argmax(axis=0)).all()


def test_spectrum_of_a_complete_graph() -> None:
    # Chung (1997), example 1.1: 0, and n / (n - 1) for all others.
    values, _ = eigen(csr_matrix(1 - np.eye(7)), 7)
    np.testing.assert_allclose(values, [0, *[7 / 6] * 6], atol=1e-12)


def test_as_many_zeros_as_parts() -> None:
    block = 1 - np.eye(5)
    whole = csr_matrix(np.kron(np.eye(3), block))
    assert parts(whole) == 3
    values, vectors = eigen(whole, 4)
    assert (values < 1e-12).sum() == 3
    # Vectors of eigenvalue 0 are constant on each part.
    spread = vectors[:, :3].reshape(3, 5, 3).std(axis=1)
    assert spread.max() < 1e-9


def test_vectors_solve_the_random_walk_problem() -> None:
    # von Luxburg (2007): (I - D^-1 W) v = lambda v.
    graph = neighbour_graph(np.random.default_rng(1).normal(size=(40, 3)), 5).toarray()
    values, vectors = eigen(csr_matrix(graph), 6)
    walk = np.eye(40) - graph / graph.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(walk @ vectors, vectors * values, atol=1e-10)


def test_many_samples_give_the_same_spectrum() -> None:
    rng = np.random.default_rng(2)
    graph = neighbour_graph(rng.normal(size=(DENSE + 50, 3)), 6)
    values, vectors = eigen(graph, 5)
    dense = graph.toarray()
    root = np.sqrt(dense.sum(axis=1))
    expected = np.linalg.eigvalsh(np.eye(len(root)) - dense / np.outer(root, root))[:5]
    np.testing.assert_allclose(values, expected, atol=1e-9)
    again, same = eigen(graph, 5)
    assert again.tobytes() == values.tobytes()
    assert same.tobytes() == vectors.tobytes()


@pytest.mark.parametrize("count", [1, 9])
def test_more_eigenvalues_than_samples_are_not_made_up(count: int) -> None:
    values, _ = eigen(csr_matrix(1 - np.eye(4)), count)
    assert len(values) == min(count, 4)
