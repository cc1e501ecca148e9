"""Keys that go together, as disc jockeys mix them.

Two keys fit if a tune can go from one to the other almost unnoticed: the same key, its relative (C major
and A minor), and their neighbours on the circle of fifths (C major and G or F major). They share six or
seven of their seven notes. A key is estimated from the mean chromagram with Krumhansl and Kessler's
profiles (`descriptors.key`); where the best key is hardly better than the next, nothing is said.

Conventions: a key is its tonic (0 is C) and its mode (0 major, 1 minor), -1 and -1 for none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features import descriptors, spectral
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query

FILE = "keys"
"""The array of an index that holds them: int8 [shape=(n, 2)]."""
MIN_MARGIN = 0.02
"""By how much the best key's correlation must exceed the next best's."""
NONE = (-1, -1)

Key = tuple[int, int]


def of(clip: Clip) -> Key:
    """The key of a clip, or `NONE` where none stands out."""
    found = descriptors.key(spectral.chroma(clip))
    if found is None or found.margin < MIN_MARGIN:
        return NONE
    tonic, mode = found.name.split()
    return descriptors.PITCH_CLASSES.index(tonic), int(mode == "minor")


def load(index: Index) -> NDArray[np.int8] | None:
    """The keys of an index's tracks [shape=(n, 2)], or None if it has none.

    Raises
    ------
    IndexFolderError
        If they are of another library or another version.
    """
    return index.optional(FILE, (len(index), 2), np.int8)


def of_query(index: Index, query: Query) -> Key:
    """The key of a query, or `NONE` where it is not known."""
    if isinstance(query.embeddings, ClipEmbeddings):
        return of(query.embeddings.clip)
    keys = load(index)
    if keys is None or query.row is None:
        return NONE
    return int(keys[query.row, 0]), int(keys[query.row, 1])


def place(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where keys stand on the circle of fifths, a minor key beside its relative major: 0 to 11.

    Parameters
    ----------
    keys : [shape=(n, 2)]
    """
    major = keys[:, 0].astype(np.int64) + 3 * keys[:, 1].astype(np.int64)
    return np.asarray(7 * major % 12, np.int64)


def fit(one: Key, keys: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which keys [shape=(n, 2)] fit one: bool [shape=(n,)]; none fits where either is not known.

    Of the neighbours on the circle of fifths those of the same mode fit.
    """
    own = np.array([one])
    if one == NONE:
        return np.zeros(len(keys), bool)
    steps = (place(keys) - place(own)[0]) % 12
    same_mode = keys[:, 1] == one[1]
    fits = (steps == 0) | (same_mode & ((steps == 1) | (steps == 11)))
    return np.asarray(fits & (keys[:, 0] >= 0), bool)
