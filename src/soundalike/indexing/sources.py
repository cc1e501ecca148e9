"""Which folders may be indexed from a page of the app: those that the server's owner names.

They are the folders of `$SOUNDALIKE_MUSIC` and all below them. Without that variable there are none.
What counts is where a folder really is, with links resolved.
"""

from __future__ import annotations

import os
from pathlib import Path

from soundalike.datasets import library, not_music
from soundalike.errors import LibraryError
from soundalike.index import music_files

MOST = 1_000
"""Folders in a folder that are offered."""


def named() -> list[Path]:
    """The named folders that are there, each once, with links resolved."""
    return [folder for folder in dict.fromkeys(music_files.named_folders()) if folder.is_dir()]


def checked(folder: Path) -> Path:
    """A folder that may be indexed, with links resolved.

    Raises
    ------
    LibraryError
        If it lies outside the named folders, or isn't there.
    """
    named_folders = music_files.named_folders()
    # Before anything else: whether another folder exists is nobody's business.
    if not library.leads_into(folder, named_folders):
        raise LibraryError(
            "This folder may not be indexed. The server's owner can name it, or one above it, in "
            f"{music_files.VARIABLE}."
        )
    path = folder.resolve()
    if not path.is_dir():
        raise LibraryError(f"The folder {shown(path)} is gone. Put it back or choose another one.")
    return path


def below(folder: Path) -> list[Path]:
    """The folders in a folder that may be indexed by themselves, by name; none if it can't be read."""
    named_folders = music_files.named_folders()
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    found = [Path(entry.path) for entry in entries if _is_offered(entry)]
    return [path for path in found if library.leads_into(path, named_folders)][:MOST]


def shown(folder: Path) -> str:
    """A folder as visitors see it: "Music/Jazz" for the folder Jazz in the named folder Music."""
    for one in music_files.named_folders():
        if folder.is_relative_to(one):
            return library.shown("/".join((one.name or "Music", *folder.relative_to(one).parts)))
    return library.shown(folder.name)


def _is_offered(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    hidden = name.startswith(".") or not_music.is_bin(name) or not_music.is_companion(name)
    try:
        return not hidden and name.isprintable() and entry.is_dir()
    except OSError:
        return False
