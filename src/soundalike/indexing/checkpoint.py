"""The work store: finished results of a run over a library, which survive a kill.

It is one SQLite database next to the index being built. A file's results are written in one transaction,
keyed by the SHA-256 of its content. Moved or repeated files are therefore recognised. After a kill at
any moment a file's results are stored completely or not at all (by SQLite's write-ahead log). Only one
process writes at a time; workers pass their results to it.

Each value carries a digest of its models and settings (`extraction.digest`); a value with another digest
counts as missing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import DestinationError
from soundalike.indexing import extraction
from soundalike.indexing.extraction import Extraction, ExtractionFailure
from soundalike.models import ModelStore

FILE = "finished.sqlite"
FILES = tuple(f"{FILE}{ending}" for ending in ("", "-wal", "-shm", "-journal"))
"""The database and SQLite's auxiliary files."""
_VERSION = 1
_PAGE = 32_768
_HEADER = 18
"""SQLite files begin with a 16-byte magic string, followed by two bytes for the page size."""
_TABLES = """
CREATE TABLE IF NOT EXISTS files (sha256 TEXT PRIMARY KEY, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (sha256 TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS made_by (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, UNIQUE (name, digest)
);
CREATE TABLE IF NOT EXISTS contents (
    sha256 TEXT NOT NULL, made_by INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (sha256, made_by)
);
"""


class WorkStore:
    """An open work store; `opened` makes one.

    Parameters
    ----------
    connection : to the database, with its tables
    models : the networks that values must have been made with
    """

    def __init__(self, connection: sqlite3.Connection, models: ModelStore) -> None:
        self._connection = connection
        self._models = models
        self._kinds: dict[str, int] = {}

    def put(self, taken: Extraction) -> None:
        """Store the values extracted from a file."""
        rows = [
            (taken.sha256, self._kind(name), value.tobytes()) for name, value in taken.values.items()
        ]
        with self._connection as transaction:
            transaction.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?)",
                (taken.sha256, json.dumps(taken.tags, ensure_ascii=False)),
            )
            transaction.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", rows)

    def put_refused(self, refused: ExtractionFailure) -> None:
        """Record that extraction fails for a file."""
        with self._connection as transaction:
            transaction.execute(
                "INSERT OR REPLACE INTO refusals VALUES (?, ?)", (refused.sha256, refused.reason)
            )

    def refusal(self, sha256: str) -> str | None:
        """Reason why extraction fails for a file, or None."""
        found = self._one("SELECT reason FROM refusals WHERE sha256 = ?", sha256)
        return None if found is None else str(found)

    def tags(self, sha256: str) -> dict[str, str] | None:
        """A file's tags; None if it isn't stored."""
        found = self._one("SELECT tags FROM files WHERE sha256 = ?", sha256)
        return None if found is None else dict(json.loads(found))

    def missing(self, sha256: str, names: Sequence[str]) -> list[str]:
        """Names of values that aren't stored for a file."""
        statement = "SELECT made_by FROM contents WHERE sha256 = ?"
        here = {kind for (kind,) in self._connection.execute(statement, (sha256,))}
        return [name for name in names if self._kind(name) not in here]

    def value(self, sha256: str, name: str) -> NDArray[Any]:
        """A value extracted from a file [shape=(size,)].

        Raises
        ------
        KeyError
            If it isn't stored.
        """
        statement = "SELECT content FROM contents WHERE sha256 = ? AND made_by = ?"
        found = self._one(statement, sha256, self._kind(name))
        if found is None:
            raise KeyError(f"{name} of {sha256}")
        return np.frombuffer(found, extraction.dtype(name))

    def size(self, sha256: str, name: str) -> int:
        """Size of a value in bytes; 0 if it isn't stored."""
        statement = "SELECT length(content) FROM contents WHERE sha256 = ? AND made_by = ?"
        return int(self._one(statement, sha256, self._kind(name)) or 0)

    def _kind(self, name: str) -> int:
        """Database id of a name and its digest."""
        if name not in self._kinds:
            key = (name, extraction.digest(name, self._models))
            with self._connection as transaction:
                transaction.execute("INSERT OR IGNORE INTO made_by (name, digest) VALUES (?, ?)", key)
            self._kinds[name] = int(
                self._one("SELECT id FROM made_by WHERE name = ? AND digest = ?", *key)
            )
        return self._kinds[name]

    def _one(self, statement: str, *values: object) -> Any:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else row[0]


@contextmanager
def opened(folder: Path, models: ModelStore) -> Iterator[WorkStore]:
    """Open the work store of a folder for this process alone; created if there is none.

    An unreadable store (of another version, or damaged) is replaced by a new one.

    Raises
    ------
    DestinationError
        If another process has it open, or the disk is full or not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    with _as_destination_errors(folder):
        try:
            connection = _connected(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            connection = _connected(path)
        try:
            yield WorkStore(connection, models)
        finally:
            connection.close()


def is_store(folder: Path) -> bool:
    """Whether a folder contains a database that looks like a work store, or an empty one."""
    path = folder / FILE
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(_HEADER)
    begun = header.startswith(b"SQLite format 3\0") and header[16:18] == _PAGE.to_bytes(2)
    return begun or not header


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0)
    try:
        # Set before the first page is written: 50 kB vectors in 4 kB pages would be long chains.
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"version {version}")
        with connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            transaction.execute(f"PRAGMA user_version = {_VERSION}")
        connection.executescript(_TABLES)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _as_destination_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise DestinationError(
                f"Another run is working in {folder}; please wait until it has ended, or stop it."
            ) from error
        raise not_written(folder, error) from error


def not_written(folder: Path, error: Exception) -> DestinationError:
    """Error for a folder that cannot be written."""
    return DestinationError(
        f"In {folder} nothing more can be written ({error}); please see whether the disk is full. What "
        "was finished is kept, and the same command goes on from there."
    )
