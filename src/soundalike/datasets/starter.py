"""The starter library of an installed package: the bundled music and its index, fetched once.

A checkout has them in `assets/`. They are too large for a wheel, which has the size and the SHA-256 of
an archive of them. The archive comes from a file, or from a URL that begins with http.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

from soundalike import paths
from soundalike.datasets import archives
from soundalike.datasets.archives import Archive, OnBytes
from soundalike.errors import FetchError

VARIABLE = "SOUNDALIKE_STARTER"


def named() -> str:
    """The archive that `$SOUNDALIKE_STARTER` names, or ""."""
    return os.environ.get(VARIABLE, "")


def is_there() -> bool:
    """Whether the starter library of this version is there."""
    if not paths.IS_INSTALLED:
        return True
    return archives.is_unpacked(_archive(), paths.data_folder())


def size() -> int:
    """Bytes of the archive."""
    return int(_facts()["bytes"])


def fetch(source: str, on_bytes: OnBytes = lambda doing, done, total: None) -> None:
    """Fetch and unpack the starter library into the user's data folder.

    Parameters
    ----------
    source : the archive: a file, or its URL
    on_bytes : progress callback

    Raises
    ------
    FetchError
        If there is no such file or URL, its checksum is wrong, or it can't be written. What has been
        received from a URL is kept for the next call.
    """
    archive, folder = _archive(), paths.data_folder()
    if source.lower().startswith(("http://", "https://")):
        base, _, name = source.rpartition("/")
        if name != archive.file:
            raise FetchError(f"The archive's URL must end in /{archive.file}, not in /{name}.")
        archives.fetch(archive, folder, base, on_bytes)
        return
    file = Path(source)
    if not file.is_file():
        raise FetchError(f"There is no archive {file}; name a file, or a URL that begins with http.")
    archives.unpack_checked(archive, file, folder, on_bytes)


def _archive() -> Archive:
    return Archive(str(_facts()["name"]), str(_facts()["sha256"]))


@lru_cache(maxsize=1)
def _facts() -> dict[str, str | int]:
    facts: dict[str, str | int] = json.loads((paths.ASSETS / "starter.json").read_text(encoding="utf-8"))
    return facts
