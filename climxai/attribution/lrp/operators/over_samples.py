"""Operators that work along the dimension of the samples, which relevance must not cross."""

from __future__ import annotations

from climxai.attribution.lrp.operators.call import Call

_END = 2**63 - 1
"""How a slice up to the end is written in the graph."""


def over_samples(call: Call) -> bool:
    """Whether an operator works along the dimension of the samples."""
    name, rank = call.name.split(".")[1], len(call.input_shape())
    if name in ("permute", "transpose", "expand"):
        return False
    if name in ("repeat", "tile"):
        times = list(call["repeats" if "repeats" in call.names else "dims"])
        return len(times) > rank or (len(times) == rank and times[0] != 1)
    if name in ("index", "index_put"):
        return call["indices"][0] is not None
    if name == "roll" and not call["dims"]:
        return True
    key = next((key for key in ("dims", "dim") if key in call.names), None)
    if key is None:
        return False
    dims = call[key]
    rank += name == "stack"
    along = any(d % rank == 0 for d in ([dims] if isinstance(dims, int) else dims))
    if name in ("slice", "slice_scatter") and along:
        whole = call["start"] in (None, 0) and call["step"] == 1
        return not (whole and (call["end"] is None or call["end"] == _END))
    return along
