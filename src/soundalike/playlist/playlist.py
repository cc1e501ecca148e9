"""Playlists: from a query to the tracks that sound most alike, in order.

The query's own recording is never recommended, be it the track itself or a copy of it; where that or
the size of the library leaves fewer tracks than were asked for, a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index.index import Index, nearest
from soundalike.playlist import query as queries
from soundalike.playlist.query import Query

MIN_LENGTH, MAX_LENGTH, DEFAULT_LENGTH = 5, 50, 10


@dataclass(frozen=True)
class Entry:
    """One track of a playlist: its row in the index and its similarity to the query (-1 to 1)."""

    rank: int
    row: int
    similarity: float


@dataclass(frozen=True)
class Playlist:
    """Tracks in order, most similar first, and what to know about how they were found."""

    representation: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


def recommend(
    index: Index,
    query: Query,
    representation: str,
    length: int = DEFAULT_LENGTH,
    weights: Mapping[str, float] | None = None,
) -> Playlist:
    """The tracks most similar to a query.

    Parameters
    ----------
    index : the library
    query : from `query.from_library` or `query.from_audio`
    representation : a representation of the index
    length : tracks wanted, at least 1
    weights : of a joined representation, other weights than the index's

    Raises
    ------
    IndexFolderError
        If the index does not hold the representation, or only its neighbours where more is needed.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, not {length}")
    same = set(queries.duplicates(index, query).tolist())
    rows, similarities = _ranked(index, query, representation, length + len(same), weights)
    others = [(row, value) for row, value in zip(rows, similarities, strict=True) if row not in same]
    entries = tuple(
        Entry(rank, int(row), float(value)) for rank, (row, value) in enumerate(others[:length], start=1)
    )
    return Playlist(representation, entries, _notes(index, query, same, len(entries), length))


def _ranked(
    index: Index,
    query: Query,
    representation: str,
    k: int,
    weights: Mapping[str, float] | None,
) -> tuple[NDArray[np.integer[Any]], NDArray[np.float32]]:
    """At least the k nearest rows (fewer in a small library) and their similarities."""
    if query.row is not None and weights is None:
        rows, similarities = index.neighbours(representation, query.row)
        if len(rows) >= min(k, len(index) - 1):
            return rows, similarities
    similarities = index.similarities(representation, query.embeddings, weights)
    ranked = nearest(similarities, k)
    return ranked, similarities[ranked]


def _notes(index: Index, query: Query, same: set[int], found: int, length: int) -> tuple[str, ...]:
    notes = []
    copies = sorted(same - {query.row})
    if copies:
        titles = ", ".join(f"“{index.tracks['title'].iloc[row]}”" for row in copies)
        notes.append(f"Left out (same recording): {titles}.")
    if found < length:
        notes.append(f"The library has only {found} other tracks.")
    return tuple(notes)
