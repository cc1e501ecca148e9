"""Names of folders and files in a library that the system made and that aren't part of it.

What was deleted lies in recycle bins, and old versions in folders of programs that synchronise. macOS
keeps a companion `._song.mp3` beside a file on disks of other systems. Hidden files of the user's own
naming, such as `...And Justice for All`, are part of the library.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_BINS = (
    # Windows, and NAS systems by Synology and QNAP.
    *("$recycle.bin", "recycler", "recycled", "system volume information"),
    *("#recycle", "#snapshot", "@eadir", "@recycle", "@recently-snapshot", ".@__thumb"),
    # Linux and macOS.
    *(".trash", ".trash-*", ".trashes", "lost+found"),
    *(".appledouble", "__macosx", ".spotlight-v100", ".fseventsd", ".temporaryitems"),
    # Syncthing, Resilio and Dropbox.
    *(".stversions", ".stfolder", ".sync", ".dropbox.cache"),
)
"""Names of folders, in lower case, with wildcards."""


def is_bin(name: str) -> bool:
    """Whether a folder of this name holds what was deleted, or the system's own files."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in _BINS)


def is_companion(name: str) -> bool:
    """Whether a file of this name is a companion that macOS keeps for another file."""
    return name.startswith("._")
