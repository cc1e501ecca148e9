"""Read playlist files from this and other programs, and find their entries in a library.

`read` parses M3U and M3U8, XSPF, JSPF, CSV, or a ZIP that contains one of them. The format is recognised
by content, and by file name only where the content is ambiguous. `resolve` finds the entries in a
library. Files are untrusted: nothing they refer to is opened, on disk or over the network, and their
cost is bounded by `MAX_BYTES` per list and `MAX_ENTRIES` per list. A server uses `sandboxed_reader`, so
that a list which is slow to parse holds up nobody.

`file_writer` writes these formats and cites their specifications.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zipfile import BadZipFile

from soundalike.errors import SoundalikeError
from soundalike.foreign_text import from_cell
from soundalike.playlist import xspf_parser
from soundalike.playlist.file_writer import TRACK_URI, label, one_line

if TYPE_CHECKING:
    from soundalike.index.index import Index

MAX_ENTRIES = 5_000
MAX_BYTES = 5_000_000
"""Size limit of a list; audio packed with it in a ZIP isn't counted."""
MAX_CHARACTERS = 4_096
"""Limit of an entry's text, as long as the longest path of most systems; the rest is cut off."""

_ZIP_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_SUFFIXES_IN_ZIP = (".xspf", ".jspf", ".csv", ".m3u8", ".m3u")
"""List formats in order of preference; those with track ids come first."""
_COLUMNS = ("file", "title", "artist", "track_id")
_TRACK_FIELDS = frozenset({"location", "identifier", "title", "creator"})
_HEAD = 4_096
_VALUES = 100 * MAX_ENTRIES
_NAMED, _NAME_LENGTH = 3, 80
_ASK = "Choose an M3U8, XSPF, JSPF, CSV or ZIP playlist"
_DAMAGED_ZIP = (BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, OverflowError)
"""Exceptions that `zipfile` raises on archives that are truncated, corrupt or of an unsupported kind."""


class ListingError(SoundalikeError):
    """The file isn't a playlist or exceeds the limits."""


@dataclass(frozen=True)
class Reference:
    """What a playlist entry states about a track; "" where nothing is stated.

    Attributes
    ----------
    location : a path or URI as written in the file
    track_id : Soundalike's track id, or None
    """

    location: str
    track_id: str | None
    title: str
    artist: str


def read(content: bytes, name: str) -> tuple[Reference, ...]:
    """Parse a playlist file and return its entries in order.

    Parameters
    ----------
    content : the file's bytes
    name : the file's name, for messages and, if the content is ambiguous, for its suffix

    Raises
    ------
    ListingError
        If the file isn't a playlist, is damaged, has no tracks, or exceeds the limits.
    """
    file = _File(one_line(name) or "The file", content)
    if not content.strip():
        raise file.refused(f"is empty. {_ASK}.")
    if content.startswith(_ZIP_BEGINS) or file.suffix == ".zip":
        file = _list_in(file)
    references = tuple(islice(_entries(file), MAX_ENTRIES + 1))
    if not references:
        raise file.refused(f"contains no tracks. {_ASK}.")
    if len(references) > MAX_ENTRIES:
        raise file.refused(f"has more than {MAX_ENTRIES:,} entries. Split it into smaller files.")
    return references


def resolve(index: Index, references: Iterable[Reference]) -> tuple[list[int], list[str]]:
    """Find the entries of a playlist file in a library.

    An entry matches by track id, unless the titles differ. Otherwise, it matches the track whose path
    relative to the library's folder is a suffix of the entry's location. Otherwise, it matches the only
    track with its title and artist. For a file directly in the library's folder, the titles must agree
    too: many libraries have a 01.mp3.

    Parameters
    ----------
    index : the library
    references : entries from `read`

    Returns
    -------
    rows of the library, in order and without repeats; and sentences about missing and repeated entries
    """
    catalogue = _Catalogue(index)
    rows: dict[int, None] = {}
    missing: list[Reference] = []
    repeated = 0
    for reference in references:
        row = catalogue.row(reference)
        if row is None:
            missing.append(reference)
        elif row in rows:
            repeated += 1
        else:
            rows[row] = None
    return list(rows), _notes(missing, repeated, len(rows))


@dataclass(frozen=True)
class _File:
    """A file to parse, possibly from inside a ZIP."""

    name: str
    content: bytes

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    def refused(self, reason: str) -> ListingError:
        return ListingError(one_line(f"{self.name} {reason}"))

    def head(self) -> str:
        """The beginning of the text."""
        return self.content[:_HEAD].decode(errors="replace").removeprefix("\ufeff").lstrip()

    def text(self) -> str:
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # M3U predates M3U8 and uses the encoding of the computer that wrote it.
            if self.suffix == ".m3u":
                return self.content.decode("latin-1")
            raise self.refused("is not UTF-8 text. Save it as UTF-8.") from error


