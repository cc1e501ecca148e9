"""Data besides embeddings that the pages need from an index, measured once for every track.

    descriptors         spectral descriptors of the clip (`track_descriptors`)
    pictures, …_places  its mel spectrogram (`moments`)
    keys                its key, if one stands out (`features.key`)
    fingerprints        to distinguish copies from other recordings (`fingerprint`)
    duplicates          pairs of tracks that are the same recording (`duplicates`)
    <name>_moments      embeddings per 3 s segment (`explanation`), for representations that have them

The app works without them: labels then use genres only, pictures are drawn on demand, and orders by
tempo or compatible keys are unavailable. They are measured during indexing, or added to an index later,
which can be stopped and resumed like indexing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.datasets.library import Library
from soundalike.errors import LibraryError
from soundalike.index import duplicates, storage, track_arrays
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.indexing import extraction, ingest, own_files, workspace
from soundalike.indexing.extraction import MOMENT_FILES, MOMENTS, PICTURE, PICTURE_START
from soundalike.indexing.ingest import OnFile
from soundalike.indexing.previous_index import Earlier
from soundalike.indexing.workers import Executor, InProcessExecutor
from soundalike.models import ModelStore

FILES = own_files.MEASURED
_ROWS = (track_arrays.DESCRIPTORS, track_arrays.KEYS, track_arrays.FINGERPRINTS)
"""Arrays with a row per track in every measured index."""

Value = Callable[[str, str], NDArray[Any]]
"""Returns an extracted value, by the file's checksum and the value's name [shape=(size,)]."""


def wants(names: Sequence[str]) -> list[str]:
    """Names of values to extract from each file for an index of some representations."""
    return [*_rows(names), PICTURE, PICTURE_START]


def _rows(names: Sequence[str]) -> list[str]:
    """Names of arrays with a row per track, for an index of some representations."""
    names_of_moments = [f"{name}{MOMENTS}" for name in representations.stored(names)]
    return [*_ROWS, *(name for name in names_of_moments if name in MOMENT_FILES)]


def add(
    index: Index, models: ModelStore, workers: Executor | None = None, on_file: OnFile = ingest.ignored
) -> None:
    """Measure every track of an index, and write the arrays into its folder.

    Parameters
    ----------
    index : the index
    models : the networks that it was built with
    workers : executor for the files; by default this process, one file after the other
    on_file : progress callback, called once for every file

    Raises
    ------
    LibraryError
        If a file is missing, has changed, or cannot be decoded.
    IndexFolderError, ModelError
        If the networks are missing or don't match the index, or another run is working on the index.
    """
    index.check_models(models)
    source = Library(index.library_folder, index.tracks)
    wanted = wants(index.stored)
    with workspace.opened(index.folder, models) as (folder, store):
        earlier = Earlier(index.folder, models)
        found = ingest.run(source, wanted, store, earlier, workers or InProcessExecutor(models), on_file)
        if found.stopped:
            raise KeyboardInterrupt
        _check_all(index, found)

        def value(sha256: str, name: str) -> NDArray[Any]:
            if store.missing(sha256, [name]):
                return earlier.value(sha256, name)
            return store.value(sha256, name)

        aside = folder / workspace.MEASURED
        aside.mkdir(exist_ok=True)
        write(aside, list(index.tracks["sha256"]), index.stored, value)
        storage.exchange(index.folder, _files(), lambda: _move_all(aside, index.folder))
        workspace.clear(folder)
    add_duplicates(index.folder)


def write(folder: Path, sums: Sequence[str], names: Sequence[str], value: Value) -> None:
    """Write the arrays of all tracks except the pairs of duplicates, which depend on neighbours.

    Parameters
    ----------
    folder : destination
    sums : checksums of the tracks, in order
    names : representations of the index
    value : source of extracted values
    """
    for name in _rows(names):
        shape = (len(sums), *extraction.shape(name))
        array = storage.create(folder, name, shape, extraction.dtype(name))
        for row, sha256 in enumerate(sums):
            array[row] = value(sha256, name).reshape(shape[1:])
        array.flush()
    ends = np.cumsum([len(value(sha256, PICTURE)) for sha256 in sums], dtype=np.int64)
    starts = np.array([value(sha256, PICTURE_START)[0] for sha256 in sums])
    storage.save(
        folder, track_arrays.THUMBNAIL_PLACES, np.column_stack([ends, starts]).astype(np.float64)
    )
    pictures = storage.create(folder, track_arrays.THUMBNAILS, (int(ends[-1]),), np.uint8)
    for end, sha256 in zip(ends, sums, strict=True):
        content = value(sha256, PICTURE)
        pictures[end - len(content) : end] = content
    pictures.flush()


@threads.single_threaded_blas()
def add_duplicates(folder: Path) -> None:
    """Add the pairs of tracks that are the same recording to an index with fingerprints."""
    opened = indices.load(folder)
    prints = opened.array(track_arrays.FINGERPRINTS)

    def write_pairs() -> None:
        storage.save(folder, track_arrays.DUPLICATES, duplicates.find(opened, prints))

    storage.exchange(folder, [f"{track_arrays.DUPLICATES}.npy"], write_pairs)


def _files() -> list[str]:
    return [f"{name}.npy" for name in FILES]


def _check_all(index: Index, found: ingest.Ingested) -> None:
    changed = [row for row, sha256 in found.sums.items() if sha256 != index.tracks["sha256"].iloc[row]]
    if not found.reasons and not changed:
        return
    row = min([*found.reasons, *changed])
    reason = found.reasons.get(row, "The file has changed since.")
    count = len(found.reasons) + len(changed)
    raise LibraryError(
        f"{count} of the index's files cannot be measured, the first {index.fact('file', row)}: "
        f"{reason} Bring the index up to date with `soundalike index` first."
    )


def _move_all(source: Path, target: Path) -> None:
    for path in sorted(source.iterdir()):
        path.replace(target / path.name)
