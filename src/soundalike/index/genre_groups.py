"""A library's genres as few as can be told apart: the commonest by name, the rest together.

Tags that people give are many and messy; hundreds of colours, or a legend of hundreds of names, would
say nothing. So a library of more than `MOST` genres is shown by its `MOST - 1` commonest, and every
other one as `OTHER`; on all pages alike. The genres that its genre head predicts are always named.
"""

from __future__ import annotations

from collections import Counter
from weakref import WeakKeyDictionary

from soundalike.index.index import Index

MOST = 24
"""More than this many genres are not named each."""
OTHER = "Other genres"

_named: WeakKeyDictionary[Index, tuple[str, ...]] = WeakKeyDictionary()


def named(index: Index) -> tuple[str, ...]:
    """The genres that are shown by their own name, in alphabetical order."""
    if index not in _named:
        _named[index] = _choose(index)
    return _named[index]


def of_tracks(index: Index) -> list[str]:
    """The genre under which each track is shown: its own, `OTHER`, or "" for none."""
    known = {genre: genre for genre in (*named(index), "")}
    return [known.get(genre, OTHER) for genre in index.tracks["genre"]]


def _choose(index: Index) -> tuple[str, ...]:
    counts = Counter(genre for genre in index.tracks["genre"] if genre)
    predicted = [genre for genre in index.genres if genre]
    others = sorted(counts.keys() - set(predicted), key=lambda genre: (-counts[genre], genre))
    if len(predicted) + len(others) > MOST:
        others = others[: max(MOST - 1 - len(predicted), 0)]
    return tuple(sorted({*predicted, *others}))
