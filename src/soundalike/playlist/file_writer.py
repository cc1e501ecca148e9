"""Write playlists as files for other players and programs; `file_reader` reads them back.

    M3U8    one path per line, after #EXTINF:seconds,Artist - Title. It has no standard, only directives
            in common use. UTF-8 without a byte order mark, as RFC 8216 requires for this suffix.
    XSPF    XML Shareable Playlist Format, version 1 (https://xspf.org/spec).
    JSPF    the same fields as JSON (https://xspf.org/jspf).
    CSV     a table for spreadsheets and scripts (RFC 4180).
    ZIP     the audio itself, with the list as M3U8, XSPF and CSV and with credits.

Paths in a list are relative to the folder of the list, so list and audio can be moved together. All text
is reduced to one line: M3U8 is line-based, XML cannot represent most control characters, and all formats
should have the same text.

A spreadsheet would compute a title that begins with =, +, -, @ or a tab. In a CSV, an apostrophe goes
before such text, as OWASP recommends; `file_reader` takes it away again (`foreign_text`).

Output is deterministic: the same listing always gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree

from soundalike.errors import LibraryError
from soundalike.foreign_text import to_cell

if TYPE_CHECKING:
    from soundalike.index.index import Index


XSPF_NAMESPACE = "http://xspf.org/ns/0/"
TRACK_URI = "soundalike:track:"
"""Prefix of percent-encoded track ids, for formats whose identifiers must be URIs."""
COLUMNS = ("track_id", "title", "artist", "album", "genre", "licence", "file", "seconds", "similarity")
"""Column names of the CSV."""

_META_URI = "soundalike:meta:"
_CREATOR = "Soundalike"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*]')
_STEM_BYTES, _SUFFIX_CHARACTERS = 150, 16
_EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Item:
    """One track of a playlist file; unknown text is "" and an unknown number is None.

    Attributes
    ----------
    source : origin of the track, usually a web address
    file : path relative to the library's folder, with "/" as separator
    seconds : duration of the file
    similarity : similarity to the query of the playlist (-1 to 1)
    """

    track_id: str
    title: str
    artist: str
    album: str
    genre: str
    licence: str
    source: str
    file: str
    seconds: float | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Listing:
    """A playlist ready to be written.

    Attributes
    ----------
    title : title of the playlist
    items : tracks in order
    recipe : how the playlist was made, by name of each fact; written to XSPF, JSPF and the credits
    """

    title: str
    items: tuple[Item, ...]
    recipe: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """A file format: its suffix with the dot, its MIME type, and a description for users."""

    suffix: str
    mime: str
    title: str


FORMATS: Mapping[str, Format] = {
    "m3u8": Format(".m3u8", "audio/mpegurl", "M3U8 for music players"),
    "xspf": Format(".xspf", "application/xspf+xml", "XSPF for music players, with licences"),
    "jspf": Format(".jspf", "application/json", "JSPF (XSPF as JSON)"),
    "csv": Format(".csv", "text/csv", "CSV for spreadsheets"),
    "zip": Format(".zip", "application/zip", "ZIP with audio and credits"),
}


def of_rows(
    index: Index,
    rows: Sequence[int],
    similarities: Sequence[float] | None = None,
    title: str = "Soundalike playlist",
    recipe: Mapping[str, str] | None = None,
) -> Listing:
    """Make a listing from tracks of a library.

    Parameters
    ----------
    index : the library
    rows : rows of the tracks, in order
    similarities : similarity of each track, as many as rows
    title : title of the playlist
    recipe : how the playlist was made, by name of each fact
    """
    values = [None] * len(rows) if similarities is None else map(float, similarities)
    items = [_item(index, int(row), value) for row, value in zip(rows, values, strict=True)]
    return Listing(title, tuple(items), dict(recipe or {}))


def write(
    listing: Listing,
    kind: str,
    library: Path,
    beside: Path | None = None,
    clip: Callable[[Item], Path] | None = None,
) -> bytes:
    """Write a playlist file and return its bytes.

    Parameters
    ----------
    listing : what to write
    kind : a key of `FORMATS`
    library : the folder that the items' `file` is relative to
    beside : folder of the list, the library's by default; ignored for a ZIP, which includes the audio
    clip : the file to pack for an item, or a `LibraryError`, as `checked_clips` gives it; by default any
        file in `library`

    Raises
    ------
    ValueError
        If `kind` is unknown.
    """
    if kind not in FORMATS:
        raise ValueError(f"kind must be one of {', '.join(FORMATS)}, not {kind!r}")
    if kind == "zip":
        return _zip(_on_one_line(listing), clip or (lambda item: library / item.file))
    return _LISTS[kind](_placed(_on_one_line(listing), library, beside or library))


def checked_clips(index: Index) -> Callable[[Item], Path]:
    """For `write`: an item's file if the index may hand it out."""
    return lambda item: index.file(index.row(item.track_id))


