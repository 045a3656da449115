"""How far composites agree about the sign of relevance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def sign_agreement(
    maps: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return the share of maps whose sign is that of a reference, cell by cell.

    Parameters
    ----------
    maps
        [map, …]; NaN where a map has no value, which does not count.
    reference
        […], for example the mean of all maps.

    Returns
    -------
    share
        From 0 to 1; a map that is zero agrees only with a reference that is zero. NaN where the
        reference or all maps have no value.
    """
    finite = np.isfinite(maps)
    agree = (np.sign(maps) == np.sign(reference)) & finite
    count = finite.sum(axis=0)
    share = np.divide(
        agree.sum(axis=0), count, out=np.full(reference.shape, np.nan), where=count > 0
    )
    share[~np.isfinite(reference)] = np.nan
    return np.asarray(share)
