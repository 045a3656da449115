"""What a method may know beside the network and the inputs: land, grid, training rows, draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from climxai.core.period import Period

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from climxai.attribution.network import Network
    from climxai.attribution.objectives.objective import Grid


class TrainingRows(Protocol):
    """Training samples as the network sees them, invalid cells 0; read when first asked for."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""

    def __len__(self) -> int:
        """Return how many there are."""

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Return the smallest and largest value of every cell, each [channel, lat, lon]."""

    def check(self, class_name: str | None = None, period: Period | None = None) -> None:
        """Raise what `mean` would raise, without reading the samples."""

    def mean(self, class_name: str | None = None, period: Period | None = None) -> Tensor:
        """Return the mean map [channel, lat, lon] of all, of a class or of a period.

        Raises
        ------
        DataError
            When no training sample belongs to the class or the period.
        """

    def draw(self, count: int, seed: int) -> Tensor:
        """Return ``count`` samples [count, channel, lat, lon]: all rows in an order drawn by seed.

        With fewer training samples than ``count``, every one is there once before any is twice.
        """

    def blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all in order: inputs [n, channel, lat, lon] and labels [n], n within memory."""

    def from_file(self, path: str) -> Tensor:
        """Return a map [channel, lat, lon] in the network's units, read from a netCDF file.

        Raises
        ------
        DataError
            When the file does not hold the network's channels on its grid.
        """


@dataclass(frozen=True, eq=False)
class Context:
    """What a method may know beside the network and the inputs.

    Parameters
    ----------
    valid
        Which cells hold data [channel, lat, lon], bool.
    reference
        Outputs [1 or sample, *output_shape] subtracted before weighting, or None.
    training
        The training samples; None where an explanation is made without them.
    grid
        Latitudes and longitudes of the input's cells, or None.
    rows
        What tells samples apart [sample], int64, so that what is drawn for one does not depend on
        the batch it comes in; None numbers them from 0.
    peers
        The networks of all seeds, this one included, each with its own ``reference``, for methods
        that average over them.
    seed
        The seed of the network, for draws that must differ from network to network.
    memory
        Bytes that working arrays may take.
    """

    valid: Tensor
    reference: Tensor | None = None
    training: TrainingRows | None = None
    grid: Grid | None = None
    rows: Tensor | None = None
    peers: tuple[tuple[Network, Tensor | None], ...] = ()
    seed: int = 0
    memory: int = 256_000_000

    def take(self, part: slice) -> Context:
        """Return the context of some of the samples."""
        reference = self.reference
        if reference is not None and reference.shape[0] > 1:
            reference = reference[part]
        return replace(
            self, reference=reference, rows=None if self.rows is None else self.rows[part]
        )

    def generator(self, seed: int, sample: int) -> torch.Generator:
        """Return a generator of random numbers for one sample of the batch, by its position."""
        import torch

        row = sample if self.rows is None else int(self.rows[sample])
        # An odd factor keeps (seed, row) pairs apart: it is invertible modulo 2**63.
        mixed = (seed * 0x9E3779B97F4A7C15 + row * 0xBF58476D1CE4E5B9 + 1) % (1 << 63)
        return torch.Generator().manual_seed(mixed)

    def samples_at_once(self, values_each: int, copies: int = 1, itemsize: int = 4) -> int:
        """Return how many samples of ``values_each`` working values fit the memory, at least 1."""
        return max(1, self.memory // max(1, values_each * copies * itemsize))
