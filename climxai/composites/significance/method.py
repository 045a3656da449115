"""What a test of a composite is: settings, and one verb that gives p-values per cell."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.serial import Series, autocorrelation
from climxai.core.record import Record

Array = npt.NDArray[np.float64]
Against = Literal["zero", "others", "null networks"]


@dataclass(frozen=True)
class Memory:
    """How much samples repeat each other, for the map as a whole."""

    r: float
    """autocorrelation from sample to sample of the median cell"""
    block: int | None = None
    """how many successive samples are kept together; None for a test without blocks"""


class SignificanceTest(Record):
    """A two-sided test of the composite of one class, cell by cell."""

    against: ClassVar[Against]
    """``zero``: the class's own mean or median; ``others``: the mean of all other classes;
    ``null networks``: the composites of networks trained on shuffled labels"""
    question: ClassVar[str]
    """what a small p-value speaks against, for attributes of a file"""

    def prepare(self, probe: npt.NDArray[np.float32], group: int, series: Series) -> Memory:
        """Return what the test must know of the whole map, from a few cells spread over it.

        Parameters
        ----------
        probe
            Relevance [sample, cell].
        group
            Number of the class.
        series
            Order and class of each sample.
        """
        inside = series.group == group
        r = autocorrelation(probe[inside], series.of(group))
        return Memory(float(np.median(r)) if r.size else 0.0)

    @abstractmethod
    def p_values(
        self, values: npt.NDArray[np.float32], group: int, series: Series, memory: Memory
    ) -> Array:
        """Return the p-value of each cell, for maps of one class.

        Parameters
        ----------
        values
            Relevance [sample, cell], finite.
        group
            Number of the class.
        series
            Order and class of each sample.
        memory
            What `prepare` returned.
        """
