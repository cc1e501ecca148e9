"""Read and write the files of an index folder: the manifest, the table and the arrays.

Reading includes all checks that are cheap. Errors name the file and say what to do. Incomplete tags in
the table are normalised: text columns have no line breaks, missing values are empty, and a track without
a title is named after its file.

The manifest lists every file's size and checksum, and is replaced as a whole. A file added later is
removed from the manifest while it is written, so a killed run leaves a valid index.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from soundalike import paths, representations
from soundalike.errors import DAMAGED_ARRAYS, IndexFolderError
from soundalike.foreign_text import from_cell
from soundalike.index.track_table import TrackTable

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
MANIFEST = paths.MANIFEST
TRACKS = "tracks.parquet"
SKIPPED = "skipped.csv"
OWN_MODELS = ("genre_head", "factors")
"""Models that an index may include; all others are the app's."""
SYSTEM = frozenset({".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"})
"""Files that file managers create in folders they display."""
_STILL_OPEN = re.compile(r"\.nfs[0-9a-f]+")
"""Names that NFS gives to deleted files that are still open."""
_KNOWN = {"tracks", "library", "representations", "genres", "models", "files"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read an index's manifest.

    Raises
    ------
    IndexFolderError
        If the manifest is missing, damaged, or of another schema version, or lists no known
        representation.
    """
    path = folder / MANIFEST
    if not path.is_file():
        if paths.IS_INSTALLED and folder == paths.BUNDLED_INDEX:
            raise IndexFolderError(
                "The starter library isn't installed yet. Run `soundalike demo --starter ARCHIVE` once, "
                "or name an index of your own."
            )
        raise IndexFolderError(
            f"{folder} is not an index (it has no {MANIFEST}); build one with "
            "`soundalike index LIBRARY --out DIR`."
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema = manifest["schema"]
        complete = manifest.keys() >= _KNOWN
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path) from error
    if schema != SCHEMA:
        raise IndexFolderError(
            f"The index {folder} has schema version {schema}, and this program reads {SCHEMA}; "
            "build it again with `soundalike index`."
        )
    if not complete or not _is_valid(manifest):
        raise damaged(path)
    if not representations.REGISTRY.keys() & manifest["representations"].keys():
        named = ", ".join(map(str, manifest["representations"])) or "none"
        raise IndexFolderError(
            f"The index {folder} has no representation known to this version (it has {named}). "
            "Build it again with `soundalike index`."
        )
    return dict(manifest)


def read_tracks(folder: Path, manifest: Mapping[str, Any]) -> TrackTable:
    """Read the table of tracks.

    Raises
    ------
    IndexFolderError
        If the table is damaged or empty, lacks a required column, or has duplicate ids.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / TRACKS
    try:
        table = TrackTable.normalised(parquet.ParquetFile(path).read())
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise damaged(path) from error
    if not len(table):
        raise IndexFolderError(
            f"The index {folder} holds no tracks; build it again with `soundalike index`."
        )
    if len(table) != manifest["tracks"]:
        raise damaged(path)
    return table


def check_files(folder: Path, manifest: Mapping[str, Any], checksums: bool) -> None:
    """Compare the folder's files with the manifest.

    Raises
    ------
    IndexFolderError
        If a file is missing or differs, or if the manifest names a file outside the folder.
    """
    for file, facts in manifest["files"].items():
        if PurePosixPath(file).name != file:
            raise damaged(folder / MANIFEST)
        try:
            _check_file(folder / file, facts, checksums)
        except (AttributeError, KeyError, TypeError) as error:
            raise damaged(folder / MANIFEST) from error


def check_links(folder: Path) -> None:
    """Check that no file of an index is a link to somewhere else, whose content a server would show.

    Raises
    ------
    IndexFolderError
        If there is one.
    """
    own = folder.resolve()
    for path in folder.glob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(own):
            raise IndexFolderError(
                f"The index file {path} is a link out of the index; put a copy of the file in its place."
            )


def open_array(path: Path) -> NDArray[Any]:
    """Open an array, memory-mapped.

    Raises
    ------
    IndexFolderError
        If the file is missing or damaged.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED_ARRAYS as error:
        raise damaged(path) from error
    return array


def own_models(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Path]:
    """The files of the models included in an index, by name.

    Raises
    ------
    IndexFolderError
        If the manifest names a model that an index can't include, or a file outside its folder.
    """
    named = manifest.get("own_models") or {}
    if not isinstance(named, Mapping) or not set(named) <= set(OWN_MODELS):
        raise damaged(folder / MANIFEST)
    for file in named.values():
        if not isinstance(file, str) or PurePosixPath(file).name != file:
            raise damaged(folder / MANIFEST)
    return {name: folder / file for name, file in named.items()}


def read_skipped(folder: Path) -> pd.DataFrame:
    """Read the skipped files and the reasons; empty if no file was skipped.

    Raises
    ------
    IndexFolderError
        If the list is damaged.
    """
    import pandas as pd

    path = folder / SKIPPED
    columns = ["file", "reason"]
    if not path.is_file():
        return pd.DataFrame(columns=columns, dtype=str)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)[columns]
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path) from error
    return table.map(from_cell)


def is_systems(name: str) -> bool:
    """Whether a name belongs to a file of the operating system, which an index ignores."""
    return name in SYSTEM or _STILL_OPEN.fullmatch(name) is not None


def damaged(path: Path) -> IndexFolderError:
    """Make the error for a damaged file."""
    return IndexFolderError(
        f"The index file {path} is damaged; build the index again with `soundalike index`."
    )


def _missing(path: Path) -> IndexFolderError:
    return IndexFolderError(
        f"The index file {path} is missing; build the index again with `soundalike index`."
    )


def _is_valid(manifest: Mapping[str, Any]) -> bool:
    kinds = {"library": dict, "representations": dict, "genres": list, "models": dict, "files": dict}
    typed = all(isinstance(manifest[key], kind) for key, kind in kinds.items())
    return typed and {"folder", "fingerprint"} <= manifest["library"].keys()


def _check_file(path: Path, facts: Mapping[str, Any], checksums: bool) -> None:
    if not path.is_file():
        raise _missing(path)
    if path.stat().st_size != facts["bytes"]:
        raise damaged(path)
    if "shape" in facts:
        array = open_array(path)
        if list(array.shape) != facts["shape"] or str(array.dtype) != facts["dtype"]:
            raise damaged(path)
    if checksums and paths.sha256_of(path) != facts["sha256"]:
        raise damaged(path)


def save(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Write one array of an index, by file name without `.npy`."""
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def create(folder: Path, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.memmap[Any, Any]:
    """Create an array on disk, to be filled row by row and flushed."""
    path = folder / f"{name}.npy"
    array = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
    if hasattr(os, "posix_fallocate"):
        # Allocate the whole file now: a full disk raises an error here, but a fatal signal later.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def file_facts(path: Path) -> dict[str, Any]:
    """A file's manifest entry: size, checksum, and an array's shape and type."""
    facts: dict[str, Any] = {"bytes": path.stat().st_size, "sha256": paths.sha256_of(path)}
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        facts |= {"shape": list(array.shape), "dtype": str(array.dtype)}
    return facts


def manifest_text(manifest: dict[str, Any]) -> str:
    """Serialise a manifest."""
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of an index under construction, with the files written so far.

    Existing entries of files still present are kept, because checksums of large files take long and a
    build never rewrites a file.

    Parameters
    ----------
    folder : the unfinished index
    manifest : the manifest, whose `files` are updated
    """
    known = manifest["files"]
    there = sorted(
        path for path in folder.iterdir() if path.name != MANIFEST and not is_systems(path.name)
    )
    manifest["files"] = {
        path.name: known[path.name] if path.name in known else file_facts(path) for path in there
    }
    _replace(folder, manifest)


def exchange(folder: Path, files: Iterable[str], write: Callable[[], None]) -> None:
    """Rewrite files of a finished index; the manifest doesn't list them until all are written.

    Parameters
    ----------
    folder : the index
    files : names of the files, of which those present afterwards are listed in the manifest
    write : writes the files
    """
    names = set(files)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    known = {name: facts for name, facts in manifest["files"].items() if name not in names}
    _replace(folder, manifest | {"files": known})
    write()
    there = {name: file_facts(folder / name) for name in names if (folder / name).is_file()}
    _replace(folder, manifest | {"files": dict(sorted((known | there).items()))})


def _replace(folder: Path, manifest: dict[str, Any]) -> None:
    path = folder / MANIFEST
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(manifest_text(manifest), encoding="utf-8")
    temporary.replace(path)
