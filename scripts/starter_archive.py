"""Makes the archive of the starter library that an installed package fetches.

    python scripts/starter_archive.py            # dist/soundalike-starter.zip and assets/starter.json

The same files give the same archive, byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"
NAME = "soundalike-starter"
FACTS = ASSETS / "starter.json"


def files() -> Iterator[Path]:
    """The library's and the index's files; the manifest is last, so an index that has one is whole."""
    found = [path for folder in ("library", "index") for path in sorted((ASSETS / folder).rglob("*"))]
    files = [path for path in found if path.is_file() and not path.name.startswith(".")]
    yield from sorted(files, key=lambda path: path.name == "manifest.json")


def write(target: IO[bytes]) -> None:
    """Write the archive; nothing is compressed, since the music is already."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in files():
            entry = zipfile.ZipInfo(f"{NAME}/{path.relative_to(ASSETS).as_posix()}")
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def main() -> None:
    """Write the archive and its facts."""
    archive = ROOT / "dist" / f"{NAME}.zip"
    archive.parent.mkdir(exist_ok=True)
    with archive.open("wb") as file:
        write(file)
    with archive.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {"name": NAME, "bytes": archive.stat().st_size, "sha256": checksum}
    FACTS.write_text(f"{json.dumps(facts, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
