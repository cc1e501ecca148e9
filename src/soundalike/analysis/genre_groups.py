"""Genre groups for display: the most common genres by name, and the rest as one group.

User tags are numerous and inconsistent, and hundreds of colours or legend entries are unreadable. A
library with more than `MOST` genres therefore shows its `MOST - 1` most common genres, and all others as
`OTHER`, on all pages. Genres that the genre head predicts are always named.
"""

from __future__ import annotations

from collections import Counter
from weakref import WeakKeyDictionary

from soundalike.index.index import Index

MOST = 24
"""Maximum number of groups."""
OTHER = "Other genres"

_named: WeakKeyDictionary[Index, tuple[str, ...]] = WeakKeyDictionary()


def named(index: Index) -> tuple[str, ...]:
    """The genres shown by name, in alphabetical order."""
    if index not in _named:
        _named[index] = _choose(index)
    return _named[index]


def of_tracks(index: Index) -> list[str]:
    """The displayed genre of each track: its own, `OTHER`, or "" if it has none."""
    known = {genre: genre for genre in (*named(index), "")}
    return [known.get(genre, OTHER) for genre in index.table["genre"]]


def _choose(index: Index) -> tuple[str, ...]:
    counts = Counter(genre for genre in index.table["genre"] if genre)
    predicted = [genre for genre in index.genres if genre]
    others = sorted(counts.keys() - set(predicted), key=lambda genre: (-counts[genre], genre))
    if len(predicted) + len(others) > MOST:
        others = others[: max(MOST - 1 - len(predicted), 0)]
    return tuple(sorted({*predicted, *others}))
