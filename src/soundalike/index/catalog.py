"""The libraries that the app offers: which index folders there are, and what each is called.

A library goes by the name in its index's manifest, or by its folder's; of two with one name the second
has a number behind it.
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from soundalike import paths

BUNDLED_NAME = "Starter library"
LONGEST_NAME = 60
_GENERIC = ("index", "")
"""Folder names that say nothing; the folder around such a one is taken."""


@dataclass(frozen=True)
class CatalogEntry:
    """An index folder and its name, which no other library has."""

    name: str
    folder: Path


def offered() -> list[CatalogEntry]:
    """The libraries to choose from, the one to begin with first; at least one.

    A folder that is named in `$SOUNDALIKE_INDEX` and cannot be opened is among them, so that it can be
    said what is wrong with it.
    """
    found: dict[str, CatalogEntry] = {}
    for folder in paths.index_folders():
        name = _unused(_name(folder), found)
        found[name] = CatalogEntry(name, folder)
    return list(found.values())


def without_paths(message: str) -> str:
    """A message with the places of libraries, votes and the program on this machine left out."""
    for library in offered():
        for folder in (library.folder, library.folder.resolve()):
            message = message.replace(f"{folder}/", "").replace(str(folder), f"“{library.name}”")
    votes = paths.votes_file()
    return message.replace(str(votes), votes.name).replace(f"{paths.ROOT}/", "")


def stamp(folder: Path) -> tuple[int, int]:
    """What changes when an index is built again; zeros where there is none."""
    try:
        facts = (folder / paths.MANIFEST).stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_size


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
    """The name that an index gives itself, read again when its manifest has changed."""
    try:
        name = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def _unused(name: str, taken: Container[str]) -> str:
    number, wanted = 2, name
    while wanted in taken:
        wanted, number = f"{name} ({number})", number + 1
    return wanted
