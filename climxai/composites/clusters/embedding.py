"""Two dimensions to look at: principal components and t-SNE."""

from __future__ import annotations

import numpy as np

from climxai.composites.clusters.clusterer import Array, one_thread
from climxai.composites.clusters.features import settled

FEWEST = 4
"""Below so many samples t-SNE has nothing to arrange: its places are missing then."""
MOST = 5000
"""Of more samples than this an even part is arranged, in under a minute; the others are NaN."""


def pca_places(features: Array) -> tuple[Array, Array]:
    """Return the first two principal components [sample, 2] and their shares of variance [2]."""
    from sklearn.decomposition import PCA

    count = min(2, *features.shape)
    with one_thread(), np.errstate(invalid="ignore"):
        made = PCA(n_components=count, svd_solver="full").fit(features)
        places = settled(made.transform(features))
    share = np.nan_to_num(np.asarray(made.explained_variance_ratio_, dtype=np.float64))
    missing = 2 - count
    return np.pad(places, ((0, 0), (0, missing))), np.pad(share, (0, missing))


def tsne_places(features: Array, perplexity: float, random: int) -> Array:
    """Return t-SNE's places [sample, 2]; NaN for fewer than `FEWEST` samples.

    The perplexity is lowered to a third of the samples where they are few. Distances between far
    groups, and the extent of groups, mean nothing.

    Source: van der Maaten & Hinton (2008), JMLR 9, 2579-2605.
    """
    from sklearn.manifold import TSNE

    whole = np.full((len(features), 2), np.nan)
    chosen = np.arange(len(features))
    if len(features) > MOST:
        chosen = chosen[:: -(-len(features) // MOST)]
    features = features[chosen]
    n = len(features)
    if n < FEWEST:
        return whole
    start, _ = pca_places(features)
    # t-SNE begins from principal components of spread 1e-4; identical samples may share a place.
    spread = float(start[:, 0].std()) or 1.0
    made = TSNE(
        n_components=2,
        perplexity=min(perplexity, (n - 1) / 3),
        init=(start / spread * 1e-4).astype(np.float32),
        learning_rate="auto",
        random_state=random,
        n_jobs=1,
    )
    with one_thread():
        whole[chosen] = made.fit_transform(features.astype(np.float32))
    return whole
