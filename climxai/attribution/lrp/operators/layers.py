"""From graph calls to linear maps with weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.dense import Dense
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.lrp.operators.weighted import Convolution, Scaling, same_margin


def _weight(call: Call, name: str = "weight") -> Tensor:
    weight = call.constant(name)
    if weight is None:
        raise call.unsuited(f"it has no {name}", "Give the layer weights")
    return weight


def dense(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of a dense layer."""
    del settled
    return Dense(call.place, _weight(call), call.constant("bias"))


def addmm(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of ``bias + x W`` with W [in, out]."""
    del settled
    if call["beta"] != 1 or call["alpha"] != 1:
        raise call.unsuited("alpha and beta are not 1", "Write it as a linear layer")
    return Dense(call.place, _weight(call, "mat2").t().contiguous(), call.constant("self"))


def matmul(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of ``x W`` with W [in, out]."""
    del settled
    right = "mat2" if "mat2" in call.names else "other"
    if len(call.active) != 1 or call[right] is call.active[0] or _weight(call, right).ndim != 2:
        raise call.unsuited(
            "it is not the product of its input with a fixed matrix on the right",
            "Write it as a linear layer; attention between inputs has no rule here",
        )
    return Dense(call.place, _weight(call, right).t().contiguous(), None)


def convolution(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of a convolution with numbers or a word for its padding."""
    del settled
    weight = _weight(call)
    padding: Any = call["padding"]
    margin = None
    if padding == "same":
        padding, margin = same_margin(weight, call["dilation"])
    elif padding == "valid":
        padding = [0]
    return Convolution(
        call.place,
        weight,
        call.constant("bias"),
        stride=call["stride"],
        padding=padding,
        dilation=call["dilation"],
        groups=call["groups"],
        margin=margin,
    )


def transposed_convolution(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of a transposed convolution."""
    del settled
    return Convolution(
        call.place,
        _weight(call),
        call.constant("bias"),
        stride=call["stride"],
        padding=call["padding"],
        dilation=call["dilation"],
        groups=call["groups"],
        transposed=True,
        output_padding=call["output_padding"],
    )


def general_convolution(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of ``aten.convolution``, transposed or not."""
    del settled
    return Convolution(
        call.place,
        _weight(call),
        call.constant("bias"),
        stride=call["stride"],
        padding=call["padding"],
        dilation=call["dilation"],
        groups=call["groups"],
        transposed=call["transposed"],
        output_padding=call["output_padding"],
    )


def batch_norm(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of batch norm in evaluation: a factor and a shift per channel."""
    del settled
    mean, variance = call.constant("running_mean"), call.constant("running_var")
    if mean is None or variance is None:
        raise call.unsuited(
            "it keeps no running statistics, so that a sample's output depends on the others",
            "Train it with track_running_stats=True",
        )
    scale = torch.rsqrt(variance + call["eps"])
    weight, bias = call.constant("weight"), call.constant("bias")
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    shape = (1, -1, *[1] * (len(call.input_shape()) - 2))
    return Scaling(call.place, scale.reshape(shape), shift.reshape(shape))
