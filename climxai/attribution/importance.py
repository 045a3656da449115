"""Permutation importance of groups of cells for a network's skill, over many samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.donors import donors, picked
from climxai.attribution.falls import blocks
from climxai.attribution.groups.cover import Cover
from climxai.attribution.network import Network
from climxai.attribution.perturb import Perturbed
from climxai.attribution.replacement import Replacement
from climxai.core.errors import ModelError

if TYPE_CHECKING:
    from climxai.attribution.methods.permutation import PermutationImportance

METRICS: Final = ("cross_entropy", "accuracy")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Importance:
    """What groups of cells are worth to a network's skill.

    Parameters
    ----------
    cover
        The groups.
    samples
        How many samples the means are over.
    changes
        By how much the metric gets worse without the group [metric, repeat, group]: a rise of the
        cross entropy, a fall of the accuracy.
    intact
        The metrics of the samples as they are [metric].
    replaced
        The metrics with all groups replaced [metric, repeat].
    order
        The groups' numbers, the one that matters most first.
    """

    cover: Cover
    samples: int
    changes: Array
    intact: Array
    replaced: Array
    order: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Skill:
    """Cross entropy, and whether the largest score is that of the true class."""

    labels: Tensor

    def __call__(self, outputs: Tensor, samples: Tensor) -> Tensor:
        """Return both [row, 2] of scores [row, class]."""
        true = self.labels[samples]
        entropy = torch.nn.functional.cross_entropy(outputs, true, reduction="none")
        return torch.stack([entropy, (outputs.argmax(1) == true).to(entropy)], dim=1)


def importance(
    method: PermutationImportance,
    network: Network,
    x: Tensor,
    labels: Tensor,
    context: Context,
    metric: str = "cross_entropy",
) -> Importance:
    """Return by how much a network's skill falls when groups take other samples' values.

    Every sample takes its values from training samples of its own, drawn as for its map. With
    several passes, the group without which the mean of the metric over samples and repeats is
    worst goes first and stays replaced (backward), or the one that mends most is put back first
    and stays (forward); its change is the one of that moment.

    Parameters
    ----------
    method
        Groups, repeats, passes, direction, and where other values come from.
    network
        A network that returns a score per class.
    x
        Inputs [sample, channel, lat, lon].
    labels
        True class numbers [sample].
    context
        Valid cells, grid, training samples, rows of the samples, memory.
    metric
        ``"cross_entropy"`` or ``"accuracy"``: what decides the order; ties by cross entropy.

    Raises
    ------
    ModelError
        When the network has no class scores, or groups do not fit.
    """
    if len(network.output_shape) != 1 or network.outputs < 2:
        raise ModelError(
            f"cross entropy and accuracy need a score per class, the network returns "
            f"{network.output_shape} per sample: explain it by maps instead"
        )
    method.check(network, context)
    work = _Work(method, network, x, labels, context)
    forward = method.direction == "forward"
    intact = work.mean(lambda perturbed, _: perturbed.intact[:, None])[..., 0]
    replaced = work.mean(lambda perturbed, fill: perturbed.without(fill)[:, None])[..., 0]
    if method.passes == "multi":
        changes, order = _passes(work, replaced if forward else intact, metric, forward=forward)
    else:
        if forward:
            found = work.mean(lambda perturbed, fill: perturbed.all_but(fill))
            changes = _worse(replaced[..., None], found)
        else:
            found = work.mean(lambda perturbed, fill: perturbed.alone(fill))
            changes = _worse(found, intact[..., None])
        changes[..., work.unchanged()] = 0
        order = _largest_first(changes, metric)
    return Importance(work.cover, len(x), changes, intact[:, 0], replaced, order)


Look = Callable[[Perturbed, Replacement], Tensor]
"""From samples and what replaces their groups to metrics [sample, case, metric]."""


class _Work:
    """The samples and what replaces their groups."""

    def __init__(
        self,
        method: PermutationImportance,
        network: Network,
        x: Tensor,
        labels: Tensor,
        context: Context,
    ) -> None:
        self.network, self.x, self.labels, self.context = network, x, labels, context
        self.indices = method.indices(network, context)
        self.cover = self.indices.cover
        self.repeats = method.repeats
        self.pool = donors(x, context, method.pool, method.seed)
        self.chosen = picked(x, self.pool, method.repeats, context, method.seed)

    def mean(self, look: Look, extra: int = 0) -> Array:
        """Return metrics [metric, repeat, case], means over the samples.

        ``extra`` is how many working values a look needs per sample.
        """
        totals: list[Array | float] = [0.0] * self.repeats
        extra += self.x[:1].numel()
        for part, perturbed in blocks(
            self.network,
            self.x,
            lambda part: Skill(self.labels[part]),
            self.indices,
            self.context,
            extra,
        ):
            for repeat in range(self.repeats):
                fill = Replacement(maps=self.pool[self.chosen[part, repeat]])
                totals[repeat] += look(perturbed, fill).double().sum(0).T.numpy()
        return np.stack([np.asarray(total) / len(self.x) for total in totals], axis=1)

    def unchanged(self) -> npt.NDArray[np.bool_]:
        """Return which groups [group] no sample and no repeat changes."""
        share = self.mean(lambda perturbed, fill: perturbed.unchanged(fill)[..., None].double())
        return np.asarray((share == 1).all(axis=(0, 1)))


def _passes(
    work: _Work, now: Array, metric: str, *, forward: bool
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return changes [metric, repeat, group] of several passes, and the order of the groups."""
    groups = len(work.cover)
    gone = torch.full((groups,), forward)
    changes = np.zeros((len(METRICS), work.repeats, groups))
    left, order, unchanged = list(range(groups)), [], work.unchanged()
    while left:
        sets = gone.repeat(len(left), 1)
        sets[torch.arange(len(left)), torch.tensor(left)] = not forward
        found = work.mean(partial(_with_sets, sets=sets[None]), groups * groups)
        worth = _worse(now[..., None], found) if forward else _worse(found, now[..., None])
        worth[..., unchanged[left]] = 0
        place = int(_largest_first(worth, metric)[0])
        best = left.pop(place)
        changes[..., best] = worth[..., place]
        now = found[..., place]
        gone[best] = not forward
        order.append(best)
    return changes, np.asarray(order, dtype=np.int64)


def _with_sets(perturbed: Perturbed, fill: Replacement, sets: Tensor) -> Tensor:
    return perturbed.sets(fill, sets)


def _worse(one: Array, other: Array) -> Array:
    """Return by how much ``one`` [metric, …] is worse: cross entropy higher, accuracy lower."""
    change = one - other
    return np.stack([change[0], -change[1]])


def _largest_first(changes: Array, metric: str) -> npt.NDArray[np.int64]:
    """Return the cases of changes [metric, repeat, case] in order; ties by cross entropy."""
    mean = changes.mean(axis=1)
    return np.lexsort((-mean[0], -mean[METRICS.index(metric)])).astype(np.int64)
