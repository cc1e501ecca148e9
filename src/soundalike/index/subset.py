"""A subset of an index, for comparing some of its tracks with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.errors import IndexFolderError
from soundalike.index.index import Index
from soundalike.index.row_reader import Rows


class Excerpt(Index):
    """An index of some tracks with only their vectors and norms."""

    def array(self, name: str) -> NDArray[Any]:
        """The norms of the tracks' vectors.

        Raises
        ------
        IndexFolderError
            If another array is requested.
        """
        if name not in self._arrays:
            raise IndexFolderError(f"A part of an index has no {name!r}.")
        return self._arrays[name]


def of(index: Index, name: str, rows: Rows) -> Excerpt:
    """Extract a subset of an index for one representation.

    Parameters
    ----------
    index : the whole index
    name : a representation whose vectors the index stores
    rows : rows of the tracks, in the order of the subset

    Raises
    ------
    IndexFolderError
        If the index does not store the representation's vectors.
    """
    index.check_vectors(name)
    wanted = np.asarray(rows, np.intp)
    described = {name: index.manifest["representations"][name]}
    manifest = index.manifest | {"representations": described, "files": {}, "maps": {}}
    excerpt = Excerpt(index.folder, manifest, index.table.take(wanted))
    for stored in representations.stored([name]):
        vectors = index.store(stored).subset(wanted)
        excerpt._stores[stored] = vectors
        excerpt._arrays[f"{stored}_norms"] = vectors.norms
    return excerpt
