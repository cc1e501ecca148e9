"""Which of a library's files a server hands out.

An index names a folder and the files in it, and may come from somebody else. What a visitor can hear,
see or download is therefore checked whenever it is handed out:

- the library's folder is one that the server's owner allows (`MusicFolders`);
- the file, with all links resolved, lies in the library's folder or in one that the owner named;
- it has an audio ending, and begins as an audio file.

The server passes `MusicFolders` to `index.load`. The command line doesn't, because it runs as the user
whose files it reads; it still takes nothing but audio.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from soundalike import paths
from soundalike.audio import media_types
from soundalike.errors import LibraryError

VARIABLE = "SOUNDALIKE_MUSIC"
"""Environment variable: folders of music, joined by the system's path separator."""


@dataclass(frozen=True)
class MusicFolders:
    """Folders that a server hands out audio files from.

    Attributes
    ----------
    named : folders that hold libraries, or are one; with links resolved
    beside : an index's parent folder, which may hold libraries but isn't one; None if it doesn't count
    """

    named: tuple[Path, ...]
    beside: Path | None = None

    def allow(self, library: Path) -> bool:
        """Whether a library's folder, with links resolved, is in one of these folders."""
        beside = self.beside is not None and self.beside in library.parents
        return beside or self.hold(library)

    def hold(self, path: Path) -> bool:
        """Whether a path, with links resolved, lies in a folder that the owner named."""
        return any(path.is_relative_to(folder) for folder in self.named)


def named_folders() -> tuple[Path, ...]:
    """The folders of `$SOUNDALIKE_MUSIC`, with links resolved; none if the variable isn't set."""
    own = os.environ.get(VARIABLE, "")
    return tuple(Path(one).resolve() for one in own.split(os.pathsep) if one)


def of_owner(index: Path) -> MusicFolders:
    """The folders for an index: those of `$SOUNDALIKE_MUSIC`, and always the bundled library's.

    By default, the music may lie in the index's folder or in a folder beside it. Beside an index at the
    file system's root lies everything, so nothing there counts.
    """
    bundled = paths.LIBRARY.resolve()
    if os.environ.get(VARIABLE):
        return MusicFolders((bundled, *named_folders()))
    folder = index.resolve()
    beside = folder.parent if folder.parent != Path(folder.anchor) else None
    return MusicFolders((bundled, folder), beside)


def checked(file: str, library: Path, music: MusicFolders | None) -> Path:
    """A library's audio file, with links resolved, if it may be handed out.

    Parameters
    ----------
    file : path relative to the library's folder
    library : the library's folder, with links resolved
    music : the server's folders; None for a user's own command line, which may read any

    Raises
    ------
    LibraryError
        If the file is missing, may not be read, isn't audio, or lies outside the folders.
    """
    try:
        path = (library / file).resolve(strict=True)
        if not path.is_file():
            raise FileNotFoundError
        # Before anything of the file is read.
        _check_place(file, path, library, music)
        with path.open("rb") as opened:
            head = opened.read(media_types.HEAD_BYTES)
    except PermissionError as error:
        raise LibraryError("Permission denied. Check the file's permissions.") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise LibraryError(
            f"{file} is no longer in the library's folder. Put it back or run `soundalike index` again."
        ) from error
    if Path(file).suffix.lower() not in media_types.BY_ENDING or not media_types.is_audio(head):
        raise LibraryError(f"{file} is not an audio file. Take it out of the library.")
    return path


def outside() -> LibraryError:
    """The error for a library outside the server's folders."""
    return LibraryError(
        "This library's music lies outside the folders that this server may play from. "
        f"Its owner can name the folder in {VARIABLE}."
    )


def _check_place(file: str, path: Path, library: Path, music: MusicFolders | None) -> None:
    if music is None:
        return
    if not music.allow(library):
        raise outside()
    if not path.is_relative_to(library) and not music.hold(path):
        raise LibraryError(
            f"{file} is a link out of the library's folder. The server's owner can name the folder that "
            f"it leads to in {VARIABLE}."
        )
