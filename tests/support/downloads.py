"""What tests of downloads have in common."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from web_server import Site


def zipped(files: Mapping[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP archive of some files; a name that ends in a slash is a folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return made.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    """A folder's files by name, but for those whose name begins with a dot."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def ranges(site: Site) -> list[str]:
    """The part of the file that each request asked for."""
    return [headers.get("Range", "") for headers in site.asked]
