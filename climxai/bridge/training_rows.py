"""The training samples as methods see them: tensors, read from the files when first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.bridge.batches import to_tensor
from climxai.core.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.core.period import Period
    from climxai.data.sampleset import SampleSet

BLOCK_BYTES: Final = 64_000_000
"""Memory of the maps read at a time."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Training samples with invalid cells 0; what is read once is kept.

    Parameters
    ----------
    samples
        The training samples alone.
    """

    samples: SampleSet
    _held: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""
        return self.samples.classes

    def __len__(self) -> int:
        return len(self.samples)

    def bounds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the smallest and largest value of every cell, each [channel, lat, lon]."""
        if "bounds" not in self._held:
            import torch

            low: torch.Tensor | None = None
            high: torch.Tensor | None = None
            for block, _ in self.blocks():
                smallest, largest = block.amin(0), block.amax(0)
                low = smallest if low is None else torch.minimum(low, smallest)
                high = largest if high is None else torch.maximum(high, largest)
            self._held["bounds"] = (low, high)
        bounds: tuple[torch.Tensor, torch.Tensor] = self._held["bounds"]
        return bounds

    def check(self, class_name: str | None = None, period: Period | None = None) -> None:
        """Raise what `mean` would raise, without reading the samples.

        Raises
        ------
        DataError
            When no training sample belongs to the class or the period.
        """
        self._chosen(class_name, period)

    def mean(self, class_name: str | None = None, period: Period | None = None) -> torch.Tensor:
        """Return the mean map [channel, lat, lon] of all, of a class or of a period.

        Raises
        ------
        DataError
            When no training sample belongs to the class or the period.
        """
        import torch

        key = ("mean", class_name, period)
        if key not in self._held:
            positions = self._chosen(class_name, period)
            total = torch.zeros(tuple(self.samples.valid.shape), dtype=torch.float64)
            for block, _ in self._blocks(positions):
                total += block.double().sum(0)
            self._held[key] = (total / len(positions)).float()
        mean: torch.Tensor = self._held[key]
        return mean

    def _chosen(self, class_name: str | None, period: Period | None) -> npt.NDArray[np.int64]:
        chosen = np.ones(len(self), dtype=bool)
        if class_name is not None:
            if class_name not in self.classes:
                raise DataError(
                    f"there is no class {class_name!r} to take the mean of."
                    f"{did_you_mean(class_name, self.classes)}"
                )
            chosen &= self.samples.labels.values == self.classes.index(class_name)
        if period is not None:
            from climxai.data.time import rows_in_period

            chosen &= rows_in_period(self.samples.inputs["time"], period)
        if not chosen.any():
            of = " and ".join(
                text
                for text in (
                    class_name and f"class {class_name!r}",
                    period and f"the period {period.describe()}",
                )
                if text
            )
            raise DataError(
                f"no training sample belongs to {of or 'the training part of the split'}: its mean "
                "cannot be a baseline, choose another"
            )
        return np.flatnonzero(chosen).astype(np.int64)

    def draw(self, count: int, seed: int) -> torch.Tensor:
        """Return ``count`` samples [count, channel, lat, lon]: all rows in an order drawn by seed.

        With fewer training samples than ``count``, every one is there once before any is twice.
        """
        key = ("draw", count, seed)
        if key not in self._held:
            draws = np.random.default_rng(seed)
            rounds = -(-count // len(self))
            order = np.concatenate([draws.permutation(len(self)) for _ in range(rounds)])[:count]
            # Read in the files' order, then put in the order drawn.
            unique, places = np.unique(order, return_inverse=True)
            self._held[key] = self._read(unique)[0][places]
        drawn: torch.Tensor = self._held[key]
        return drawn

    def blocks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all in order: inputs [n, channel, lat, lon] and labels [n]."""
        return self._blocks(np.arange(len(self), dtype=np.int64))

    def _blocks(
        self, positions: npt.NDArray[np.int64]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        cells = int(np.prod(self.samples.valid.shape))
        size = max(1, BLOCK_BYTES // (4 * cells))
        for first in range(0, len(positions), size):
            yield self._read(positions[first : first + size])

    def _read(self, positions: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        taken = self.samples.take(positions)
        inputs = to_tensor(taken.inputs.compute(), self.samples.valid.values)
        return inputs, torch.from_numpy(taken.labels.values.astype(np.int64))

    def from_file(self, path: str) -> torch.Tensor:
        """Return a map [channel, lat, lon] in the network's units, read from a netCDF file.

        The file holds one variable per channel, named like it, on (lat, lon) of the network's grid,
        in the units that the network is fed; invalid cells become 0.

        Raises
        ------
        DataError
            When the file cannot be read or does not hold the network's channels on its grid.
        """
        import torch
        import xarray as xr

        try:
            with xr.open_dataset(path) as held:
                maps = [self._map(held, str(name), path) for name in self._channels]
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read as a netCDF file: {error}") from error
        values = np.stack(maps).astype(np.float32)
        values[~self.samples.valid.values] = 0.0
        if not np.isfinite(values).all():
            raise DataError(
                f"{path}: holds no value on some cells where the network expects one: fill them, "
                "or choose another baseline"
            )
        return torch.from_numpy(values)

    @property
    def _channels(self) -> npt.NDArray[Any]:
        return np.asarray(self.samples.inputs["channel"].values)

    def _map(self, held: xr.Dataset, name: str, path: str) -> npt.NDArray[np.float32]:
        if name not in held.data_vars:
            raise DataError(
                f"{path}: holds {', '.join(map(str, held.data_vars)) or 'no variable'}, expected "
                f"one named {name!r}, like the network's channel"
            )
        found, inputs = held[name].squeeze(drop=True), self.samples.inputs
        for axis in ("lat", "lon"):
            wanted = inputs[axis].values
            if axis not in found.dims or found.sizes[axis] != wanted.size:
                raise DataError(
                    f"{path}: variable {name!r} has the dimensions "
                    f"{dict(found.sizes)}, expected {axis} with the network's {wanted.size} values"
                )
            found = found.sortby(axis)
            if not np.allclose(found[axis].values, wanted, atol=1e-3):
                raise DataError(
                    f"{path}: {axis} of variable {name!r} differs from the network's grid "
                    f"({wanted[0]:g} to {wanted[-1]:g}): put the map on that grid first"
                )
        if found.ndim != 2:
            raise DataError(
                f"{path}: variable {name!r} has the dimensions {found.dims}, expected one map on "
                "(lat, lon)"
            )
        return np.asarray(found.transpose("lat", "lon").values, dtype=np.float32)
