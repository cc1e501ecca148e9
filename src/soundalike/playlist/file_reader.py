"""Read playlist files from this and other programs.

`read` parses M3U and M3U8, PLS, XSPF, JSPF, CSV, WPL, the XML of Rhythmbox and iTunes, or a ZIP that
contains one of them. The format is recognised by content, and by file name only where the content is
ambiguous. `entry_matching` finds the entries in a library. Files are untrusted: nothing they refer to is
opened, on disk or over the network, and their cost is bounded by `MAX_BYTES` and `MAX_ENTRIES` per list.
A server uses `sandboxed_reader`, so that a list which is slow to parse holds up nobody.

`file_writer` writes some of these formats and cites their specifications.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile

from soundalike.playlist import csv_lists, xml_lists
from soundalike.playlist.file_writer import TRACK_URI, one_line
from soundalike.playlist.listing_file import (
    ASK,
    MAX_BYTES,
    MAX_CHARACTERS,
    MAX_ENTRIES,
    ListingFile,
    Reference,
    artist_and_title,
    length,
    reference,
)
from soundalike.playlist.listing_file import ListingError as ListingError

SUFFIXES = (
    *(".m3u8", ".m3u", ".xspf", ".jspf", ".json", ".csv", ".txt", ".tsv", ".pls", ".wpl", ".zpl"),
    *(".xml", ".zip"),
)
"""Endings of the files that are offered for opening."""
_ZIP_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_SUFFIXES_IN_ZIP = (".xspf", ".jspf", ".csv", ".m3u8", ".m3u", ".pls", ".wpl")
"""List formats in order of preference; those with track ids come first."""
_JSPF_FIELDS = ("location", "identifier", "title", "creator", "duration")
_VALUES = 100 * MAX_ENTRIES
_DAMAGED_ZIP = (BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, OverflowError)
"""Exceptions that `zipfile` raises on archives that are truncated, corrupt or of an unsupported kind."""
_EXTINF = re.compile(
    r"""\#EXTINF:\s*+(-?\d++(?:\.\d++)?+)?+          # the length
        (?:\s++[^\s=,"]++=(?:"[^"]*+"|[^\s,"]*+))*+  # attributes, which may hold commas
        \s*+,(.*)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_PLS = re.compile(r"\s*+(file|title|length)(\d{1,9})\s*+=(.*)", re.IGNORECASE | re.DOTALL)


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
    file = ListingFile(one_line(name) or "The file", content)
    if not content.strip():
        raise file.refused(f"is empty. {ASK}.")
    if content.startswith(_ZIP_BEGINS) or file.suffix == ".zip":
        file = _list_in(file)
    references = tuple(islice(_reader(file)(file), MAX_ENTRIES + 1))
    if not references:
        raise file.refused(f"contains no tracks. {ASK}.")
    if len(references) > MAX_ENTRIES:
        raise file.refused(f"has more than {MAX_ENTRIES:,} entries. Split it into smaller files.")
    return references


def _reader(file: ListingFile) -> Callable[[ListingFile], Iterator[Reference]]:
    head = file.head
    if head[:7].upper() == "#EXTM3U":
        return _from_m3u
    if head[:10].lower() == "[playlist]":
        return _from_pls
    if head.startswith("<"):
        return _from_xml
    if head.startswith("{"):
        return _from_jspf
    if csv_lists.is_table(head):
        return csv_lists.entries
    by_suffix: dict[str, Callable[[ListingFile], Iterator[Reference]]] = {
        ".xspf": _from_xml,
        ".jspf": _from_jspf,
        ".json": _from_jspf,
        ".csv": csv_lists.entries,
        ".tsv": csv_lists.entries,
    }
    return by_suffix.get(file.suffix, _from_m3u)


def _list_in(file: ListingFile) -> ListingFile:
    """The playlist inside a ZIP."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            lists = [entry for entry in archive.infolist() if _is_list(entry.filename)]
            if not lists:
                raise file.refused(f"contains no playlist. {ASK}.")
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
    return ListingFile(f"{file.name}, {one_line(entry.filename)}", content)


def _is_list(name: str) -> bool:
    # macOS adds a hidden companion file for each packed file.
    return name.lower().endswith(_SUFFIXES_IN_ZIP) and "__MACOSX" not in name


def _rank_in_zip(entry: zipfile.ZipInfo) -> tuple[int, int, str]:
    suffix = PurePosixPath(entry.filename).suffix.lower()
    return _SUFFIXES_IN_ZIP.index(suffix), entry.filename.count("/"), entry.filename


def _lines(file: ListingFile) -> Iterator[str]:
    # Not str.splitlines, which also splits at characters that may occur in file names.
    return iter(io.StringIO(file.text, newline=None))


def _from_m3u(file: ListingFile) -> Iterator[Reference]:
    artist = title = ""
    seconds: float | None = None
    for line in _lines(file):
        if line[:8].upper() == "#EXTINF:":
            found = _EXTINF.match(line)
            shown = found[2] if found else line.partition(",")[2]
            artist, title = artist_and_title(shown[:MAX_CHARACTERS])
            seconds = length((found and found[1]) or "")
        elif line.strip() and not line.startswith("#"):
            yield reference(line, title, artist, seconds=seconds)
            artist, title, seconds = "", "", None


def _from_pls(file: ListingFile) -> Iterator[Reference]:
    found: dict[int, dict[str, str]] = {}
    for line in _lines(file):
        if said := _PLS.match(line):
            found.setdefault(int(said[2]), {})[said[1].lower()] = said[3][:MAX_CHARACTERS]
    for number in sorted(found):
        facts = found[number]
        if facts.get("file", "").strip():
            artist, title = artist_and_title(facts.get("title", ""))
            yield reference(facts["file"], title, artist, seconds=length(facts.get("length", "")))


def _from_jspf(file: ListingFile) -> Iterator[Reference]:
    # Parsed into memory, megabytes of two-character values would take most of a gigabyte.
    if file.text.count(",") > _VALUES:
        raise file.refused(f"has over {MAX_ENTRIES:,} entries or too much data. Split it.")
    try:
        tracks = json.loads(file.text.lstrip("\ufeff"))["playlist"]["track"]
    except RecursionError as error:
        raise file.refused(f"is nested too deeply. {ASK}.") from error
    except json.JSONDecodeError as error:
        raise file.refused(f"is damaged JSON ({error}). Export it again.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise file.refused(f"is JSON but not JSPF. {ASK}.") from error
    if not isinstance(tracks, list) or not all(isinstance(track, dict) for track in tracks):
        raise file.refused(f"is JSON but not JSPF. {ASK}.")
    return (_of_fields({name: _strings(track.get(name)) for name in _JSPF_FIELDS}) for track in tracks)


def _strings(value: Any) -> list[str]:
    """The strings and numbers in a JSPF field; fields that can repeat hold a list."""
    values = value if isinstance(value, list) else [value]
    return [str(one) for one in values if isinstance(one, str) or type(one) in (int, float)]


def _from_xml(file: ListingFile) -> Iterator[Reference]:
    try:
        tracks = xml_lists.tracks(file.text.lstrip("\ufeff"), MAX_ENTRIES)
    except xml_lists.DocumentTypeError as error:
        raise file.refused(
            "has a document type, which playlists don't need. Export it again."
        ) from error
    except ValueError as error:
        raise file.refused(f"is damaged XML ({error}). Export it again.") from error
    if tracks is None:
        raise file.refused(f"is XML but not a playlist. {ASK}.")
    return map(_of_fields, tracks)


def _of_fields(fields: Mapping[str, Sequence[str]]) -> Reference:
    """A track from the fields of XSPF or JSPF."""
    identifiers = map(str.strip, fields.get("identifier", ()))
    ids = [unquote(uri.removeprefix(TRACK_URI)) for uri in identifiers if uri.startswith(TRACK_URI)]
    first = {name: values[0] for name, values in fields.items() if values}
    location, title, artist = (first.get(name, "") for name in ("location", "title", "creator"))
    seconds = length(first.get("duration", ""), 0.001)
    return reference(location, title, artist, ids[0] if ids else None, seconds)
