"""A library's clips, decoded one by one for training; files that fail are skipped with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import AudioError, LibraryError

OnProgress = Callable[[str], None]


class TrainingClips:
    """Iterates over a library's clips, and then knows which tracks they were.

    Parameters
    ----------
    source : the library
    on_track : called with each track's file name before it is decoded
    """

    def __init__(self, source: Library, on_track: OnProgress = lambda file: None) -> None:
        self._source = source
        self._on_track = on_track
        self._rows: list[int] = []
        self._skipped = list(source.skipped)

    def __iter__(self) -> Iterator[Clip]:
        """Yield the analysis window of each track that can be decoded."""
        for row, file in enumerate(self._source.tracks["file"]):
            self._on_track(str(file))
            try:
                clip = analysis_window(decoding.decode(self._source.path(row)))
            except AudioError as error:
                self._skipped.append(Skipped(str(file), str(error)))
                continue
            self._rows.append(row)
            yield clip

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Files that could not be decoded."""
        return tuple(self._skipped)

    def tracks(self, checksums: bool = False) -> pd.DataFrame:
        """The table's rows of the clips, with a column `sha256` if requested.

        Raises
        ------
        LibraryError
            If no track could be decoded.
        """
        if not self._rows:
            raise LibraryError(
                f"Not one file of {self._source.folder} could be decoded; nothing to train on."
            )
        tracks = self._source.tracks.iloc[self._rows].reset_index(drop=True)
        if not checksums:
            return tracks
        return tracks.assign(sha256=[paths.sha256_of(self._source.path(row)) for row in self._rows])
