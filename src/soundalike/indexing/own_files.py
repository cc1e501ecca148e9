"""Which files in a folder the program created, so that it never deletes a user's files.

An index folder contains the files listed in its manifest. Commands also save results that aren't in the
manifest, and a killed command leaves files that aren't listed yet; their names are known. File managers
create their own files in folders they display. Everything else belongs to the user.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence, Set
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from soundalike import representations
from soundalike.evaluation import fma_results, results
from soundalike.index import ann, storage, track_arrays
from soundalike.indexing import extraction
from soundalike.projection import layout

MEASURED = (
    track_arrays.DESCRIPTORS,
    track_arrays.THUMBNAILS,
    track_arrays.THUMBNAIL_PLACES,
    track_arrays.KEYS,
    track_arrays.FINGERPRINTS,
    track_arrays.DUPLICATES,
    *extraction.MOMENT_FILES,
)
"""The arrays that `soundalike measure` adds to an index."""
FIGURES = (results.FILE, fma_results.FILE)
"""Results that commands save in an index folder; the manifest doesn't list them."""
_OF_VECTORS = (
    *("", "_raw", "_scale", "_norms", "_top_tracks", "_bias", "_pca", "_codes", "_columns"),
    *("_neighbours", "_similarities"),
)
_NAMED = 3


@cache
def names() -> frozenset[str]:
    """The name of every file that a command may write into an index folder."""
    known = representations.REGISTRY
    arrays = {f"{name}{part}" for name in known for part in _OF_VECTORS}
    arrays |= {layout.array_name(name, made) for name in known for made in layout.SETTINGS}
    arrays |= {*MEASURED, "genre_probabilities", "genre_head_heldout"}
    models = {f"model_{name}{ending}" for name in storage.OWN_MODELS for ending in (".npz", ".md")}
    others = {storage.MANIFEST, storage.TRACKS, storage.SKIPPED, *FIGURES}
    searches = {ann.file_name(name) for name in known}
    return frozenset({f"{name}.npy" for name in arrays} | models | others | searches)


def manifest(folder: Path) -> dict[str, Any]:
    """An index's manifest, of any version; empty if it's missing or unreadable."""
    try:
        found = json.loads((folder / storage.MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def foreign(folder: Path) -> list[str]:
    """Names of files in a folder that neither the program nor the system created."""
    made = _made(folder)
    return sorted(
        entry.name
        for entry in _entries(folder)
        if entry.name not in made and (_is_folder(entry) or not storage.is_systems(entry.name))
    )


def remove(folder: Path) -> list[str]:
    """Delete the program's files in a folder, and the folder if it's then empty.

    Returns
    -------
    names of files that were left, because they belong to the user
    """
    others = foreign(folder)
    # The manifest goes last: after a kill it still identifies the program's remaining files.
    for name in sorted(_made(folder), key=lambda name: name == storage.MANIFEST):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
    return others


def enumerated(names: Sequence[str]) -> str:
    """Names for a message: the first ones, and the number of others."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _made(folder: Path) -> set[str]:
    """Names of files in a folder that may be deleted with it."""
    known = names() | _listed(folder) | storage.SYSTEM
    return {
        entry.name for entry in _entries(folder) if not _is_folder(entry) and _is_made(entry.name, known)
    }


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    return list(os.scandir(folder)) if folder.is_dir() else []


def _listed(folder: Path) -> set[str]:
    files = manifest(folder).get("files")
    return set(files) if isinstance(files, dict) else set()


def _is_made(name: str, known: Set[str]) -> bool:
    """Whether a name is known, or is a temporary or macOS companion file of a known name."""
    bare = name.removeprefix("._")
    return bare in known or (bare.startswith(".") and bare[1:].removesuffix(".part") in known)
