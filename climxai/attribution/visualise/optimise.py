"""The optimisation: steps down the gradient of a target's loss and of regularisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.network import Network
from climxai.attribution.visualise.layers import outputs_and_layers
from climxai.attribution.visualise.settings import OptimalInput
from climxai.attribution.visualise.sphere import Sphere, sphere_of
from climxai.attribution.visualise.starts import training
from climxai.attribution.visualise.targets import Target
from climxai.core.errors import ModelError

Array = npt.NDArray[np.float64]

LAST: Final = 0.1
"""The share of the steps, the last ones, that tell whether regularisers ended the descent."""


@dataclass(frozen=True)
class Optimised:
    """What an optimisation found; the last step is what is kept.

    Parameters
    ----------
    values
        The inputs [target, channel, lat, lon] in the network's units, 0 on invalid cells.
    loss, penalty
        What the target and the regularisers contributed [target, step]; step 0 is the start.
    value
        The quantity aimed at [target, step].
    moves
        How many steps were made before the target's gradient vanished for good [target].
    held
        The part of the target's descent that the regularisers take at the end [target]: how much
        less each of the last tenth of the steps lowers its loss, to first order, than one without
        them. Near 0 it is free, near 1 or above they have ended it.
    """

    values: Tensor
    loss: Array
    penalty: Array
    value: Array
    moves: npt.NDArray[np.int64]
    held: Array


def single_targets(targets: Sequence[Target], classes: tuple[str, ...]) -> dict[str, Target]:
    """Return the single targets by a name of their own, `_2` and so on after equal ones."""
    found: dict[str, Target] = {}
    for target in (single for each in targets for single in each.expand(classes)):
        name, number = target.title(), 1
        while name.casefold() in {taken.casefold() for taken in found}:
            number += 1
            name = f"{target.title()}_{number}"
        found[name] = target
    return found


def optimise(
    network: Network,
    targets: Mapping[str, Target],
    classes: tuple[str, ...],
    start: Tensor,
    settings: OptimalInput,
    context: Context,
    on_step: Callable[[], None] = lambda: None,
) -> Optimised:
    """Change the input step by step until the network answers as the targets wish.

    Every target has an input of its own; all are evaluated together. Each step goes against the
    gradient of the target's loss plus the regularisers; invalid cells stay 0.

    Parameters
    ----------
    network
        The traced network; its weights are not changed.
    targets
        Name -> target, from `single_targets`.
    classes
        Class names in the order of the outputs.
    start
        Where all inputs begin [channel, lat, lon].
    settings
        Steps, regularisers, bounds.
    context
        Valid cells, grid; training rows where bounds come from them.
    on_step
        Called after every step.

    Raises
    ------
    ModelError
        When a target does not suit the network, or the loss is no finite number any more.
    """
    for name, target in targets.items():
        try:
            target.check(network, classes)
        except ModelError as error:
            raise ModelError(f"optimal_input, target {name!r}: {error}") from error
    valid = context.valid.to(network.dtype)
    begin = start.to(network.dtype) * valid
    sphere = _sphere(context, network.dtype) if settings.regularisers else None
    bounds = _bounds(context, settings, network.dtype)
    x = begin.expand(len(targets), *begin.shape).clone()
    losses, penalties, values = [], [], []
    moves = torch.zeros(len(targets), dtype=torch.int64)
    last = max(1, round(LAST * settings.steps))
    made, free = torch.zeros(2, len(targets), dtype=torch.float64)
    for step in range(settings.steps + 1):
        x.requires_grad_(True)
        loss, value = _losses(network, targets, classes, x)
        penalty = torch.zeros_like(loss)
        if sphere is not None:
            for each in settings.regularisers:
                penalty = penalty + each.weight * each.of(x, begin, sphere)
        _check_finite(loss + penalty, targets, step, settings)
        losses.append(loss.detach().numpy().copy())
        penalties.append(penalty.detach().numpy().copy())
        values.append(value.detach().numpy().copy())
        if step == settings.steps:
            break
        push = torch.autograd.grad(loss.sum(), x)[0] * valid
        moves[(push != 0).flatten(1).any(1)] = step + 1
        before = x.detach()
        if sphere is None:
            x = _stepped(before, push, context.valid, settings, bounds)
        else:
            pull = torch.autograd.grad(penalty.sum(), x)[0] * valid
            x = _stepped(before, push + pull, context.valid, settings, bounds)
            if step >= settings.steps - last:
                alone = _stepped(before, push, context.valid, settings, bounds)
                made += _lowered(push, x - before)
                free += _lowered(push, alone - before)
        on_step()
    loss_curve, penalty_curve, value_curve = (
        np.stack(curve, axis=1).astype(np.float64) for curve in (losses, penalties, values)
    )
    held = torch.where(free > 0, 1 - made / free, 0.0).numpy()
    return Optimised(x.detach(), loss_curve, penalty_curve, value_curve, moves.numpy(), held)


def _losses(
    network: Network, targets: Mapping[str, Target], classes: tuple[str, ...], x: Tensor
) -> tuple[Tensor, Tensor]:
    """Return loss and value [target], each target's of its own input."""
    layers = {layer for t in targets.values() if (layer := t.needs_layer()) is not None}
    outputs, inner = outputs_and_layers(network, x, sorted(layers))
    losses, values = [], []
    for number, target in enumerate(targets.values()):
        own = slice(number, number + 1)
        held = {name: layer[own] for name, layer in inner.items()}
        losses.append(target.loss(outputs[own], held, classes))
        values.append(target.value(outputs[own], held, classes))
    return torch.cat(losses), torch.cat(values)


