"""The evaluation's view of an index: ranking scores, held-out rankings and folds.

Rankings come in blocks of queries, which avoids a matrix of all tracks by all tracks. Higher is more
similar; the query itself is among the tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.index.index import Embeddings, Index

BLOCK = 256
GENRE_HEAD = "genre_head"
HELD_OUT = "genre_head_heldout"


def ranking_matrix(index: Index, name: str, queries: Embeddings | None = None) -> NDArray[np.float32]:
    """The scores that a representation ranks tracks by.

    Parameters
    ----------
    queries : vectors of the representation's stored parts, each [shape=(m, dim)]; by default, those of
        all tracks

    Returns
    -------
    [shape=(m, n)]; similarities including the index's correction for ranking
    """
    if queries is None:
        queries = vectors_of(index, name, np.arange(len(index)))
    return index.similarities(name, queries)


def blocks(index: Index, name: str) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Rankings of all tracks in blocks: query rows [shape=(m,)] and scores [shape=(m, n)]."""
    for start in range(0, len(index), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(index)))
        yield rows, ranking_matrix(index, name, vectors_of(index, name, rows))


def vectors_of(index: Index, name: str, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    """Vectors of tracks by stored part of a representation, each [shape=(m, dim)]."""
    return {part: index.vectors(part, rows) for part in index.parts(name)}


def bytes_per_track(index: Index, name: str) -> int:
    """Size of a representation's vectors in the index, in bytes per track."""
    return sum(index.array(part).nbytes for part in index.parts(name)) // len(index)


def trained_on_labels(index: Index, name: str) -> bool:
    """Whether a representation's network was trained on the genres of tracks in this index."""
    return GENRE_HEAD in representations.get(name).models and bool((folds(index) >= 0).any())


def folds(index: Index) -> NDArray[np.intp]:
    """The fold in which each track was held out; negative if none (`models.heldout`)."""
    if "genre_fold" not in index.tracks or f"{HELD_OUT}.npy" not in index.manifest["files"]:
        return np.full(len(index), -1)
    return index.tracks["genre_fold"].to_numpy(np.intp)


def held_out_matrix(index: Index, name: str, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Rank the tracks of one fold, using the genre head that wasn't trained on them.

    The genre part comes from the fold's own head, which was trained on neither these tracks nor their
    albums and artists. Features from different folds are in different spaces, so only tracks of one fold
    can be compared. A representation without a genre part ranks them as usual.

    Returns
    -------
    [shape=(m, m)]

    Raises
    ------
    ValueError
        If the representation depends on the genre head without having it as a part.
    """
    parts = index.parts(name)
    if GENRE_HEAD not in parts:
        if trained_on_labels(index, name):
            raise ValueError(f"{name} has no part that could be held out")
        return ranking_matrix(index, name, vectors_of(index, name, rows))[:, rows]
    vectors = vectors_of(index, name, rows) | {GENRE_HEAD: np.asarray(index.array(HELD_OUT)[rows])}
    dot: Any = 0.0
    squares: Any = 0.0
    for part, weight in parts.items():
        dot = dot + weight**2 * (vectors[part] @ vectors[part].T).astype(np.float64)
        squares = squares + weight**2 * np.square(vectors[part], dtype=np.float64).sum(axis=1)
    scale = np.sqrt(np.multiply.outer(squares, squares))
    cosine: NDArray[np.float32] = np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0).astype(
        np.float32
    )
    return cosine
