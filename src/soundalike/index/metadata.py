"""What an index says of its library: tracks, files, names and models; nothing here is searched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from soundalike import representations
from soundalike.errors import IndexFolderError, LibraryError
from soundalike.index import storage
from soundalike.models import ModelStore


@dataclass(frozen=True, eq=False)
class IndexFacts:
    """The part of an index that is known without its vectors.

    Attributes
    ----------
    folder : where it lies
    manifest : the content of `manifest.json`
    tracks : one row a track, with a `track_id` that is unique
    """

    folder: Path
    manifest: dict[str, Any]
    tracks: pd.DataFrame

    def __len__(self) -> int:
        return len(self.tracks)

    @property
    def names(self) -> list[str]:
        """The representations that can be asked for; those of a later version are left out."""
        return [name for name in self.manifest["representations"] if name in representations.REGISTRY]

    @property
    def genres(self) -> list[str]:
        """The genres that the head predicts, in the order of `genre_probabilities`."""
        return list(self.manifest["genres"])

    @property
    def maps(self) -> dict[str, dict[str, Any]]:
        """The maps that were made, by array name: how, and how far they can be believed."""
        return dict(self.manifest.get("maps", {}))

    def row(self, track_id: str) -> int:
        """The row of a track.

        Raises
        ------
        IndexFolderError
            If there is no such track.
        """
        if track_id not in self._rows:
            raise IndexFolderError(f"There is no track {track_id!r} in this library.")
        return self._rows[track_id]

    def has(self, track_id: object) -> bool:
        """Whether there is a track of that id."""
        return track_id in self._rows

    @cached_property
    def ids(self) -> list[str]:
        """The tracks' ids, in the table's order."""
        return [str(track_id) for track_id in self.tracks["track_id"]]

    @cached_property
    def identity(self) -> str:
        """What tells this index, as it now is, from every other, and from itself built again."""
        facts = json.dumps([str(self.folder.resolve()), self.manifest], sort_keys=True, default=str)
        return hashlib.sha256(facts.encode()).hexdigest()

    @property
    def partial(self) -> tuple[int, int] | None:
        """How many of how many files are in an index whose making was stopped; None for a whole one."""
        match self.manifest.get("partial"):
            case {"done": int(done), "files": int(files)}:
                return done, files
        return None

    @cached_property
    def skipped(self) -> pd.DataFrame:
        """The files that were left out when the index was made: columns `file` and `reason`."""
        return storage.read_skipped(self.folder)

    def models(self, base: ModelStore) -> ModelStore:
        """The networks that belong to this index: its own where it brings some, those given otherwise.

        Raises
        ------
        IndexFolderError
            If the manifest names what no index can bring.
        """
        own = storage.own_models(self.folder, self.manifest)
        return base.with_files(**own) if own else base

    def row_of_file(self, sha256: str) -> int | None:
        """The row of the track whose file has this checksum, or None."""
        return self._rows_by_sha256.get(sha256)

    def path(self, row: int) -> Path:
        """The audio file of a row."""
        return self.library_folder / self.fact("file", row)

    def file(self, row: int) -> Path:
        """The audio file of a row, which is there.

        Raises
        ------
        LibraryError
            If it was moved or deleted since the library was indexed.
        """
        path = self.path(row)
        if not path.is_file():
            raise LibraryError(
                f"{self.fact('file', row)} is no longer in the library's folder. Put it back or run "
                "`soundalike index` again."
            )
        return path

    @cached_property
    def library_folder(self) -> Path:
        """The folder that the tracks' `file` is relative to."""
        return (self.folder / str(self.manifest["library"]["folder"])).resolve()

    def fact(self, column: str, row: int) -> str:
        """What the table says of a track; "" where it has no such column.

        Taking one value from a table costs more than from the list that is kept here.
        """
        if column not in self.tracks:
            return ""
        if column not in self._columns:
            values = self.tracks[column]
            self._columns[column] = values.where(values.notna(), "").tolist()
        return str(self._columns[column][row])

    def held_out(self, row: int) -> bool:
        """Whether the predicted genres are those of a fold without the track's album and artist."""
        return "genre_fold" in self.tracks and int(self.tracks["genre_fold"].iloc[row]) >= 0

    @property
    def heard_in_training(self) -> bool:
        """Whether the genre head was trained on tracks of this library."""
        return "genre_fold" in self.tracks and bool((self.tracks["genre_fold"] >= 0).any())

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        return {}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {track_id: row for row, track_id in enumerate(self.ids)}

    @cached_property
    def _rows_by_sha256(self) -> dict[str, int]:
        return {sha256: row for row, sha256 in enumerate(self.tracks["sha256"])}
