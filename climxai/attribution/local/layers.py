"""Layers whose cells look at a window of the layer before, and how far a change reaches in them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.fx import Node

Mode = Literal["zero", "circular", "replicate"]


@dataclass(frozen=True)
class Window:
    """How the cells of a layer look at the layer before, along one axis.

    Parameters
    ----------
    extent
        Cells from the first to the last that one output looks at.
    stride
        Cells between neighbouring outputs.
    low, high
        Cells of padding before and after.
    mode
        What the padding holds.
    before, after
        Lengths of the axis in the layer before and in this one.
    """

    extent: int
    stride: int
    low: int
    high: int
    mode: Mode
    before: int
    after: int


@dataclass(frozen=True)
class Span:
    """What must be computed of a layer, and from what, along one axis; ends are exclusive.

    Positions may lie outside of ``0 … length`` where the axis is circular: they are meant modulo
    its length.

    Parameters
    ----------
    first, last
        The layer's cells that may change.
    needed_first, needed_last
        The cells of the layer before that they look at.
    low, high
        Padding beyond these.
    """

    first: int
    last: int
    needed_first: int
    needed_last: int
    low: int = 0
    high: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator of the local beginning.

    Parameters
    ----------
    node
        Its node in the graph.
    sources
        The nodes whose maps it takes.
    windows
        Along lat and lon; None for operators that work cell by cell.
    run
        From an input with its padding to the output; None where the node is called as it is.
    fill
        What padding with zeros holds: minus infinity before a maximum.
    """

    node: Node
    sources: tuple[Node, ...]
    windows: tuple[Window, Window] | None = None
    run: Callable[[Tensor], Tensor] | None = None
    fill: float = 0.0


@dataclass(frozen=True, eq=False)
class Local:
    """The local beginning: layers in order, from the input's node to the last one's."""

    source: Node
    layers: tuple[Layer, ...]

    @property
    def last(self) -> Node:
        """The node of the last layer."""
        return self.layers[-1].node


def spans(local: Local, axis: int, first: int, last: int) -> tuple[Span, ...] | None:
    """Return what a change of the input's cells ``first … last`` reaches, layer by layer.

    Parameters
    ----------
    local
        The local beginning.
    axis
        0 for lat, 1 for lon.
    first, last
        Cells of the input along it, the last exclusive; beyond the axis where it is circular.

    Returns
    -------
    tuple of Span, or None
        One per layer; None where a change goes across the seam of an axis that does not close, or
        all around it.
    """
    reached: dict[Node, tuple[int, int]] = {local.source: (first, last)}
    found: list[Span] = []
    for layer in local.layers:
        low = min(reached[node][0] for node in layer.sources)
        high = max(reached[node][1] for node in layer.sources)
        if layer.windows is None:
            span: Span | None = Span(low, high, low, high)
        else:
            span = _through(layer.windows[axis], low, high)
        if span is None:
            return None
        reached[layer.node] = (span.first, span.last)
        found.append(span)
    return tuple(found)


def _through(window: Window, first: int, last: int) -> Span | None:
    across = first < 0 or last > window.before
    around = window.mode == "circular" and (window.low or window.high)
    tiles = window.extent == window.stride and not (window.low or window.high)
    if (around or (across and tiles)) and window.after * window.stride == window.before:
        low = math.ceil((first + window.low - window.extent + 1) / window.stride)
        high = (last - 1 + window.low) // window.stride + 1
        begin = low * window.stride - window.low
        end = (high - 1) * window.stride - window.low + window.extent
        if end - begin > window.before or high - low > window.after:
            return None
        return Span(low, high, begin, end)
    if across or around:
        return None
    # A cell at the edge is seen again in padding that repeats it.
    seen_first = first - window.low if window.mode == "replicate" and first == 0 else first
    seen_last = last + window.high if window.mode == "replicate" and last == window.before else last
    low = max(0, math.ceil((seen_first + window.low - window.extent + 1) / window.stride))
    high = min(window.after, (seen_last - 1 + window.low) // window.stride + 1)
    if high <= low:
        return None
    begin = low * window.stride - window.low
    end = (high - 1) * window.stride - window.low + window.extent
    # Beyond the padding lies what pooling cuts off.
    before, after = max(0, -begin), min(max(0, end - window.before), window.high)
    return Span(low, high, max(0, begin), min(end, window.before), before, after)
