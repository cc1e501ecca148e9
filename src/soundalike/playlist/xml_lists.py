"""Read playlists in XML: XSPF, WPL of Windows Media Player, Rhythmbox's and iTunes'.

XSPF, WPL and Rhythmbox's lists are parsed without building a tree, with bounds on their parts. iTunes
writes a property list, which the standard library reads.

A few nested entities can expand to gigabytes or refer to files and addresses. They need a document type,
so all are refused but the one without entities that every property list has.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

MAX_DEPTH, MAX_ATTRIBUTES = 100, 50
MAX_ELEMENTS = 50
"""For each track that is allowed; our own tracks have about a dozen."""
_TRACK_PATH = ["playlist", "trackList", "track"]
_RHYTHMBOX_PATH = ["rhythmdb-playlists", "playlist", "location"]
_WANTED = frozenset({"location", "identifier", "title", "creator", "duration"})
_OF_WPL = {
    "src": "location",
    "trackTitle": "title",
    "trackArtist": "creator",
    "duration": "duration",
}
_OF_ITUNES = {
    "Location": "location",
    "Name": "title",
    "Artist": "creator",
    "Total Time": "duration",
}
_PLIST_TYPE = re.compile(
    r'<!DOCTYPE plist PUBLIC "-//Apple[^"<>]*" "https?://www\.apple\.com/DTDs/PropertyList-1\.0\.dtd">'
)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_PIECE = 65_536
_BROKEN = (ExpatError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""Exceptions that `plistlib` raises on files that are damaged or another kind."""

Fields = dict[str, list[str]]
"""A track's texts by XSPF's names for them; durations are in milliseconds."""


class DocumentTypeError(ValueError):
    """The document has a document type, which could hold entities."""


def tracks(text: str, most: int) -> list[Fields] | None:
    """The tracks of a document; None if it isn't a playlist of a known kind.

    Parameters
    ----------
    text : the document
    most : the number of tracks after which no more are collected, except one

    Raises
    ------
    DocumentTypeError
        If the document has a document type.
    ValueError
        If the document is no valid XML, or exceeds a bound.
    """
    # The text is decoded already, whatever encoding it declares.
    document = _DECLARATION.sub("", text, count=1)
    document, is_plist = _PLIST_TYPE.subn("", document, count=1)
    if "<!DOCTYPE" in document:
        raise DocumentTypeError("document type")
    content = document.encode("utf-8", "surrogatepass")
    if is_plist or document.lstrip().startswith("<plist"):
        return _from_itunes(content, most)
    found = _Tracks(most)
    parser = ElementTree.XMLParser(target=found)
    try:
        # The parser reports an error raised by the target only after the chunk it was fed.
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
        parser.close()
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    return found.found if found.root in ("playlist", "smil", "rhythmdb-playlists") else None


def _from_itunes(content: bytes, most: int) -> list[Fields] | None:
    """The tracks of the first list, or of the whole library if there is no list."""
    if content.count(b"<") > 2 * MAX_ELEMENTS * most:
        raise ValueError("too many elements")
    try:
        library = plistlib.loads(content, fmt=plistlib.FMT_XML)
        known = {str(number): track for number, track in library["Tracks"].items()}
        lists = [one for one in library.get("Playlists", []) if one.get("Playlist Items")]
        chosen = next((one for one in lists if not one.get("Master")), None)
        rows = [str(item["Track ID"]) for item in chosen["Playlist Items"]] if chosen else [*known]
        return [_fields(known[row], _OF_ITUNES) for row in rows[: most + 1] if row in known]
    except ExpatError as error:
        raise ValueError(str(error)) from error
    except _BROKEN:
        return None


def _fields(facts: Mapping[str, Any], names: Mapping[str, str]) -> Fields:
    return {name: [str(facts[own])] for own, name in names.items() if own in facts}


class _Tracks:
    """XML parser target that collects the wanted fields."""

    def __init__(self, most: int) -> None:
        self.root = ""
        self.found: list[Fields] = []
        self._most = most
        self._elements = 0
        self._path: list[str] = []
        self._text: list[str] = []
        self._fields: Fields = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._path.append(name)
        self._elements += 1
        if len(self._path) > MAX_DEPTH:
            raise ValueError("elements nested too deeply")
        if self._elements > MAX_ELEMENTS * self._most or len(attributes) > MAX_ATTRIBUTES:
            raise ValueError("too many elements or attributes")
        self._text = []
        if self._path == _TRACK_PATH:
            self._fields = {}
        elif self.root == "smil" and name == "media":
            self._add(_fields(attributes, _OF_WPL))

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        name = self._path[-1]
        if self._path == _TRACK_PATH:
            self._add(self._fields)
        elif self._path == _RHYTHMBOX_PATH:
            self._add({"location": ["".join(self._text)]})
        self._path.pop()
        if self._path == _TRACK_PATH and name in _WANTED:
            self._fields.setdefault(name, []).append("".join(self._text))
        self._text = []

    def close(self) -> None:
        """Do nothing; required by the parser's target interface."""

    def _add(self, fields: Fields) -> None:
        if len(self.found) <= self._most:
            self.found.append(fields)