def one_line(text: str) -> str:
    """Remove line breaks, control characters and characters that XML cannot represent."""
    if text.isprintable():
        # Fast path: nearly all text is printable, and a large library has much of it.
        return text.strip()
    parts = (part.strip() for part in _CONTROLS.split(_NOT_IN_XML.sub("\ufffd", text)))
    return " ".join(filter(None, parts))


def label(title: str, artist: str) -> str:
    """Label of a track as players show it: "Artist - Title", or whichever is known."""
    return " - ".join(filter(None, (artist, title)))


def seconds_of(index: Index, row: int) -> float | None:
    """The length of a track's file; None if the index doesn't have it."""
    try:
        seconds = float(index.fact("duration_s", row))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _item(index: Index, row: int, similarity: float | None) -> Item:
    return Item(
        track_id=index.fact("track_id", row),
        title=index.fact("title", row),
        artist=index.fact("artist", row),
        album=index.fact("album", row),
        genre=index.fact("genre", row),
        licence=index.fact("licence", row),
        source=index.fact("url", row),
        file=index.fact("file", row),
        seconds=seconds_of(index, row),
        similarity=similarity,
    )


def _on_one_line(listing: Listing) -> Listing:
    items = [
        replace(
            item,
            title=one_line(item.title),
            artist=one_line(item.artist),
            album=one_line(item.album),
            genre=one_line(item.genre),
            licence=one_line(item.licence),
            source=one_line(item.source),
        )
        for item in listing.items
    ]
    recipe = {one_line(name): one_line(fact) for name, fact in listing.recipe.items()}
    return Listing(one_line(listing.title), tuple(items), recipe)


def _placed(listing: Listing, library: Path, folder: Path) -> Listing:
    """The listing with each `file` relative to the folder of the list."""
    # Players resolve ".." from the folder's real path, which a symbolic link may hide.
    library, folder = library.resolve(), folder.resolve()
    items = [
        replace(item, file=Path(os.path.relpath(library / item.file, folder)).as_posix())
        for item in listing.items
    ]
    return replace(listing, items=tuple(items))


def _m3u8(listing: Listing) -> bytes:
    lines = ["#EXTM3U", *_directive("PLAYLIST", listing.title)]
    for item in listing.items:
        lines += _m3u8_entry(item)
    return "".join(f"{line}\n" for line in lines).encode()


def _m3u8_entry(item: Item) -> list[str]:
    seconds = -1 if item.seconds is None else round(item.seconds)
    # Readers treat a line that begins with # as a comment, and most strip spaces before a path.
    guard = "./" if item.file.startswith(("#", " ", "\t")) else ""
    # A second line would be another entry, so such a path is written as in a URI.
    path = quote(item.file) if "\n" in item.file or "\r" in item.file else item.file
    return [
        f"#EXTINF:{seconds},{label(item.title, item.artist)}",
        *_directive("EXTALB", item.album),
        *_directive("EXTGENRE", item.genre),
        guard + path,
    ]


def _directive(name: str, value: str) -> list[str]:
    return [f"#{name}:{value}"] if value else []


def _xspf(listing: Listing) -> bytes:
    playlist = _element("playlist", _playlist_fields(listing))
    playlist.set("version", "1")
    playlist.set("xmlns", XSPF_NAMESPACE)
    tracks = ElementTree.SubElement(playlist, "trackList")
    tracks.extend(_element("track", _track_fields(item)) for item in listing.items)
    ElementTree.indent(playlist)
    return bytes(ElementTree.tostring(playlist, encoding="utf-8", xml_declaration=True)) + b"\n"


def _jspf(listing: Listing) -> bytes:
    tracks = [_track_fields(item) for item in listing.items]
    content = {"playlist": {**_playlist_fields(listing), "track": tracks}}
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _playlist_fields(listing: Listing) -> dict[str, Any]:
    """Playlist fields of XSPF and JSPF, in the order of the specification."""
    return _known({"title": listing.title, "creator": _CREATOR, **_facts(listing.recipe)})


def _track_fields(item: Item) -> dict[str, Any]:
    """Track fields of XSPF and JSPF, in the order of the specification."""
    facts = {
        "genre": item.genre,
        "licence": item.licence,
        "similarity": _number(item.similarity, 4),
    }
    about = _facts(facts)
    return _known(
        {
            "location": [quote(item.file)],
            "identifier": [TRACK_URI + quote(item.track_id, safe="")],
            "title": item.title,
            "creator": item.artist,
            "annotation": about["annotation"],
            "info": _web_address(item.source),
            "album": item.album,
            "duration": None if item.seconds is None else round(1000 * item.seconds),
            "meta": about["meta"],
        }
    )


