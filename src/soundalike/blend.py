"""Several clips as one question: more like these, less like those.

A seed is a query with a weight from -1 to 1. A track's score is the mean of its similarities to the
seeds, each times its weight, over the sum of the weights' sizes: for one seed it is the similarity
itself, and a track that is near a seed of negative weight falls back. This is relevance feedback
(Rocchio, 1971) on similarities rather than on vectors, so that any measure of the index can be blended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike import query as queries
from soundalike.index import Index
from soundalike.query import Query


@dataclass(frozen=True)
class Seed:
    """A clip that a playlist starts from; its weight is above 0 for more like it, below for less."""

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
    """How much each track is like the seeds [shape=(n,)]; -inf where that is not known.

    Parameters
    ----------
    index : the library
    seeds : at least one
    representation : a representation of the index
    weights : of a joined representation, other weights than the index's

    Raises
    ------
    IndexFolderError
        If the index does not hold the representation, or only its neighbours where more is needed.
    ValueError
        If there is no seed.
    """
    if not seeds:
        raise ValueError("a blend needs at least one seed")
    if len(seeds) == 1 and not index.has_vectors(representation):
        return _of_neighbours(index, seeds[0], representation)
    total = np.zeros(len(index), np.float64)
    for seed in seeds:
        total += seed.weight * index.similarities(representation, seed.query.embeddings, weights)
    return (total / sum(abs(seed.weight) for seed in seeds)).astype(np.float32)


def own_recordings(index: Index, seeds: Sequence[Seed]) -> set[int]:
    """Rows of the index that are one of the seeds, or a copy of one."""
    return {int(row) for seed in seeds for row in queries.duplicates(index, seed.query)}


def between(index: Index, representation: str, rows: Sequence[int]) -> NDArray[np.float32]:
    """Cosine similarities of some tracks to each other, without the bias [shape=(m, m)].

    Raises
    ------
    IndexFolderError
        If the index does not hold the representation's vectors.
    """
    index.check_vectors(representation)
    chosen = np.asarray(rows, np.intp)
    dot = np.zeros((len(chosen), len(chosen)))
    for part, weight in index.parts(representation).items():
        vectors = np.asarray(index.array(part)[chosen], np.float32)
        dot += weight**2 * (vectors @ vectors.T)
    norms = np.sqrt(np.diag(dot))
    scale = np.multiply.outer(norms, norms)
    cosines = np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0)
    return np.clip(cosines, -1.0, 1.0).astype(np.float32)


def _of_neighbours(index: Index, seed: Seed, representation: str) -> NDArray[np.float32]:
    """The scores of the tracks that are known to be a track's nearest."""
    if seed.query.row is None:
        index.check_vectors(representation)
    rows, similarities = index.neighbours(representation, int(seed.query.row or 0))
    known = np.full(len(index), -np.inf, np.float32)
    known[rows] = np.sign(seed.weight) * similarities
    return known
