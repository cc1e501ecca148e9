"""Journeys: from one track to another in the smallest possible steps.

Distance is the angle between two tracks' embeddings, which is a metric. A track's progress is its angle
to the start minus its angle to the destination. Each step must increase the progress, which rules out
repeats. Among all such paths with the requested number of tracks, the one with the least sum of squared
steps is chosen: squares, because one long step is worse than two short ones. Dynamic programming over
the tracks in order of progress finds it exactly (Bellman, 1958).

With intermediate stops, each leg is a journey of its own. Tracks are shared out by the legs' angles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.index import duplicates
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import blend
from soundalike.words import filters
from soundalike.words.filters import Filter

CANDIDATES = 240
"""Number of candidate tracks per leg: half of them along the way, a quarter near each end."""
EVERYTHING = Filter()


@dataclass(frozen=True)
class Journey:
    """Tracks from a start to a destination.

    Attributes
    ----------
    rows : rows of the start, the tracks between, and the destination
    steps : angles between consecutive tracks, in degrees (one fewer than rows)
    notes : sentences about requests that couldn't be met
    """

    representation: str
    rows: tuple[int, ...]
    steps: tuple[float, ...]
    notes: tuple[str, ...]


def travel(
    index: Index,
    stops: Sequence[int],
    representation: str,
    length: int,
    per_artist: int | None = None,
    removed: Sequence[int] = (),
    only: Filter = EVERYTHING,
) -> Journey:
    """Find a journey.

    Parameters
    ----------
    index : the library
    stops : rows of the start, any intermediate stops, and the destination, all different
    representation : representation to compare by
    length : number of tracks between start and destination, including intermediate stops
    per_artist : maximum number of tracks per artist between the stops; None for no limit
    removed : rows to avoid
    only : what the tracks between the stops have to meet

    Raises
    ------
    IndexFolderError
        If the index lacks the representation's vectors.
    PlaylistError
        If there are fewer than two stops, duplicate stops, or more intermediate stops than `length`.
    """
    between = len(stops) - 2
    if between < 0 or len(set(stops)) < len(stops):
        raise PlaylistError(
            "A journey needs a start and a different destination, and no repeated stops."
        )
    if length < max(between, 1):
        raise PlaylistError(f"A journey of {length} tracks is too short for {between} stops.")
    legs = list(pairwise(stops))
    kept, notes = filters.apply(index, index.models(ModelStore()), only)
    barred = {*stops, *removed, *np.flatnonzero(~kept).tolist()}
    for stop in stops:
        barred |= duplicates.of(index, stop)
    counts: Counter[str] = Counter()
    rows = [stops[0]]
    for (start, end), share in zip(legs, _shares(index, representation, legs, length), strict=True):
        leg = _leg(index, representation, start, end, share, barred, counts, per_artist)
        rows += [*leg, end]
        barred |= set(leg)
        counts.update(index.artist_key(row) for row in leg)
    notes += _notes(rows, length, per_artist)
    return Journey(representation, tuple(rows), steps(index, representation, rows), tuple(notes))


def steps(index: Index, representation: str, rows: Sequence[int]) -> tuple[float, ...]:
    """Angles between consecutive rows, in degrees."""
    angles = np.degrees(_angles(index, representation, rows))
    return tuple(float(angles[i, i + 1]) for i in range(len(rows) - 1))


def shortest(angles: NDArray[np.float64], progress: NDArray[np.float64], count: int) -> list[int]:
    """Find the path of `count` places from the first place to the last with the least squared steps.

    Parameters
    ----------
    angles : pairwise angles of the places [shape=(m, m)]
    progress : progress of each place [shape=(m,)]; least for the first, greatest for the last
    count : number of places between, at least 0

    Returns
    -------
    the places between; fewer if there is no path with `count` of them
    """
    order = np.argsort(progress, kind="stable")
    order = np.concatenate([[0], order[(order != 0) & (order != len(angles) - 1)], [len(angles) - 1]])
    squares = np.square(angles[np.ix_(order, order)])
    forward = progress[order][:, None] < progress[order][None, :]
    costs = np.where(forward, squares, np.inf)
    reached = costs[0]
    came_from = []
    best = [reached[-1]]
    for _ in range(min(count, len(order) - 2)):
        ways = reached[:, None] + costs
        came_from.append(np.argmin(ways, axis=0))
        reached = ways.min(axis=0)
        best.append(reached[-1])
    possible = max((n for n, cost in enumerate(best) if np.isfinite(cost)), default=0)
    path, place = [], len(order) - 1
    for step in reversed(came_from[:possible]):
        place = int(step[place])
        path.append(int(order[place]))
    return path[::-1]


def _leg(
    index: Index,
    representation: str,
    start: int,
    end: int,
    count: int,
    barred: set[int],
    counts: Counter[str],
    per_artist: int | None,
) -> list[int]:
    """The rows between two stops; retried without the surplus tracks of artists above the limit."""
    rows = [start, *_candidates(index, representation, start, end, barred), end]
    angles = _angles(index, representation, rows)
    progress = angles[0] - angles[-1]
    left = np.arange(len(rows))
    while True:
        found = shortest(angles[np.ix_(left, left)], progress[left], count)
        leg = [rows[left[place]] for place in found]
        too_many = _surplus(index, leg, counts, per_artist)
        if not too_many:
            return leg
        left = np.array([place for place in left if rows[place] not in too_many])


def _surplus(index: Index, leg: Sequence[int], counts: Counter[str], cap: int | None) -> set[int]:
    """Tracks above an artist's limit, and copies of earlier tracks."""
    seen = Counter(counts)
    over: set[int] = set()
    copies: set[int] = set()
    for row in leg:
        artist = index.artist_key(row)
        if row in copies or (cap is not None and artist and seen[artist] >= cap):
            over.add(row)
            continue
        seen[artist] += 1
        copies |= duplicates.of(index, row)
    return over


