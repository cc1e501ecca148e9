"""Finding tracks by words of their titles, artists, albums and genres, as fast as a person types.

Every word of the search must occur somewhere in a track's texts, in any case and without regard to
accents: "sigur ros" finds "Sigur Rós". A library's texts are prepared once and kept with its index, some
100 bytes a track.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from soundalike.index.index import Index

COLUMNS = ("title", "artist", "album", "genre")
"""What is searched unless told otherwise."""
_SEPARATOR = "\n"

_texts: WeakKeyDictionary[Index, dict[tuple[str, ...], list[str]]] = WeakKeyDictionary()


def find(index: Index, text: str, columns: Sequence[str] = COLUMNS) -> list[int]:
    """Rows in whose texts every word occurs, in the table's order; none for a text without words."""
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
    """The rows to offer for a text, and how many there are in all.

    First come tracks whose title begins with the text, then those whose artist does, then the others,
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
    """A text without case and accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in parts if not unicodedata.combining(mark))


def _prepared(index: Index, columns: tuple[str, ...]) -> list[str]:
    kept = _texts.setdefault(index, {})
    if columns not in kept:
        there = [index.tracks[column].astype(str) for column in columns if column in index.tracks]
        kept[columns] = [folded(_SEPARATOR.join(texts)) for texts in zip(*there, strict=True)]
    return kept[columns]
