"""Hubness correction: a bias that makes every track reachable by nearest-neighbour search.

In high-dimensional spaces a few points, the hubs, are near neighbours of many others, while the orphans
are in nobody's list of nearest neighbours (Radovanović, Nanopoulos and Ivanović, "Hubs in space", JMLR
11, 2010; for music: Schnitzer, Flexer, Schedl and Widmer, "Local and global scaling reduce hubs in
space", JMLR 13, 2012). An orphan is never recommended, however well it fits.

`bias` computes one number per track, which is added to its similarities before ranking. It is zero for
tracks that are already neighbours of others. For an orphan it is the minimum that brings it into the
lists it is closest to. It is fitted like the prices of an auction (Bertsekas, "Auction algorithms for
network flow problems", 1992): in each round the remaining orphans raise their bids, until none is left.
It needs no labels, is independent of the query, takes one number per track in the index, and does not
change the displayed similarity. Methods that equalise all k-occurrences (local scaling, mutual
proximity, the inverted softmax) move every track and lower the precision if there are few orphans. This
method moves only the orphans.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

K = 10
"""Length of the neighbour lists in which every track should appear."""
REACH = 2
"""Number of lists per track: one more than needed, in case of rounding or a filtered query."""
MARGIN = 1e-2
"""Distance of a lifted track above a list's last entry, in standard deviations of the similarities."""
ROUNDS = 1_000


def bias(
    similarities: ArrayLike, own: ArrayLike | None = None, k: int = K, reach: int = REACH
) -> NDArray[np.float32]:
    """Compute the minimum bias that makes every track a neighbour of other tracks.

    Parameters
    ----------
    similarities : similarities of queries to an index's tracks [shape=(queries, tracks)]. Queries are
        usually all tracks, or an even sample, for which the lists are lengthened in proportion. Takes
        about three times the matrix's memory in float32
    own : column of each query's own track, which is excluded [shape=(queries,)]; by default the
        diagonal of a square matrix
    k : length of a neighbour list if all tracks are queries
    reach : number of lists that each track should be in

    Returns
    -------
    float32 [shape=(tracks,)], at least 0, in the units of the similarities; rank by similarity + bias.
        All zeros if a list contains every other track

    Raises
    ------
    ValueError
        If shapes disagree, a number that isn't excluded is not finite, or not 1 <= reach <= k.
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
    """The orphans (tracks in fewer than `reach` lists) to lift in this round, and each one's deficit.

    A list accepts one track per round, the one with the smallest deficit: two at once would tie.
    """
    queries, tracks = scores.shape
    scores -= np.partition(scores, tracks - length, axis=1)[:, [tracks - length]]
    nearest = np.partition(scores, queries - reach, axis=0)[queries - reach]
    orphans = np.flatnonzero(nearest < 0)
    orphans = orphans[np.argsort(-nearest[orphans], kind="stable")]
    lists = np.argmax(scores[:, orphans] == nearest[orphans], axis=0)
    chosen = orphans[np.unique(lists, return_index=True)[1]]
    return chosen, -nearest[chosen]
