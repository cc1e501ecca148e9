"""Where things lie: the assets that come with the project, and the caches beside a user's own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
MODELS = ASSETS / "models"
LIBRARY = ASSETS / "library"


def index_folder() -> Path:
    """The index to open: `$SOUNDALIKE_INDEX` where it is set, the bundled one otherwise."""
    return Path(os.environ.get("SOUNDALIKE_INDEX") or ASSETS / "index")


def cache_folder() -> Path:
    """Where commands keep feature maps between runs: `$SOUNDALIKE_CACHE`, or the user's cache."""
    if own := os.environ.get("SOUNDALIKE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "soundalike"


def factors_file() -> Path | None:
    """The network of listeners' taste that the app asks: `$SOUNDALIKE_FACTORS`, if it is set."""
    own = os.environ.get("SOUNDALIKE_FACTORS")
    return Path(own) if own else None


def votes_file() -> Path:
    """Where votes are kept: `$SOUNDALIKE_VOTES`, or in the user's data folder."""
    if own := os.environ.get("SOUNDALIKE_VOTES"):
        return Path(own)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "soundalike" / "votes.sqlite"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
