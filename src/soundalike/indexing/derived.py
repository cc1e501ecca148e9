"""Data that an index derives from finished vectors: scales, norms, top tracks, biases and neighbours.

All vector arrays are read and written in blocks of rows, which bounds memory to one block regardless of
the number of tracks. Results are bit-identical to those of the whole matrix. They use one thread
(`threads`), and therefore don't depend on the number of processors. An unfinished index has
`tracks.parquet` and the `<name>.npy` of its stored representations. Representations with scaling have
the network's unscaled vectors in float32 until they are scaled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.index import columns, hubness_correction, index, pca_prefilter, storage
from soundalike.index.index import Index
from soundalike.index.row_reader import RowReader
from soundalike.representations import scaling
from soundalike.representations.scaling import Scaling

_QUERIES = 256
"""Maximum number of tracks compared with all others at once, for small libraries."""
_SIMILARITIES = 2_000_000
"""Number of similarities held at once, for large libraries: as many as fit in the caches."""
_BIAS_QUERIES = 2_000
"""Number of tracks, evenly spaced, used as sample queries."""
_BIAS_SIMILARITIES = 64_000_000
"""Number of sample queries for a large library: their similarities to all take 256 MB in float32."""

OnTracks = Callable[[str, int], None]
"""Called with a representation and the number of further tracks whose neighbours were found."""


@threads.single_threaded_blas()
def scale(folder: Path, name: str, kind: Scaling) -> None:
    """Scale a representation's vectors by statistics of the index (`scaling`); write its `_scale`.

    Parameters
    ----------
    folder : the unfinished index, with `<name>.npy` as from the network, float32 [shape=(n, dim)];
        replaced by the scaled vectors in float16
    name : a stored representation
    kind : kind of scaling
    """
    raw = RowReader(folder / f"{name}.npy")
    n = raw.shape[0]
    mean = _sum(raw, lambda block: block) / n
    deviation = np.sqrt(_sum(raw, lambda block: np.square(block - mean)) / n)
    fitted = scaling.fit(kind, n, mean, deviation)
    storage.save(folder, f"{name}_scale", fitted)
    aside = folder / f".{name}.npy"
    scaled = np.lib.format.open_memmap(aside, "w+", np.dtype(np.float16), raw.shape)
    for rows, block in raw.blocks():
        scaled[rows] = scaling.apply(kind, block, fitted)
    scaled.flush()
    aside.replace(folder / f"{name}.npy")


@threads.single_threaded_blas()
def write_vector_facts(folder: Path, name: str) -> None:
    """Write data derived from a stored representation's vectors: `_norms` and `_top_tracks`.

    For many and long vectors also `_pca` and `_codes`, for the first pass of a search, and for many that
    aren't very long `_columns`.

    Parameters
    ----------
    folder : the unfinished index, with `<name>.npy` as compared, float16 [shape=(n, dim)]
    name : a stored representation
    """
    reader = RowReader(folder / f"{name}.npy")
    n, dim = reader.shape
    norms = np.zeros(n, np.float32)
    top = TopRows(dim, index.TOP_TRACKS)
    for rows, block in reader.blocks():
        norms[rows] = np.linalg.norm(block, axis=1)
        top.add(block)
    storage.save(folder, f"{name}_norms", norms)
    storage.save(folder, f"{name}_top_tracks", np.ascontiguousarray(top.rows.T, np.int32))
    if pca_prefilter.worthwhile(n, dim):
        pca_prefilter.write(folder, name)
    if columns.worthwhile(n, dim):
        columns.write(folder, name)


def describe(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Manifest entries of representations, once the data derived from their vectors is written."""
    return {name: _describe(folder, name) for name in names}


@threads.single_threaded_blas()
def write_track_facts(
    folder: Path,
    manifest: dict[str, Any],
    compact: bool = False,
    on_tracks: OnTracks = lambda name, count: None,
) -> None:
    """Write data derived from comparing tracks, and the manifest.

    These are `_bias`, `_neighbours` and `_similarities` of every representation in the manifest.

    Parameters
    ----------
    folder : the unfinished index, otherwise complete
    manifest : contents of `manifest.json`, with `files` empty; updated in place
    compact : store only neighbours for large representations
    on_tracks : progress callback for neighbours
    """
    names = list(manifest["representations"])
    storage.write_manifest(folder, manifest)
    write_biases(index.load(folder), names)
    storage.write_manifest(folder, manifest)
    opened = index.load(folder)
    for name in names:
        _write_neighbours(opened, name, on_tracks)
    if compact:
        manifest["neighbours_only"] = _drop_heavy(folder, representations.stored(names))
    storage.write_manifest(folder, manifest)


