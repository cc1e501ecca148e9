"""Read playlists that are tables: our own, of spreadsheets, and of programs that export services' lists.

A table needs a header. Columns are found by the names that Soundalike, Exportify, TuneMyMusic and iTunes
give them. The delimiter is the commonest of comma, semicolon and tab in the header, or what Excel's line
`sep=;` says.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from soundalike.foreign_text import from_cell
from soundalike.playlist.listing_file import BLANK, ListingFile, Reference, length, reference

_NAMES = {
    "file": ("file", "location", "path", "file path", "filename"),
    "title": ("title", "track name", "track title", "song", "song name", "name", "track"),
    "artist": ("artist", "artist name(s)", "artist name", "artists", "track artist", "creator"),
    "track_id": ("track_id",),
    "seconds": ("seconds", "duration (s)", "time"),
    "milliseconds": ("track duration (ms)", "duration (ms)", "duration_ms"),
}
"""Names of columns in lower case, in order of preference."""
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?[^\r\n]*(\r\n|\r|\n|$)', re.IGNORECASE)


def is_table(head: str) -> bool:
    """Whether a text begins with a header that has at least two known columns."""
    return len(_columns(head)) > 1


def entries(file: ListingFile) -> Iterator[Reference]:
    """The rows of a table.

    Raises
    ------
    ListingError
        If it has no known columns, or is damaged.
    """
    columns = _columns(file.head)
    if not columns.keys() & {"track_id", "file", "title"}:
        raise file.refused("needs a header row with a track_id, file or title column.")
    form = _form(file.head)
    text = io.StringIO(file.text.lstrip(BLANK)[form.start :], newline="")
    try:
        for row in islice(form.reader(text), 1, None):
            cells = {name: from_cell(row[at]) for name, at in columns.items() if at < len(row)}
            if any(cells.values()):
                yield _reference(cells)
    except csv.Error as error:
        raise file.refused(f"is a damaged table ({error}). Export it again.") from error


def _reference(cells: dict[str, str]) -> Reference:
    seconds = length(cells.get("seconds", "")) or length(cells.get("milliseconds", ""), 0.001)
    location, title, artist, track_id = (
        cells.get(name, "") for name in ("file", "title", "artist", "track_id")
    )
    return reference(location, title, artist, track_id or None, seconds)


@dataclass(frozen=True)
class _Form:
    """How a table is written.

    Attributes
    ----------
    delimiter : what is between fields
    is_spaced : whether a space follows the delimiter
    start : where the header starts
    """

    delimiter: str
    is_spaced: bool
    start: int

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The rows of the table's lines."""
        return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.is_spaced)


def _form(head: str) -> _Form:
    said = _SEPARATOR.match(head)
    start = said.end() if said else 0
    header = "".join(head[start:].splitlines()[:1])
    # Spreadsheets use semicolons in locales where the comma is the decimal separator.
    delimiter = said[1] if said else max(",;\t", key=header.count)
    return _Form(delimiter, f"{delimiter} " in header, start)


def _columns(head: str) -> dict[str, int]:
    """Column positions by what they hold, from text that begins with a table's header."""
    form = _form(head)
    try:
        header = next(form.reader(head[form.start :].splitlines()[:1]), [])
    except csv.Error:
        return {}
    found = [name.strip().casefold() for name in header]
    places = {what: [name for name in names if name in found] for what, names in _NAMES.items()}
    return {what: found.index(names[0]) for what, names in places.items() if names}
