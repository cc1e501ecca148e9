"""Harmonic mixing: compatible keys, as disc jockeys mix them.

Two keys are compatible if they are the same key, relative keys (C major and A minor), or neighbours on
the circle of fifths (C major and G or F major). Compatible keys share six or seven of their seven notes.
`features.key` estimates a clip's key.

Conventions: a key is its tonic (0 is C) and its mode (0 major, 1 minor); an unknown key is -1 and -1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.features.key import NONE, Key, estimate
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query


def of_query(index: Index, query: Query) -> Key:
    """The key of a query, or `NONE` if unknown."""
    if isinstance(query.embeddings, ClipEmbeddings):
        return estimate(query.embeddings.clip)
    keys = track_arrays.keys(index)
    if keys is None or query.row is None:
        return NONE
    return int(keys[query.row, 0]), int(keys[query.row, 1])


def place(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """Positions of keys on the circle of fifths, 0 to 11; a minor key shares its relative major's.

    Parameters
    ----------
    keys : tonics and modes [shape=(n, 2)]
    """
    major = keys[:, 0].astype(np.int64) + 3 * keys[:, 1].astype(np.int64)
    return np.asarray(7 * major % 12, np.int64)


def fit(one: Key, keys: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which keys [shape=(n, 2)] are compatible with one: bool [shape=(n,)]; False for unknown keys.

    Neighbours on the circle of fifths are compatible if they have the same mode.
    """
    own = np.array([one])
    if one == NONE:
        return np.zeros(len(keys), bool)
    steps = (place(keys) - place(own)[0]) % 12
    same_mode = keys[:, 1] == one[1]
    fits = (steps == 0) | (same_mode & ((steps == 1) | (steps == 11)))
    return np.asarray(fits & (keys[:, 0] >= 0), bool)
