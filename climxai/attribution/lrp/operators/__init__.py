"""The dispatch table: ATen operator -> how relevance crosses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.operators import (
    arithmetic,
    bicubic,
    elementwise,
    layers,
    pooling,
    routing,
)
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.linear_map import LinearMap

Build = Callable[[Call, Settled], Crossing | LinearMap]


@dataclass(frozen=True)
class Entry:
    """How one operator is treated.

    Parameters
    ----------
    build
        Makes its crossing, or the linear map that a rule is bound to.
    sign
        Whether its output is never negative: ``makes`` always, ``keeps`` where its inputs are not,
        ``loses`` cannot be told.
    """

    build: Build
    sign: Literal["makes", "keeps", "loses"] = "loses"


_DENSE = Entry(layers.dense)
_CONVOLUTION = Entry(layers.convolution)
_TRANSPOSED = Entry(layers.transposed_convolution)
_BATCH_NORM = Entry(layers.batch_norm)
_AVERAGE = Entry(pooling.averaging, "keeps")
_OVER_DIMENSIONS = Entry(pooling.over_dimensions, "keeps")
_INTERPOLATION = Entry(pooling.interpolation, "keeps")
_BICUBIC = Entry(bicubic.bicubic)
_MAX_POOLING = Entry(pooling.max_pooling, "keeps")
_ADAPTIVE_MAX = Entry(pooling.adaptive_max_pooling, "keeps")
_WINNER = Entry(elementwise.winner, "keeps")
_POSITIVE = Entry(elementwise.activation, "makes")
_ACTIVATION = Entry(elementwise.activation)
_SIGNED_ACTIVATION = Entry(elementwise.activation, "keeps")
_SOFTMAX = Entry(elementwise.softmax, "makes")
_RESHAPING = Entry(routing.reshaping, "keeps")
_MOVING = Entry(routing.moving, "keeps")
_SAME = Entry(routing.same, "keeps")
_CAST = Entry(routing.casting, "keeps")
_SUM = Entry(arithmetic.adding, "keeps")
_FACTOR = Entry(arithmetic.multiplying, "keeps")

OPERATORS: dict[str, Entry] = {
    "aten.linear.default": _DENSE,
    "aten.addmm.default": Entry(layers.addmm),
    "aten.mm.default": Entry(layers.matmul),
    "aten.matmul.default": Entry(layers.matmul),
    "aten.conv1d.default": _CONVOLUTION,
    "aten.conv2d.default": _CONVOLUTION,
    "aten.conv3d.default": _CONVOLUTION,
    "aten.conv1d.padding": _CONVOLUTION,
    "aten.conv2d.padding": _CONVOLUTION,
    "aten.conv3d.padding": _CONVOLUTION,
    "aten.convolution.default": Entry(layers.general_convolution),
    "aten.conv_transpose1d.default": _TRANSPOSED,
    "aten.conv_transpose2d.input": _TRANSPOSED,
    "aten.conv_transpose3d.input": _TRANSPOSED,
    "aten.batch_norm.default": _BATCH_NORM,
    "aten._native_batch_norm_legit_no_training.default": _BATCH_NORM,
    "aten.avg_pool1d.default": _AVERAGE,
    "aten.avg_pool2d.default": _AVERAGE,
    "aten.avg_pool3d.default": _AVERAGE,
    "aten.adaptive_avg_pool1d.default": _AVERAGE,
    "aten.adaptive_avg_pool2d.default": _AVERAGE,
    "aten.adaptive_avg_pool3d.default": _AVERAGE,
    "aten._adaptive_avg_pool2d.default": _AVERAGE,
    "aten._adaptive_avg_pool3d.default": _AVERAGE,
    "aten.mean.dim": _OVER_DIMENSIONS,
    "aten.mean.default": _OVER_DIMENSIONS,
    "aten.sum.dim_IntList": _OVER_DIMENSIONS,
    "aten.sum.default": _OVER_DIMENSIONS,
    "aten.upsample_nearest1d.vec": _INTERPOLATION,
    "aten.upsample_nearest2d.vec": _INTERPOLATION,
    "aten.upsample_nearest3d.vec": _INTERPOLATION,
    "aten._upsample_nearest_exact1d.vec": _INTERPOLATION,
    "aten._upsample_nearest_exact2d.vec": _INTERPOLATION,
    "aten._upsample_nearest_exact3d.vec": _INTERPOLATION,
    "aten.upsample_linear1d.vec": _INTERPOLATION,
    "aten.upsample_bilinear2d.vec": _INTERPOLATION,
    "aten.upsample_trilinear3d.vec": _INTERPOLATION,
    "aten._upsample_bilinear2d_aa.vec": _INTERPOLATION,
    "aten.upsample_bicubic2d.vec": _BICUBIC,
    "aten._upsample_bicubic2d_aa.vec": _BICUBIC,
    "aten.max_pool1d.default": _MAX_POOLING,
    "aten.max_pool2d.default": _MAX_POOLING,
    "aten.max_pool3d.default": _MAX_POOLING,
    "aten.max_pool1d_with_indices.default": _MAX_POOLING,
    "aten.max_pool2d_with_indices.default": _MAX_POOLING,
    "aten.max_pool3d_with_indices.default": _MAX_POOLING,
    "aten.adaptive_max_pool1d.default": _ADAPTIVE_MAX,
    "aten.adaptive_max_pool2d.default": _ADAPTIVE_MAX,
    "aten.adaptive_max_pool3d.default": _ADAPTIVE_MAX,
    "aten.amax.default": _WINNER,
    "aten.max.dim": _WINNER,
    "aten.maximum.default": _WINNER,
    "aten.max.other": _WINNER,
    "aten.relu.default": _POSITIVE,
    "aten.relu6.default": _POSITIVE,
    "aten.sigmoid.default": _POSITIVE,
    "aten.hardsigmoid.default": _POSITIVE,
    "aten.softplus.default": _POSITIVE,
    "aten.exp.default": _POSITIVE,
    "aten.leaky_relu.default": _SIGNED_ACTIVATION,
    "aten.elu.default": _SIGNED_ACTIVATION,
    "aten.selu.default": _SIGNED_ACTIVATION,
    "aten.celu.default": _SIGNED_ACTIVATION,
    "aten.gelu.default": _SIGNED_ACTIVATION,
    "aten.silu.default": _SIGNED_ACTIVATION,
    "aten.mish.default": _SIGNED_ACTIVATION,
    "aten.hardswish.default": _SIGNED_ACTIVATION,
    "aten.tanh.default": _SIGNED_ACTIVATION,
    "aten.hardtanh.default": _ACTIVATION,
    "aten.clamp.default": _ACTIVATION,
    "aten.clamp_min.default": _ACTIVATION,
    "aten.prelu.default": _ACTIVATION,
    "aten._prelu_kernel.default": _ACTIVATION,
    "aten.softmax.int": _SOFTMAX,
    "aten._softmax.default": _SOFTMAX,
    "aten.dropout.default": _SAME,
    "aten.feature_dropout.default": _SAME,
    "aten.alpha_dropout.default": _SAME,
    "aten.clone.default": _SAME,
    "aten.contiguous.default": _SAME,
    "aten.detach.default": _SAME,
    "aten.alias.default": _SAME,
    "aten.lift_fresh_copy.default": _SAME,
    "aten.to.dtype": _CAST,
    "aten.to.device": _CAST,
    "aten.to.dtype_layout": _CAST,
    "aten._to_copy.default": _CAST,
    "aten.view.default": _RESHAPING,
    "aten.reshape.default": _RESHAPING,
    "aten._unsafe_view.default": _RESHAPING,
    "aten.flatten.using_ints": _RESHAPING,
    "aten.unflatten.int": _RESHAPING,
    "aten.squeeze.dim": _RESHAPING,
    "aten.squeeze.dims": _RESHAPING,
    "aten.squeeze.default": _RESHAPING,
    "aten.unsqueeze.default": _RESHAPING,
    "aten.permute.default": _MOVING,
    "aten.transpose.int": _MOVING,
    "aten.slice.Tensor": _MOVING,
    "aten.select.int": _MOVING,
    "aten.narrow.default": _MOVING,
    "aten.split.Tensor": _MOVING,
    "aten.split_with_sizes.default": _MOVING,
    "aten.chunk.default": _MOVING,
    "aten.unbind.int": _MOVING,
    "aten.cat.default": _MOVING,
    "aten.stack.default": _MOVING,
    "aten.expand.default": _MOVING,
    "aten.repeat.default": _MOVING,
    "aten.tile.default": _MOVING,
    "aten.copy.default": Entry(routing.copying, "keeps"),
    "aten.slice_scatter.default": _MOVING,
    "aten.select_scatter.default": _MOVING,
    "aten.masked_fill.Scalar": _MOVING,
    "aten.index_put.default": _MOVING,
    "aten.roll.default": _MOVING,
    "aten.flip.default": _MOVING,
    "aten.index_select.default": _MOVING,
    "aten.index.Tensor": _MOVING,
    "aten.pixel_shuffle.default": _MOVING,
    "aten.pixel_unshuffle.default": _MOVING,
    "aten.pad.default": Entry(routing.padding, "keeps"),
    "aten.constant_pad_nd.default": Entry(routing.padding, "keeps"),
    "aten.reflection_pad1d.default": _MOVING,
    "aten.reflection_pad2d.default": _MOVING,
    "aten.reflection_pad3d.default": _MOVING,
    "aten.replication_pad1d.default": _MOVING,
    "aten.replication_pad2d.default": _MOVING,
    "aten.replication_pad3d.default": _MOVING,
    "aten.add.Tensor": _SUM,
    "aten.add.Scalar": _SUM,
    "aten.sub.Tensor": _SUM,
    "aten.sub.Scalar": _SUM,
    "aten.rsub.Tensor": _SUM,
    "aten.rsub.Scalar": _SUM,
    "aten.mul.Tensor": _FACTOR,
    "aten.mul.Scalar": _FACTOR,
    "aten.div.Tensor": _FACTOR,
    "aten.div.Scalar": _FACTOR,
    "aten.neg.default": _FACTOR,
}
"""By the operator's full name, as ``torch.export`` writes it."""
