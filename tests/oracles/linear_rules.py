"""Every LRP rule for one linear layer, written out on its full matrix.

The matrix of a layer is found by feeding it unit vectors, its bias by feeding it zeros. Then each
formula (Bach 2015; Montavon 2017, 2019; Lapuschkin 2019; Andéol 2021) is
applied to the contributions ``a_j w_jk``, one output after the other.
"""

from __future__ import annotations

import numpy as np
import torch


def matrix_of(layer, shape):
    """Return the matrix [input, output] and the bias [output] of a layer on samples of a shape."""
    count = int(np.prod(shape))
    with torch.no_grad():
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten()
        unit = torch.eye(count, dtype=torch.float64).reshape(count, *shape)
        rows = layer(unit).flatten(1) - bias
    return rows.numpy(), bias.numpy()


def share(
    a,
    matrix,
    bias,
    relevance,
    rule,
    *,
    bias_rule="absorbed",
    empty_side="drop",
    w_square_bias=False,
    signed_inputs="split",
    epsilon=0.0,
    valid=None,
    low=None,
    high=None,
):
    """Return the relevance of the inputs ``a`` [input] of one layer."""
    name = rule["name"]
    valid = np.ones_like(a) if valid is None else valid
    found = np.zeros_like(a)
    for k in range(matrix.shape[1]):
        w, b = matrix[:, k], bias[k]
        reached = (w != 0) * valid
        if name == "flat":
            found += _safe(reached * relevance[k], reached.sum())
        elif name == "w_square":
            squares = w**2 * valid
            total = squares.sum() + (b**2 if w_square_bias else 0)
            found += _safe(squares * relevance[k], total)
        elif name == "z_box":
            parts = (a * w - low * np.maximum(w, 0) - high * np.minimum(w, 0)) * valid
            found += _safe(parts * relevance[k], _stable(parts.sum(), epsilon))
        elif name in ("zero", "epsilon"):
            size = rule.get("epsilon", epsilon)
            if rule.get("relative"):
                sums = a @ matrix + (0 if bias_rule == "ignored" else bias)
                size = size * np.sqrt(np.mean(sums**2))
            counted = 0 if bias_rule == "ignored" else b
            numerators = a * w + _spread(counted, reached, bias_rule)
            found += _safe(numerators * relevance[k], _stable((a * w).sum() + counted, size))
        elif name == "gamma":
            found += _gamma(a, w, b, relevance[k], rule["gamma"], bias_rule, signed_inputs, epsilon)
        else:
            found += _alpha_beta(
                a, w, b, relevance[k], rule, reached, bias_rule, empty_side, signed_inputs, epsilon
            )
    return found


def _alpha_beta(a, w, b, r, rule, reached, bias_rule, empty_side, signed_inputs, epsilon):
    alpha, beta = rule["alpha"], rule["beta"]
    if signed_inputs == "split":
        up, down = np.maximum(a * w, 0), np.minimum(a * w, 0)
    else:
        up, down = a * np.maximum(w, 0), a * np.minimum(w, 0)
    if bias_rule == "ignored":
        b_up = b_down = 0.0
    elif bias_rule == "whole_in_both":
        b_up = b_down = b
    else:
        b_up, b_down = max(b, 0.0), min(b, 0.0)
    above, below = up.sum() + b_up, down.sum() + b_down
    if empty_side == "rescale":
        no_above, no_below = above == 0, below == 0
        alpha, beta = (1.0 if no_below else alpha), (-1.0 if no_above else beta)
    up = up + _spread(b_up, reached, bias_rule)
    down = down + _spread(b_down, reached, bias_rule)
    positive = _safe(up * r, _stable(above, epsilon))
    negative = _safe(down * r, -_stable(-below, epsilon))
    return alpha * positive - beta * negative


def _gamma(a, w, b, r, gamma, bias_rule, signed_inputs, epsilon):
    z = (a * w).sum() + (0 if bias_rule == "ignored" else b)
    if signed_inputs == "whole":
        parts, favoured = a * (w + gamma * np.maximum(w, 0)), max(b, 0.0)
    elif z > 0:
        parts, favoured = a * w + gamma * np.maximum(a * w, 0), max(b, 0.0)
    elif z < 0:
        parts, favoured = a * w + gamma * np.minimum(a * w, 0), min(b, 0.0)
    else:
        return np.zeros_like(a)
    counted = {"ignored": 0.0, "whole_in_both": b}.get(bias_rule, b + gamma * favoured)
    total = parts.sum() + counted
    reached = (w != 0).astype(float)
    return _safe((parts + _spread(counted, reached, bias_rule)) * r, _stable(total, epsilon))


def _spread(bias, reached, bias_rule):
    return bias * reached / reached.sum() if bias_rule == "spread" and reached.any() else 0.0


def _stable(total, epsilon):
    return total + epsilon * (1.0 if total >= 0 else -1.0)


def _safe(numerators, total):
    return numerators / total if total != 0 else np.zeros_like(numerators)
