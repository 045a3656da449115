"""From p-values of many cells to a statement about the field."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def threshold(p: npt.NDArray[np.floating], alpha: float) -> float:
    """Return the largest p-value that keeps the false discovery rate at ``alpha``.

    The largest p_(i) of N cells in ascending order for which p_(i) <= alpha · i / N. Of the cells
    at or below it a fraction ``alpha`` is expected to be there by chance. The test of the field is
    that there is any such cell; where neighbouring cells resemble each other, its level is about
    half of ``alpha``.

    Parameters
    ----------
    p
        p-values in any shape; NaN marks cells that are not tested, which do not count.
    alpha
        The rate.

    Returns
    -------
    threshold
        NaN where no cell is significant.

    Source: Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57, 289; Wilks 2016, BAMS 97, 2263.
    """
    held = np.sort(p[np.isfinite(p)], axis=None)
    passing = np.flatnonzero(held <= alpha * np.arange(1, held.size + 1) / max(1, held.size))
    return float(held[passing[-1]]) if passing.size else float("nan")
