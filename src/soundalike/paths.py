"""Where things lie: the assets that come with the project, and the caches beside a user's own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
MODELS = ASSETS / "models"
LIBRARY = ASSETS / "library"
BUNDLED_INDEX = ASSETS / "index"
MANIFEST = "manifest.json"
"""The file of an index that says what is in it."""


def index_folders(named: str | None = None) -> list[Path]:
    """The indexes at hand, the one to open first: those of `$SOUNDALIKE_INDEX`, then the bundled one.

    Parameters
    ----------
    named : one index, several with the system's path separator between them, or a folder that holds
        several, which come by name; `$SOUNDALIKE_INDEX` where it is None

    Returns
    -------
    each folder once; one that was named and is no index is there all the same, so that it can be said
    """
    named = os.environ.get("SOUNDALIKE_INDEX", "") if named is None else named
    folders = [folder for part in named.split(os.pathsep) if part for folder in _indexes(Path(part))]
    different: dict[Path, Path] = {}
    for folder in [*folders, BUNDLED_INDEX]:
        different.setdefault(folder.resolve(), folder)
    return list(different.values())


def index_folder() -> Path:
    """The index to open unless another is asked for: the first of `index_folders`."""
    return index_folders()[0]


def _indexes(named: Path) -> list[Path]:
    """An index itself, or the indexes in a folder; a folder without any stands for itself."""
    if (named / MANIFEST).is_file():
        return [named]
    try:
        inner = sorted(path for path in named.iterdir() if not path.name.startswith("."))
    except OSError:
        return [named]
    return [path for path in inner if (path / MANIFEST).is_file()] or [named]


def cache_folder() -> Path:
    """Where commands keep feature maps between runs: `$SOUNDALIKE_CACHE`, or the user's cache."""
    if own := os.environ.get("SOUNDALIKE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or _home() / ".cache"
    return Path(base) / "soundalike"


def factors_file() -> Path | None:
    """The network of listeners' taste that the app asks: `$SOUNDALIKE_FACTORS`, if it is set."""
    own = os.environ.get("SOUNDALIKE_FACTORS")
    return Path(own) if own else None


def votes_file() -> Path:
    """Where votes are kept: `$SOUNDALIKE_VOTES`, or in the user's data folder."""
    if own := os.environ.get("SOUNDALIKE_VOTES"):
        return Path(own)
    base = os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share"
    return Path(base) / "soundalike" / "votes.sqlite"


def _home() -> Path:
    """The user's folder; the root where there is none, as for a container's nameless user.

    What cannot be written there is said by whoever wants to.
    """
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
