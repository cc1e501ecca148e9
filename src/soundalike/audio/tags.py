"""Tags of audio files: title, artist, album, genre and year.

A file may have tags in several places. They are read in this order, and each tag is taken from the first
place that has it:

1. the container's own: Vorbis comments, MP4 atoms, ASF attributes, the ID3 chunk of WAV and AIFF, and
   ID3 or else APE of MP3 (mutagen);
2. ID3v2 at the beginning of any file, with the ID3v1 at its end, or in a chunk of WAV behind another
   that says a wrong size (mutagen);
3. APE at the end of any file (mutagen);
4. what the decoder finds, which includes Matroska's tags and the INFO list of WAV (FFmpeg).

Tags in the wild contain anything: line breaks, null characters, a page of text, ten artists. A value
becomes one line of at most 300 characters, without control characters and bidirectional marks. If a tag
has several values, the first genre is used, and the values of other tags are joined by commas.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from soundalike import foreign_text
from soundalike.audio import decoding
from soundalike.audio.mutagen_errors import DAMAGED
from soundalike.errors import AudioError

NAMES = ("title", "artist", "album", "genre", "year")
MAX_CHARACTERS = 300
_TAIL_BYTES = 2**20
_FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON", "year": "TDRC"}
"""ID3 frames, where mutagen has no simpler names for them."""
_KEYS = {
    "title": ("title", "Title"),
    "artist": ("artist", "Author"),
    "album": ("album", "WM/AlbumTitle"),
    "genre": ("genre", "WM/Genre"),
    "year": ("date", "year", "WM/Year"),
}
"""Names of other tags, in order of preference."""
_DECODER_KEYS = {
    "title": ("title",),
    "artist": ("artist", "author", "album/artist"),
    "album": ("album", "album/title"),
    "genre": ("genre",),
    "year": ("date", "year", "date_recorded", "date_released"),
}
"""FFmpeg's names; those with a slash are Matroska's tags of a whole album."""
_Found = dict[str, Sequence[str]]
_Source = Path | bytes


def read(source: Path | bytes) -> dict[str, str]:
    """Read those of `NAMES` that a file or its bytes have; none if the tags cannot be read.

    Values are single lines of 1 to 300 characters.
    """
    found: dict[str, str] = {}
    for place in (_of_container, _of_id3, _of_lost_chunk, _of_ape, _of_decoder):
        if len(found) == len(NAMES):
            break
        texts = {name: _text(name, values) for name, values in _or_nothing(place, source).items()}
        found = {name: text for name, text in texts.items() if text} | found
    return {name: found[name] for name in NAMES if name in found}


def of_upload(content: bytes, _: str) -> dict[str, str]:
    """As `read`; for `sandbox.call`, which also gives the file's name."""
    return read(content)


def clean(text: str) -> str:
    """Text as one line of at most 300 characters, without unprintable characters."""
    kept = (" " if c.isspace() else c for c in text[: 10 * MAX_CHARACTERS] if _can_be_shown(c))
    line = " ".join("".join(kept).split())
    return foreign_text.shortened(line, MAX_CHARACTERS)


def _or_nothing(place: Callable[[_Source], _Found], source: _Source) -> _Found:
    import mutagen

    try:
        return place(source)
    except (mutagen.MutagenError, AudioError, *DAMAGED):
        return {}


def _of_container(source: _Source) -> _Found:
    import mutagen

    file = mutagen.File(_file(source), easy=True)
    return {} if file is None or file.tags is None else _values(file.tags)


def _of_id3(source: _Source) -> _Found:
    from mutagen import id3

    tags: Any = id3.ID3
    return _values(tags(_file(source)))


def _of_lost_chunk(source: _Source) -> _Found:
    """ID3 in the last part of a WAV file, where no chunk's size leads to it."""
    from mutagen import id3

    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        if file.read(4) not in (b"RIFF", b"RF64"):
            return {}
        file.seek(max(file.seek(0, io.SEEK_END) - _TAIL_BYTES, 0))
        tail = file.read()
    place = max(tail.rfind(b"id3 "), tail.rfind(b"ID3 "))
    tags: Any = id3.ID3
    return _values(tags(io.BytesIO(tail[place + 8 :]))) if place >= 0 else {}


def _of_ape(source: _Source) -> _Found:
    from mutagen import apev2

    tags: Any = apev2.APEv2
    return _values(tags(_file(source)))


def _of_decoder(source: _Source) -> _Found:
    said = decoding.probe(source).tags
    return {name: _first(said, keys) for name, keys in _DECODER_KEYS.items()}


def _file(source: _Source) -> Path | io.BytesIO:
    """What mutagen can read."""
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _first(said: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    return next(([said[key]] for key in keys if said.get(key)), [])


def _values(tags: Any) -> _Found:
    """Lists of values by name, without tags that cannot be read."""
    from mutagen.id3 import ID3

    found: _Found = {}
    for name in NAMES:
        for key in (_FRAMES[name],) if isinstance(tags, ID3) else _KEYS[name]:
            try:
                values = tags[key]
                # ID3 numbers genres; mutagen gives their names.
                values = getattr(values, "genres", None) or getattr(values, "text", values)
                found[name] = [values] if isinstance(values, str) else [str(value) for value in values]
                break
            except DAMAGED:
                continue
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
