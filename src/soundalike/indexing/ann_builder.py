"""Build the approximate index of a representation (faiss)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.index import index as indices
from soundalike.index import storage
from soundalike.index.ann import _faiss, check_installed, file_name
from soundalike.index.index import Index

SEED = 0


_LISTS_BY_ROOT = 2
"""Number of lists, as a multiple of the square root of the number of tracks."""
_TRAINED_ON = 40
"""Number of training tracks per list, the minimum that faiss accepts without a warning."""
_TRAINED_TIMES = 10
"""Number of k-means iterations."""
_BLOCK = 4_096


def add(folder: Path, names: Sequence[str] | None = None) -> Index:
    """Add approximate indexes to a finished index, replacing existing ones.

    Memory use is one byte per element of the codes, plus a sample of them in float32.

    Parameters
    ----------
    folder : the index
    names : representations; by default all whose vectors the index has

    Returns
    -------
    the reopened index

    Raises
    ------
    IndexFolderError
        If the folder is not an index, lacks a representation's vectors, or faiss is missing.
    """
    opened = indices.load(folder)
    wanted = [name for name in opened.names if opened.has_vectors(name)] if names is None else names
    for name in wanted:
        opened.check_vectors(name)
    check_installed()

    def write() -> None:
        for name in wanted:
            _write(opened, name)

    storage.exchange(folder, [file_name(name) for name in wanted], write)
    return indices.load(folder)


def _write(opened: Index, name: str) -> None:
    faiss = _faiss()
    n = len(opened)
    lists = max(1, min(int(_LISTS_BY_ROOT * np.sqrt(n)), n // 40))
    rows = np.sort(np.random.default_rng(SEED).choice(n, min(n, _TRAINED_ON * lists), replace=False))
    sample = np.concatenate(list(_codes(opened, name, rows)))
    made = faiss.index_factory(sample.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    made.cp.niter = _TRAINED_TIMES
    made.train(sample)
    for block in _codes(opened, name, np.arange(n)):
        made.add(block)
    aside = opened.folder / f".{file_name(name)}.part"
    faiss.write_index(made, str(aside))
    os.replace(aside, opened.folder / file_name(name))  # noqa: PTH105


def _codes(opened: Index, name: str, rows: NDArray[np.intp]) -> Iterator[NDArray[np.float32]]:
    """Normalised search vectors of tracks, in blocks."""
    weights = opened.parts(name)
    stores = {part: opened.store(part) for part in weights}
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        codes = [weight * stores[part].codes(block) for part, weight in weights.items()]
        squares = sum(w**2 * np.square(stores[part].norms[block]) for part, w in weights.items())
        lengths = np.sqrt(np.maximum(squares, np.finfo(np.float32).tiny))
        joined_codes = np.concatenate(codes, axis=1, dtype=np.float32)
        yield np.asarray(joined_codes / lengths[:, np.newaxis], np.float32)
