"""Cosine similarity of queries to every track, of one stored representation or of several joined.

With parts x_i and weights w_i the similarity is

    sum_i w_i^2 <q_i, x_i> / (sqrt(sum_i w_i^2 |q_i|^2) sqrt(sum_i w_i^2 |x_i|^2)),

the cosine of the concatenated w_i x_i. It is exact where no part has a first pass. Where one has, the
parts' estimates and products are joined first; the tracks that come out best and worst are compared
again exactly, and the rest keep their order between the two, a little closer together where an estimate
would reach into either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index.vectors import Vectors

BEST = 256
"""So many of the tracks that come first by the estimate are compared exactly."""
WORST = 32
"""And so many of those that come last, for playlists of the farthest."""

Queries = Mapping[str, NDArray[np.float32]]
"""Vectors by stored representation, one [shape=(dim,)] or several [shape=(m, dim)]."""


def similarities(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    queries: Queries,
    best: int = BEST,
    worst: int = WORST,
) -> NDArray[np.float32]:
    """Similarity of queries to all tracks, float32 [shape=(n,) or (m, n)].

    Parameters
    ----------
    parts : the tracks' vectors, by stored representation
    weights : of the parts, of the same names
    queries : of the same names
    best, worst : how many of each query's are compared again where there is a first pass
    """
    asked = {name: np.asarray(queries[name], np.float32) for name in weights}
    norms = _query_norms(weights, asked)
    found = _first(parts, weights, asked, norms)
    if all(part.first_pass is None for part in parts.values()):
        return found
    if found.ndim == 1:
        return _compared_again(parts, weights, asked, float(norms), found, best, worst)
    for number, row in enumerate(found):
        one = {name: vectors[number] for name, vectors in asked.items()}
        row[:] = _compared_again(parts, weights, one, float(norms[number]), row, best, worst)
    return found


def nearest(similarities: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Rows of the k largest similarities, largest first; equal ones in the order of their rows."""
    if k >= len(similarities):
        return np.argsort(-similarities, kind="stable")
    least = np.partition(similarities, -k)[-k] if k else np.inf
    rows = np.flatnonzero(similarities >= least)
    return rows[np.argsort(-similarities[rows], kind="stable")][:k]


def _first(
    parts: Mapping[str, Vectors], weights: Mapping[str, float], queries: Queries, norms: Any
) -> NDArray[np.float32]:
    """By the first pass where a part has one, and exact otherwise."""
    dot: Any = 0.0
    for name, weight in weights.items():
        dot = dot + weight**2 * parts[name].estimates(queries[name])
    scale = np.multiply.outer(norms, np.sqrt(_squares(parts, weights, slice(None))))
    return _cosines(dot, scale)


def similarities_of_candidates(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    query: Queries,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> NDArray[np.float32]:
    """One query's similarities to tracks that are known to come first or last, float32 [shape=(n,)].

    Those are exact; all other tracks are given one similarity between the two.

    Parameters
    ----------
    parts, weights, query : as in `similarities`
    first, last : rows
    """
    asked = {name: np.asarray(query[name], np.float32) for name in weights}
    norm = float(_query_norms(weights, asked))
    n = len(next(iter(parts.values())).norms)
    if norm == 0:
        return np.zeros(n, np.float32)
    rows = np.union1d(first, last)
    settled = np.full(n, np.nan, np.float32)
    settled[rows] = _exact(parts, weights, asked, norm, rows)
    low, high = settled[last].max(initial=-1.0), settled[first].min(initial=1.0)
    return np.where(np.isnan(settled), min((low + high) / 2, np.nextafter(high, -2)), settled)


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
    return _cosines(dot, norm * np.sqrt(_squares(parts, weights, rows)))


def _compared_again(
    parts: Mapping[str, Vectors],
    weights: Mapping[str, float],
    query: Queries,
    norm: float,
    estimates: NDArray[np.float32],
    best: int,
    worst: int,
) -> NDArray[np.float32]:
    """One query's similarities, the best and the worst of the estimates replaced by exact ones."""
    n = len(estimates)
    if norm == 0:
        return estimates
    if n <= best + worst:
        return _exact(parts, weights, query, norm, np.arange(n))
    first, last = nearest(estimates, best), nearest(-estimates, worst)
    ends = np.sort(np.concatenate([first, last]))
    settled = estimates.copy()
    settled[ends] = _exact(parts, weights, query, norm, ends)
    rest = np.ones(n, bool)
    rest[ends] = False
    low, high = settled[last].max(initial=-1.0), settled[first].min(initial=1.0)
    settled[rest] = _between(estimates[rest], np.nextafter(low, 2), np.nextafter(high, -2))
    return settled


def _between(values: NDArray[np.float32], low: Any, high: Any) -> NDArray[np.float32]:
    """Values moved closer together, in the same order, so that none is outside the limits."""
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


def _squares(
    parts: Mapping[str, Vectors], weights: Mapping[str, float], rows: Any
) -> NDArray[np.float64]:
    """Squared lengths of the joined vectors of some tracks."""
    squares: Any = 0.0
    for name, weight in weights.items():
        squares = squares + weight**2 * np.asarray(parts[name].norms[rows], np.float64) ** 2
    return np.asarray(squares)


def _cosines(dot: Any, scale: Any) -> NDArray[np.float32]:
    """Products over lengths, which are written over the products; 0 where a length is."""
    np.divide(dot, scale, out=dot, where=scale > 0)
    np.clip(dot, -1.0, 1.0, out=dot)
    return np.asarray(dot, np.float32)