def _lowered(push: Tensor, change: Tensor) -> Tensor:
    """Return by how much a change of the inputs lowers the losses [target], to first order."""
    # Scaled by its largest value: what is added to others must not vanish beside them.
    largest = push.flatten(1).abs().amax(1).reshape(-1, 1, 1, 1)
    scaled = torch.where(largest > 0, push / largest, 0.0)
    return -(scaled * change).flatten(1).sum(1).double()


def _stepped(
    x: Tensor,
    gradient: Tensor,
    valid: Tensor,
    settings: OptimalInput,
    bounds: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Return the inputs one step further down; where the gradient is 0 they stay."""
    if settings.gradient == "rms":
        count = int(valid.sum())
        # Scaled by its largest value first: squares of tiny gradients would vanish.
        largest = gradient.flatten(1).abs().amax(1).reshape(-1, 1, 1, 1)
        scaled = torch.where(largest > 0, gradient / largest, 0.0)
        size = (scaled.flatten(1).square().sum(1) / count).sqrt().reshape(-1, 1, 1, 1)
        gradient = torch.where(size > 0, scaled / size, 0.0)
    x = x - settings.step_size * gradient
    return x if bounds is None else torch.minimum(torch.maximum(x, bounds[0]), bounds[1])


def _sphere(context: Context, dtype: torch.dtype) -> Sphere:
    if context.grid is None:
        raise ModelError(
            "optimal_input.regularisers need the latitudes and longitudes of the cells, and none "
            "are at hand: leave them out"
        )
    return sphere_of(context.grid.lat, context.grid.lon, context.valid, dtype)


def _bounds(
    context: Context, settings: OptimalInput, dtype: torch.dtype
) -> tuple[Tensor, Tensor] | None:
    if settings.bounds == "none":
        return None
    low, high = training(context).bounds()
    return low.to(dtype) * context.valid, high.to(dtype) * context.valid


def _check_finite(
    total: Tensor, targets: Mapping[str, Target], step: int, settings: OptimalInput
) -> None:
    wrong = torch.nonzero(~torch.isfinite(total))[:, 0]
    if not len(wrong):
        return
    name = list(targets)[int(wrong[0])]
    what = "gradient: rms, or " if settings.gradient == "plain" else ""
    raise ModelError(
        f"optimal_input: the loss of target {name!r} is no finite number at step {step}: choose "
        f"{what}a smaller step_size (now {settings.step_size:g}), or smaller weights of the "
        "regularisers"
    )
