"""Resumable download and unpacking of ZIP archives with a known checksum.

An archive is downloaded into `NAME.zip.part` with HTTP range requests (RFC 9110, section 14). The
server's version of the file (ETag or Last-Modified) is stored beside it and sent as `If-Range`. If the
file has changed or the server does not support ranges, the download restarts from the beginning. Broken
connections are retried as long as each attempt makes progress, and up to five times without progress.
The archive is accepted only if its checksum is the known one.

Unpacking first checks all names. Existing files with the right size and CRC-32 are kept; others are
written to a temporary name and renamed. The archive is deleted once everything is unpacked, and its
contents are listed in `.NAME.json`, by which the next call checks that no file is missing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from soundalike.datasets import web
from soundalike.errors import FetchError

if TYPE_CHECKING:
    import requests

OnBytes = Callable[[str, int, int], None]
"""Progress callback: called with the activity, the bytes done and the total bytes."""


@dataclass(frozen=True)
class Archive:
    """An archive: its folder's name, and its SHA-1 or SHA-256 in hexadecimal."""

    name: str
    checksum: str

    @property
    def file(self) -> str:
        """The name of the archive's file."""
        return f"{self.name}.zip"

    @property
    def algorithm(self) -> str:
        """What the checksum is, by its length: "sha1" or "sha256"."""
        return "sha1" if len(self.checksum) == 40 else "sha256"


@dataclass(frozen=True)
class Fetched:
    """The result of fetching an archive.

    Attributes
    ----------
    name : name of the archive's folder
    downloaded : bytes downloaded by this call
    resumed : bytes kept from an earlier call
    unpacked, kept : number of files written, and of files already present
    """

    name: str
    downloaded: int
    resumed: int
    unpacked: int
    kept: int


def fetch(
    archive: Archive,
    folder: Path,
    url: str,
    on_bytes: OnBytes = lambda doing, done, total: None,
) -> Fetched:
    """Download and unpack an archive, resuming an earlier attempt.

    Parameters
    ----------
    archive : the archive to fetch
    folder : target folder, in which the archive's own folder is created
    url : base address of the archives
    on_bytes : progress callback

    Raises
    ------
    FetchError
        If the server cannot be reached or does not have the file, the checksum is wrong, the disk is
        full, or the archive cannot be unpacked. Partial results are kept for the next call; only
        files known to be wrong are removed.
    """
    on_bytes(f"Looking at {archive.name}", 0, 0)
    files = _listed(archive, folder)
    if files is not None and all(is_unchanged(folder / name, *known) for name, known in files.items()):
        return Fetched(archive.name, 0, 0, 0, len(files))
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / archive.file
        downloaded, resumed = 0, 0
        if not target.is_file():
            downloaded, resumed = _download(f"{url.rstrip('/')}/{archive.file}", target, on_bytes)
        try:
            check(target, archive, on_bytes)
        except FetchError:
            target.unlink()
            raise
        unpacked, kept = unpack(target, folder, on_bytes)
        _write_listing(_listing(archive, folder), target, archive)
        target.unlink()
    return Fetched(archive.name, downloaded, resumed, unpacked, kept)


def unpack_checked(
    archive: Archive,
    target: Path,
    folder: Path,
    on_bytes: OnBytes = lambda doing, done, total: None,
) -> None:
    """Unpack an archive that is there as a file, which is kept.

    Raises
    ------
    FetchError
        If its checksum is wrong, or it cannot be unpacked.
    """
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        check(target, archive, on_bytes)
        unpack(target, folder, on_bytes)
        _write_listing(_listing(archive, folder), target, archive)


def is_unpacked(archive: Archive, folder: Path) -> bool:
    """Whether an archive's files are there, by their sizes alone."""
    files = _listed(archive, folder)
    return files is not None and all(_size(folder / name) == size for name, (size, _) in files.items())


def _download(url: str, target: Path, on_bytes: OnBytes) -> tuple[int, int]:
    """Download `target`; returns the bytes downloaded now and those already present."""
    import requests

    part = target.with_name(f"{target.name}.part")
    downloaded, retries = 0, web.Retries(url, _size(part))
    with requests.Session() as session:
        while True:
            try:
                with _request(session, url, part) as response:
                    for gained in _receive(response, part, on_bytes):
                        downloaded += gained
                break
            except web.failures() as error:
                retries.after(error, _size(part), kept=True)
    part.replace(target)
    _version_file(part).unlink(missing_ok=True)
    return downloaded, max(0, _size(target) - downloaded)


def _request(session: requests.Session, url: str, part: Path) -> requests.Response:
    """Request the missing part of a file."""
    headers = {}
    if have := _size(part):
        headers["Range"] = f"bytes={have}-"
        if version := _version(part):
            headers["If-Range"] = version
    return web.get(session, url, headers)


def _receive(response: requests.Response, part: Path, on_bytes: OnBytes) -> Iterator[int]:
    """Write a response to the partial file; yields the number of bytes of each piece.

    Raises
    ------
    web.RetryError
        If the response ends too early, or does not continue the partial file, which is then deleted.
    """
    have = _size(part)
    if response.status_code == 416:
        if web.total(response) == have:
            return
        _discard(part)
        raise web.RetryError
    if response.status_code == 206 and (web.part(response) or (None,))[0] != have:
        _discard(part)
        raise web.RetryError
    start = have if response.status_code == 206 else 0
    total = web.total(response)
    if total is not None:
        # Music is already compressed, so the archive unpacks to about its own size.
        check_room(part.parent, 2 * total - start, f"download and unpack {part.stem}")
    if not start:
        _write_version(part, response)
    done = start
    with part.open("ab" if start else "wb") as file:
        for piece in response.iter_content(web.CHUNK):
            file.write(piece)
            done += len(piece)
            on_bytes(f"Downloading {part.stem}", done, total or 0)
            yield len(piece)
    if total is not None and done != total:
        raise web.RetryError


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _version(part: Path) -> str:
    try:
        return _version_file(part).read_text(encoding="latin-1").strip()
    except OSError:
        return ""


