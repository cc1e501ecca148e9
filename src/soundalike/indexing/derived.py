"""What an index works out from finished vectors: scales, norms, top tracks, biases and neighbours.

Every array of vectors is read and written in blocks of rows from its file, so that memory stays bounded
by a block however many tracks there are. The results are those of the whole matrix to the last bit, and
all is worked out with one thread (`threads`), so that they do not depend on how many processors there
are. An unfinished index has `tracks.parquet` and the `<name>.npy` of its stored representations; one
that is scaled has its vectors as the network gave them, in float32, until they are scaled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.index import hubness_correction, index, pca_prefilter, storage
from soundalike.index.index import Index
from soundalike.index.row_reader import RowReader
from soundalike.representations import scaling
from soundalike.representations.scaling import Scaling

_QUERIES = 256
"""So many tracks are compared with all others at once, where there are few others."""
_SIMILARITIES = 2_000_000
"""And so many similarities are held at once, where there are many: as many as caches hold."""
_BIAS_QUERIES = 2_000
"""As many tracks, evenly taken, stand for those that will be asked about."""
_BIAS_SIMILARITIES = 64_000_000
"""Of a large library fewer, so that their similarities to all tracks take 256 MB in float32."""

OnTracks = Callable[[str, int], None]
"""Called with a representation and how many more of its tracks have their neighbours."""


@threads.single_threaded_blas()
def scale(folder: Path, name: str, kind: Scaling) -> None:
    """Scale the vectors of a representation by the index's own tracks (`scaling`); write its `_scale`.

    Parameters
    ----------
    folder : the unfinished index, with `<name>.npy` as the network gave it, float32 [shape=(n, dim)];
        replaced by the scaled vectors in float16
    name : a stored representation
    kind : of scaling
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
    """Write what follows from a stored representation's vectors: `_norms` and `_top_tracks`.

    Of many and long vectors also `_pca` and `_codes`, for the first pass of a search.

    Parameters
    ----------
    folder : the unfinished index, with `<name>.npy` as it is compared, float16 [shape=(n, dim)]
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


def describe(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """What the manifest says of representations, once the facts of their vectors are written."""
    return {name: _describe(folder, name) for name in names}


@threads.single_threaded_blas()
def write_track_facts(
    folder: Path,
    manifest: dict[str, Any],
    compact: bool = False,
    on_tracks: OnTracks = lambda name, count: None,
) -> None:
    """Write what follows from comparing tracks, and the manifest.

    That is `_bias`, `_neighbours` and `_similarities` of every representation in the manifest.

    Parameters
    ----------
    folder : the unfinished index, with all else that it is to have
    manifest : what its `manifest.json` will say, its `files` left empty; brought up to date
    compact : keep of the heavy representations their neighbours alone
    on_tracks : called as neighbours are found, for a progress bar
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
    """Write the `_bias` of each of some representations that has one.

    Parameters
    ----------
    opened : an index whose manifest has all facts of its vectors
    names : its representations
    """
    n = len(opened)
    wanted = min(_BIAS_QUERIES, max(_BIAS_SIMILARITIES // n, 1))
    rows = np.arange(0, n, -(-n // wanted))
    size = _at_once(n, _BIAS_QUERIES)
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
    """For each column the rows of its largest values, of a matrix that comes in blocks of rows.

    Largest first, and of equal values the earlier row first: as the first rows of a stable sort.

    Parameters
    ----------
    columns : how many there are
    count : how many rows are kept

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
        """Take in the next rows [shape=(m, columns)]."""
        columns = self._changing(block)
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

    def _changing(self, block: NDArray[np.float32]) -> NDArray[np.intp]:
        """The columns in which a block has something larger than the least that is kept."""
        if len(self.rows) < self._count:
            return np.arange(block.shape[1])
        return np.flatnonzero(block.max(axis=0, initial=-np.inf) > self._values[-1])

    def _empty(self, count: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        return np.empty((count, columns), np.intp), np.empty((count, columns), np.float32)


def _sum(
    reader: RowReader, of: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The sum over all rows of something made of them, added in the order of the rows."""
    total = np.zeros(reader.shape[1])
    for _, block in reader.blocks():
        total = np.concatenate([total[np.newaxis], of(block.astype(np.float64))]).sum(axis=0)
    return total


def _write_neighbours(opened: Index, name: str, on_tracks: OnTracks) -> None:
    n = len(opened)
    k = min(index.NEIGHBOURS, n - 1)
    size = _at_once(n, _QUERIES)
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


def _at_once(n: int, most: int) -> int:
    """How many tracks are compared with n at once, at most so many."""
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
