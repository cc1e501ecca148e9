"""Hubness: why some tracks are everyone's neighbour and others nobody's, and how to reach the latter.

In spaces of many dimensions a few points, the hubs, come near all the others, and some, the orphans, are
among nobody's nearest (Radovanović, Nanopoulos and Ivanović, "Hubs in space", JMLR 11, 2010; of music:
Schnitzer, Flexer, Schedl and Widmer, "Local and global scaling reduce hubs in space", JMLR 13, 2012). An
orphan is never recommended, however well it fits.

`bias` gives every track one number to add to its similarities before they are ranked: zero for a track
that is somebody's neighbour anyway, and for an orphan the least that brings it into the lists where it
comes nearest to belonging. It is fitted as prices are in an auction (Bertsekas, "Auction algorithms for
network flow problems", 1992): who was left out bids more, round by round, until nobody is. No labels are
needed, no query changes it, an index stores one number a track, and the similarity shown stays what it
was. Methods that even out all occurrences (local scaling, mutual proximity, the inverted softmax) move
every track and cost precision where the space has few orphans; this moves those few only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

K = 10
"""Length of the lists in which every track is to appear."""
REACH = 2
"""In how many: one more than needed, so that neither rounding nor a filtered query makes an orphan."""
MARGIN = 1e-2
"""How far a lifted track passes the list's last, in standard deviations of the similarities."""
ROUNDS = 1_000


def bias(
    similarities: ArrayLike, own: ArrayLike | None = None, k: int = K, reach: int = REACH
) -> NDArray[np.float32]:
    """The least to add to tracks' similarities, so that every track is some other tracks' neighbour.

    Parameters
    ----------
    similarities : of queries to an index's tracks [shape=(queries, tracks)], usually of the tracks
        themselves, or of an even sample of them, whose lists are then taken longer in proportion. Takes
        about three times the matrix's memory in float32
    own : the column in which each query is itself, which is left out [shape=(queries,)]; the diagonal
        of a square matrix by default
    k : length of a list of neighbours, were all tracks queries
    reach : how many lists a track is to be in

    Returns
    -------
    float32 [shape=(tracks,)], at least 0, in the units of the similarities; rank by similarity + bias.
        All zeros where a list holds every other track

    Raises
    ------
    ValueError
        If shapes disagree, a number is not finite (but those left out), or not 1 <= reach <= k.
    """
    matrix = np.array(similarities, np.float32)
    if matrix.ndim != 2:
        raise ValueError(f"similarities must be queries by tracks, not of shape {matrix.shape}")
    if not 1 <= reach <= k:
        raise ValueError(f"reach must lie between 1 and k={k}, not {reach}")
    queries, tracks = matrix.shape
    themselves = np.arange(queries), _own_columns(queries, tracks, own)
    matrix[themselves] = 0
    if not np.isfinite(matrix).all():
        raise ValueError("similarities must be finite")
    added = np.zeros(tracks, np.float32)
    length = -(-k * tracks // max(queries, 1))
    if queries < reach or tracks <= length + 1:
        return added
    margin = np.float32(MARGIN * matrix.std(dtype=np.float64))
    matrix[themselves] = -np.inf
    for _ in range(ROUNDS):
        lifted, short = _bids(matrix + added, length, reach)
        if not len(lifted):
            break
        added[lifted] += short + margin
    return added


def _own_columns(queries: int, tracks: int, own: ArrayLike | None) -> NDArray[np.intp]:
    if own is None:
        if queries != tracks:
            raise ValueError("own must say which track each query is, where they are not all tracks")
        return np.arange(tracks)
    columns = np.asarray(own, np.intp)
    if columns.shape != (queries,):
        raise ValueError(f"own must have shape {(queries,)}, not {columns.shape}")
    if queries and not 0 <= columns.min() <= columns.max() < tracks:
        raise ValueError(f"own must lie between 0 and {tracks - 1}")
    return columns


def _bids(
    scores: NDArray[np.float32], length: int, reach: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Tracks in fewer than `reach` lists that are next to be lifted, and what each is short of.

    A list takes one newcomer a round, the one that is short of least: two at once would end up equal.
    """
    queries, tracks = scores.shape
    scores -= np.partition(scores, tracks - length, axis=1)[:, [tracks - length]]
    nearest = np.partition(scores, queries - reach, axis=0)[queries - reach]
    orphans = np.flatnonzero(nearest < 0)
    orphans = orphans[np.argsort(-nearest[orphans], kind="stable")]
    lists = np.argmax(scores[:, orphans] == nearest[orphans], axis=0)
    chosen = orphans[np.unique(lists, return_index=True)[1]]
    return chosen, -nearest[chosen]
