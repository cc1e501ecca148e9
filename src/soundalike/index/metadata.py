"""Metadata of an index: tracks, files, names and models, without vectors."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike import representations
from soundalike.datasets import artists
from soundalike.errors import UnknownTrackError
from soundalike.index import music_files, storage
from soundalike.index.music_files import MusicFolders
from soundalike.index.track_table import TrackTable, is_missing
from soundalike.models import ModelStore

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class IndexFacts:
    """The metadata of an index, without its vectors.

    Attributes
    ----------
    folder : the index folder
    manifest : the content of `manifest.json`
    table : one row per track, with a unique `track_id`
    music : the folders that a server hands out files from; None outside a server
    """

    folder: Path
    manifest: dict[str, Any]
    table: TrackTable
    music: MusicFolders | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def tracks(self) -> pd.DataFrame:
        """The table as a DataFrame, not to be changed; imports pandas."""
        return self.table.frame

    @property
    def names(self) -> list[str]:
        """The available representations, without those unknown to this version."""
        return [name for name in self.manifest["representations"] if name in representations.REGISTRY]

    @property
    def genres(self) -> list[str]:
        """The genres that the genre head predicts, in the order of `genre_probabilities`."""
        return list(self.manifest["genres"])

    @property
    def maps(self) -> dict[str, dict[str, Any]]:
        """The available maps by array name, with their settings and quality measures."""
        return dict(self.manifest.get("maps", {}))

    def row(self, track_id: str) -> int:
        """The row of a track.

        Raises
        ------
        UnknownTrackError
            If there is no such track.
        """
        if track_id not in self._rows:
            raise UnknownTrackError(f"There is no track {track_id!r} in this library.")
        return self._rows[track_id]

    def has(self, track_id: object) -> bool:
        """Whether a track has this id."""
        return track_id in self._rows

    @cached_property
    def ids(self) -> list[str]:
        """The tracks' ids, in the table's order."""
        return self.table["track_id"]

    @cached_property
    def identity(self) -> str:
        """Hash that identifies this version of this index; a rebuild changes it."""
        facts = json.dumps([str(self.folder.resolve()), self.manifest], sort_keys=True, default=str)
        return hashlib.sha256(facts.encode()).hexdigest()

    @property
    def partial(self) -> tuple[int, int] | None:
        """Files done and total files if indexing was stopped; None for a complete index."""
        match self.manifest.get("partial"):
            case {"done": int(done), "files": int(files)}:
                return done, files
        return None

    @cached_property
    def skipped(self) -> pd.DataFrame:
        """The files skipped by indexing: columns `file` and `reason`."""
        return storage.read_skipped(self.folder)

    def models(self, base: ModelStore) -> ModelStore:
        """The networks of this index: its own if it includes any, otherwise those given.

        Raises
        ------
        IndexFolderError
            If the manifest names a model that an index can't include.
        """
        own = storage.own_models(self.folder, self.manifest)
        return base.with_files(**own) if own else base

    def row_of_file(self, sha256: str) -> int | None:
        """The row of the track whose file has this checksum, or None."""
        return self._rows_by_sha256.get(sha256)

    def path(self, row: int) -> Path:
        """The audio file of a row, as the table names it; `file` checks it."""
        return self.library_folder / self.fact("file", row)

    def file(self, row: int) -> Path:
        """The audio file of a row, checked each time; for everything that visitors hear, see or get.

        Raises
        ------
        LibraryError
            If the file is missing, may not be read, isn't audio, or lies outside the server's folders.
        """
        return music_files.checked(self.fact("file", row), self.library_folder, self.music)

    @property
    def is_playable(self) -> bool:
        """Whether the library's folder is one that this server may play from."""
        return self.music is None or self.music.allow(self.library_folder)

    @cached_property
    def library_folder(self) -> Path:
        """The folder to which the tracks' `file` is relative."""
        return (self.folder / str(self.manifest["library"]["folder"])).resolve()

    def fact(self, column: str, row: int) -> str:
        """A track's value in a column of the table; "" if there is none, or no such column."""
        if column not in self.table:
            return ""
        value = self.table[column][row]
        return "" if is_missing(value) else str(value)

    def artist_key(self, row: int) -> str:
        """What is equal for tracks by the same artist (`artists.key`)."""
        return artists.key(self.fact("artist", row), self.fact("album", row))

    @cached_property
    def artist_keys(self) -> list[str]:
        """The `artist_key` of each track."""
        return artists.keys(self.table)

    def count(self, column: str) -> int:
        """Number of different albums, genres or artists; those without a name don't count."""
        if column not in self._counts:
            values = self.table[column]
            named = {value for value in values if not is_missing(value) and value != ""}
            self._counts[column] = artists.count(self.table) if column == "artist" else len(named)
        return self._counts[column]

    def held_out(self, row: int) -> bool:
        """Whether the predicted genres come from a fold without the track's album and artist."""
        return self._is_fold(row)

    @property
    def was_trained_on(self) -> bool:
        """Whether the genre head was trained on tracks of this library."""
        return any(self._is_fold(row) for row in range(len(self)))

    def _is_fold(self, row: int) -> bool:
        if "genre_fold" not in self.table:
            return False
        fold = self.table["genre_fold"][row]
        return not is_missing(fold) and int(fold) >= 0

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {track_id: row for row, track_id in enumerate(self.ids)}

    @cached_property
    def _rows_by_sha256(self) -> dict[str, int]:
        return {sha256: row for row, sha256 in enumerate(self.table["sha256"])}
