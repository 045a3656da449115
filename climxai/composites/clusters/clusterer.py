"""What every clustering algorithm is: settings that turn features into cluster numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.core.errors import DataError
from climxai.core.record import Record

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

NONE = 0
"""The number of a sample that lies in no cluster; clusters are numbered from 1."""

HowMany = Annotated[int, Field(ge=2)] | Literal["suggest"]


class Clusterer(Record):
    """How samples are parted into clusters; distances are Euclidean between feature vectors."""

    name: str

    @property
    def asked(self) -> int | None:
        """The number of clusters asked for; None when it is to be suggested or found."""
        value = getattr(self, "clusters", None)
        return value if isinstance(value, int) else None

    @property
    def counted(self) -> bool:
        """Whether the algorithm is told how many clusters to make."""
        return True

    @property
    def graph_neighbours(self) -> int | None:
        """Neighbours of its graph; None for an algorithm without one."""
        return None

    def check(self, samples: int, clusters: int | None) -> None:
        """Refuse more clusters than there are samples.

        Raises
        ------
        DataError
            Naming both numbers and what to do.
        """
        if clusters is not None and clusters > samples:
            raise DataError(
                f"strategies.algorithm: {clusters} clusters of {samples} samples: ask for at most "
                f"{samples} clusters, or cluster more samples (`strategies.within`, `index`)"
            )

    def fit(self, features: Array, clusters: int, random: int) -> Numbers:
        """Return the cluster of each sample, from 1, `NONE` for a sample that is in none.

        Parameters
        ----------
        features
            [sample, feature].
        clusters
            How many clusters to make; an algorithm that finds their number does not heed it.
        random
            Seed of what is drawn at random: the same seed gives the same bits.
        """
        raise NotImplementedError

    def fit_many(self, features: Array, numbers: Iterable[int], random: int) -> dict[int, Numbers]:
        """Return the clusters for several numbers of them; shared work is done once."""
        return {number: self.fit(features, number, random) for number in numbers}


@contextmanager
def one_thread() -> Iterator[None]:
    """Run scikit-learn on one thread: sums over threads have no order, and bits would differ."""
    with _controller().limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _controller() -> Any:
    """Return what holds the thread pools; finding them takes a while."""
    import sklearn.cluster  # noqa: F401  # loads the pools that are to be found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def in_order(found: npt.ArrayLike) -> Numbers:
    """Return clusters numbered 1, 2, … from the largest down, equals by their first sample.

    Parameters
    ----------
    found
        Any numbers [sample]; negative for a sample in no cluster, which becomes `NONE`.
    """
    found = np.asarray(found).astype(np.int64)
    names, first, counts = np.unique(found, return_index=True, return_counts=True)
    order = sorted(
        (index for index in range(len(names)) if names[index] >= 0),
        key=lambda index: (-counts[index], first[index]),
    )
    result = np.full(found.shape, NONE, dtype=np.int64)
    for number, index in enumerate(order, start=1):
        result[found == names[index]] = number
    return result
