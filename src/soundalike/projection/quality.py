"""Map quality: trustworthiness, neighbours preserved, and placement error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.index import subset
from soundalike.index.index import Index, nearest
from soundalike.models.tensorflow_import import import_tensorflow
from soundalike.projection.layout import (
    _BLOCK,
    SEED,
    Metric,
    Setting,
    _between,
    _without_warnings,
    place,
)

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


def transform_error(
    index: Index, name: str, setting: Setting, held_out: float = 0.2, seed: int = SEED
) -> dict[str, float]:
    """Compare `place` with UMAP's own `transform` on held-out tracks.

    The map is made from the other tracks, and the held-out tracks are placed on it both ways.

    Parameters
    ----------
    index : the library
    name : a representation of the index
    setting : setting of the map
    held_out : share of tracks to hold out

    Returns
    -------
    Distances between the two positions in units of the map's radius (the root mean square distance of
    its tracks from its centre): `median` and `p90`; and `chance`, the median for random tracks'
    positions. Also the mean share of each clip's ten nearest tracks in the full space that are among the
    ten nearest on the map: `kept` for `place`, `kept_umap` for UMAP's transform
    """
    import_tensorflow()
    numba_cache.choose_folder()
    import umap

    n = len(index)
    rng = np.random.default_rng(seed)
    new = np.sort(rng.choice(n, round(n * held_out), replace=False))
    known = np.setdiff1d(np.arange(n), new)
    full = _between(index, name, setting.metric, np.arange(n))
    np.fill_diagonal(full, 0.0)
    reducer = umap.UMAP(
        n_neighbors=setting.n_neighbors,
        n_components=setting.dims,
        min_dist=setting.min_dist,
        metric="precomputed",
        random_state=seed,
        n_jobs=1,
    )
    points = np.asarray(_without_warnings(reducer.fit_transform, full[np.ix_(known, known)]), np.float32)
    to_known = full[np.ix_(new, known)]
    theirs = _without_warnings(reducer.transform, to_known)
    ours = np.stack([place(row, points).position for row in to_known])
    radius = np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1).mean())
    errors = np.linalg.norm(ours - theirs, axis=1) / radius
    random = np.linalg.norm(points[rng.integers(len(known), size=len(new))] - theirs, axis=1) / radius
    return {
        "median": float(np.median(errors)),
        "p90": float(np.quantile(errors, 0.9)),
        "chance": float(np.median(random)),
        "kept": _kept_of_new(to_known, points, ours),
        "kept_umap": _kept_of_new(to_known, points, theirs),
    }


def _kept_of_new(
    to_known: NDArray[np.float32], points: NDArray[np.float32], places: NDArray[np.float32]
) -> float:
    on_map = np.linalg.norm(places[:, None] - points[None], axis=2)
    shares = [
        len(np.intersect1d(nearest(-full, TRUST_NEIGHBOURS), nearest(-flat, TRUST_NEIGHBOURS)))
        / TRUST_NEIGHBOURS
        for full, flat in zip(to_known, on_map, strict=True)
    ]
    return float(np.mean(shares))
