"""What a network says of inputs changed inside a rectangle, recomputed where the change reaches.

Behind convolutions and pooling the answer to a changed patch differs from the unchanged one only
inside the patch's region of influence. That window is computed anew, layer by layer, beside the
unchanged maps; what follows takes the difference through its linear beginning. Exact but for
rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.context import Context
from climxai.attribution.front import Front, front_of
from climxai.attribution.local.layers import Layer, Local, Span
from climxai.attribution.local.reading import local_beginning
from climxai.attribution.local.rectangles import Plan, Rectangle
from climxai.attribution.local.rest import rest_of
from climxai.attribution.network import Network, call

TILES: Final = 1 << 20
"""Values of the largest tile worked on at once: about what the processor's caches can hold."""


@dataclass(frozen=True, eq=False)
class Influence:
    """A network cut into its local beginning and a rest whose linear beginning is narrow."""

    network: Network
    local: Local
    rest: Network
    front: Front

    @property
    def values(self) -> int:
        """Number of values that the maps of one sample hold."""
        kept = {source for layer in self.local.layers for source in layer.sources}
        held = (node.meta["val"] for node in kept | {self.local.last})
        return sum(prod(map(int, each.shape[1:])) for each in held if isinstance(each, Tensor))

    def maps(self, x: Tensor) -> dict[Node, Any]:
        """Return the maps of the input and of every layer."""
        values: dict[Node, Any] = {self.local.source: x}
        for node in self.network.graph.nodes:
            if node.op == "placeholder" and node is not self.local.source:
                values[node] = self.network.constants.get(node.name)
            elif node.op == "call_function" and all(n in values for n in node.all_input_nodes):
                values[node] = call(node, values)
                if node is self.local.last:
                    break
        kept = {source for layer in self.local.layers for source in layer.sources}
        return {node: values[node] for node in kept | {self.local.last}}

    def _changes(
        self, maps: dict[Node, Any], alike: tuple[Rectangle, ...], changed: Tensor
    ) -> Tensor:
        """Return by how much z of the rest changes [rectangle, sample, values of z].

        Parameters
        ----------
        maps
            What `maps` returned.
        alike
            Rectangles of equal geometry.
        changed
            The input inside them [rectangle, sample, channel, lat, lon].
        """
        tiles: dict[Node, Any] = {self.local.source: changed.flatten(0, 1)}
        corners = {self.local.source: [(each.rows[0], each.columns[0]) for each in alike]}
        for number, layer in enumerate(self.local.layers):
            lat, lon = alike[0].lat[number], alike[0].lon[number]
            taken = [
                self._extended(maps[source], tiles[source], corners[source], alike, number)
                for source in layer.sources
            ]
            if layer.windows is None or layer.run is None:
                values = dict(zip(layer.sources, taken, strict=True))
                for arg in layer.node.all_input_nodes:
                    values.setdefault(arg, self.network.constants.get(arg.name))
                tiles[layer.node] = call(layer.node, values)
            else:
                tiles[layer.node] = layer.run(_with_padding(taken[0], layer, lat, lon))
            corners[layer.node] = [
                (each.lat[number].first, each.lon[number].first) for each in alike
            ]
        last = tiles[self.local.last]
        size, places = (last.shape[-2], last.shape[-1]), corners[self.local.last]
        before = torch.stack([_piece(maps[self.local.last], at, size) for at in places])
        moved = last.reshape(before.shape) - before
        whole = self.front.matrix().reshape(-1, *self.rest.shape)
        weights = torch.stack([_piece(whole, at, size) for at in places])
        return torch.bmm(moved.flatten(2), weights.flatten(2).transpose(1, 2))

    def _extended(
        self,
        base: Any,
        tile: Any,
        corners: list[tuple[int, int]],
        alike: tuple[Rectangle, ...],
        number: int,
    ) -> Any:
        """Return tiles of all that a layer looks at: the changed ones amid what is unchanged."""
        if not isinstance(base, Tensor):
            return tile
        lat, lon = alike[0].lat[number], alike[0].lon[number]
        size = (lat.needed_last - lat.needed_first, lon.needed_last - lon.needed_first)
        top, left = corners[0][0] - lat.needed_first, corners[0][1] - lon.needed_first
        height, width = tile.shape[-2:]
        if (top, left) == (0, 0) and (height, width) == size:
            return tile
        places = [(each.lat[number].needed_first, each.lon[number].needed_first) for each in alike]
        around = torch.stack([_piece(base, at, size) for at in places]).flatten(0, 1)
        # Where a stride leaves cells out, the tile may reach beyond what is looked at.
        rows = slice(max(0, top), min(size[0], top + height))
        columns = slice(max(0, left), min(size[1], left + width))
        around[..., rows, columns] = tile[
            ..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        return around

    def moved(
        self,
        x: Tensor,
        maps: Tensor,
        levels: Tensor | None,
        plan: Plan,
        groups: int,
        context: Context,
    ) -> tuple[Tensor, Tensor]:
        """Return z of the rest [sample, values], and its changes [group, sample, values].

        Parameters
        ----------
        x
            Inputs [sample, channel, lat, lon].
        maps
            What stands in place of a group's cells [1 or sample, channel, lat, lon].
        levels
            Or one value per sample, group and channel.
        plan
            Which groups are computed, and how; the changes of others are 0.
        groups
            How many groups there are.
        context
            How much memory there is.
        """
        maps, samples = maps.expand(len(x), -1, -1, -1), len(x)
        with torch.no_grad():
            held = self.maps(x)
            z = self.front(held[self.local.last]).flatten(1)
            changes = z.new_zeros((groups, samples, self.front.width))
            for alike, part in self._parts(plan, samples, context):
                height, width = alike[0].inside.shape[1:]
                size = (height, width)
                corners = [(each.rows[0], each.columns[0]) for each in alike]
                tiles = torch.stack([_piece(x[part], at, size) for at in corners])
                inside = torch.stack([each.inside for each in alike])[:, None]
                number = torch.tensor([each.group for each in alike])
                if levels is None:
                    fills = torch.stack([_piece(maps[part], at, size) for at in corners])
                else:
                    fills = levels[part][:, number].transpose(0, 1)[..., None, None]
                here = {node: _some(values, part) for node, values in held.items()}
                found = self._changes(here, alike, torch.where(inside, fills, tiles))
                changes[:, part].index_add_(0, number, found)
        return z, changes

    def _at_once(self, alike: tuple[Rectangle, ...], context: Context) -> int:
        """Return how many tiles, one per rectangle and sample, are computed at once."""
        largest = 1
        for number, layer in enumerate(self.local.layers):
            held = layer.node.meta["val"]
            channels = int((held if isinstance(held, Tensor) else held[0]).shape[1])
            source = layer.sources[0].meta["val"]
            depth = int((source if isinstance(source, Tensor) else source[0]).shape[1])
            lat, lon = alike[0].lat[number], alike[0].lon[number]
            out = channels * (lat.last - lat.first) * (lon.last - lon.first)
            taken = depth * (lat.needed_last - lat.needed_first)
            largest = max(largest, out, taken * (lon.needed_last - lon.needed_first))
        allowed = context.samples_at_once(largest, 6, self.network.dtype.itemsize)
        return max(1, min(allowed, TILES // largest))

    def _parts(
        self, plan: Plan, samples: int, context: Context
    ) -> Iterator[tuple[tuple[Rectangle, ...], slice]]:
        """Yield rectangles of equal geometry with samples, as many as are computed at once."""
        for alike in plan.alike:
            at_once = self._at_once(alike, context)
            size = max(1, at_once // max(1, samples))
            for first in range(0, len(alike), size):
                for sample in range(0, samples, at_once):
                    yield alike[first : first + size], slice(sample, sample + at_once)


def _some(values: Any, part: slice) -> Any:
    """Return some samples' values; operators that return several give them together."""
    return values[part] if isinstance(values, Tensor) else None


def _piece(maps: Tensor, corner: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Return a rectangle of maps [..., lat, lon]; positions count modulo their lengths."""
    for dim, first, length in ((-2, corner[0], size[0]), (-1, corner[1], size[1])):
        whole = maps.shape[dim]
        begin = first % whole
        if begin + length <= whole:
            maps = maps.narrow(dim, begin, length)
        else:
            parts = (maps.narrow(dim, begin, whole - begin),
                     maps.narrow(dim, 0, begin + length - whole))  # fmt: skip
            maps = torch.cat(parts, dim)
    return maps


def _with_padding(x: Tensor, layer: Layer, lat: Span, lon: Span) -> Tensor:
    """Return tiles with what lies beyond the edges of the map."""
    if layer.windows is None:
        return x
    for window, span, pads in (
        (layer.windows[0], lat, (0, 0, lat.low, lat.high)),
        (layer.windows[1], lon, (lon.low, lon.high, 0, 0)),
    ):
        if span.low or span.high:
            if window.mode == "replicate":
                x = torch.nn.functional.pad(x, pads, mode="replicate")
            else:
                x = torch.nn.functional.pad(x, pads, value=layer.fill)
    return x


def influence_of(network: Network) -> Influence | None:
    """Return the network cut after its local beginning, made once and kept.

    Returns
    -------
    Influence or None
        None where the network does not begin with convolutions or pooling, or is wide behind them.
    """
    if "influence" not in network.cache:
        local = local_beginning(network)
        rest = None if local is None else rest_of(network, local.last)
        front = None if rest is None else front_of(rest)
        network.cache["influence"] = (
            None
            if local is None or rest is None or front is None or not front.narrow
            else Influence(network, local, rest, front)
        )
    found: Influence | None = network.cache["influence"]
    return found
