"""The workspace: a folder next to an index in which it is built or extended, by one run at a time.

A run marks the folder as its own. It works in no other folder, follows no links, and deletes only files
that it created: user files stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soundalike.errors import DestinationError
from soundalike.index import storage
from soundalike.indexing import checkpoint, own_files
from soundalike.indexing.checkpoint import WorkStore
from soundalike.indexing.extraction import HEAD_INPUT
from soundalike.models import ModelStore

MARKER = "soundalike-work.txt"
MADE = "index"
"""Folder of an index being built."""
MEASURED = "measured"
"""Folder of arrays to be added to an index."""
RETIRED = "retired"
"""Folder of an index being replaced."""
_PARTS = (MADE, MEASURED, RETIRED)
_FILES = (*checkpoint.FILES, f"{HEAD_INPUT}.npy")
_MARK = (
    "Soundalike makes an index in this folder and deletes the folder when it has finished.\n"
    "A run that was stopped goes on from what is in here when the same command is given again.\n"
)


def beside(out: Path) -> Path:
    """The workspace of an index, for example `.my-index.work` next to `my-index`, links resolved."""
    out = out.resolve()
    return out.parent / f".{out.name}.work"


def check(out: Path) -> None:
    """Refuse to work next to an index if something else is in the way.

    Raises
    ------
    DestinationError
        If the workspace or part of it is a link, or this program didn't create the folder.
    """
    folder = beside(out)
    for path in (folder, *(folder / name for name in (MARKER, *_PARTS, *_FILES))):
        if path.is_symlink():
            raise DestinationError(
                f"{path} is a link, and Soundalike does not work behind links; please move it elsewhere."
            )
    if folder.exists() and not _is_own(folder):
        raise DestinationError(
            f"Soundalike would work in {folder}, which it did not make; please move that elsewhere."
        )


@contextmanager
def opened(out: Path, models: ModelStore) -> Iterator[tuple[Path, WorkStore]]:
    """Open the workspace of an index and its work store.

    If a killed run had moved an index away to replace it, the index is restored. Partial results of that
    run are deleted.

    Raises
    ------
    DestinationError
        If the workspace isn't this program's, another run is working there, or it is not writable.
    """
    check(out)
    folder = beside(out)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if not (folder / MARKER).is_file():
            (folder / MARKER).write_text(_MARK, encoding="utf-8")
    except OSError as error:
        raise checkpoint.not_written(folder, error) from error
    with checkpoint.opened(folder, models) as store:
        try:
            put_back(out)
            _clear_retired(out)
            for part in (MADE, MEASURED):
                _clear(folder / part)
            yield folder, store
        except OSError as error:
            raise checkpoint.not_written(folder, error) from error


def put_back(out: Path) -> None:
    """Restore an index that a killed run had moved away.

    Raises
    ------
    DestinationError
        If the workspace isn't this program's.
    """
    out = out.resolve()
    retired = beside(out) / RETIRED
    if retired.exists() and not out.exists():
        check(out)
        retired.rename(out)


def put_in_place(made: Path, out: Path) -> None:
    """Move a finished index from its workspace to its destination, replacing an existing one.

    Raises
    ------
    DestinationError
        If a user's file was added to the old one at the last moment; it stays in the workspace.
    """
    if not out.exists():
        made.rename(out)
        return
    out.rename(beside(out) / RETIRED)
    made.rename(out)
    _clear_retired(out)


def clear(folder: Path) -> None:
    """Delete a run's files in its workspace, and the folder if it's then empty."""
    for part in _PARTS:
        own_files.remove(folder / part)
    for name in (*_FILES, *storage.SYSTEM):
        (folder / name).unlink(missing_ok=True)
    if [path.name for path in folder.iterdir()] == [MARKER]:
        (folder / MARKER).unlink()
        folder.rmdir()


def _is_own(folder: Path) -> bool:
    """Whether a run created a folder; earlier versions left only a store and known files, no marker."""
    if not folder.is_dir():
        return False
    if (folder / MARKER).is_file():
        return True
    there = {path.name for path in folder.iterdir()} - storage.SYSTEM
    known = there <= {*_FILES, *_PARTS} and checkpoint.is_store(folder)
    return not there or (known and not any(own_files.foreign(folder / part) for part in _PARTS))


def _clear_retired(out: Path) -> None:
    """Delete an index that was replaced; files that file managers put in it are moved to the new one."""
    retired = beside(out) / RETIRED
    for name in storage.SYSTEM:
        if (retired / name).is_file() and not (out / name).exists():
            (retired / name).rename(out / name)
    _clear(retired)


def _clear(part: Path) -> None:
    if left := own_files.remove(part):
        named = own_files.enumerated(left)
        raise DestinationError(
            f"{part} holds {named}, which Soundalike did not make; please move that elsewhere."
        )
