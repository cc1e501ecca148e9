"""Single members of a ZIP archive on a web server, without the rest of it.

The archive's directory is read first. The members that aren't there yet, or differ from the directory
in size or CRC-32, are then fetched in the archive's order, with one request for neighbours. Each is
written to a temporary name, compared with its CRC-32 and renamed, so a run that is killed loses at most
the member that it was at.

`.NAME-members.json` keeps a checksum of the directory, by which a later run sees that the archive is
another one, and the members that were there when a run was completed, by which it sees without asking
the server that none is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from soundalike.datasets import archives, web
from soundalike.datasets.archives import OnBytes
from soundalike.datasets.remote_file import RemoteFile, Span
from soundalike.errors import FetchError

GAP = 2**16
"""Bytes between two members up to which they are fetched by one request: a request takes longer."""


@dataclass(frozen=True)
class Fetched:
    """The result of fetching members.

    Attributes
    ----------
    archive : name of the archive
    archive_size : its size in bytes; 0 if the server wasn't asked
    downloaded, requests : bytes received, and number of requests
    fetched, kept : number of members written, and of those already present
    """

    archive: str
    archive_size: int
    downloaded: int
    requests: int
    fetched: int
    kept: int


def fetch(url: str, names: Collection[str], folder: Path, on_bytes: OnBytes) -> Fetched:
    """Fetch members of an archive into a folder, resuming an earlier attempt.

    Parameters
    ----------
    url : the archive's address
    names : the members' names, which are also their paths in the folder
    folder : target folder
    on_bytes : progress callback

    Raises
    ------
    FetchError
        If the server can't be reached, knows no ranges or sends wrong ones, the archive is damaged or
        has changed, lacks a member, or the disk is full. Complete members are kept for the next call.
    """
    archive = url.rpartition("/")[2]
    with archives.write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            listing = listing_of(folder, archive)
            on_bytes(f"Looking at {archive}", 0, 0)
            if _is_complete(_read(listing), names, folder):
                return Fetched(archive, 0, 0, 0, 0, len(names))
            with closing(RemoteFile(url)) as remote:
                return _fetch(remote, names, folder, listing, on_bytes)


def listing_of(folder: Path, archive: str) -> Path:
    """The file that says what a folder has of an archive."""
    return folder / f".{Path(archive).stem}-members.json"


def spans(members: Sequence[Span]) -> list[Span]:
    """Join ranges, sorted and apart from each other, where less than `GAP` lies between them."""
    joined: list[Span] = []
    for start, stop in members:
        if joined and start - joined[-1][1] <= GAP:
            start = joined.pop()[0]
        joined.append((start, stop))
    return joined


def _fetch(
    remote: RemoteFile, names: Collection[str], folder: Path, listing: Path, on_bytes: OnBytes
) -> Fetched:
    archive = remote.url.rpartition("/")[2]
    with _damage(remote, archive):
        opened = zipfile.ZipFile(remote)
    with opened:
        entries = _members(opened, names, remote)
        found = {"directory": _checksum(opened), "files": {}}
        if _read(listing).get("directory", found["directory"]) != found["directory"]:
            raise FetchError(
                f"{archive} on {web.host(remote.url)} isn't the one that {folder} was begun with; name "
                f"another folder with --dir, or remove {listing} to go on with this one."
            )
        _write(listing, found)
        missing = [entry for entry in entries if not _is_there(entry, folder)]
        total = sum(entry.file_size for entry in entries)
        done = total - sum(entry.file_size for entry in missing)
        archives.check_room(folder, total - done, f"fetch {len(missing):,} files of {archive}")
        remote.announce(spans(_places(opened, missing)))
        for entry in missing:
            doing = f"Fetching {Path(entry.filename).name}"
            for written in _write_member(opened, entry, folder, remote):
                done += written
                on_bytes(doing, done, total)
    found["files"] = {entry.filename: [entry.file_size, entry.CRC] for entry in entries}
    _write(listing, found)
    kept = len(entries) - len(missing)
    return Fetched(archive, remote.size, remote.received, remote.requests, len(missing), kept)


def _write_member(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, remote: RemoteFile
) -> Iterator[int]:
    """Write a member; yields the number of bytes of each piece. It has its name once it is complete."""
    target, temporary = folder / entry.filename, folder / ".member.part"
    try:
        with (
            _damage(remote, entry.filename),
            opened.open(entry) as source,
            temporary.open("wb") as file,
        ):
            while piece := source.read(web.CHUNK):
                file.write(piece)
                yield len(piece)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _members(
    opened: zipfile.ZipFile, names: Collection[str], remote: RemoteFile
) -> list[zipfile.ZipInfo]:
    """The members of these names, in the archive's order."""
    entries = {entry.filename: entry for entry in opened.infolist()}
    if absent := sorted(set(names) - set(entries)):
        raise FetchError(f"{remote.url} has no {absent[0]}; name another address with --url.")
    return sorted((entries[name] for name in names), key=lambda entry: entry.header_offset)


def _places(opened: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo]) -> list[Span]:
    """The range of each member: it ends where the next one, or the directory, begins."""
    starts = sorted({entry.header_offset for entry in opened.infolist()})
    ends = dict(pairwise([*starts, opened.start_dir]))
    return [(entry.header_offset, ends[entry.header_offset]) for entry in members]


def _checksum(opened: zipfile.ZipFile) -> str:
    """Checksum of an archive's directory: all names, sizes, CRCs and places."""
    facts = [
        (e.filename, e.file_size, e.compress_size, e.CRC, e.header_offset) for e in opened.infolist()
    ]
    return hashlib.sha1(json.dumps(facts).encode(), usedforsecurity=False).hexdigest()


def _is_there(entry: zipfile.ZipInfo, folder: Path) -> bool:
    return archives.is_unchanged(folder / entry.filename, entry.file_size, entry.CRC)


def _is_complete(known: dict[str, Any], names: Collection[str], folder: Path) -> bool:
    try:
        files = dict(known["files"])
        return set(names) <= set(files) and all(
            archives.is_unchanged(folder / name, *files[name]) for name in names
        )
    except (KeyError, TypeError, ValueError):
        return False


def _read(listing: Path) -> dict[str, Any]:
    try:
        known = json.loads(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(listing: Path, known: dict[str, Any]) -> None:
    temporary = listing.with_name(f"{listing.name}.part")
    temporary.write_text(json.dumps(known), encoding="utf-8")
    temporary.replace(listing)


@contextmanager
def _damage(remote: RemoteFile, what: str) -> Iterator[None]:
    """Convert errors of what was received to `FetchError`."""
    try:
        yield
    except RuntimeError as error:
        raise FetchError(
            f"{what} on {web.host(remote.url)} is encrypted, or compressed in a way that Python cannot "
            "read; name another address with --url."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, OSError) as error:
        # The system's errors have a number, those of bzip2 have none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FetchError(
            f"{what} arrived damaged from {web.host(remote.url)} ({error}); run the command again, or "
            "name another address with --url."
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, on systems with file locks."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchError(
                f"Another run is fetching into {folder}; wait until it has ended."
            ) from error
        except OSError:
            pass  # some network file systems have no locks
        yield
    finally:
        os.close(descriptor)
