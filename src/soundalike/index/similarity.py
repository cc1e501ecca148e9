"""Cosine similarity of queries to every track, in one stored representation or several joined ones.

With parts x_i and weights w_i the similarity is

    sum_i w_i^2 <q_i, x_i> / (sqrt(sum_i w_i^2 |q_i|^2) sqrt(sum_i w_i^2 |x_i|^2)),

the cosine of the concatenated w_i x_i. It is exact if no part has a first pass. Otherwise, the parts'
estimates and exact products are joined first (for one query by `joined_codes`), and the best and worst
tracks are compared again exactly.
The rest keep their order between the two groups; their estimates are compressed if they would overlap
either group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index.joined_codes import JoinedCodes
from soundalike.index.vectors import Vectors

BEST = 256
"""Number of tracks with the highest estimates that are compared exactly."""
WORST = 32
"""Number of tracks with the lowest estimates that are compared exactly, for reversed playlists."""

_STEP = 16
_SAMPLED = 1_024
"""Number of values in a sample that is worth drawing."""

Queries = Mapping[str, NDArray[np.float32]]
"""Vectors by stored representation, one [shape=(dim,)] or several [shape=(m, dim)]."""


def similarities(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    queries: Queries,
    best: int = BEST,
    worst: int = WORST,
    joined: JoinedCodes | None = None,
) -> NDArray[np.float32]:
    """Similarity of queries to all tracks, float32 [shape=(n,) or (m, n)].

    Parameters
    ----------
    parts : the tracks' vectors, by stored representation
    weights : the parts' weights, by the same names
    queries : the queries' vectors, by the same names
    best, worst : number of tracks compared again for each query, if there is a first pass
    joined : codes of the joined parts, for a faster first pass for one query
    """
    queries_by_part = {name: np.asarray(queries[name], np.float32) for name in weights}
    norms = _query_norms(weights, queries_by_part)
    if joined is not None and np.ndim(norms) == 0:
        estimates = _cosines(joined.products(queries_by_part), np.float32(norms))
        return _refine(parts, weights, queries_by_part, float(norms), estimates, best, worst)
    found = _estimate(parts, weights, queries_by_part, norms)
    if all(part.first_pass is None for part in parts.values()):
        return found
    if found.ndim == 1:
        return _refine(parts, weights, queries_by_part, float(norms), found, best, worst)
    for number, row in enumerate(found):
        one = {name: vectors[number] for name, vectors in queries_by_part.items()}
        row[:] = _refine(parts, weights, one, float(norms[number]), row, best, worst)
    return found


def nearest(similarities: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Rows of the k largest similarities, largest first; ties in row order."""
    if k >= len(similarities):
        return np.argsort(-similarities, kind="stable")
    rows = np.flatnonzero(similarities >= _reached_by(similarities, k))
    return rows[np.argsort(-similarities[rows], kind="stable")][:k]


