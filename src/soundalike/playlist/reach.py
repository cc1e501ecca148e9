"""Whether a library has anything close to a clip, measured by how close its own tracks are."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.index import track_arrays
from soundalike.index.index import Index

SHARE = 0.05
"""A clip is far if its nearest track is farther than the nearest of all but this share of the tracks."""
SAMPLE = 200
"""Number of tracks that are compared with all others; a random sample of a larger library."""

_known: WeakKeyDictionary[Index, dict[str, float | None]] = WeakKeyDictionary()


def is_far(index: Index, representation: str, similarity: float) -> bool:
    """Whether a clip with this similarity to its nearest track is far from the library.

    False if the library can't tell: it has no vectors of the representation, or too few artists.
    """
    usual = least_usual(index, representation)
    return usual is not None and similarity < usual


def least_usual(index: Index, representation: str) -> float | None:
    """The similarity to the nearest track by another artist that all but `SHARE` of the tracks exceed.

    Computed once per index and representation, from a sample of its tracks; None if it has no vectors of
    the representation, or fewer than two artists.
    """
    by_name = _known.setdefault(index, {})
    if representation not in by_name:
        by_name[representation] = _measure(index, representation)
    return by_name[representation]


def _measure(index: Index, representation: str, seed: int = 0) -> float | None:
    numbers: dict[str, int] = {}
    artists = np.array([numbers.setdefault(key, len(numbers)) for key in index.artist_keys], np.intp)
    if not index.has_vectors(representation) or not artists.any():
        return None
    rows = np.arange(len(index))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    nearest = [_nearest_by_another(index, representation, int(row), artists) for row in rows]
    return float(np.quantile(nearest, SHARE))


def _nearest_by_another(index: Index, representation: str, row: int, artists: NDArray[np.intp]) -> float:
    """Similarity of a track to the nearest by another artist, leaving out copies of the track."""
    pairs = track_arrays.duplicate_pairs(index)
    copies = np.empty(0, np.int32) if pairs is None else pairs[(pairs == row).any(axis=1)].ravel()
    if f"{representation}_neighbours.npy" in index.manifest["files"]:
        near, known = index.neighbours(representation, row)
        others = (artists[near] != artists[row]) & ~np.isin(near, copies)
        if others.any():
            return float(known[others].max())
    parts = index.parts(representation)
    query = {part: index.vectors(part, np.array([row]))[0] for part in parts}
    similarities = index.similarities(representation, query, parts)
    similarities[artists == artists[row]] = -np.inf
    similarities[copies] = -np.inf
    return float(similarities.max())
