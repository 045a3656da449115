"""The explained scalar: a weighted sum of outputs, compared with a reference where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from climxai.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def explained(
    outputs: Tensor, start: Tensor, reference: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Return the explained scalar [sample] and the part of the reference [sample], or None.

    Parameters
    ----------
    outputs
        The network's outputs [sample, *output_shape].
    start
        Their weights, same shape.
    reference
        Outputs [1 or sample, *output_shape] that are subtracted first, or None.

    Raises
    ------
    ModelError
        When the weights do not have the outputs' shape.
    """
    check_start(outputs, start)
    if reference is None:
        return (outputs * start).flatten(1).sum(1), None
    compared = (reference * start).flatten(1).sum(1)
    return ((outputs - reference) * start).flatten(1).sum(1), compared


def check_start(outputs: Tensor, start: Tensor) -> None:
    """Raise `ModelError` unless the weights have the outputs' shape."""
    if start.shape != outputs.shape:
        raise ModelError(
            f"the objective's weights have shape {tuple(start.shape)}, the outputs "
            f"{tuple(outputs.shape)}: compute the weights from this network's outputs"
        )
