"""Parse the tracks of an XSPF document, without building a tree and with bounds on its parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from xml.etree import ElementTree

MAX_DEPTH, MAX_ATTRIBUTES = 100, 50
MAX_ELEMENTS = 50
"""For each track that is allowed; our own tracks have about a dozen."""
_TRACK_PATH = ["playlist", "trackList", "track"]
_PIECE = 65_536

Fields = dict[str, list[str]]


def tracks(content: bytes, names: Collection[str], most: int) -> list[Fields] | None:
    """The tracks' texts by the names of their elements; None if the document isn't XSPF.

    Parameters
    ----------
    content : the document
    names : the elements that are wanted
    most : the number of tracks after which no more are collected, except one

    Raises
    ------
    ValueError
        If the document is no valid XML, or exceeds a bound.
    """
    found = _Tracks(names, most)
    parser = ElementTree.XMLParser(target=found)
    try:
        # The parser reports an error raised by the target only after the chunk it was fed.
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
        parser.close()
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    return found.found if found.root == _TRACK_PATH[0] else None


class _Tracks:
    """XML parser target that collects the wanted fields."""

    def __init__(self, names: Collection[str], most: int) -> None:
        self.root = ""
        self.found: list[Fields] = []
        self._names = names
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
        if self._at_track():
            self._fields = {}

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        name = self._path[-1]
        if self._at_track() and len(self.found) <= self._most:
            self.found.append(self._fields)
        self._path.pop()
        if self._at_track() and name in self._names:
            self._fields.setdefault(name, []).append("".join(self._text))
        self._text = []

    def close(self) -> None:
        """Do nothing; required by the parser's target interface."""

    def _at_track(self) -> bool:
        return self._path == _TRACK_PATH
