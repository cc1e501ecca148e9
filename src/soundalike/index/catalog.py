"""The libraries that the app offers: their index folders and names.

A library's name is that in its index's manifest, or else its folder's. A number is appended to a
duplicate name.
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from soundalike import paths
from soundalike.index import music_files

BUNDLED_NAME = "Starter library"
LONGEST_NAME = 60
_GENERIC = ("index", "")
"""Uninformative folder names, for which the parent folder's name is used."""


@dataclass(frozen=True)
class CatalogEntry:
    """An index folder and its unique name."""

    name: str
    folder: Path


def offered() -> list[CatalogEntry]:
    """The available libraries, default first; at least one.

    Folders in `$SOUNDALIKE_INDEX` that cannot be opened are included, so that the app can report the
    problem. The indexes that the app has made come last, so that a new one doesn't change the default.
    """
    named = paths.index_folders()
    there = {folder.resolve() for folder in named}
    found: dict[str, CatalogEntry] = {}
    for folder in [*named, *(own for own in _own() if own.resolve() not in there)]:
        name = unique_name(_name(folder), found)
        found[name] = CatalogEntry(name, folder)
    return list(found.values())


def is_own(folder: Path) -> bool:
    """Whether the app has made an index itself."""
    return folder.resolve() in {own.resolve() for own in _own()}


def without_paths(message: str) -> str:
    """Remove the paths of libraries, votes and the program from a message."""
    for library in offered():
        for folder in (library.folder, library.folder.resolve()):
            message = message.replace(f"{folder}/", "").replace(str(folder), f"“{library.name}”")
    votes = paths.votes_file()
    return message.replace(str(votes), votes.name).replace(f"{paths.ROOT}/", "")


def stamp(folder: Path) -> tuple[int, int]:
    """A value that changes when an index is rebuilt; zeros if there is no index."""
    try:
        status = (folder / paths.MANIFEST).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _own() -> list[Path]:
    """The indexes that the app has made; none where it may not make any."""
    return paths.indexes_in(paths.own_indexes()) if music_files.named_folders() else []


def _name(folder: Path) -> str:
    whole = folder.resolve()
    if whole == paths.BUNDLED_INDEX.resolve():
        return BUNDLED_NAME
    own = whole.parent.name if whole.name in _GENERIC else whole.name
    name = _name_in_manifest(folder, stamp(folder)) or own
    printable = "".join(mark if mark.isprintable() else " " for mark in name)
    return " ".join(printable.split())[:LONGEST_NAME] or "Library"


@lru_cache(maxsize=256)
def _name_in_manifest(folder: Path, stamp: tuple[int, int]) -> str:
    """The name in an index's manifest, read again when the manifest changes."""
    try:
        name = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def unique_name(name: str, taken: Container[str]) -> str:
    """A name, with a number after it if it is taken."""
    number, wanted = 2, name
    while wanted in taken:
        wanted, number = f"{name} ({number})", number + 1
    return wanted
