"""Query by several clips: more like these, less like those.

A seed is a query with a weight from -1 to 1. A track's score is the weighted sum of its similarities to
the seeds, divided by the sum of the absolute weights. For one seed of positive weight, the score is the
similarity itself. A track that is close to a seed of negative weight moves down. This is relevance
feedback (Rocchio, 1971) on similarities rather than vectors, which works for any measure of the index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.index.index import Index
from soundalike.playlist import query as queries
from soundalike.playlist.query import Query


@dataclass(frozen=True)
class Seed:
    """A clip that a playlist starts from; a negative weight asks for tracks unlike it."""

    query: Query
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not -1.0 <= self.weight <= 1.0 or self.weight == 0.0:
            raise ValueError(f"a weight lies between -1 and 1 and is not 0, as {self.weight} is")


def scores(
    index: Index,
    seeds: Sequence[Seed],
    representation: str,
    weights: Mapping[str, float] | None = None,
) -> NDArray[np.float32]:
    """How similar each track is to the seeds [shape=(n,)]; -inf where unknown.

    Parameters
    ----------
    index : the library
    seeds : at least one seed
    representation : a representation of the index
    weights : weights of a joined representation's parts; the index's by default

    Raises
    ------
    IndexFolderError
        If the index lacks the representation, or only has its neighbours where its vectors are needed.
    ValueError
        If there are no seeds.
    """
    if not seeds:
        raise ValueError("a blend needs at least one seed")
    if len(seeds) == 1 and not index.has_vectors(representation):
        return _neighbour_scores(index, seeds[0], representation)
    if len(seeds) == 1:
        alike = queries.similarities(index, seeds[0].query, representation, weights)
        return alike if seeds[0].weight > 0 else -alike
    index.check_vectors(representation)
    parts = weights or index.parts(representation)
    together, length = _joined(seeds, parts)
    likeness = length * index.cosines(representation, together, parts)
    weight = sum(seed.weight for seed in seeds)
    total = likeness + weight * index.bias(representation)
    return np.asarray(total / sum(abs(seed.weight) for seed in seeds), np.float32)


def own_recordings(index: Index, seeds: Sequence[Seed]) -> set[int]:
    """Rows of the index that are one of the seeds or a copy of one."""
    return {int(row) for seed in seeds for row in queries.duplicates(index, seed.query)}


def between(index: Index, representation: str, rows: Sequence[int]) -> NDArray[np.float32]:
    """Pairwise cosine similarities of tracks, without the bias [shape=(m, m)].

    Raises
    ------
    IndexFolderError
        If the index lacks the representation's vectors.
    """
    index.check_vectors(representation)
    chosen = np.asarray(rows, np.intp)
    dot = np.zeros((len(chosen), len(chosen)))
    for part, weight in index.parts(representation).items():
        vectors = index.vectors(part, chosen)
        dot += weight**2 * (vectors @ vectors.T)
    norms = np.sqrt(np.diag(dot))
    scale = np.multiply.outer(norms, norms)
    cosines = np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0)
    return np.clip(cosines, -1.0, 1.0).astype(np.float32)


def _joined(
    seeds: Sequence[Seed], parts: Mapping[str, float]
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """The parts and length of the vector whose dot product with a track is the blended similarity.

    One search with this vector ranks by the blend itself. A search per seed would return the best tracks
    for each seed, which need not be good for all of them.
    """
    together: dict[str, NDArray[np.float64]] = {}
    for seed in seeds:
        vectors = {part: np.asarray(seed.query.embeddings[part], np.float64) for part in parts}
        length = _length(vectors, parts)
        for part, vector in vectors.items():
            share = seed.weight * vector / length if length > 0 else np.zeros_like(vector)
            together[part] = together.get(part, 0.0) + share
    single = {part: vector.astype(np.float32) for part, vector in together.items()}
    return single, _length(together, parts)


def _length(vectors: Mapping[str, NDArray[np.float64]], parts: Mapping[str, float]) -> float:
    squares = [weight**2 * float(np.square(vectors[part]).sum()) for part, weight in parts.items()]
    return float(np.sqrt(sum(squares)))


def _neighbour_scores(index: Index, seed: Seed, representation: str) -> NDArray[np.float32]:
    """Scores of a track's stored nearest neighbours."""
    if seed.query.row is None:
        index.check_vectors(representation)
    rows, similarities = index.neighbours(representation, int(seed.query.row or 0))
    known = np.full(len(index), -np.inf, np.float32)
    known[rows] = np.sign(seed.weight) * similarities
    return known
