"""The process that indexes a folder for the app, started by `background`.

Run as `python -m soundalike.indexing.background_worker`. The first line of its standard input is the
order, as JSON: `source`, `out`, `names` (representations), `complete`, `workers`. A second line, "stop",
stops it as Ctrl-C stops `soundalike index`. At the end of its input it ends at once, with its workers,
because the server has gone. It reports on its standard output, in lines of JSON:

    step                    what it does now
    found, passed_over, skipped   the number of files, and those that were left out already
    file, kind, reason      the outcome for a file (`ingest.Event`)
    state, error, skipped   the end: "finished", "stopped" or "failed"
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike import system
from soundalike.errors import DestinationError, LibraryError, SoundalikeError
from soundalike.indexing import run_records

if TYPE_CHECKING:
    from soundalike.datasets.library import Skipped
    from soundalike.indexing.builder import Built
    from soundalike.indexing.ingest import Event

ANALYSING, WRITING, MAPPING = "Analysing", "Writing the index", "Laying out the maps"
DISK_FULL = "The disk is full. Free some space, then go on: what was finished is kept."
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BLOCK = 65_536


def main() -> None:
    """Carry out one order."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    system.lower_priority(system.BACKGROUND_NICENESS)
    system.end_first_without_memory()
    report = _Report()
    lines = _input_lines()
    order: dict[str, Any] = json.loads(next(lines))
    try:
        threading.Thread(target=_obey, args=[lines], daemon=True).start()
        built = _index(order, report)
        state = "finished" if built.index.partial is None else "stopped"
        report(state=state, skipped=_listed(built.skipped))
    except KeyboardInterrupt:
        report(state="stopped")
    except Exception as error:  # noqa: BLE001
        report(state="failed", error=reason(error))
    # Taking the libraries of the networks apart takes seconds.
    sys.stderr.flush()
    os._exit(0)


def reason(error: Exception) -> str:
    """Why a run has failed, in one line for visitors; the server's log gets what nobody expected."""
    cause = error.__cause__ if isinstance(error, DestinationError) else error
    if isinstance(cause, OSError) and cause.errno in _FULL:
        return DISK_FULL
    if isinstance(cause, sqlite3.OperationalError) and "full" in str(cause):
        return DISK_FULL
    if isinstance(error, SoundalikeError):
        return str(error)
    traceback.print_exception(error)
    if isinstance(error, OSError):
        return f"A file can't be read or written ({error.strerror or 'unknown reason'}). Then go on."
    return f"Indexing failed ({type(error).__name__}). The server's log says more."


class _Report:
    """Sends lines to the server; whatever else is printed goes to its log."""

    def __init__(self) -> None:
        self._file = os.dup(1)
        os.dup2(2, 1)

    def __call__(self, **values: object) -> None:
        # Ctrl-C may cut a line off; the next one must not continue it.
        os.write(self._file, b"\n" + json.dumps(values).encode() + b"\n")


def _index(order: dict[str, Any], report: _Report) -> Built:
    from soundalike import paths
    from soundalike.datasets import library
    from soundalike.index import music_files
    from soundalike.indexing import builder, maps, sources
    from soundalike.indexing.workers import ExtractionSpec, ProcessExecutor
    from soundalike.models import FILES, ModelStore, heldout

    out, folder = Path(order["out"]), sources.checked(Path(order["source"]))
    builder.check_destination(out, folder)
    source = library.find(folder, music_files.named_folders())
    report(
        found=len(source.tracks),
        skipped=_listed(source.skipped),
        passed_over=dict(source.passed_over),
    )
    models = ModelStore()
    predictions = heldout.load(paths.MODELS / FILES["genre_head"])
    plan = builder.BuildPlan(order["names"], predictions, measured=order["complete"])
    # Before any music is read: it names a network that is missing.
    spec = ExtractionSpec.of(models, plan.wants())
    executor = ProcessExecutor(spec, order["workers"]) if order["workers"] else None

    def on_file(event: Event) -> None:
        if event.kind == "skipped" and not folder.is_dir():
            raise LibraryError(f"The folder {sources.shown(folder)} is gone. Put it back, then go on.")
        report(**vars(event))

    built = builder.build(source, out, models, plan, executor, on_file, lambda *_: report(step=WRITING))
    if order["complete"] and built.index.partial is None:
        report(step=MAPPING)
        maps.add(out)
    return built


def _listed(skipped: Sequence[Skipped]) -> dict[str, Any]:
    """The number of skipped files, and the first of them."""
    return {"count": len(skipped), "first": [vars(item) for item in skipped[: run_records.LISTED]]}


def _input_lines() -> Iterator[bytes]:
    """The lines of standard input. Python's own reader would keep the process from ending."""
    waiting = b""
    while block := os.read(0, _BLOCK):
        *lines, waiting = (waiting + block).split(b"\n")
        yield from lines


def _obey(lines: Iterator[bytes]) -> None:
    """Stop at a line, and end with all workers at the end of the input."""
    for _ in lines:
        os.kill(os.getpid(), signal.SIGINT)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
