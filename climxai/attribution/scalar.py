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


def one_in_total(outputs: Tensor, start: Tensor, reference: Tensor | None) -> Tensor:
    """Return relevance of outputs [sample, *output_shape] that is one in total for every sample.

    It is spread over the outputs as their weights are; where weights cancel, as in a difference of
    scores, by what each output contributes to the explained scalar. Zero where that is zero.

    Parameters
    ----------
    outputs, start, reference
        As for `explained`.
    """
    compared = outputs if reference is None else outputs - reference
    flat = start.flatten(1)
    parts = (compared * start).flatten(1)
    total, scalar = flat.sum(1, keepdim=True), parts.sum(1, keepdim=True)
    cancelled = total.abs() <= 1e-6 * flat.abs().sum(1, keepdim=True)
    shared = (parts / scalar).masked_fill(scalar == 0, 0.0)
    spread = (flat / total).masked_fill(total == 0, 0.0)
    return shared.where(cancelled, spread).reshape(start.shape)


def check_start(outputs: Tensor, start: Tensor) -> None:
    """Raise `ModelError` unless the weights have the outputs' shape."""
    if start.shape != outputs.shape:
        raise ModelError(
            f"the objective's weights have shape {tuple(start.shape)}, the outputs "
            f"{tuple(outputs.shape)}: compute the weights from this network's outputs"
        )
