"""An approximate index over the codes of very many tracks, in place of the pass over all of them.

Above a million tracks the first pass of a search (`first_pass`) is itself what a search waits for. An
inverted file (Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011), by
faiss, sorts the tracks into lists by what they are nearest to, and looks into a few lists only. Here its
vectors are those of a whole representation: the codes of heavy parts and the vectors of light ones, with
the index's weights, over the length of the joined vector, so that inner products estimate cosines. They
are kept as bytes, a number each. What it brings up is compared exactly, as after a first pass; of all
other tracks is known only that they come after it, and they are all given one similarity.

    <name>_approximate.faiss    faiss's own file

Weights other than the index's would sort the tracks otherwise, and are searched for with a pass over all
codes. An index without the file always does that, which is exact over the codes and quick up to a few
million tracks. `benchmarks/approximate.py` compares libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import IndexFolderError, MissingPackageError
from soundalike.index.vectors import Vectors

PACKAGE = "faiss-cpu==1.15.1"
PROBED = 4
"""One in so many lists is looked into."""


class Approximate:
    """The approximate index of one representation.

    Parameters
    ----------
    path : its file

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
        """About the k tracks of the largest inner products with a vector; fewer if fewer are found.

        Parameters
        ----------
        vector : from `joined` [shape=(dimensions,)]
        """
        rows = np.asarray(self._found.search(vector[np.newaxis], k)[1][0], np.intp)
        return rows[rows >= 0]


def file_name(name: str) -> str:
    """The file of a representation's approximate index."""
    return f"{name}_approximate.faiss"


def check_installed() -> None:
    """Check that there is what makes and searches approximate indexes.

    Raises
    ------
    IndexFolderError
        If faiss is missing.
    """
    _faiss()


def joined(
    stores: Mapping[str, Vectors], weights: Mapping[str, float], query: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """A query as it is searched for, one vector a part [shape=(dim,)] joined [shape=(dimensions,)].

    Parameters
    ----------
    stores : the tracks' vectors, by part
    weights : the index's own, of the parts
    query : of the parts
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
            f"Approximate search needs faiss, which is not installed; run `pip install {PACKAGE}`."
        ) from error
    return faiss
