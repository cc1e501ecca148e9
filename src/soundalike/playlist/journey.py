"""Journeys: from one track to another in steps that are as small as they can be.

Distance is the angle between two tracks' embeddings, a metric. Every track has a progress, the angle to
the start less the angle to the destination, and each step of a journey must make progress, so that
nothing comes twice. Among all such paths with the number of tracks that is wanted, the one with the
least sum of squared steps is taken: squares, because one long step is worse than two short ones. It is
found exactly, by dynamic programming over the tracks in order of their progress (Bellman, 1958).

With stops on the way each leg is a journey of its own, with its share of the tracks by the legs' angles.
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
from soundalike.playlist import blend

CANDIDATES = 240
"""How many tracks a leg may lead over: half of them on its way, and a quarter near each end."""


@dataclass(frozen=True)
class Journey:
    """Tracks from a start to a destination.

    Attributes
    ----------
    rows : of the start, the tracks between, and the destination
    steps : angles between each two that follow each other, in degrees (one less than rows)
    notes : sentences about what could not be had
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
) -> Journey:
    """Find a journey.

    Parameters
    ----------
    index : the library
    stops : rows of the start, of any stops on the way, and of the destination, all different
    representation : what is compared by
    length : tracks between the start and the destination, the stops on the way among them
    per_artist : at most so many tracks by one artist between the stops; None for any number
    removed : rows that must not be led over

    Raises
    ------
    IndexFolderError
        If the index does not hold the representation's vectors.
    PlaylistError
        If the stops are fewer than two, or not all different, or more than wanted.
    """
    between = len(stops) - 2
    if between < 0 or len(set(stops)) < len(stops):
        raise PlaylistError(
            "A journey needs a start and a different destination, and no repeated stops."
        )
    if length < max(between, 1):
        raise PlaylistError(f"A journey of {length} tracks is too short for {between} stops.")
    legs = list(pairwise(stops))
    barred = set(stops) | set(removed)
    for stop in stops:
        barred |= duplicates.of(index, stop)
    counts: Counter[str] = Counter()
    rows = [stops[0]]
    for (start, end), share in zip(legs, _shares(index, representation, legs, length), strict=True):
        leg = _leg(index, representation, start, end, share, barred, counts, per_artist)
        rows += [*leg, end]
        barred |= set(leg)
        counts.update(index.fact("artist", row) for row in leg)
    return Journey(
        representation, tuple(rows), steps(index, representation, rows), _notes(rows, length, per_artist)
    )


def steps(index: Index, representation: str, rows: Sequence[int]) -> tuple[float, ...]:
    """Angles between each two rows that follow each other, in degrees."""
    angles = np.degrees(_angles(index, representation, rows))
    return tuple(float(angles[i, i + 1]) for i in range(len(rows) - 1))


def shortest(angles: NDArray[np.float64], progress: NDArray[np.float64], count: int) -> list[int]:
    """The path of least squared steps over `count` places, from the first place to the last.

    Parameters
    ----------
    angles : between each two places [shape=(m, m)]
    progress : of each place [shape=(m,)]; the first has the least and the last the greatest
    count : places between, at least 0

    Returns
    -------
    the places between, or as many as there can be
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
    """The rows between two stops; artists that come too often are thinned out, and it is tried again."""
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
    """What is over the cap of an artist, and copies of what came before."""
    seen = Counter(counts)
    over: set[int] = set()
    copies: set[int] = set()
    for row in leg:
        artist = index.fact("artist", row)
        if row in copies or (cap is not None and artist and seen[artist] >= cap):
            over.add(row)
            continue
        seen[artist] += 1
        copies |= duplicates.of(index, row)
    return over


def _candidates(index: Index, representation: str, start: int, end: int, barred: set[int]) -> list[int]:
    """Rows near the way: those with the least sum of angles to both ends, and those near each end."""
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
    """How many of the tracks each leg gets, by its angle."""
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


def _notes(rows: Sequence[int], length: int, per_artist: int | None) -> tuple[str, ...]:
    found = len(rows) - 2
    if found >= length:
        return ()
    cap = "" if per_artist is None else f", with at most {per_artist} per artist"
    return (f"Only {found} of {length} tracks: every step must get closer and stay near the path{cap}.",)
