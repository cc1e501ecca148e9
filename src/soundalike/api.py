"""The library: what other programs call. Everything else may change from version to version.

A clip is an audio file (its path or its bytes) or the ID of a track of the library. An index is one that
`load` has opened; the bundled library's by default.

>>> import soundalike
>>> index = soundalike.load()
>>> matches = soundalike.recommend("0102", index, length=3)
>>> [match.similarity > 0.5 for match in matches]
[True, True, True]
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.analysis import explanation
from soundalike.analysis.explanation import Explanation
from soundalike.errors import InputError
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import journey as journeys
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe
from soundalike.playlist.query import Query
from soundalike.words import description, filters, search

Clip = str | os.PathLike[str] | bytes
"""A file's path, its bytes, or a track's ID."""


@dataclass(frozen=True)
class Match:
    """A track that was found.

    Attributes
    ----------
    track_id, title, artist : as the library has them
    path : the audio file
    similarity : cosine similarity to the clip, -1 to 1. For `describe`, how well the description is met,
        0 to 1. For `journey`, the similarity to the track before, and 1 for the first.
    """

    track_id: str
    title: str
    artist: str
    path: Path
    similarity: float


def load(folder: str | os.PathLike[str] | None = None) -> Index:
    """Open an index: the one in a folder, or `$SOUNDALIKE_INDEX`, or the bundled one.

    Raises
    ------
    IndexFolderError
        If the folder is no index, or a damaged one.

    >>> len(load()) > 400
    True
    """
    return indices.load(paths.index_folder() if folder is None else Path(folder))


def recommend(
    clip: Clip,
    index: Index | None = None,
    *,
    length: int = playlist.DEFAULT_LENGTH,
    by: str | None = None,
    per_artist: int | None = playlist.PER_ARTIST,
    variety: float = 0.0,
    only: str = "",
) -> list[Match]:
    """Find the tracks that sound most like a clip, most similar first.

    Parameters
    ----------
    clip : a file's path, its bytes, or a track's ID
    index : the library to recommend from
    length : number of tracks, at least 1
    by : name of the representation to compare by; the index's default if None
    per_artist : maximum number of tracks per artist; None for no limit
    variety : 0 (most similar) to 1 (most different from each other)
    only : what the tracks have to meet, in words, such as "piano, no vocals"

    Raises
    ------
    AudioError
        If the clip cannot be used.
    IndexFolderError, ModelError
        If the networks are missing or don't match the index.
    InputError
        If nothing of `only` is understood.
    UnknownRepresentationError
        If there is no representation of that name.
    ValueError
        If `length`, `per_artist` or `variety` is out of range.

    >>> len(recommend("0102", length=3, only="strings"))
    3
    """
    index = index or _bundled()
    wanted = filters.read(only)
    if only.strip() and wanted.is_empty:
        raise InputError("No part of `only` is understood. Try words, as in 'piano, no vocals'.")
    recipe = Recipe(_method(index, by), length, per_artist, variety=variety, only=wanted)
    found = playlist.make_playlist(index, [Seed(_query(clip, index))], recipe)
    return _matches(index, ((entry.row, entry.similarity) for entry in found.entries))


def embed(clip: Clip, index: Index | None = None, *, by: str | None = None) -> NDArray[np.float32]:
    """Compute a clip's embedding as the index compares it: centred, scaled and joined.

    Returns
    -------
    float32 [shape=(dim,)]. The cosine of two of them is the clips' similarity.

    Raises
    ------
    AudioError, IndexFolderError, ModelError, UnknownRepresentationError
        As `recommend`.

    >>> embed("0102").shape
    (1480,)
    """
    index = index or _bundled()
    found = _query(clip, index).embeddings
    parts = index.parts(_method(index, by))
    return np.concatenate([weight * found[part] for part, weight in parts.items()], dtype=np.float32)


def describe(text: str, index: Index | None = None, *, length: int = 10) -> list[Match]:
    """Find tracks by words, such as "calm piano with strings"; best first.

    Raises
    ------
    InputError
        If no word is known, or the index has no words.

    >>> len(describe("calm piano", length=3))
    3
    """
    index = index or _bundled()
    understood = description.read(text)
    if not understood.terms:
        raise InputError("No word of this description is known. Try a genre, an instrument or a mood.")
    found = search.search(index, _models(index), understood.terms)
    if not found.terms:
        raise InputError(search.unavailable(found.missing))
    rows = search.best(found, length)
    return _matches(index, ((row, float(found.match[row])) for row in rows))


def journey(
    stops: Sequence[str], index: Index | None = None, *, length: int = 10, by: str | None = None
) -> list[Match]:
    """Lead from one track to another in the smallest possible steps.

    Parameters
    ----------
    stops : IDs of the start, any stops between, and the destination
    index : the library
    length : number of tracks between start and destination
    by : as in `recommend`

    Raises
    ------
    PlaylistError
        If stops repeat, or there are too few of them or too many for the length.
    IndexFolderError
        If the index has no such track, or lacks the vectors.

    >>> [match.track_id for match in journey(["0102", "0235"], length=2)][::3]
    ['0102', '0235']
    """
    index = index or _bundled()
    rows = [index.row(stop) for stop in stops]
    found = journeys.travel(index, rows, _method(index, by), length)
    return _matches(
        index,
        zip(found.rows, [1.0, *np.cos(np.radians(found.steps)).tolist()], strict=True),
    )


def explain(
    clip: Clip, track_id: str, index: Index | None = None, *, by: str | None = None
) -> Explanation:
    """Split the similarity of a clip and a track into parts that add up to it.

    Raises
    ------
    AudioError, IndexFolderError, ModelError, UnknownRepresentationError
        As `recommend`.

    >>> found = explain("0102", "0235")
    >>> abs(sum(part.value for part in found.parts) - found.similarity) < 1e-4
    True
    """
    index = index or _bundled()
    return explanation.explain(index, _query(clip, index), index.row(track_id), _method(index, by))


@lru_cache(maxsize=1)
def _bundled() -> Index:
    return load()


@lru_cache(maxsize=4)
def _models(index: Index) -> ModelStore:
    """An index's networks, which stay loaded from call to call."""
    return index.models(ModelStore())


def _method(index: Index, by: str | None) -> str:
    return representations.default(index.names) if by is None else representations.get(by).name


def _query(clip: Clip, index: Index) -> Query:
    if isinstance(clip, str) and index.has(clip) and not Path(clip).exists():
        return query.from_library(index, clip)
    source = clip if isinstance(clip, bytes) else Path(clip)
    return query.embed_query(source, index, _models(index))


def _matches(index: Index, found: Iterable[tuple[int, float]]) -> list[Match]:
    return [
        Match(
            index.fact("track_id", row),
            index.fact("title", row),
            index.fact("artist", row),
            index.path(row),
            float(similarity),
        )
        for row, similarity in found
    ]