def _write_version(part: Path, response: requests.Response) -> None:
    _version_file(part).write_text(web.version(response), encoding="latin-1", errors="replace")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def check(target: Path, archive: Archive, on_bytes: OnBytes = lambda doing, done, total: None) -> None:
    """Compare a file with its archive's checksum.

    Raises
    ------
    FetchError
        If it is another one.
    """
    digest, done, total = hashlib.new(archive.algorithm, usedforsecurity=False), 0, _size(target)
    with target.open("rb") as file:
        while piece := file.read(web.CHUNK):
            digest.update(piece)
            done += len(piece)
            on_bytes(f"Checking {target.name}", done, total)
    if digest.hexdigest() != archive.checksum:
        raise FetchError(
            f"{target.name} has the checksum {digest.hexdigest()[:12]}… instead of "
            f"{archive.checksum[:12]}…; fetch it again, or name another one."
        )


def unpack(
    archive: Path, folder: Path, on_bytes: OnBytes = lambda doing, done, total: None
) -> tuple[int, int]:
    """Unpack a ZIP archive into a folder, keeping existing files that are unchanged.

    Parameters
    ----------
    archive : the ZIP file
    folder : target folder; nothing is ever written outside it

    Returns
    -------
    number of files written, and of files already present

    Raises
    ------
    FetchError
        If the archive is damaged, has an unsupported compression, contains a path outside the folder,
        or does not fit on the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            for entry in entries:
                _check_name(entry, folder, archive)
            return _unpack(opened, entries, folder, on_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise FetchError(f"{archive} is damaged; remove it and run the command again.") from error
    except RuntimeError as error:
        raise FetchError(
            f"{archive} is encrypted, or compressed in a way that Python cannot read; unpack it with "
            "7-Zip, or name another address."
        ) from error


def _unpack(
    opened: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, on_bytes: OnBytes
) -> tuple[int, int]:
    total, done = sum(entry.file_size for entry in entries), 0
    missing = []
    for entry in entries:
        if is_unchanged(folder / entry.filename, entry.file_size, entry.CRC):
            done += entry.file_size
            on_bytes("Looking at files", done, total)
        else:
            missing.append(entry)
    check_room(folder, sum(entry.file_size for entry in missing), "unpack it")
    for entry in missing:
        target = folder / entry.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.part")
        with opened.open(entry) as source, temporary.open("wb") as file:
            shutil.copyfileobj(source, file, web.CHUNK)
        temporary.replace(target)
        done += entry.file_size
        on_bytes(f"Unpacking {Path(entry.filename).name}", done, total)
    return len(missing), len(entries) - len(missing)


def _check_name(entry: zipfile.ZipInfo, folder: Path, archive: Path) -> None:
    """Raise an error for an entry that is a link or would be written outside the folder."""
    parts = PurePosixPath(entry.filename).parts
    linked = stat.S_ISLNK(entry.external_attr >> 16)
    outside = (
        entry.filename.startswith("/") or ".." in parts or any(c in entry.filename for c in "\\:\0")
    )
    root = folder.resolve()
    if linked or outside or not (root / entry.filename).resolve().is_relative_to(root):
        raise FetchError(
            f"{archive} holds {entry.filename!r}, which would be written outside {folder}; nothing was "
            "unpacked. Remove it, and name another address."
        )


def _listing(archive: Archive, folder: Path) -> Path:
    return folder / f".{archive.name}.json"


def _listed(archive: Archive, folder: Path) -> dict[str, tuple[int, int]] | None:
    """Size and CRC-32 of each file of an archive that has been unpacked whole, or None."""
    try:
        known: dict[str, Any] = json.loads(_listing(archive, folder).read_text(encoding="utf-8"))
        files = {name: (int(size), int(crc)) for name, (size, crc) in known["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return files if known.get(archive.algorithm) == archive.checksum else None


def _write_listing(listing: Path, target: Path, archive: Archive) -> None:
    with zipfile.ZipFile(target) as opened:
        files = {e.filename: [e.file_size, e.CRC] for e in opened.infolist() if not e.is_dir()}
    temporary = listing.with_name(f"{listing.name}.part")
    temporary.write_text(
        json.dumps({archive.algorithm: archive.checksum, "files": files}), encoding="utf-8"
    )
    temporary.replace(listing)


def is_unchanged(path: Path, size: int, crc: int) -> bool:
    """Whether a file is there with a size and a CRC-32."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    found = 0
    with path.open("rb") as file:
        while piece := file.read(web.CHUNK):
            found = zlib.crc32(piece, found)
    return found == crc


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def check_room(folder: Path, wanted: int, what: str) -> None:
    """Check that a number of bytes is free in a folder, before they are written.

    Raises
    ------
    FetchError
        If it isn't; `what` says what they are needed for.
    """
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise FetchError(
            f"To {what}, {wanted / 1e9:,.1f} GB are needed and {free / 1e9:,.1f} GB are free in "
            f"{folder}; make room, or name another folder."
        )


@contextmanager
def write_errors(folder: Path) -> Iterator[None]:
    """Convert write errors to `FetchError`, with advice."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchError(
                f"The disk of {folder} is full; make room and run the command again, which goes on "
                "where it was."
            ) from error
        if error.errno is None:
            raise
        raise FetchError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
