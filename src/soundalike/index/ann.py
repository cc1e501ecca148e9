"""Approximate nearest-neighbour search for very large libraries, instead of a pass over all codes.

Above a million tracks, the first pass of a search (`pca_prefilter`) dominates its time. An inverted file
(Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011), implemented by
faiss, assigns the tracks to lists by their nearest centroid and searches only a few lists. Its vectors
represent a whole representation: the codes of heavy parts and the vectors of light parts, with the
index's weights, divided by the length of the joined vector, so inner products estimate cosines. They are
stored with one byte per number. The tracks found are compared exactly, as after a first pass. All other
tracks rank after them and get the same similarity.

    <name>_approximate.faiss    faiss's own file

Weights other than the index's would change the lists, so such searches use a pass over all codes, as do
indexes without the file. That pass is exact over the codes and fast up to a few million tracks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import IndexFolderError, MissingPackageError
from soundalike.index.vectors import Vectors

PROBED = 4
"""Reciprocal of the proportion of lists searched."""


class Approximate:
    """The approximate index of one representation.

    Parameters
    ----------
    path : the faiss file

    Raises
    ------
    IndexFolderError
        If faiss is not installed, or the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        faiss = _faiss()
        try:
            self._found = faiss.read_index(str(path))
        except RuntimeError as error:
            raise IndexFolderError(
                f"The index file {path} is damaged; make it again with `soundalike index --approximate`."
            ) from error
        self._found.nprobe = -(-self._found.nlist // PROBED)

    def nearest(self, vector: NDArray[np.float32], k: int) -> NDArray[np.intp]:
        """Approximately the k tracks with the largest inner products; may return fewer.

        Parameters
        ----------
        vector : from `joined` [shape=(dimensions,)]
        """
        rows = np.asarray(self._found.search(vector[np.newaxis], k)[1][0], np.intp)
        return rows[rows >= 0]


def file_name(name: str) -> str:
    """File name of a representation's approximate index."""
    return f"{name}_approximate.faiss"


def check_installed() -> None:
    """Check that approximate search is available.

    Raises
    ------
    IndexFolderError
        If faiss is missing.
    """
    _faiss()


def joined(
    stores: Mapping[str, Vectors], weights: Mapping[str, float], query: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Join a query's parts, each [shape=(dim,)], into one search vector [shape=(dimensions,)].

    Parameters
    ----------
    stores : the tracks' vectors, by part
    weights : the index's own weights, by part
    query : the query's vectors, by part
    """
    codes = [
        weight * stores[name].encode(np.asarray(query[name], np.float32))
        for name, weight in weights.items()
    ]
    return np.concatenate(codes, dtype=np.float32)


def _faiss() -> Any:
    try:
        import faiss  # optional, and of no use to small libraries
    except ImportError as error:
        raise MissingPackageError(
            "Approximate search needs faiss; please run `pip install 'soundalike[approximate]'`."
        ) from error
    return faiss
