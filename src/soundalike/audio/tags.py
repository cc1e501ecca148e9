"""Tags: what an audio file says of itself, read with mutagen.

Five of them become columns of a library's table: title, artist, album, genre and year. ID3, Vorbis
comments, MP4 atoms and APE tags are read; WebM, Matroska and bare AAC carry none that mutagen knows.

People's tags hold anything: line breaks, null characters, a page of text, ten artists. A value is made
one line of at most 300 characters, control characters and the marks that turn text around left out;
where there are several, the first genre is taken and other values are joined by commas.
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
"""What mutagen lets through of a file whose tags are nonsense, beside its own error."""


def read(path: Path) -> dict[str, str]:
    """A file's tags, those of `NAMES` that it has; none where they cannot be read.

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
    """A text as one line of at most 300 characters; what cannot be shown is left out."""
    kept = (" " if c.isspace() else c for c in text[: 10 * MAX_CHARACTERS] if _can_be_shown(c))
    line = " ".join("".join(kept).split())
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1].rstrip() + "…"


def _values(tags: object) -> dict[str, Sequence[str]]:
    """Lists of values by name; a tag that cannot be read is left out."""
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
    """Not control characters, private or half of a surrogate pair, nor marks that turn text around."""
    if character.isspace():
        return True
    return unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn") and character not in (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