def write_biases(opened: Index, names: Sequence[str]) -> None:
    """Write the `_bias` of each representation that has one.

    Parameters
    ----------
    opened : an index whose manifest has all entries derived from vectors
    names : representations of the index
    """
    n = len(opened)
    wanted = min(_BIAS_QUERIES, max(_BIAS_SIMILARITIES // n, 1))
    rows = np.arange(0, n, -(-n // wanted))
    size = _block_size(n, _BIAS_QUERIES)
    for name in names:
        if not representations.get(name).hubness_corrected or n < 2:
            continue
        similarities = np.empty((len(rows), n), np.float32)
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            similarities[block] = opened.similarities(name, _queries(opened, name, rows[block]))
        bias = hubness_correction.bias(similarities, rows)
        storage.save(opened.folder, f"{name}_bias", bias)


class TopRows:
    """Rows of the largest values in each column of a matrix, which is added in blocks of rows.

    Largest first, and ties by row: the same as the first rows of a stable sort.

    Parameters
    ----------
    columns : number of columns
    count : number of rows to keep per column

    Attributes
    ----------
    rows : [shape=(count, columns), or fewer rows while fewer were added]
    """

    def __init__(self, columns: int, count: int) -> None:
        self.rows: NDArray[np.intp] = np.empty((0, columns), np.intp)
        self._values: NDArray[np.float32] = np.empty((0, columns), np.float32)
        self._count = count
        self._seen = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Add the next rows [shape=(m, columns)]."""
        columns = self._columns_to_update(block)
        m, kept = len(block), len(self.rows)
        values = np.concatenate([self._values[:, columns], block[:, columns]])
        numbers = np.arange(self._seen, self._seen + m)
        rows = np.concatenate(
            [self.rows[:, columns], np.broadcast_to(numbers[:, np.newaxis], (m, len(columns)))]
        )
        best = np.argsort(-values, axis=0, kind="stable")[: self._count]
        if kept < self._count:
            self.rows, self._values = self._empty(min(self._count, kept + m), block.shape[1])
        self.rows[:, columns] = np.take_along_axis(rows, best, axis=0)
        self._values[:, columns] = np.take_along_axis(values, best, axis=0)
        self._seen += m

    def _columns_to_update(self, block: NDArray[np.float32]) -> NDArray[np.intp]:
        """Columns where a block has a value larger than the smallest one kept."""
        if len(self.rows) < self._count:
            return np.arange(block.shape[1])
        return np.flatnonzero(block.max(axis=0, initial=-np.inf) > self._values[-1])

    def _empty(self, count: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        return np.empty((count, columns), np.intp), np.empty((count, columns), np.float32)


def _sum(
    reader: RowReader, of: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Sum of a function of the rows, added in the order of the rows."""
    total = np.zeros(reader.shape[1])
    for _, block in reader.blocks():
        total = np.concatenate([total[np.newaxis], of(block.astype(np.float64))]).sum(axis=0)
    return total


def _write_neighbours(opened: Index, name: str, on_tracks: OnTracks) -> None:
    n = len(opened)
    k = min(index.NEIGHBOURS, n - 1)
    size = _block_size(n, _QUERIES)
    rows = np.zeros((n, k), np.int32)
    values = np.zeros((n, k), np.float32)
    for start in range(0, n, size):
        block = np.arange(start, min(start + size, n))
        similarities = opened.similarities(name, _queries(opened, name, block))
        similarities[np.arange(len(block)), block] = -np.inf
        for row, values_of_row in zip(block, similarities, strict=True):
            rows[row] = index.nearest(values_of_row, k)
            values[row] = values_of_row[rows[row]]
        on_tracks(name, len(block))
    storage.save(opened.folder, f"{name}_neighbours", rows)
    storage.save(opened.folder, f"{name}_similarities", values)


def _block_size(n: int, most: int) -> int:
    """Number of tracks to compare with n at once, up to a maximum."""
    return max(1, min(most, _SIMILARITIES // n))


def _queries(opened: Index, name: str, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    return {part: opened.vectors(part, rows) for part in opened.parts(name)}


def _describe(folder: Path, name: str) -> dict[str, Any]:
    representation = representations.get(name)
    dim = representation.dim or int(_open(folder, name).shape[1])
    described: dict[str, Any] = {"dim": dim, "parts": representation.parts}
    described["norms"] = {
        part: _spread(weight * np.asarray(_open(folder, f"{part}_norms")))
        for part, weight in (representation.parts or {name: 1.0}).items()
    }
    return described


def _spread(values: NDArray[np.floating[Any]]) -> dict[str, float]:
    return {"mean": round(float(values.mean()), 2), "sd": round(float(values.std()), 2)}


def _drop_heavy(folder: Path, stored: Sequence[str]) -> list[str]:
    heavy = [name for name in stored if representations.get(name).heavy]
    for name in heavy:
        for suffix in ("", "_norms", "_top_tracks", "_pca", "_codes"):
            (folder / f"{name}{suffix}.npy").unlink(missing_ok=True)
    return heavy


def _open(folder: Path, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return array
