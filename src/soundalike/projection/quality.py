"""Map quality: trustworthiness, and neighbours preserved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index import subset
from soundalike.index.index import Index
from soundalike.projection.layout import _BLOCK, SEED, Metric, _between

TRUST_NEIGHBOURS = 10
TRUST_SAMPLE = 4_096
"""Maximum number of tracks for trustworthiness, which compares all pairs; beyond, a sample is used."""


def trustworthiness(
    index: Index, name: str, metric: Metric, points: NDArray[np.float32], seed: int = SEED
) -> float:
    """Trustworthiness of a map, 0 to 1, for `TRUST_NEIGHBOURS` neighbours."""
    from sklearn.manifold import trustworthiness as of_distances

    n = len(index)
    rows = np.arange(n)
    if n > TRUST_SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(n, TRUST_SAMPLE, replace=False))
        index = subset.of(index, name, rows)
    full = np.zeros((len(rows), len(rows)), np.float32)
    for start in range(0, len(rows), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(rows)))
        full[block] = _between(index, name, metric, block)
    np.fill_diagonal(full, 0.0)
    k = trust_neighbours(n)
    return float(of_distances(full, points[rows], n_neighbors=k, metric="precomputed"))


def trust_neighbours(n: int) -> int:
    """Number of neighbours for trustworthiness of n tracks; it is only defined below half of them."""
    return min(TRUST_NEIGHBOURS, (n - 1) // 2)


def kept(
    points: NDArray[np.float32], rows: NDArray[np.integer[Any]], k: int = TRUST_NEIGHBOURS
) -> NDArray[np.float32]:
    """Share of each track's k nearest in the full space that are among its k nearest on the map.

    Parameters
    ----------
    points : the map [shape=(n, d)]
    rows : each track's nearest neighbours in the full space, without itself [shape=(n, at least k)]

    Returns
    -------
    float32 [shape=(n,)], 0 to 1
    """
    from scipy.spatial import cKDTree

    k = min(k, len(points) - 1, rows.shape[1])
    _, found = cKDTree(points).query(points, k + 1)
    same = (rows[:, :k, None] == found[:, None, :]).any(axis=2)
    share: NDArray[np.float32] = same.mean(axis=1).astype(np.float32)
    return share
