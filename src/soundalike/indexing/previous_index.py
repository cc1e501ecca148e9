"""Reuse values from an earlier index for unchanged files, identified by checksum.

A value is reused only if the networks and the preprocessing are unchanged, and if the earlier index
stores it as extracted from the file. Values that are scaled by statistics of the tracks have an array of
unscaled values, `<name>_raw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.errors import SoundalikeError
from soundalike.index import index as indices
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.indexing import extraction
from soundalike.indexing.extraction import HEAD_INPUT, LENGTH, PICTURE, PICTURE_START
from soundalike.models import ModelStore, vgg_features

GENRE_HEAD = "genre_head"


class Earlier:
    """Values of an earlier index; empty if the folder has no readable index.

    Parameters
    ----------
    folder : folder of the earlier index, which may be missing
    models : networks for new tracks
    """

    def __init__(self, folder: Path, models: ModelStore) -> None:
        self._index = _open(folder)
        same = None if self._index is None else _same_models(self._index, models)
        self._known = same is not None
        self._same = same or set()

    def __len__(self) -> int:
        return 0 if self._index is None else len(self._index)

    @property
    def is_whole(self) -> bool:
        """Whether there is an index that covers all files of its library."""
        return self._index is not None and self._index.partial is None

    def missing(self, sha256: str, names: Sequence[str]) -> list[str]:
        """Names of values that it lacks for a file."""
        if self._index is None or self._index.row_of_file(sha256) is None:
            return list(names)
        return [name for name in names if not (self._known and self._has(name))]

    def value(self, sha256: str, name: str) -> NDArray[Any]:
        """A value of a file; only for names that aren't in `missing` [shape=(size,)]."""
        assert self._index is not None
        row = self._index.row_of_file(sha256)
        assert row is not None
        if name in (PICTURE, PICTURE_START):
            picture = track_arrays.thumbnail(self._index, row)
            assert picture is not None
            if name == PICTURE_START:
                return np.array([picture.offset])
            return np.frombuffer(picture.content, np.uint8)
        return np.ravel(self._index.array(_array(name))[row])

    def length(self, sha256: str) -> str:
        """A file's length in seconds; "" if it isn't known."""
        if self._index is None or (row := self._index.row_of_file(sha256)) is None:
            return ""
        return self._index.fact(LENGTH, row)

    def heard_genres(self, sha256: str) -> tuple[NDArray[np.float16], NDArray[np.float32]] | None:
        """A file's genre features and probabilities, if the head is unchanged."""
        if self._index is None or (row := self._index.row_of_file(sha256)) is None:
            return None
        if GENRE_HEAD not in self._index.stored or not self._unchanged(GENRE_HEAD):
            return None
        return self._index.array(GENRE_HEAD)[row], self._index.array("genre_probabilities")[row]

    def _has(self, name: str) -> bool:
        assert self._index is not None
        if name == HEAD_INPUT:
            return GENRE_HEAD in self._index.stored and self._unchanged(GENRE_HEAD)
        files = self._index.manifest["files"]
        array = track_arrays.THUMBNAILS if name in (PICTURE, PICTURE_START) else _array(name)
        return f"{array}.npy" in files and self._unchanged(name)

    def _unchanged(self, name: str) -> bool:
        return self._known and set(extraction.models_of(name)) <= self._same


def _array(name: str) -> str:
    """The index array that holds a value as extracted."""
    known = name in representations.REGISTRY
    return f"{name}_raw" if known and representations.get(name).scaling else name


def _open(folder: Path) -> Index | None:
    try:
        return indices.load(folder)
    except SoundalikeError:
        return None


def _same_models(earlier: Index, models: ModelStore) -> set[str] | None:
    """The unchanged networks; None if the extraction itself has changed."""
    if earlier.manifest.get("extraction", "1") != extraction.VERSION:
        return None
    same = {
        model
        for model, checksum in earlier.manifest["models"].items()
        if model in models.names and models.checksum(model) == checksum
    }
    if earlier.manifest.get("drawing") != vgg_features.DRAWING:
        same.discard("vgg16")
    return same
