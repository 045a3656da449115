"""What samples are compared by: divided, weighted and reduced maps, one row per sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.clusterer import one_thread
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.settings import Scale, Strategies
from climxai.core.errors import DataError

Array = npt.NDArray[np.float64]


def divided(maps: npt.NDArray[np.floating], how: Scale, weights: Array | None = None) -> Array:
    """Return maps [sample, cell], each divided by its size; a map of zeros stays zero.

    Parameters
    ----------
    maps
        [sample, cell]; NaN takes no part.
    how
        ``max``, ``sum`` (of absolute values), ``l2`` (root of the sum of squares) or ``none``.
    weights
        [cell]: how much each counts in ``sum`` and ``l2``; None: all alike.
    """
    size = np.abs(np.nan_to_num(maps.astype(np.float64)))
    w = np.ones(maps.shape[1]) if weights is None else weights
    match how:
        case "none":
            scale = np.ones(len(maps))
        case "max":
            scale = size.max(axis=1, initial=0.0)
        case "sum":
            scale = size @ w
        case "l2":
            scale = np.sqrt(size**2 @ w)
    return np.asarray(maps / np.where(scale > 0, scale, 1.0)[:, None], dtype=np.float64)


def features(
    gathered: Gathered,
    settings: Strategies,
    *,
    normalise: Scale | None = None,
    seeds: Sequence[int] | None = None,
) -> Array:
    """Return the feature vectors [sample, feature] whose Euclidean distances are compared.

    Parameters
    ----------
    gathered
        Coarse maps.
    settings
        What they are made of.
    normalise, seeds
        Instead of what the settings say and of all seeds: for tables of stability.

    Raises
    ------
    DataError
        When more principal components are asked for than there are.
    """
    area = gathered.area / gathered.area.mean() if settings.weights == "area" else None
    blocks = []
    if settings.features in ("relevance", "both"):
        how = settings.normalise if normalise is None else normalise
        blocks.append(divided(gathered.mean(seeds), how, area))
    if settings.features in ("fields", "both"):
        blocks.append(divided(gathered.field, settings.normalise_fields, area))
    if area is not None:
        blocks = [block * np.sqrt(area) for block in blocks]
    if settings.metric == "cosine":
        blocks = [divided(block, "l2") for block in blocks]
    elif len(blocks) > 1:
        # Units differ: each half gets the variance 1.
        blocks = [block / (np.sqrt(block.var(axis=0).sum()) or 1.0) for block in blocks]
    return reduced(np.concatenate(blocks, axis=1), settings.pca)


def reduced(values: Array, kept: float | None) -> Array:
    """Return the leading principal components [sample, component]; all features for None.

    Raises
    ------
    DataError
        When more are asked for than there are.
    """
    if kept is None:
        return values
    most = min(values.shape)
    if isinstance(kept, int) and kept > most:
        raise DataError(
            f"strategies.pca: {kept} principal components of {values.shape[0]} samples with "
            f"{values.shape[1]} features: there are at most {most}"
        )
    from sklearn.decomposition import PCA

    with one_thread():
        made = PCA(n_components=kept, svd_solver="full").fit_transform(values)
    return settled(made)


def settled(components: npt.NDArray[np.floating]) -> Array:
    """Return components [sample, component] whose largest element is positive, in float64."""
    made = components.astype(np.float64)
    largest = np.abs(made).argmax(axis=0)
    signs = np.sign(made[largest, np.arange(made.shape[1])])
    return made * np.where(signs == 0, 1.0, signs)