def _candidates(index: Index, representation: str, start: int, end: int, barred: set[int]) -> list[int]:
    """Candidate rows: those with the least sum of angles to both ends, and those near each end."""
    ends = [index.embeddings(start), index.embeddings(end)]
    cosines = np.stack([index.cosines(representation, end) for end in ends])
    angles = np.arccos(cosines.astype(np.float64))
    rankings = [np.argsort(key, kind="stable") for key in (angles.sum(axis=0), *angles)]
    shares = (CANDIDATES // 2, CANDIDATES // 4, CANDIDATES // 4)
    near: dict[int, None] = {}
    for ranking, share in zip(rankings, shares, strict=True):
        allowed = (int(row) for row in ranking if int(row) not in barred)
        near |= dict.fromkeys(islice(allowed, share))
    return list(near)


def _shares(
    index: Index, representation: str, legs: Sequence[tuple[int, int]], length: int
) -> list[int]:
    """Number of tracks per leg, in proportion to its angle."""
    free = length - (len(legs) - 1)
    lengths = np.array([sum(steps(index, representation, leg)) for leg in legs])
    total = lengths.sum()
    ideal = free * (lengths / total if total > 0 else np.full(len(legs), 1 / len(legs)))
    shares = np.floor(ideal).astype(int)
    for leg in np.argsort(-(ideal - shares), kind="stable")[: free - shares.sum()]:
        shares[leg] += 1
    return [int(share) for share in shares]


def _angles(index: Index, representation: str, rows: Sequence[int]) -> NDArray[np.float64]:
    cosines = blend.between(index, representation, rows).astype(np.float64)
    angles: NDArray[np.float64] = np.arccos(np.clip(cosines, -1.0, 1.0))
    np.fill_diagonal(angles, 0.0)
    return angles


def _notes(rows: Sequence[int], length: int, per_artist: int | None) -> list[str]:
    found = len(rows) - 2
    if found >= length:
        return []
    cap = "" if per_artist is None else f", with at most {per_artist} per artist"
    return [
        f"Only {found} of {length} tracks on the way: every step must get closer and stay near the "
        f"path{cap}."
    ]