def _reached_by(values: NDArray[np.float32], k: int) -> Any:
    """A number that at least k values reach; of many values, not many more than k.

    Every 16th of many values gives a number that about 2 k of all reach. This is ten times as fast as
    to find the k-th of all.
    """
    if not k:
        return np.inf
    sample, rank = values[::_STEP], 2 * (k // _STEP) + _STEP
    if len(sample) > max(rank, _SAMPLED):
        guess = np.partition(sample, -rank)[-rank]
        if np.count_nonzero(values >= guess) >= k:
            return guess
    return np.partition(values, -k)[-k]


def _estimate(
    parts: Mapping[str, Vectors], weights: Mapping[str, float], queries: Queries, norms: Any
) -> NDArray[np.float32]:
    """Similarities that use the first pass of each part that has one."""
    dot: Any = 0.0
    for name, weight in weights.items():
        dot = dot + weight**2 * parts[name].estimates(queries[name])
    scale = np.multiply.outer(norms, np.sqrt(_squared_norms(parts, weights, slice(None))))
    return _cosines(dot, scale)


def similarities_of_candidates(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    query: Queries,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> NDArray[np.float32]:
    """One query's exact similarities to the best and worst tracks, float32 [shape=(n,)].

    All other tracks get one similarity between the two groups.

    Parameters
    ----------
    parts, weights, query : as in `similarities`
    first, last : rows of the best and worst tracks
    """
    queries_by_part = {name: np.asarray(query[name], np.float32) for name in weights}
    norm = float(_query_norms(weights, queries_by_part))
    n = len(next(iter(parts.values())).norms)
    if norm == 0:
        return np.zeros(n, np.float32)
    rows = np.union1d(first, last)
    refined = np.full(n, np.nan, np.float32)
    refined[rows] = _exact(parts, weights, queries_by_part, norm, rows)
    low, high = refined[last].max(initial=-1.0), refined[first].min(initial=1.0)
    return np.where(np.isnan(refined), min((low + high) / 2, np.nextafter(high, -2)), refined)


def _exact(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    query: Queries,
    norm: float,
    rows: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Exact similarities of one query to some tracks [shape=(m,)]."""
    dot = np.zeros(len(rows))
    for name, weight in weights.items():
        dot += weight**2 * parts[name].products_with(rows, query[name])
    return _cosines(dot, norm * np.sqrt(_squared_norms(parts, weights, rows)))


def _refine(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    query: Queries,
    norm: float,
    estimates: NDArray[np.float32],
    best: int,
    worst: int,
) -> NDArray[np.float32]:
    """One query's similarities, with the best and worst estimates replaced by exact values."""
    n = len(estimates)
    if norm == 0:
        return estimates
    if n <= best + worst:
        return _exact(parts, weights, query, norm, np.arange(n))
    first, last = nearest(estimates, best), nearest(-estimates, worst)
    exact_rows = np.sort(np.concatenate([first, last]))
    refined = estimates.copy()
    refined[exact_rows] = _exact(parts, weights, query, norm, exact_rows)
    rest = np.ones(n, bool)
    rest[exact_rows] = False
    low, high = refined[last].max(initial=-1.0), refined[first].min(initial=1.0)
    refined[rest] = _compress(estimates[rest], np.nextafter(low, 2), np.nextafter(high, -2))
    return refined


def _compress(values: NDArray[np.float32], low: Any, high: Any) -> NDArray[np.float32]:
    """Compress values into the limits, preserving their order."""
    least, most = values.min(), values.max()
    if low <= least and most <= high:
        return values
    high = min(most, high)
    low = min(max(least, low), high)
    moved = low + (values - least) * ((high - low) / max(most - least, np.finfo(np.float32).tiny))
    return np.asarray(np.clip(moved, low, high), np.float32)


def _query_norms(weights: Mapping[str, float], queries: Queries) -> Any:
    squares: Any = 0.0
    for name, weight in weights.items():
        squares = squares + weight**2 * np.square(queries[name]).sum(axis=-1, dtype=np.float64)
    return np.sqrt(squares)


def lengths(parts: Mapping[str, Vectors], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Lengths of the joined vectors of all tracks [shape=(n,)]."""
    return np.sqrt(_squared_norms(parts, weights, slice(None)))


def _squared_norms(
    parts: Mapping[str, Vectors], weights: Mapping[str, float], rows: Any
) -> NDArray[np.float64]:
    """Squared norms of the joined vectors of some tracks."""
    squares: Any = 0.0
    for name, weight in weights.items():
        squares = squares + weight**2 * np.asarray(parts[name].norms[rows], np.float64) ** 2
    return np.asarray(squares)


def _cosines(dot: Any, scale: Any) -> NDArray[np.float32]:
    """Divide products by norms, in place; 0 where a norm is 0."""
    np.divide(dot, scale, out=dot, where=scale > 0)
    np.clip(dot, -1.0, 1.0, out=dot)
    return np.asarray(dot, np.float32)
