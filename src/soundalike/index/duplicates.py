"""Which tracks of a library are one recording, so that a playlist has it once.

Two checks, since each misses what the other finds: the embedding `vgg_mel`, which knows a copy in
another format or at another level if it begins at the same time (within about a second), and the audio
fingerprint (`fingerprint`), which knows it wherever it begins. `benchmarks/duplicates.py` measures both
and derives their thresholds. The pairs are looked for once for an index, among each track's nearest by
any of the representations whose neighbours it has, since one recording is always near itself.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundalike.features import fingerprint
from soundalike.index import track_arrays
from soundalike.index.index import Index

SIMILARITY = 0.90
"""Two clips whose `vgg_mel` cosine similarity is at least this are one recording.

It lies between copies of a clip and different tracks, as `benchmarks/duplicates.py` measures them.
"""
LEAST_ALIKE = 0.7
"""Of tracks less alike than this by `soundalike` none is looked at: copies had at least 0.80."""
NEAREST = 20
"""How many of a track's nearest are looked at."""
NEAREST_RECORDED = 256
"""How many are where a clip came through a microphone, which takes its own track further off."""


def of(index: Index, row: int) -> set[int]:
    """The other tracks that are the same recording as one.

    Raises
    ------
    IndexFolderError
        If the pairs are of another library.
    """
    pairs = track_arrays.duplicate_pairs(index)
    if pairs is None:
        return _by_embedding(index, row)
    return set(pairs[pairs[:, 0] == row, 1].tolist()) | set(pairs[pairs[:, 1] == row, 0].tolist())


def find(index: Index, prints: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Look for the pairs [shape=(pairs, 2)].

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
    """Pairs of tracks of which one is near the other, each once: lower rows, in order, and higher."""
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
