"""A playlist file as it comes: its name, its text in whatever encoding, and what an entry states.

`file_reader` parses it. Text is UTF-8 or UTF-16 by its byte order mark, else what an XML declaration
names, else UTF-8, else Windows' Western encoding: many players write lists in the encoding of their
computer, whatever the file's name is.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from soundalike.errors import SoundalikeError
from soundalike.playlist.file_writer import one_line

MAX_ENTRIES = 5_000
MAX_BYTES = 5_000_000
"""Size limit of a list; audio packed with it in a ZIP isn't counted."""
MAX_CHARACTERS = 4_096
"""Limit of an entry's text, as long as the longest path of most systems; the rest is cut off."""
ASK = "Choose an M3U8, XSPF, JSPF, CSV, PLS, WPL, XML or ZIP playlist"

BLANK = "\ufeff \t\r\n"
"""What may come before a list."""
_HEAD = 4_096
_DECLARED = re.compile(rb"""<\?xml [^>]{0,100}encoding=["']((?:iso-8859-|windows-125)\d+)["']""", re.I)
_BETWEEN = (" - ", " \u2013 ", " \u2014 ")
"""What stands between artist and title: a hyphen, or else a dash."""


class ListingError(SoundalikeError):
    """The file isn't a playlist or exceeds the limits."""


@dataclass(frozen=True)
class Reference:
    """What a playlist entry states about a track; "" where nothing is stated.

    Attributes
    ----------
    location : a path or URI as written in the file
    track_id : Soundalike's track id, or None
    seconds : the track's length, or None
    """

    location: str
    track_id: str | None
    title: str
    artist: str
    seconds: float | None = None


@dataclass(frozen=True)
class ListingFile:
    """A file to parse, possibly from inside a ZIP."""

    name: str
    content: bytes

    @property
    def suffix(self) -> str:
        """The ending of its name, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    def refused(self, reason: str) -> ListingError:
        """The error for this file: its name and a reason."""
        return ListingError(one_line(f"{self.name} {reason}"))

    @cached_property
    def text(self) -> str:
        """The whole text.

        Raises
        ------
        ListingError
            If the file is too large or isn't text.
        """
        if len(self.content) > MAX_BYTES:
            raise self.refused(
                f"is larger than {MAX_BYTES // 1_000_000} MB. Split it into smaller files."
            )
        if self.content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            encodings = ["utf-16"]
        elif b"\0" in self.content:
            raise self.refused(f"is binary data, not a playlist. {ASK}.")
        else:
            declared = _DECLARED.match(self.content)
            encodings = [declared[1].decode()] if declared else ["utf-8-sig", "cp1252"]
        for encoding in encodings:
            try:
                return self.content.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
        raise self.refused("is not UTF-8 text. Save it as UTF-8.")

    @property
    def head(self) -> str:
        """The beginning of the text."""
        return self.text[:_HEAD].lstrip(BLANK)


def reference(
    location: str,
    title: str,
    artist: str,
    track_id: str | None = None,
    seconds: float | None = None,
) -> Reference:
    """An entry, with each text on one line and cut to its limit."""
    location, title, artist = (one_line(text[:MAX_CHARACTERS]) for text in (location, title, artist))
    return Reference(location, track_id and track_id[:MAX_CHARACTERS], title, artist, seconds)


def artist_and_title(shown: str) -> tuple[str, str]:
    """Split "Artist - Title", as players show a track; without an artist it's all title."""
    shown = one_line(shown)
    between = next((mark for mark in _BETWEEN if mark in shown), None)
    if between is None:
        return "", shown
    artist, _, title = shown.partition(between)
    return artist, title


def length(text: str, unit: float = 1.0) -> float | None:
    """A length in seconds from a number in some unit or from minutes and seconds; None if unknown."""
    parts = text.strip().split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    seconds = 0.0
    for number in numbers[:3]:
        seconds = 60 * seconds + number
    return unit * seconds if 0 < seconds < 1e7 else None
