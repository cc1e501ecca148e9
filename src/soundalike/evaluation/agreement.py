"""Agreement between the playlists of several representations for one query.

Two measures of agreement between rankings, from 0 (nothing in common) to 1 (identical): overlap, the
share of tracks that two lists of equal length have in common; and rank-biased overlap (Webber, Moffat
and Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28, 2010), which gives top ranks more
weight: the mean overlap of the lists' prefixes, each depth weighted by p to its power.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import playlist
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Playlist, Recipe
from soundalike.playlist.query import Query

PERSISTENCE = 0.9
"""Parameter p of rank-biased overlap: the first ten ranks have 86 % of the weight."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of two playlists, 0 to 1."""

    first: str
    second: str
    overlap: float
    rank_biased: float


@dataclass(frozen=True)
class Comparison:
    """The playlists of several representations for one query.

    Attributes
    ----------
    playlists : playlists in the order requested
    unanswered : by representation, why it has no playlist for this query
    shared : for each row of the index, the number of playlists that contain it
    agreements : agreement of every pair of playlists
    """

    playlists: tuple[Playlist, ...]
    unanswered: dict[str, str]
    shared: dict[int, int]
    agreements: tuple[Agreement, ...]


def compare(index: Index, query: Query, names: Sequence[str], length: int) -> Comparison:
    """Compare the playlists of several representations.

    Parameters
    ----------
    index : the library
    query : from `query.from_library` or `query.from_audio`
    names : representations of the index
    length : number of tracks per playlist
    """
    found: list[Playlist] = []
    unanswered: dict[str, str] = {}
    for name in dict.fromkeys(names):
        try:
            found.append(
                playlist.make_playlist(index, [Seed(query)], Recipe(name, length, per_artist=None))
            )
        except SoundalikeError as error:
            unanswered[name] = str(error)
    rows = {item.representation: [entry.row for entry in item.entries] for item in found}
    agreements = tuple(
        Agreement(a, b, overlap(rows[a], rows[b]), rank_biased_overlap(rows[a], rows[b]))
        for a, b in combinations(rows, 2)
    )
    shared = Counter(row for listed in rows.values() for row in listed)
    return Comparison(tuple(found), unanswered, dict(shared), agreements)


def overlap(first: Sequence[int], second: Sequence[int]) -> float:
    """Number of tracks in common, as a share of the longer list's length; 0 for empty lists."""
    longest = max(len(first), len(second))
    return len(set(first) & set(second)) / longest if longest else 0.0


def rank_biased_overlap(
    first: Sequence[int], second: Sequence[int], persistence: float = PERSISTENCE
) -> float:
    """Agreement of two rankings, with more weight for top ranks.

    Parameters
    ----------
    first, second : tracks, best first, without repeats
    persistence : p, above 0 and below 1; a higher p gives more weight to deep ranks

    Returns
    -------
    0 to 1: the truncated measure, its weights scaled to sum to 1 over the lists' length

    Raises
    ------
    ValueError
        If p is not between 0 and 1.
    """
    if not 0.0 < persistence < 1.0:
        raise ValueError(f"persistence must be between 0 and 1, not {persistence}")
    depth = max(len(first), len(second))
    weights = [persistence**place for place in range(depth)]
    common = [
        len(set(first[: place + 1]) & set(second[: place + 1])) / (place + 1) for place in range(depth)
    ]
    if not depth:
        return 0.0
    return sum(w * c for w, c in zip(weights, common, strict=True)) / sum(weights)
