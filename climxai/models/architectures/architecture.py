"""What every architecture is: a record that builds an untrained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from climxai.core.record import Record

if TYPE_CHECKING:
    from torch import nn

Initial = Literal["glorot_uniform", "he_uniform", "torch"]


class Architecture(Record):
    """A network's shape, built for any grid and number of classes."""

    initial: Initial = "glorot_uniform"
    """where the weights start: ``glorot_uniform`` (Keras' default: uniform within
    ±√(6/(fan_in+fan_out)), biases 0), ``he_uniform`` (within ±√(6/fan_in), biases 0) or ``torch``
    (PyTorch's default: weights and biases within ±1/√fan_in)"""

    def build(self, shape: tuple[int, int, int], outputs: int) -> nn.Module:
        """Return the network, its weights not yet drawn from a seed.

        Use `climxai.models.network.build_network` for a network that a seed fixes.

        Parameters
        ----------
        shape
            Numbers of (channels, latitudes, longitudes) of one input.
        outputs
            Number of logits, one per class.

        Returns
        -------
        A module from x[sample, channel, lat, lon], invalid cells 0, to logits [sample, output]; no
        softmax. It can be exported with a dynamic batch.

        Raises
        ------
        ModelError
            When the architecture does not fit the shape.
        """
        raise NotImplementedError
