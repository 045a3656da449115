"""Composites of networks that had nothing to learn: trained on shuffled labels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class NullTally:
    """Counts composites of null networks that are as large as the one in question.

    Memory holds the few largest of them, however many networks there are.

    Parameters
    ----------
    composite
        Relevance [group, cell] of the networks in question; its size counts, not its sign.
    networks
        [group]: how many null networks have maps of each group.
    quantile
        What a composite must exceed, from 0 to 1.

    Source: Labe & Barnes 2021, J. Adv. Model. Earth Syst. 13, e2021MS002464, who show relevance
    above the 95th percentile of networks trained on shuffled labels.
    """

    def __init__(
        self, composite: npt.NDArray[np.floating], networks: npt.NDArray[np.int64], quantile: float
    ) -> None:
        self.size = np.abs(composite).astype(np.float64)
        self.networks = networks
        self.place = np.array([place_of(int(number), quantile) for number in networks])
        self._beyond = np.zeros(composite.shape, dtype=np.int64)
        # The largest sizes in ascending order, as many as the largest group needs.
        most = max(1, int(self.place.max(initial=0)))
        self._largest = np.zeros((most, *composite.shape), dtype=np.float32)

    def add(self, group: int, composite: npt.NDArray[np.floating]) -> None:
        """Count the composite [cell] of one null network."""
        size = np.abs(composite)
        # In the precision of the file both are written to: a network equals itself.
        self._beyond[group] += size.astype(np.float32) >= self.size[group].astype(np.float32)
        self._largest[0, group] = np.fmax(self._largest[0, group], size)
        self._largest[:, group] = np.sort(self._largest[:, group], axis=0)

    def p_values(self) -> Array:
        """Return (1 + null networks at least as far from zero) / (1 + null networks).

        [group, cell]; NaN where relevance is missing or no null network has maps.
        """
        p = (1 + self._beyond) / (1 + self.networks[:, None])
        told = np.isfinite(self.size) & (self.networks[:, None] > 0)
        return np.where(told, p, np.nan)

    def quantile(self) -> Array:
        """Return what a composite must exceed [group, cell]; infinite with too few networks.

        The k-th largest of N composites, k = (1 - quantile) (N + 1) rounded down: one more network,
        like them, would exceed it with a probability of at most 1 - quantile. Interpolating between
        values would promise more than N networks can keep.
        """
        found = np.full(self.size.shape, np.inf)
        for group, place in enumerate(self.place.tolist()):
            if place > 0:
                found[group] = self._largest[-place, group]
        return np.where(np.isfinite(self.size), found, np.nan)


def place_of(networks: int, quantile: float) -> int:
    """Return the place, counted from the largest, of what must be exceeded; 0 where none can be."""
    return math.floor((1 - quantile) * (networks + 1) + 1e-9)


def networks_needed(quantile: float) -> int:
    """Return how many null networks it takes to tell what lies beyond a quantile of theirs."""
    return math.ceil(1 / (1 - quantile) - 1 - 1e-9)
