"""Reading an index folder: its manifest, its table and its arrays, each checked as far as is cheap.

What is wrong with a folder is said in a sentence that names the file and what to do. The table is put
right where people's tags leave gaps: every text column is text without line breaks, what is missing is
empty, and a track without a title goes by its file's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.errors import DAMAGED_ARRAYS, IndexFolderError

SCHEMA = 2
MANIFEST = paths.MANIFEST
TRACKS = "tracks.parquet"
SKIPPED = "skipped.csv"
OWN_MODELS = ("genre_head", "factors")
"""The models that an index may bring with it; all others are the app's."""
SYSTEM = frozenset({".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"})
"""Files that file managers drop into the folders they show."""
_STILL_OPEN = re.compile(r"\.nfs[0-9a-f]+")
"""The name that NFS gives a deleted file which a program still has open."""
_TEXTS = ("title", "artist", "album", "genre")
_KNOWN = {"tracks", "library", "representations", "genres", "models", "files"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """What an index says of itself.

    Raises
    ------
    IndexFolderError
        If there is no manifest, or it is damaged, of another schema version, or of representations
        that are all unknown.
    """
    path = folder / MANIFEST
    if not path.is_file():
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
    if not complete or not _well_formed(manifest):
        raise damaged(path)
    if not representations.REGISTRY.keys() & manifest["representations"].keys():
        named = ", ".join(map(str, manifest["representations"])) or "none"
        raise IndexFolderError(
            f"The index {folder} has no representation known to this version (it has {named}). "
            "Build it again with `soundalike index`."
        )
    return dict(manifest)


def read_tracks(folder: Path, manifest: Mapping[str, Any]) -> pd.DataFrame:
    """The table of tracks.

    Raises
    ------
    IndexFolderError
        If it is damaged, empty, lacks what every track needs, or has an id twice.
    """
    path = folder / TRACKS
    try:
        tracks = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not len(tracks):
        raise IndexFolderError(
            f"The index {folder} holds no tracks; build it again with `soundalike index`."
        )
    if len(tracks) != manifest["tracks"] or not {"track_id", "file", "sha256"} <= set(tracks):
        raise damaged(path)
    tracks["track_id"] = tracks["track_id"].astype(str)
    if tracks["track_id"].duplicated().any():
        raise damaged(path)
    return _tidied(tracks)


def check_files(folder: Path, manifest: Mapping[str, Any], checksums: bool) -> None:
    """Compare the folder's files with what the manifest says of them.

    Raises
    ------
    IndexFolderError
        If one is missing or is another, or if the manifest names a file outside the folder.
    """
    for file, facts in manifest["files"].items():
        if PurePosixPath(file).name != file:
            raise damaged(folder / MANIFEST)
        try:
            _check_file(folder / file, facts, checksums)
        except (AttributeError, KeyError, TypeError) as error:
            raise damaged(folder / MANIFEST) from error


def open_array(path: Path) -> NDArray[Any]:
    """An array, memory-mapped.

    Raises
    ------
    IndexFolderError
        If it is missing or damaged.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED_ARRAYS as error:
        raise damaged(path) from error
    return array


def own_models(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Path]:
    """The files of the models that an index brings with it, by name.

    Raises
    ------
    IndexFolderError
        If it names a model that no index can bring, or a file outside its folder.
    """
    named = manifest.get("own_models") or {}
    if not isinstance(named, Mapping) or not set(named) <= set(OWN_MODELS):
        raise damaged(folder / MANIFEST)
    for file in named.values():
        if not isinstance(file, str) or PurePosixPath(file).name != file:
            raise damaged(folder / MANIFEST)
    return {name: folder / file for name, file in named.items()}


def read_skipped(folder: Path) -> pd.DataFrame:
    """The files that were left out, and why; none where nothing was.

    Raises
    ------
    IndexFolderError
        If the list is damaged.
    """
    path = folder / SKIPPED
    columns = ["file", "reason"]
    if not path.is_file():
        return pd.DataFrame(columns=columns, dtype=str)
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)[columns]
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path) from error


def is_systems(name: str) -> bool:
    """Whether a system gives this name to files of its own, which mean nothing to an index."""
    return name in SYSTEM or _STILL_OPEN.fullmatch(name) is not None


def damaged(path: Path) -> IndexFolderError:
    """What is said of a file that cannot be what the index needs."""
    return IndexFolderError(
        f"The index file {path} is damaged; build the index again with `soundalike index`."
    )


def _missing(path: Path) -> IndexFolderError:
    return IndexFolderError(
        f"The index file {path} is missing; build the index again with `soundalike index`."
    )


def _well_formed(manifest: Mapping[str, Any]) -> bool:
    kinds = {"library": dict, "representations": dict, "genres": list, "models": dict, "files": dict}
    typed = all(isinstance(manifest[key], kind) for key, kind in kinds.items())
    return typed and {"folder", "fingerprint"} <= manifest["library"].keys()


def _tidied(tracks: pd.DataFrame) -> pd.DataFrame:
    for column in _TEXTS:
        texts = tracks[column] if column in tracks else pd.Series("", tracks.index)
        tracks[column] = texts.fillna("").astype(str).str.split().str.join(" ").astype("str")
    untitled = tracks["title"] == ""
    stems = [PurePosixPath(file).stem for file in tracks.loc[untitled, "file"].astype(str)]
    tracks.loc[untitled, "title"] = stems
    return tracks


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
