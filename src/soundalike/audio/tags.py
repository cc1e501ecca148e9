"""Tags of audio files, read with mutagen.

Five tags become columns of a library's table: title, artist, album, genre and year. ID3, Vorbis
comments, MP4 atoms and APE tags are read; mutagen supports none for WebM, Matroska and bare AAC.

Tags in the wild contain anything: line breaks, null characters, a page of text, ten artists. A value
becomes one line of at most 300 characters, without control characters and bidirectional marks. If a tag
has several values, the first genre is used, and the values of other tags are joined by commas.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Sequence
from pathlib import Path

NAMES = ("title", "artist", "album", "genre", "year")
MAX_CHARACTERS = 300
_KEYS = {"title": "title", "artist": "artist", "album": "album", "genre": "genre", "year": "date"}
_DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(AssertionError, MemoryError, RecursionError, struct.error),
)
"""Exceptions that mutagen may raise for malformed tags, besides its own."""


def read(path: Path) -> dict[str, str]:
    """Read those of `NAMES` that a file has; none if its tags cannot be read.

    Values are single lines of 1 to 300 characters.
    """
    import mutagen

    try:
        file = mutagen.File(path, easy=True)
        found = {} if file is None or file.tags is None else _values(file.tags)
    except (mutagen.MutagenError, *_DAMAGED):
        return {}
    return {name: text for name, values in found.items() if (text := _text(name, values))}


def clean(text: str) -> str:
    """Text as one line of at most 300 characters, without unprintable characters."""
    kept = (" " if c.isspace() else c for c in text[: 10 * MAX_CHARACTERS] if _can_be_shown(c))
    line = " ".join("".join(kept).split())
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1].rstrip() + "…"


def _values(tags: object) -> dict[str, Sequence[str]]:
    """Lists of values by name, without tags that cannot be read."""
    found: dict[str, Sequence[str]] = {}
    for name, key in _KEYS.items():
        try:
            values = tags[key]  # type: ignore[index]
        except _DAMAGED:
            continue
        found[name] = [values] if isinstance(values, str) else [str(value) for value in values]
    return found


def _text(name: str, values: Sequence[str]) -> str:
    texts = [text for value in values[:10] if (text := clean(value))]
    if name == "year":
        years = [match.group() for text in texts if (match := re.search(r"\b[12]\d{3}\b", text))]
        return years[0] if years else ""
    if name == "genre":
        return texts[0] if texts else ""
    return clean(", ".join(dict.fromkeys(texts)))


def _can_be_shown(character: str) -> bool:
    """Whether a character is printable: no control, private, surrogate or bidirectional mark."""
    if character.isspace():
        return True
    return unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn") and character not in (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
