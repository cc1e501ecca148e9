"""What evaluation sees of an index: by which numbers tracks are ranked, and what tracks are to be told.

Rankings come a block of queries at a time, so that no matrix of all tracks by all tracks is ever held.
Greater is more alike; the query itself is among the tracks.
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
    """The numbers that a representation ranks tracks by.

    Parameters
    ----------
    queries : vectors of the representation's stored parts, each [shape=(m, dim)]; all
        tracks' by default

    Returns
    -------
    [shape=(m, n)]; the similarities, with whatever the index adds to them for ranking
    """
    if queries is None:
        queries = vectors_of(index, name, np.arange(len(index)))
    return index.similarities(name, queries)


def blocks(index: Index, name: str) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """The rankings of all tracks: queries' rows [shape=(m,)] and their numbers [shape=(m, n)]."""
    for start in range(0, len(index), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(index)))
        yield rows, ranking_matrix(index, name, vectors_of(index, name, rows))


def vectors_of(index: Index, name: str, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    """Vectors of some tracks by stored part of a representation, each [shape=(m, dim)]."""
    return {part: index.vectors(part, rows) for part in index.parts(name)}


def bytes_per_track(index: Index, name: str) -> int:
    """What the vectors of a representation's parts take in the index, in bytes a track."""
    return sum(index.array(part).nbytes for part in index.parts(name)) // len(index)


def heard_labels(index: Index, name: str) -> bool:
    """Whether a representation's network was trained on the genres of tracks in this index."""
    return GENRE_HEAD in representations.get(name).models and bool((folds(index) >= 0).any())


def folds(index: Index) -> NDArray[np.intp]:
    """The fold that each track was held out in; below 0 where there is none (`models.heldout`)."""
    if "genre_fold" not in index.tracks or f"{HELD_OUT}.npy" not in index.manifest["files"]:
        return np.full(len(index), -1)
    return index.tracks["genre_fold"].to_numpy(np.intp)


def held_out_matrix(index: Index, name: str, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """How a representation ranks the tracks of one fold, told by a head that heard none of them.

    The genre part is the fold's own, whose head saw neither these tracks nor their albums and artists;
    features of two folds live in two spaces, so that only tracks of one fold can be compared. A
    representation without that part ranks them as ever.

    Returns
    -------
    [shape=(m, m)]

    Raises
    ------
    ValueError
        If the representation rests on the genre head without having it as a part.
    """
    parts = index.parts(name)
    if GENRE_HEAD not in parts:
        if heard_labels(index, name):
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
