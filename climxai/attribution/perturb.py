"""What a network says of samples in which groups of cells hold other values.

Where the network begins with a narrow linear map (`climxai.attribution.front`), replacing a group
moves its small result ``z`` by a known amount: ``W[:, group] (fill - x)[group]``. All groups are
one matrix product, and only the tail runs once per replacement. Elsewhere whole maps are changed
and evaluated, as many at once as memory allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.front import Front, front_of
from climxai.attribution.groups.indices import Indices
from climxai.attribution.influence import Influence, influence_of
from climxai.attribution.local.rectangles import Plan, plan_of
from climxai.attribution.network import Network
from climxai.attribution.replacement import Measure, Replacement
from climxai.attribution.unchanged import GATHERED, unchanged


class Perturbed:
    """What is measured of samples in which groups of cells are replaced.

    Parameters
    ----------
    network
        The network.
    x
        Inputs [sample, channel, lat, lon]; not changed.
    measure
        What is measured of outputs: one value per row, or several in further dimensions.
    indices
        The groups.
    context
        How much memory there is.
    """

    def __init__(
        self, network: Network, x: Tensor, measure: Measure, indices: Indices, context: Context
    ) -> None:
        self.network, self.x, self.measure = network, x, measure
        self.indices, self.context = indices, context
        front = front_of(network)
        self.front: Front | None = front if front is not None and front.narrow else None
        self.influence = None if self.front is not None else influence_of(network)
        self._unchanged: tuple[Replacement, Tensor] | None = None
        self._everyone = torch.arange(len(x))
        with torch.no_grad():
            if self.front is None:
                self.outputs = network(x)
            else:
                z = self.front(x)
                self.outputs = self.front.tail(z)
                self._z, self._held = z.flatten(1), self._moves(x)
        self.intact = measure(self.outputs, self._everyone)

    def alone(self, fill: Replacement) -> Tensor:
        """Return what is measured [sample, group, …] with that group alone replaced."""
        if self.front is not None:
            found = self._beside(self._z, -self._change(fill), self.front, self.intact)
        else:
            found = self._near(self.x, self._maps(fill), fill.levels, self.intact)
        return _taken(self.unchanged(fill), self.intact, found)

    def all_but(self, fill: Replacement) -> Tensor:
        """Return what is measured [sample, group, …] with every group but that one replaced."""
        self.indices.cover.check_disjoint()
        without = self.without(fill)
        if self.front is not None:
            change = self._change(fill)
            found = self._beside(self._z - change.sum(0), change, self.front, without)
        else:
            found = self._near(self.replaced(fill), self.x, None, without)
        return _taken(self.unchanged(fill), without, found)

    def without(self, fill: Replacement) -> Tensor:
        """Return what is measured [sample, …] with all groups replaced."""
        if self.front is not None and self.indices.cover.disjoint:
            all_gone = self._z - self._change(fill).sum(0)
            found = self._tails(all_gone[None], self.front)
        else:
            found = self._measured(self.network, self.replaced(fill), self._everyone)[:, None]
        every = self.unchanged(fill).all(1, keepdim=True)
        return _taken(every, self.intact, found)[:, 0]

    def sets(self, fill: Replacement, gone: Tensor) -> Tensor:
        """Return what is measured [sample, set, …] with sets of groups replaced.

        Parameters
        ----------
        fill
            What stands in their place.
        gone
            Which groups are replaced [sample or 1, set, group], bool; groups have no common cells.
        """
        gone = gone.expand(len(self.x), -1, -1)
        if self.front is not None:
            moved = torch.bmm(gone.to(self.x), self._change(fill).transpose(0, 1))
            return self._tails(self._z - moved.transpose(0, 1), self.front)
        number = torch.from_numpy(self.indices.cover.number)
        filled, count = self.replaced(fill), gone.shape[1]
        gone = gone.flatten(0, 1)
        # Cells in no group have the number -1: the last column, of what is never replaced.
        gone = torch.cat([gone, gone.new_zeros((len(gone), 1))], dim=1)
        found = []
        for rows in torch.split(torch.arange(len(gone)), self._at_once()):
            samples = rows // count
            cells = gone[rows][:, number].reshape(-1, *self.x.shape[1:])
            maps = torch.where(cells, filled[samples], self.x[samples])
            found.append(self._measured(self.network, maps, samples))
        whole = torch.cat(found)
        return whole.reshape(len(self.x), count, *whole.shape[1:])

    def unchanged(self, fill: Replacement) -> Tensor:
        """Return which groups [sample, group] a fill leaves as they are, all that is looked at.

        Their effect is zero by definition; computed, it would be what rounding makes of it.
        """
        if self._unchanged is None or self._unchanged[0] is not fill:
            self._unchanged = (fill, unchanged(self.network, self.x, fill, self.indices))
        return self._unchanged[1]

    def _beside(self, z: Tensor, changes: Tensor, front: Front, one: Tensor) -> Tensor:
        """Return what is measured [sample, set, …] of z [sample, values] and changes of it.

        Where all that follows sees is the same as without the change, it is ``one`` [sample, …].
        """
        moved = z + changes
        found = self._tails(moved, front)
        same = (front.seen(moved) == front.seen(z)).all(2).T
        return _taken(same, one, found)

    def replaced(self, fill: Replacement) -> Tensor:
        """Return the inputs [sample, channel, lat, lon] with all groups replaced."""
        cover = self.indices.cover
        inside = torch.from_numpy(cover.times > 0).reshape(self.x.shape[1:])
        if fill.levels is None:
            return torch.where(inside, self._maps(fill), self.x)
        number = torch.from_numpy(cover.number).clamp(min=0)
        channel = torch.arange(len(number)) // (len(number) // cover.shape[0])
        levels = fill.levels[:, number, channel].reshape(self.x.shape)
        return torch.where(inside, levels, self.x)

    def _maps(self, fill: Replacement) -> Tensor:
        return torch.zeros_like(self.x[:1]) if fill.maps is None else fill.maps

    def _at_once(self) -> int:
        """Return how many rows the network or its tail takes at once."""
        return rows_at_once(self.network, None, self.context)

    def _measured(self, run: Network | Front, rows: Tensor, samples: Tensor) -> Tensor:
        """Return what is measured of every row; ``samples`` says whose it is."""
        with torch.no_grad():
            outputs = run.tail(rows) if isinstance(run, Front) else run(rows)
        return self.measure(outputs, samples)

    def _tails(self, z: Tensor, front: Front) -> Tensor:
        """Return what is measured [sample, set, …] of z [set, sample, values]."""
        sets, samples = z.shape[:2]
        size = max(1, rows_at_once(front.network, front, self.context) // max(1, samples))
        found = [
            self._measured(front, rows.reshape(-1, *front.shape), self._everyone.repeat(len(rows)))
            for rows in torch.split(z, size)
        ]
        whole = torch.cat(found)
        return whole.reshape(sets, samples, *whole.shape[1:]).transpose(0, 1)

    def _change(self, fill: Replacement) -> Tensor:
        """Return by how much z falls when a group is replaced [group, sample, values of z]."""
        if fill.levels is not None:
            units = torch.eye(self.x.shape[1], dtype=self.x.dtype)
            flat = units[:, :, None, None].expand(-1, *self.x.shape[1:])
            return self._held - torch.einsum("ngc,gcz->gnz", fill.levels, self._moves(flat))
        return self._held if fill.maps is None else self._held - self._moves(fill.maps)

    def _moves(self, maps: Tensor) -> Tensor:
        """Return what each group of maps [n, …] adds to z [group, n, values of z]."""
        front = self.front
        if front is None:
            raise ValueError("the network has no narrow beginning")
        values = maps.flatten(1).T.contiguous()
        moves = values.new_empty((len(self.indices.cover), front.width, values.shape[1]))
        for groups, cells, weights in self._weights(front):
            held = torch.index_select(values, 0, cells.reshape(-1))
            held = held.reshape(*cells.shape, -1)
            moves[groups] = weights * held if cells.shape[1] == 1 else torch.bmm(weights, held)
        return moves.transpose(1, 2).contiguous()

    def _weights(self, front: Front) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield groups [g], their cells [g, size] and weights [g, z, size]; kept where small."""
        held = self.network.cache.get("group_weights")
        if held is not None and held[0] is self.indices:
            yield from held[1]
            return
        itemsize = self.network.dtype.itemsize
        pairs = sum(bucket.cells.numel() for bucket in self.indices.buckets)
        matrix = front.matrix().T
        small = pairs * front.width * itemsize <= self.context.memory // 8
        kept = []
        for bucket in self.indices.buckets:
            at_once = GATHERED // (bucket.cells.shape[1] * max(front.width, len(self.x)))
            for part in Indices.parts(bucket, max(1, at_once)):
                weights = matrix[part.cells].mul_(part.counts[:, :, None])
                weights = weights.transpose(1, 2).contiguous()
                yield part.groups, part.cells, weights
                if small:
                    kept.append((part.groups, part.cells, weights))
        if small:
            self.network.cache["group_weights"] = (self.indices, tuple(kept))

    def _near(self, x: Tensor, maps: Tensor, levels: Tensor | None, one: Tensor) -> Tensor:
        """Return what is measured [sample, group, …] of ``x`` with a group's cells replaced.

        Only the region of influence is computed anew where the network begins locally. ``one`` is
        what is measured of ``x`` itself.
        """
        influence = self.influence
        if influence is None:
            return self._singles(x, maps, levels, None)
        plan = self._plan(influence)
        z, changes = influence.moved(x, maps, levels, plan, len(self.indices.cover), self.context)
        found = self._beside(z, changes, influence.front, one)
        if plan.left:
            left = torch.tensor(plan.left)
            found[:, left] = self._singles(x, maps, levels, left)[:, left]
        return found

    def _plan(self, influence: Influence) -> Plan:
        """Return how the groups are computed, made once and kept."""
        held = self.network.cache.get("plan")
        if held is None or held[0] is not self.indices:
            held = (self.indices, plan_of(influence.local, self.indices.cover))
            self.network.cache["plan"] = held
        plan: Plan = held[1]
        return plan

    def _singles(
        self, x: Tensor, maps: Tensor, levels: Tensor | None, only: Tensor | None
    ) -> Tensor:
        """Return the same from whole maps, for all groups or ``only`` some."""
        samples, shape = len(x), x.shape[1:]
        found = self.intact.new_empty((samples, len(self.indices.cover), *self.intact.shape[1:]))
        at_once = self._at_once()
        flat, fills = x.flatten(1), maps.flatten(1).expand(samples, -1)
        area = shape[1] * shape[2]
        for bucket in self.indices.some(only):
            for part in Indices.parts(bucket, max(1, at_once // max(1, samples))):
                for first in range(0, samples, at_once):
                    rows = slice(first, first + at_once)
                    base = flat[rows]
                    wide = part.cells[:, None, :].expand(-1, len(base), -1)
                    changed = base.expand(len(part.groups), -1, -1).clone()
                    if levels is None:
                        source = fills[rows].expand(len(part.groups), -1, -1).gather(2, wide)
                    else:
                        level = levels[rows][:, part.groups].transpose(0, 1)
                        source = level.gather(2, wide // area)
                    changed.scatter_(2, wide, source)
                    of = self._everyone[rows].repeat(len(part.groups))
                    measured = self._measured(self.network, changed.reshape(-1, *shape), of)
                    measured = measured.reshape(len(part.groups), -1, *measured.shape[1:])
                    found[rows, part.groups] = measured.transpose(0, 1)
        return found


CACHED: Final = 1 << 21
"""Values of the widest layer worked on at once: about what the processor's caches can hold."""


def rows_at_once(network: Network, front: Front | None, context: Context) -> int:
    """Return how many rows are evaluated at once without gradients, at least 1.

    Rows are changed inputs, or values of z where there is a narrow ``front``.
    """
    key = ("widest", front is None)
    if key not in network.cache:
        sizes = [math.prod(network.shape)]
        for node in network.graph.nodes:
            value = node.meta.get("val")
            if node.op == "call_function" and isinstance(value, Tensor):
                sizes.append(math.prod(int(n) for n in value.shape[1:]))
        # What comes after z, and z itself.
        first = 0 if front is None else sizes.index(front.width)
        network.cache[key] = max(sizes[first:])
    widest: int = network.cache[key]
    allowed = context.samples_at_once(widest, 4, network.dtype.itemsize)
    return max(1, min(allowed, CACHED // widest))


def values_kept(network: Network, groups: int) -> int:
    """Return how many values are kept per sample for a number of groups."""
    front = front_of(network)
    if front is not None and front.narrow:
        return groups * front.width
    influence = influence_of(network)
    return groups if influence is None else groups * influence.front.width + influence.values


def _taken(which: Tensor, one: Tensor, found: Tensor) -> Tensor:
    """Return ``found`` [sample, group, …], and ``one`` [sample, …] for ``which`` groups."""
    if not bool(which.any()):
        return found
    which = which.reshape(*which.shape, *[1] * (found.ndim - 2))
    return torch.where(which, one[:, None].to(found), found)
