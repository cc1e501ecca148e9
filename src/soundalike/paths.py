"""Paths: the project's assets, the indexes, and the user's caches and data."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED_APP = _PACKAGE / "app"
IS_INSTALLED = _INSTALLED_APP.is_dir()
"""Whether the package comes from a wheel, not from a checkout."""
ROOT = _INSTALLED_APP if IS_INSTALLED else _PACKAGE.parents[1]
"""Folder of `app.py`, `pages` and `assets`."""
ASSETS = ROOT / "assets"
MODELS = ASSETS / "models"
MANIFEST = "manifest.json"
"""The file that describes an index's contents."""


def index_folders(named: str | None = None) -> list[Path]:
    """The available indexes, default first: those of `$SOUNDALIKE_INDEX`, then the bundled one.

    Parameters
    ----------
    named : one index, several joined by the system's path separator, or a folder that contains several
        (sorted by name); `$SOUNDALIKE_INDEX` if None

    Returns
    -------
    each folder once; a named folder that is not an index is included, so that the caller can report it.
    The bundled one is left out if an installed package hasn't fetched it and another is named.
    """
    named = os.environ.get("SOUNDALIKE_INDEX", "") if named is None else named
    folders = [folder for part in named.split(os.pathsep) if part for folder in _indexes(Path(part))]
    unique: dict[Path, Path] = {}
    if BUNDLED_INDEX.is_dir() or not folders:
        folders.append(BUNDLED_INDEX)
    for folder in folders:
        unique.setdefault(folder.resolve(), folder)
    return list(unique.values())


def index_folder() -> Path:
    """The default index: the first of `index_folders`."""
    return index_folders()[0]


def indexes_in(folder: Path) -> list[Path]:
    """The indexes in a folder, sorted by name; none if it can't be read."""
    try:
        children = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    return [path for path in children if (path / MANIFEST).is_file()]


def _indexes(named: Path) -> list[Path]:
    """The index itself, or the indexes in a folder, or the folder if it contains none."""
    if (named / MANIFEST).is_file():
        return [named]
    return indexes_in(named) or [named]


def cache_folder() -> Path:
    """Folder for feature maps kept between runs: `$SOUNDALIKE_CACHE`, or the user's cache."""
    if own := os.environ.get("SOUNDALIKE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or _home() / ".cache"
    return Path(base) / "soundalike"


def factors_file() -> Path | None:
    """The app's collaborative-filtering network: `$SOUNDALIKE_FACTORS`, if set."""
    own = os.environ.get("SOUNDALIKE_FACTORS")
    return Path(own) if own else None


def votes_file() -> Path:
    """The votes database: `$SOUNDALIKE_VOTES`, or a file in the user's data folder."""
    if own := os.environ.get("SOUNDALIKE_VOTES"):
        return Path(own)
    return data_folder() / "votes.sqlite"


def own_indexes() -> Path:
    """Folder of the indexes that the app makes: `$SOUNDALIKE_OWN_INDEXES`, or in the user's data."""
    if own := os.environ.get("SOUNDALIKE_OWN_INDEXES"):
        return Path(own)
    return data_folder() / "indexes"


def data_folder() -> Path:
    """The user's folder of the app's data."""
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share") / "soundalike"


def _home() -> Path:
    """The user's home folder, or the root if there is none, as for a container's nameless user.

    The root may not be writable; the callers that write report that.
    """
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


STARTER = data_folder() / "soundalike-starter" if IS_INSTALLED else ASSETS
"""Folder of the starter library: an installed package has fetched it, if it is there at all."""
LIBRARY = STARTER / "library"
BUNDLED_INDEX = STARTER / "index"
