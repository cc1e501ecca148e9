"""Duplicate detection: tracks of the same recording, which a playlist should contain only once.

Two complementary checks are used. The embedding `vgg_mel` finds copies in another format or at another
level that start at the same time (within about a second). The audio fingerprint (`fingerprint`) finds
copies with any start time. `benchmarks/duplicates.py` measures both and derives their thresholds. The
search runs once per index, among each track's nearest neighbours in all representations with stored
neighbours, because copies are always near each other.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundalike.features import fingerprint
from soundalike.index import track_arrays
from soundalike.index.index import Index

SIMILARITY = 0.90
"""Minimum `vgg_mel` cosine similarity of two clips of the same recording.

It separates copies of a clip from different tracks, as measured by `benchmarks/duplicates.py`.
"""
MIN_SIMILARITY = 0.7
"""Minimum `soundalike` similarity of candidates; copies had at least 0.80."""
NEAREST = 20
"""Number of nearest neighbours to check."""
NEAREST_RECORDED = 256
"""Number of nearest neighbours to check for a microphone recording, whose track may rank lower."""


def of(index: Index, row: int) -> set[int]:
    """The other tracks of the same recording as a track.

    Raises
    ------
    IndexFolderError
        If the stored pairs belong to another library.
    """
    pairs = track_arrays.duplicate_pairs(index)
    if pairs is None:
        return _by_embedding(index, row)
    return set(pairs[pairs[:, 0] == row, 1].tolist()) | set(pairs[pairs[:, 1] == row, 0].tolist())


def find(index: Index, prints: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Find the pairs of duplicates [shape=(pairs, 2)].

    Parameters
    ----------
    prints : the tracks' fingerprints [shape=(n, frames)]
    """
    found = set()
    lower, higher = _near(index)
    starts = np.searchsorted(lower, np.arange(len(index) + 1))
    for row, (start, stop) in enumerate(pairwise(starts)):
        near = higher[start:stop]
        same = near[fingerprint.distances(prints[row], prints[near]) <= fingerprint.SAME]
        found |= {(row, int(other)) for other in same}
        found |= {(min(row, other), max(row, other)) for other in _by_embedding(index, row)}
    return np.array(sorted(found), np.int32).reshape(-1, 2)


def _near(index: Index) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unique pairs of near neighbours: the lower rows, in ascending order, and the higher rows."""
    n = len(index)
    pairs = np.empty(0, np.int64)
    for name in index.names:
        near = index.array(f"{name}_neighbours")[:, :NEAREST].astype(np.int64)
        rows = np.arange(n)[:, np.newaxis]
        pairs = np.union1d(pairs, np.minimum(rows, near) * n + np.maximum(rows, near))
    return pairs // n, pairs % n


def _by_embedding(index: Index, row: int) -> set[int]:
    if "vgg_mel" in index.names:
        rows, similarities = index.neighbours("vgg_mel", row)
        return set(rows[similarities >= SIMILARITY].tolist())
    if "vgg_mel" in index.stored:
        similarities = index.similarities_of_parts({"vgg_mel": 1.0}, index.embeddings(row))
        return set(np.flatnonzero(similarities >= SIMILARITY).tolist()) - {row}
    return set()
