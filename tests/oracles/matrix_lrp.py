"""Layer-wise relevance propagation on dense ReLU networks, written out as matrices and loops.

Slow and obvious on purpose: the contributions z_jk = a_j w_jk stand in one matrix per sample and
layer, the formulas of Bach et al. (2015) and Montavon et al. (2019) go entry by entry over it.
"""

from __future__ import annotations

import numpy as np


def forward(layers, x):
    """Return the inputs of every layer and the last sums; ReLU between layers."""
    inputs = []
    for i, (weight, bias) in enumerate(layers):
        inputs.append(x)
        z = weight @ x + bias
        x = np.maximum(z, 0) if i < len(layers) - 1 else z
    return inputs, x


def crossing(a, weight, bias, relevance, rule):
    """Return the relevance of the inputs of one dense layer."""
    contributions = weight.T * a[:, None]  # [j, k]
    if rule[0] == "epsilon":
        total = contributions.sum(0) + bias
        sign = np.where(total >= 0, 1.0, -1.0)
        shares = _over(contributions, total + rule[1] * sign)
        return shares @ relevance
    if rule[0] == "alpha_beta":
        alpha, beta = rule[1:]
        positive, negative = np.maximum(contributions, 0), np.minimum(contributions, 0)
        above = positive.sum(0) + np.maximum(bias, 0)
        below = negative.sum(0) + np.minimum(bias, 0)
        return (alpha * _over(positive, above) - beta * _over(negative, below)) @ relevance
    raise ValueError(rule)


def _over(parts, total):
    return np.divide(parts, total, out=np.zeros_like(parts), where=total != 0)


def relevance(layers, x, weights, rule):
    """Return the relevance of the input of one sample; it starts from weights times scores."""
    inputs, scores = forward(layers, x)
    found = weights * scores
    for (weight, bias), a in zip(reversed(layers), reversed(inputs), strict=True):
        found = crossing(a, weight, bias, found, rule)
    return found