def _entries(file: _File) -> Iterator[Reference]:
    if len(file.content) > MAX_BYTES:
        raise file.refused(f"is larger than {MAX_BYTES // 1_000_000} MB. Split it into smaller files.")
    if b"\0" in file.content:
        raise file.refused(f"is binary data, not a playlist. {_ASK}.")
    return _reader(file)(file)


def _reader(file: _File) -> Callable[[_File], Iterator[Reference]]:
    head = file.head()
    if head.startswith("#EXTM3U"):
        return _from_m3u
    if head.startswith("<"):
        return _from_xspf
    if head.startswith("{"):
        return _from_jspf
    if len(_columns(head)) > 1:
        return _from_csv
    by_suffix = {".xspf": _from_xspf, ".jspf": _from_jspf, ".json": _from_jspf, ".csv": _from_csv}
    return by_suffix.get(file.suffix, _from_m3u)


def _list_in(file: _File) -> _File:
    """The playlist inside a ZIP."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            lists = [entry for entry in archive.infolist() if _is_list(entry.filename)]
            if not lists:
                raise file.refused(f"contains no playlist. {_ASK}.")
            entry = min(lists, key=_rank_in_zip)
            if entry.flag_bits & 1:
                raise file.refused("is encrypted. Create it again without a password.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise file.refused("uses unsupported compression. Create it again as a plain ZIP.")
            # An archive can misstate sizes, so no more than the limit is unpacked.
            with archive.open(entry) as packed:
                content = packed.read(MAX_BYTES + 1)
    except _DAMAGED_ZIP as error:
        raise file.refused("is not a valid ZIP file. Create it again.") from error
    return _File(f"{file.name}, {one_line(entry.filename)}", content)


def _is_list(name: str) -> bool:
    # macOS adds a hidden companion file for each packed file.
    return name.lower().endswith(_SUFFIXES_IN_ZIP) and "__MACOSX" not in name


def _rank_in_zip(entry: zipfile.ZipInfo) -> tuple[int, int, str]:
    suffix = PurePosixPath(entry.filename).suffix.lower()
    return _SUFFIXES_IN_ZIP.index(suffix), entry.filename.count("/"), entry.filename


def _from_m3u(file: _File) -> Iterator[Reference]:
    shown = ""
    # Not str.splitlines, which also splits at characters that may occur in file names.
    for line in io.StringIO(file.text(), newline=None):
        if line.startswith("#EXTINF:"):
            shown = line.partition(",")[2]
        elif line.strip() and not line.startswith("#"):
            artist, dash, title = one_line(shown).partition(" - ")
            yield _reference(line, title if dash else artist, artist if dash else "")
            shown = ""


def _from_csv(file: _File) -> Iterator[Reference]:
    columns = _columns(file.head())
    if not columns.keys() & {"track_id", "file", "title"}:
        raise file.refused("needs a header row with a track_id, file or title column.")
    text = io.StringIO(file.text().lstrip(), newline="")
    try:
        for row in islice(csv.reader(text, delimiter=_delimiter(file.head())), 1, None):
            cells = {name: from_cell(row[at]) for name, at in columns.items() if at < len(row)}
            if any(cells.values()):
                location, title, artist, track_id = (cells.get(name, "") for name in _COLUMNS)
                yield _reference(location, title, artist, track_id or None)
    except csv.Error as error:
        raise file.refused(f"is a damaged table ({error}). Export it again.") from error


def _columns(head: str) -> dict[str, int]:
    """Column positions by name, from text that begins with a table's header."""
    header = next(csv.reader(head.splitlines()[:1], delimiter=_delimiter(head)), [])
    names = [name.strip().casefold() for name in header]
    return {name: names.index(name) for name in names if name in _COLUMNS}


def _delimiter(head: str) -> str:
    # Spreadsheets use semicolons in locales where the comma is the decimal separator.
    header = "".join(head.splitlines()[:1])
    return max(",;\t", key=header.count)


