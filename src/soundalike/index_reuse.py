"""What an earlier index knows already: vectors of files that have not changed, by their checksum.

A vector is taken over only if the networks and the way to draw are still the same, and if the earlier
index holds it as the network gave it, which leaves out what is standardised over the tracks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import index as indices
from soundalike import representations
from soundalike.errors import SoundalikeError
from soundalike.index import Index
from soundalike.models import ModelStore


class Earlier:
    """The vectors that can be taken over from a folder, none if it holds no index that can be read.

    Parameters
    ----------
    folder : where an earlier index may lie
    models : the networks that new tracks are embedded with
    """

    def __init__(self, folder: Path, models: ModelStore) -> None:
        self._index = _open(folder)
        self._names = [] if self._index is None else _unchanged(self._index, models)

    def vectors(self, sha256: str) -> dict[str, NDArray[np.float16]]:
        """What is known of a file, by stored representation."""
        if self._index is None or (row := self._index.row_of_file(sha256)) is None:
            return {}
        return {name: self._index.array(name)[row] for name in self._names}

    def genres(self, sha256: str) -> NDArray[np.float32]:
        """The predicted genres of a file of which `vectors` has `genre_head`."""
        assert self._index is not None
        row = self._index.row_of_file(sha256)
        return np.asarray(self._index.array("genre_probabilities")[row])


def _open(folder: Path) -> Index | None:
    try:
        return indices.load(folder)
    except SoundalikeError:
        return None


def _unchanged(earlier: Index, models: ModelStore) -> list[str]:
    same = {
        model
        for model, checksum in earlier.manifest["models"].items()
        if models.checksum(model) == checksum
    }
    if earlier.manifest.get("drawing") != representations.vgg_features.DRAWING:
        same.discard("vgg16")
    found = [representations.get(name) for name in earlier.stored]
    return [item.name for item in found if set(item.models) <= same and not item.standardised]
