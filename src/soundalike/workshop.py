"""The workshop: the folder beside an index in which it is made or added to, by one run at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soundalike import work_store
from soundalike.models import ModelStore
from soundalike.work_store import WorkStore

RETIRED = "retired"
"""Where an index lies while another takes its place."""


def beside(out: Path) -> Path:
    """The workshop of an index, such as `.my-index.work` beside `my-index`, links followed."""
    out = out.resolve()
    return out.parent / f".{out.name}.work"


@contextmanager
def opened(out: Path, models: ModelStore) -> Iterator[tuple[Path, WorkStore]]:
    """The workshop of an index, and the work store in it.

    An index that a killed run had taken out of its place, to put a new one there, is put back.

    Raises
    ------
    IndexFolderError
        If another run is working there, or it cannot be written.
    """
    folder = beside(out)
    with work_store.opened(folder, models) as store:
        put_back(out)
        shutil.rmtree(folder / RETIRED, ignore_errors=True)
        try:
            yield folder, store
        except OSError as error:
            raise work_store.not_written(folder, error) from error


def put_back(out: Path) -> None:
    """Put an index back that a killed run had taken out of its place."""
    retired = beside(out) / RETIRED
    if retired.exists() and not out.exists():
        retired.rename(out)


def put_in_place(made: Path, out: Path) -> None:
    """Move an index that was made in a workshop to its place, in exchange for one that is there."""
    if not out.exists():
        made.rename(out)
        return
    retired = beside(out) / RETIRED
    out.rename(retired)
    made.rename(out)
    shutil.rmtree(retired)
