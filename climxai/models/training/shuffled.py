"""Labels that no longer belong to their samples: what networks with nothing to learn are given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from climxai.models.randomness import derived_seed


def shuffled_labels(
    labels: npt.NDArray[np.int64], number: int, block: int, purpose: str
) -> npt.NDArray[np.int64]:
    """Return the labels in another order, each as often as before.

    Blocks of successive labels change places, and where the cutting begins is drawn, too: labels
    that last for a while last as long as before, except at the cuts.

    Parameters
    ----------
    labels
        [sample], in the order of the samples.
    number
        Number of the network: each has an order of its own.
    block
        Labels that move together; 1 shuffles them one by one.
    purpose
        What the samples are for: training and validation get orders of their own.
    """
    rng = np.random.default_rng(derived_seed(number, f"shuffled labels: {purpose}"))
    cuts = np.arange(int(rng.integers(block)), len(labels), block)
    pieces = [piece for piece in np.split(labels, cuts) if piece.size]
    order = rng.permutation(len(pieces))
    return np.concatenate([pieces[i] for i in order]) if pieces else labels.copy()
