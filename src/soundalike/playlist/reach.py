"""Whether a library has anything close to a clip, measured by how close its own tracks are."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from soundalike.datasets import artists
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
    keys = np.array(artists.keys(index.tracks))
    if not index.has_vectors(representation) or len(set(keys)) < 2:
        return None
    rows = np.arange(len(index))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    parts = index.parts(representation)
    bias = index.bias(representation)
    pairs = track_arrays.duplicate_pairs(index)
    nearest = []
    for row in map(int, rows):
        query = {part: index.vectors(part, np.array([row]))[0] for part in parts}
        similarities = index.cosines(representation, query, parts) + bias
        similarities[keys == keys[row]] = -np.inf
        if pairs is not None:
            similarities[pairs[(pairs == row).any(axis=1)].ravel()] = -np.inf
        nearest.append(float(similarities.max()))
    return float(np.quantile(nearest, SHARE))
