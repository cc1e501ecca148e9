"""A few tracks of a library that differ from each other, to begin with.

They are chosen one after the other, each so that the library's tracks are as similar as possible to
the most similar of those chosen: greedy facility location (Nemhauser, Wolsey and Fisher, 1978). So they
stand for large groups, where the tracks that are farthest apart would be outliers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.index.index import Index
from soundalike.playlist import blend
from soundalike.words import vocabulary
from soundalike.words.library import LibraryWords

SAMPLE = 400
"""Number of tracks that are compared; a random sample of a larger library."""
CLEAR = 1.5
"""Least score of the genre that a track is an example of."""


def contrasting(
    index: Index, count: int, eligible: NDArray[np.bool_] | None = None, seed: int = 0
) -> list[int]:
    """Rows of tracks that differ from each other, at most one per artist.

    Parameters
    ----------
    index : the library
    count : number of tracks; fewer in a library of fewer artists
    eligible : whether each track may be chosen [shape=(n,)]; all by default
    seed : of the sample
    """
    name = representations.default(index.names)
    if not index.has_vectors(name):
        return []
    n = len(index)
    rows = np.arange(n)
    if n > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))
    listed = [int(row) for row in rows]
    by = [index.artist_keys[row] for row in listed]
    free = None if eligible is None else eligible[rows]
    places = representatives(blend.between(index, name, listed), by, count, free)
    return [listed[place] for place in places]


def of_genres(index: Index, known: LibraryWords, count: int) -> dict[str, int]:
    """Rows of tracks that differ from each other, by the genre that each is an example of.

    Parameters
    ----------
    index : the library
    known : its words
    count : number of tracks; fewer if fewer genres are clear
    """
    genres = [place for place, word in enumerate(vocabulary.words()) if word.kind == "genre"]
    scores = known.scores[:, genres] * known.clear[:, genres]
    strongest = scores.argmax(axis=1)
    found: dict[str, int] = {}
    for row in contrasting(index, 2 * count, scores.max(axis=1) >= CLEAR):
        found.setdefault(vocabulary.words()[genres[strongest[row]]].name, row)
    return dict(list(found.items())[:count])


def representatives(
    alike: NDArray[np.floating],
    by: Sequence[str],
    count: int,
    eligible: NDArray[np.bool_] | None = None,
) -> list[int]:
    """Places of items that stand for all others, the best single one first.

    Parameters
    ----------
    alike : similarities [shape=(n, n)]
    by : each item's artist; "" is nobody, and may come more than once
    count : number of places
    eligible : whether each item may be chosen [shape=(n,)]; all by default
    """
    chosen: list[int] = []
    nearest = np.full(len(alike), alike.min(initial=0.0))
    free = np.ones(len(alike), bool) if eligible is None else eligible.copy()
    while free.any() and len(chosen) < count:
        gain = np.maximum(alike - nearest, 0.0).sum(axis=1)
        best = int(np.argmax(np.where(free, gain, -np.inf)))
        chosen.append(best)
        nearest = np.maximum(nearest, alike[best])
        free[best] = False
        if by[best]:
            free &= np.array([artist != by[best] for artist in by])
    return chosen