def _from_jspf(file: _File) -> Iterator[Reference]:
    text = file.text()
    # Parsed into memory, megabytes of two-character values would take most of a gigabyte.
    if text.count(",") > _VALUES:
        raise file.refused(f"has over {MAX_ENTRIES:,} entries or too much data. Split it.")
    try:
        tracks = json.loads(text)["playlist"]["track"]
    except RecursionError as error:
        raise file.refused(f"is nested too deeply. {_ASK}.") from error
    except json.JSONDecodeError as error:
        raise file.refused(f"is damaged JSON ({error}). Export it again.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise file.refused(f"is JSON but not JSPF. {_ASK}.") from error
    if not isinstance(tracks, list) or not all(isinstance(track, dict) for track in tracks):
        raise file.refused(f"is JSON but not JSPF. {_ASK}.")
    return (_of_fields({name: _strings(track.get(name)) for name in _TRACK_FIELDS}) for track in tracks)


def _strings(value: Any) -> list[str]:
    """The strings in a JSPF field; fields that can repeat hold a list."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _from_xspf(file: _File) -> Iterator[Reference]:
    # A few nested entities can expand to gigabytes or refer to files and addresses. XSPF needs no
    # entities, and refusing document type declarations rules them out.
    if b"<!DOCTYPE" in file.content:
        raise file.refused("has a document type, which XSPF doesn't allow. Export it again.")
    try:
        tracks = xspf_parser.tracks(file.content, _TRACK_FIELDS, MAX_ENTRIES)
    except ValueError as error:
        raise file.refused(f"is damaged XML ({error}). Export it again.") from error
    if tracks is None:
        raise file.refused(f"is XML but not XSPF. {_ASK}.")
    return map(_of_fields, tracks)


def _of_fields(fields: Mapping[str, Sequence[str]]) -> Reference:
    """A track from the fields of XSPF or JSPF."""
    identifiers = map(str.strip, fields.get("identifier", ()))
    ids = [unquote(uri.removeprefix(TRACK_URI)) for uri in identifiers if uri.startswith(TRACK_URI)]
    first = {name: values[0] for name, values in fields.items() if values}
    location, title, artist = (first.get(name, "") for name in ("location", "title", "creator"))
    return _reference(location, title, artist, ids[0] if ids else None)


def _reference(location: str, title: str, artist: str, track_id: str | None = None) -> Reference:
    location, title, artist = (one_line(text[:MAX_CHARACTERS]) for text in (location, title, artist))
    return Reference(location, track_id and track_id[:MAX_CHARACTERS], title, artist)


class _Catalogue:
    """Lookup tables from entry fields to library rows, each built on first use."""

    def __init__(self, index: Index) -> None:
        columns = ("track_id", "file", "title", "artist")
        ids, files, self._titles, self._artists = (index.tracks[name].tolist() for name in columns)
        self._ids: dict[str, int] = {track_id: row for row, track_id in enumerate(ids)}
        self._files: list[str] = files

    def row(self, reference: Reference) -> int | None:
        """The row that matches an entry, or None."""
        row = self._ids.get(reference.track_id or "")
        if row is not None and self._agrees(row, reference):
            return row
        row = self._row_of_file(reference)
        return self._row_of_name(reference) if row is None else row

    def _row_of_file(self, reference: Reference) -> int | None:
        for location in (reference.location, unquote(reference.location)):
            folders = _path(location).split("/")
            for start in range(max(0, len(folders) - self._depth), len(folders)):
                row = self._by_file.get("/".join(folders[start:]))
                if row is not None and (start < len(folders) - 1 or self._agrees(row, reference)):
                    return row
        return None

    def _row_of_name(self, reference: Reference) -> int | None:
        shown = _label(reference.title, reference.artist)
        if shown in self._by_label or reference.artist:
            return self._by_label.get(shown)
        return self._by_title.get(_folded(reference.title))

    def _agrees(self, row: int, reference: Reference) -> bool:
        """Whether a track's title matches an entry's, if the entry has one."""
        if not reference.title:
            return True
        title, artist = self._titles[row], self._artists[row]
        # M3U joins artist and title in one string, and where to split it is ambiguous.
        shown = _label(reference.title, reference.artist)
        return _folded(title) in (_folded(reference.title), shown) or _label(title, artist) == shown

    @cached_property
    def _by_file(self) -> dict[str, int]:
        return {_path(file): row for row, file in enumerate(self._files)}

    @cached_property
    def _depth(self) -> int:
        return max((file.count("/") + 1 for file in self._by_file), default=1)

    @cached_property
    def _by_title(self) -> dict[str, int]:
        return _unique(map(_folded, self._titles))

    @cached_property
    def _by_label(self) -> dict[str, int]:
        return _unique(map(_label, self._titles, self._artists))


def _path(location: str) -> str:
    parts = unicodedata.normalize("NFC", one_line(location)).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def _folded(text: str) -> str:
    """Normalise text: ignore case, spaces and the encoding of accents, which differ between programs."""
    return unicodedata.normalize("NFC", " ".join(one_line(text).split()).casefold())


def _label(title: str, artist: str) -> str:
    return _folded(label(one_line(title), one_line(artist)))


def _unique(names: Iterable[str]) -> dict[str, int]:
    """Rows by name, for names that belong to exactly one track."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return {name: found[0] for name, found in rows.items() if len(found) == 1 and name}


def _notes(missing: Sequence[Reference], repeated: int, found: int) -> list[str]:
    notes = []
    if missing:
        count, total = len(missing), len(missing) + repeated + found
        verb = "is" if count == 1 else "are"
        notes.append(f"{count} of {total} entries {verb} not in this library: {_named(missing)}.")
    if repeated:
        entries = "1 duplicate entry" if repeated == 1 else f"{repeated} duplicate entries"
        notes.append(f"Ignored {entries}.")
    return notes


def _named(references: Sequence[Reference]) -> str:
    parts = [f"“{_shown(reference)}”" for reference in references[:_NAMED]]
    if len(references) > _NAMED:
        parts.append(f"{len(references) - _NAMED} more")
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _shown(reference: Reference) -> str:
    name = label(reference.title, reference.artist) or reference.location or reference.track_id or ""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
