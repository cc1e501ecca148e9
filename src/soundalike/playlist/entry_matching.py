"""Find the entries of a playlist file in a library.

An entry matches a track, in this order,

1. by track id, unless the titles differ;
2. by path: the track's path relative to the library's folder ends the entry's location, written as it
   is or encoded for URIs once or twice, in the same or another case;
3. by artist and title; then by the first artist (`artists`) and title;
4. by title and length, which may differ by `TOLERANCE_S`;
5. by title, if the entry names no artist.

A match by names must be the only one. For a file directly in the library's folder, the titles must agree
too: many libraries have a 01.mp3. Case, spaces and kinds of dashes and quotation marks don't matter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from soundalike import foreign_text
from soundalike.datasets import artists
from soundalike.playlist.file_writer import label, one_line, seconds_of
from soundalike.playlist.listing_file import Reference

if TYPE_CHECKING:
    from soundalike.index.index import Index

TOLERANCE_S = 3.0
"""How much a track's length may differ from an entry's."""
NAMED = 3
"""Number of missing entries that `Resolved.notes` names."""
_NAME_LENGTH = 80
_MARKS = str.maketrans("‐‑‒–—−‘’ʼ“”", "------'''\"\"")

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Resolved:
    """What of a playlist file is in a library.

    Attributes
    ----------
    rows : rows of the library, in the list's order and without repeats
    missing : names of the entries that are not in it
    repeated : number of entries left out because they repeat an earlier one
    """

    rows: list[int]
    missing: list[str]
    repeated: int

    @property
    def notes(self) -> list[str]:
        """Sentences about missing and repeated entries; the first few missing ones by name."""
        notes = []
        if self.missing:
            count, total = len(self.missing), len(self.missing) + self.repeated + len(self.rows)
            verb = "is" if count == 1 else "are"
            notes.append(
                f"{count} of {total} entries {verb} not in this library: {_named(self.missing)}."
            )
        if self.repeated:
            entries = "1 duplicate entry" if self.repeated == 1 else f"{self.repeated} duplicate entries"
            notes.append(f"Ignored {entries}.")
        return notes


def resolve(index: Index, references: Iterable[Reference]) -> Resolved:
    """Find the entries of a playlist file in a library.

    Parameters
    ----------
    index : the library
    references : entries from `file_reader.read`
    """
    catalogue = _Catalogue(index)
    rows: dict[int, None] = {}
    missing: list[str] = []
    repeated = 0
    for reference in references:
        row = catalogue.row(reference)
        if row is None:
            missing.append(_shown(reference))
        elif row in rows:
            repeated += 1
        else:
            rows[row] = None
    return Resolved(list(rows), missing, repeated)


class _Catalogue:
    """Lookup tables from entry fields to library rows, each built on first use."""

    def __init__(self, index: Index) -> None:
        self._index = index
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
        once = unquote(reference.location)
        paths = [_path(location) for location in (reference.location, once, unquote(once))]
        for path in dict.fromkeys(paths):
            if (row := self._row_at(self._by_file, path, reference)) is not None:
                return row
        for path in dict.fromkeys(map(_folded, paths)):
            if (row := self._row_at(self._by_folded_file, path, reference)) is not None:
                return row
        return None

    def _row_at(self, rows: dict[str, int], path: str, reference: Reference) -> int | None:
        """The row of the longest end of a path that is a track's file."""
        folders = path.split("/")
        for start in range(max(0, len(folders) - self._depth), len(folders)):
            row = rows.get("/".join(folders[start:]))
            if row is not None and (start < len(folders) - 1 or self._agrees(row, reference)):
                return row
        return None

    def _row_of_name(self, reference: Reference) -> int | None:
        title = _folded(reference.title)
        rows = self._by_label.get(_label(reference.title, reference.artist), [])
        if not rows and reference.artist:
            rows = self._by_first_artist.get((artists.key(reference.artist), title), [])
        if len(rows) == 1:
            return rows[0]
        rows = rows or self._by_title.get(title, [])
        alike = [row for row in rows if self._is_as_long(row, reference)]
        if len(alike) == 1:
            return alike[0]
        return rows[0] if len(rows) == 1 and not reference.artist else None

    def _is_as_long(self, row: int, reference: Reference) -> bool:
        seconds = seconds_of(self._index, row)
        if seconds is None or reference.seconds is None:
            return False
        return abs(seconds - reference.seconds) <= TOLERANCE_S

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
    def _by_folded_file(self) -> dict[str, int]:
        rows = _grouped(map(_folded, map(_path, self._files)))
        return {path: found[0] for path, found in rows.items() if len(found) == 1}

    @cached_property
    def _depth(self) -> int:
        return max((file.count("/") + 1 for file in self._by_file), default=1)

    @cached_property
    def _by_title(self) -> dict[str, list[int]]:
        return _grouped(map(_folded, self._titles))

    @cached_property
    def _by_label(self) -> dict[str, list[int]]:
        return _grouped(map(_label, self._titles, self._artists))

    @cached_property
    def _by_first_artist(self) -> dict[tuple[str, str], list[int]]:
        pairs = zip(self._artists, self._titles, strict=True)
        return _grouped((artists.key(str(artist)), _folded(title)) for artist, title in pairs)


def _path(location: str) -> str:
    parts = unicodedata.normalize("NFC", one_line(location)).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def _folded(text: str) -> str:
    """Normalise text: ignore case, spaces, accents' encoding and kinds of dashes and quotes."""
    line = " ".join(one_line(text).split()).translate(_MARKS)
    return unicodedata.normalize("NFC", line.casefold())


def _label(title: str, artist: str) -> str:
    return _folded(label(one_line(title), one_line(artist)))


def _grouped(names: Iterable[T]) -> dict[T, list[int]]:
    """Rows by name, without empty names."""
    rows: dict[T, list[int]] = {}
    for row, name in enumerate(names):
        if name:
            rows.setdefault(name, []).append(row)
    return rows


def _named(names: Sequence[str]) -> str:
    parts = [f"“{name}”" for name in names[:NAMED]]
    if len(names) > NAMED:
        parts.append(f"{len(names) - NAMED} more")
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _shown(reference: Reference) -> str:
    name = label(reference.title, reference.artist) or reference.location or reference.track_id or ""
    return foreign_text.shortened(name, _NAME_LENGTH)
