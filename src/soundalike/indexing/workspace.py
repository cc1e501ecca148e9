"""The workshop: the folder beside an index in which it is made or added to, by one run at a time.

A run marks the folder as its own. It works in no other folder, follows no link, and deletes only files
that it made: whatever a user keeps there stays.
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
"""Where an index lies while it is made."""
MEASURED = "measured"
"""Where arrays lie that are added to an index."""
RETIRED = "retired"
"""Where an index lies while another takes its place."""
_PARTS = (MADE, MEASURED, RETIRED)
_FILES = (*checkpoint.FILES, f"{HEAD_INPUT}.npy")
_MARK = (
    "Soundalike makes an index in this folder and deletes the folder when it has finished.\n"
    "A run that was stopped goes on from what is in here when the same command is given again.\n"
)


def beside(out: Path) -> Path:
    """The workshop of an index, such as `.my-index.work` beside `my-index`, links followed."""
    out = out.resolve()
    return out.parent / f".{out.name}.work"


def check(out: Path) -> None:
    """Refuse to work beside an index where something else is in the way.

    Raises
    ------
    DestinationError
        If the workshop or anything of it is a link, or the folder was not made by this program.
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
    """The workshop of an index, and the work store in it.

    An index that a killed run had taken out of its place, to put a new one there, is put back, and what
    such a run left half made is deleted.

    Raises
    ------
    DestinationError
        If the workshop is not this program's, if another run is working there, or if it cannot be
        written.
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
    """Put an index back that a killed run had taken out of its place.

    Raises
    ------
    DestinationError
        If the workshop is not this program's.
    """
    out = out.resolve()
    retired = beside(out) / RETIRED
    if retired.exists() and not out.exists():
        check(out)
        retired.rename(out)


def put_in_place(made: Path, out: Path) -> None:
    """Move an index that was made in a workshop to its place, in exchange for one that is there.

    Raises
    ------
    DestinationError
        If a user's file was added to the old one at the last moment; it stays in the workshop.
    """
    if not out.exists():
        made.rename(out)
        return
    out.rename(beside(out) / RETIRED)
    made.rename(out)
    _clear_retired(out)


def clear(folder: Path) -> None:
    """Delete what a run made in its workshop, and the folder if nothing else is in it."""
    for part in _PARTS:
        own_files.remove(folder / part)
    for name in (*_FILES, *storage.SYSTEM):
        (folder / name).unlink(missing_ok=True)
    if [path.name for path in folder.iterdir()] == [MARKER]:
        (folder / MARKER).unlink()
        folder.rmdir()


def _is_own(folder: Path) -> bool:
    """Whether a run made a folder; earlier versions left no mark, but a store and known files alone."""
    if not folder.is_dir():
        return False
    if (folder / MARKER).is_file():
        return True
    there = {path.name for path in folder.iterdir()} - storage.SYSTEM
    known = there <= {*_FILES, *_PARTS} and checkpoint.is_store(folder)
    return not there or (known and not any(own_files.foreign(folder / part) for part in _PARTS))


def _clear_retired(out: Path) -> None:
    """Delete an index that another has taken the place of; what file managers dropped in it moves on."""
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
