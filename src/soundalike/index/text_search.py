"""Search tracks by words in titles, artists, albums and genres, fast enough for search as you type.

Every word of the query must occur in a track's texts, ignoring case and accents: "sigur ros" finds
"Sigur Rós". A library's texts are prepared once and cached with its index, about 100 bytes per track.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from soundalike.index.index import Index
from soundalike.index.track_table import is_missing

COLUMNS = ("title", "artist", "album", "genre")
"""Columns searched by default."""
_SEPARATOR = "\n"

_texts: WeakKeyDictionary[Index, dict[tuple[str, ...], list[str]]] = WeakKeyDictionary()


def find(index: Index, text: str, columns: Sequence[str] = COLUMNS) -> list[int]:
    """Find the rows whose texts contain every word, in the table's order; none for a blank query."""
    words = folded(text).split()
    if not words:
        return []
    first, *others = words
    texts = _prepared(index, tuple(columns))
    rows = [row for row, found in enumerate(texts) if first in found]
    for word in others:
        rows = [row for row in rows if word in texts[row]]
    return rows


def best(index: Index, text: str, most: int) -> tuple[list[int], int]:
    """Find the best matches for a query, and the total number of matches.

    Tracks whose title starts with the query come first, then those whose artist does, then the others,
    each in the table's order.
    """
    rows = find(index, text)
    wanted = " ".join(folded(text).split())
    texts = _prepared(index, COLUMNS)

    def place(row: int) -> int:
        title, artist, *_ = texts[row].split(_SEPARATOR)
        return 0 if title.startswith(wanted) else 1 if artist.startswith(wanted) else 2

    return sorted(rows, key=place)[:most], len(rows)


def folded(text: str) -> str:
    """Remove case and accents from a text."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in parts if not unicodedata.combining(mark))


def _prepared(index: Index, columns: tuple[str, ...]) -> list[str]:
    kept = _texts.setdefault(index, {})
    if columns not in kept:
        there = [_texts_of(index, column) for column in columns if column in index.table]
        kept[columns] = [folded(_SEPARATOR.join(texts)) for texts in zip(*there, strict=True)]
    return kept[columns]


def _texts_of(index: Index, column: str) -> list[str]:
    return ["" if is_missing(value) else str(value) for value in index.table[column]]
