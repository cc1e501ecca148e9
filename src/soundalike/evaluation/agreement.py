"""Comparing playlists for one query: what representations agree on, and how far.

Two measures of agreement between rankings, both from 0 (nothing in common) to 1 (the same): the overlap,
the share of tracks that two lists of one length have in common; and rank-biased overlap (Webber, Moffat
and Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28, 2010), in which what comes first
counts more: the mean overlap of the lists' beginnings, each depth weighted by p to its power.
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
"""The p of rank-biased overlap: the first ten ranks have 86 % of the weight."""


@dataclass(frozen=True)
class Agreement:
    """How far two playlists agree, 0 to 1."""

    first: str
    second: str
    overlap: float
    rank_biased: float


@dataclass(frozen=True)
class Comparison:
    """The playlists of several representations for one query.

    Attributes
    ----------
    playlists : in the order asked for
    unanswered : by representation, why it has no playlist for this query
    shared : in how many of the playlists each row of the index is
    agreements : of every two playlists
    """

    playlists: tuple[Playlist, ...]
    unanswered: dict[str, str]
    shared: dict[int, int]
    agreements: tuple[Agreement, ...]


def compare(index: Index, query: Query, names: Sequence[str], length: int) -> Comparison:
    """Ask several representations the same.

    Parameters
    ----------
    index : the library
    query : from `query.from_library` or `query.from_audio`
    names : representations of the index
    length : tracks of each playlist
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
    """The share of tracks that two lists have in common, of the longer one's length; 0 for none."""
    longest = max(len(first), len(second))
    return len(set(first) & set(second)) / longest if longest else 0.0


def rank_biased_overlap(
    first: Sequence[int], second: Sequence[int], persistence: float = PERSISTENCE
) -> float:
    """How far two rankings agree, what comes first counting more.

    Parameters
    ----------
    first, second : tracks, best first, none twice
    persistence : p, above 0 and below 1; the higher, the deeper one looks

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