def _facts(facts: Mapping[str, str]) -> dict[str, Any]:
    """Facts as a human-readable annotation and as machine-readable metadata."""
    known = _known(facts)
    return {
        "annotation": "; ".join(f"{name}: {fact}" for name, fact in known.items()),
        "meta": [{_META_URI + quote(name, safe=""): fact} for name, fact in known.items()],
    }


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None, [])}


def _element(name: str, fields: Mapping[str, Any]) -> ElementTree.Element:
    """Convert JSPF fields to an XSPF element: lists repeat the element, pairs are `rel` and content."""
    element = ElementTree.Element(name)
    for tag, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            child = ElementTree.SubElement(element, tag)
            if isinstance(one, dict):
                ((rel, one),) = one.items()
                child.set("rel", rel)
            child.text = str(one)
    return element


def _web_address(source: str) -> str:
    """The source if it's a web address, with characters that are invalid in a URI percent-encoded."""
    if not re.match(r"https?://[^/\s]", source, re.IGNORECASE):
        return ""
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(source, safe="%!#$&'()*+,/:;=?@~"))


def _csv(listing: Listing) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for item in listing.items:
        numbers = {"seconds": _number(item.seconds, 3), "similarity": _number(item.similarity, 4)}
        cells = {name: to_cell(str(value)) for name, value in vars(item).items()}
        writer.writerow(cells | numbers)
    return file.getvalue().encode()


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _zip(listing: Listing, find: Callable[[Item], Path]) -> bytes:
    file = io.BytesIO()
    kept: list[Item] = []
    missing: list[Item] = []
    digits = max(2, len(str(len(listing.items))))
    with zipfile.ZipFile(file, "w") as archive:
        for item in listing.items:
            try:
                clip = find(item).read_bytes()
            except (OSError, LibraryError):
                missing.append(item)
                continue
            kept.append(replace(item, file=_clip_name(f"{len(kept) + 1:0{digits}}", item)))
            _add(archive, kept[-1].file, clip)
        packed = replace(listing, items=tuple(kept))
        for kind in ("m3u8", "xspf", "csv"):
            _add(archive, f"playlist{FORMATS[kind].suffix}", _LISTS[kind](packed))
        _add(archive, "CREDITS.txt", _credits(packed, missing))
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file uncompressed: audio hardly shrinks, and zlib's output differs between versions."""
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.create_system = 3  # Unix on every platform, for identical bytes
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _clip_name(number: str, item: Item) -> str:
    """A file name that is valid on every file system, made unique by its number."""
    stem = _safe(f"{number} {label(item.title, item.artist)}").encode()[:_STEM_BYTES]
    suffix = _safe(PurePosixPath(item.file).suffix)[:_SUFFIX_CHARACTERS]
    return f"clips/{stem.decode(errors='ignore').rstrip(' .')}{suffix}"


def _safe(name: str) -> str:
    # Remove invisible characters too: one that reverses the writing direction can hide a suffix.
    visible = "".join(one for one in name if unicodedata.category(one)[0] != "C")
    return _NOT_IN_FILE_NAMES.sub("_", unicodedata.normalize("NFC", visible)).rstrip(" .")


def _credits(listing: Listing, missing: Iterable[Item]) -> bytes:
    recipe = _facts(listing.recipe)["annotation"]
    lines = [
        listing.title,
        "",
        f"Made with {_CREATOR}" + (f" ({recipe})." if recipe else "."),
        "Each clip keeps its own licence, which is listed with it.",
    ]
    for item in listing.items:
        lines += ["", item.file.removeprefix("clips/"), *_credit(item)]
    lines += [""] if missing else []
    lines += [
        f"Left out (unreadable file): {label(item.title, item.artist)} ({item.file})" for item in missing
    ]
    return "".join(f"{one_line(line)}\n" for line in lines).encode()


def _credit(item: Item) -> list[str]:
    return [
        f"Title: {item.title}",
        f"Artist: {item.artist or 'unknown'}",
        f"Album: {item.album or 'unknown'}",
        f"Licence: {item.licence or 'not listed in the library'}",
        f"Source: {item.source or 'not listed in the library'}",
    ]


_LISTS: Mapping[str, Callable[[Listing], bytes]] = {
    "m3u8": _m3u8,
    "xspf": _xspf,
    "jspf": _jspf,
    "csv": _csv,
}
