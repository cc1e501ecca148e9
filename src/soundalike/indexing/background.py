"""Index folders for the app, in a process of their own, one at a time for the whole server.

The work is that of `soundalike index`, and so is what is kept when it is stopped or killed. The process
gives way to everything else on the machine and ends with the server, however that ends
(`background_worker`). Each run has a record beside its index (`run_records`).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, cast

from soundalike import representations, system
from soundalike.datasets.library import Skipped
from soundalike.errors import BusyError, DestinationError, UnavailableError
from soundalike.indexing import background_worker, own_files, run_records, sources, workspace
from soundalike.indexing.ingest import Event
from soundalike.indexing.progress import ProgressCount
from soundalike.indexing.run_records import Run, State
from soundalike.indexing.workers import default_count

_LOG = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", background_worker.__name__)
STOP_S = 60.0
"""Seconds that a run has to write what is finished; then it is killed, which loses no finished file."""
SAVE_S = 2.0
LEFT_TO_APP = 1_500_000_000
"""Bytes of memory that the app itself needs."""
WORKER_BYTES = 900_000_000
LONGEST_NAME = 50
_KILLED = (
    "The process that indexes was ended from outside, perhaps because memory ran out. What was finished "
    "is kept: go on when there is more."
)
_SECRETS = ("SOUNDALIKE_PRESENTER",)
_GENERIC = ("index", "")


@dataclass(frozen=True)
class IndexingPlan:
    """What is computed for each folder.

    Attributes
    ----------
    names : representations
    complete : whether to measure files and lay out maps as well, which the pages show
    workers : number of processes; 0 for one that does everything
    """

    names: Sequence[str] = field(default_factory=lambda: fitting_names(system.is_small_host()))
    complete: bool = True
    workers: int = field(default_factory=lambda: worker_count(default_count(), system.memory_limit()))


def fitting_names(is_small_host: bool) -> list[str]:
    """The representations to compute: a small host, whose app leaves VGG16 out, doesn't use it here."""
    names = list(representations.INDEXED)
    return [
        name for name in names if not is_small_host or "vgg16" not in representations.get(name).models
    ]


def worker_count(processors: int, memory: int | None) -> int:
    """Number of worker processes that leave a processor, and enough memory, to the app."""
    fitting = processors if memory is None else (memory - LEFT_TO_APP) // WORKER_BYTES
    return max(1, min(processors - 1, int(fitting)))


class Background:
    """The indexes that the app makes in a folder, and the run that makes one.

    Parameters
    ----------
    folder : where the indexes are written
    plan : what is computed
    """

    def __init__(self, folder: Path, plan: IndexingPlan | None = None) -> None:
        self._folder = folder.resolve()
        self._plan = plan or IndexingPlan()
        self._lock = threading.RLock()
        self._live: _Live | None = None

    def current(self) -> Run | None:
        """The run that is under way."""
        with self._lock:
            return None if self._live is None else self._live.run

    def runs(self) -> list[Run]:
        """All runs, the latest first: the one under way, and the last one of each index."""
        with self._lock:
            live = self.current()
            others = [run for run in run_records.read(self._folder) if not live or run.name != live.name]
        # A server has ended and left these.
        ended = [replace(run, state="stopped") if run.is_under_way else run for run in others]
        return [live, *ended] if live else ended

    def index_folder(self, name: str) -> Path:
        """Where the index of a run is, or will be."""
        return self._folder / name

    def start(self, source: Path) -> Run:
        """Index a folder, go on with it, or bring its index up to date.

        Raises
        ------
        BusyError
            If a run is under way.
        LibraryError
            If the folder may not be indexed, or isn't there.
        DestinationError
            If the index can't be written.
        UnavailableError
            If no process can be started.
        """
        with self._lock:
            if self._live is not None:
                raise BusyError(
                    f"“{self._live.run.name}” is being indexed. Wait until that has ended, or stop it."
                )
            folder = sources.checked(source)
            self._check_apart(folder)
            run = Run(self._name_for(folder), str(folder))
            self._write_first(run)
            self._live = _Live(run, self._process(run))
            threading.Thread(target=self._follow, args=[self._live], daemon=True).start()
            return run

    def stop(self) -> None:
        """Stop the run under way. What is finished becomes an index, and is kept for going on."""
        with self._lock:
            if self._live is None or self._live.run.state == "stopping":
                return
            self._live.update(state="stopping")
            self._live.say_stop()
            timer = threading.Timer(STOP_S, self._live.kill)
            timer.daemon = True
            timer.start()

    def remove(self, name: str) -> None:
        """Delete an index that the app has made, and what is kept for going on. The music stays.

        Raises
        ------
        BusyError
            If it is being made.
        DestinationError
            If somebody has put files into its folder; those stay.
        """
        with self._lock:
            if self._live is not None and self._live.run.name == name:
                raise BusyError(f"“{name}” is being indexed. Stop that first.")
            if name not in {run.name for run in run_records.read(self._folder)}:
                return
            out = self._folder / name
            try:
                left = own_files.remove(out)
                if workspace.beside(out).is_dir():
                    workspace.clear(workspace.beside(out))
                run_records.path(self._folder, name).unlink(missing_ok=True)
            except OSError as error:
                raise _unwritable(error) from error
        if left:
            raise DestinationError(
                f"The index's folder also holds {own_files.enumerated(left)}. That was left, because "
                "the app did not make it."
            )

    def close(self) -> None:
        """End the run under way at once, as the end of the server does."""
        with self._lock:
            live = self._live
        if live is not None:
            live.hang_up()
            live.ended.wait()

    def _follow(self, live: _Live) -> None:
        """Take in what the process reports until it ends."""
        saved = time.monotonic()
        for line in cast("IO[bytes]", live.process.stdout):
            with self._lock:
                live.take(line)
                if time.monotonic() - saved > SAVE_S:
                    saved = time.monotonic()
                    self._save(live.run)
        code = live.process.wait()
        with self._lock:
            if live.end is None:
                _LOG.warning("Indexing %s ended with status %d.", live.run.source, code)
            was_stopped = live.run.state == "stopping"
            state, error = live.end or (("stopped", "") if was_stopped else ("failed", _KILLED))
            error = self._for_visitors(error, live.run)
            live.update(state=state, error=error, tracks=self._tracks(live.run.name))
            self._save(live.run)
            self._live = None
        live.hang_up()
        live.ended.set()

    def _process(self, run: Run) -> subprocess.Popen[bytes]:
        # The decoders of what may be anybody's files must not read the server's memory.
        system.hide_memory()
        order = {
            "source": run.source,
            "out": str(self._folder / run.name),
            "names": list(self._plan.names),
            "complete": self._plan.complete,
            "workers": self._plan.workers,
        }
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        try:
            process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                # A new session would cancel the lower priority: Linux shares evenly between sessions.
                process_group=0,
            )
            stdin = cast("IO[bytes]", process.stdin)
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise UnavailableError(
                "Indexing can't be started at the moment. Try again later."
            ) from error
        return process

    def _check_apart(self, source: Path) -> None:
        if self._folder.is_relative_to(source) or source.is_relative_to(self._folder):
            raise DestinationError(
                f"The app writes its indexes into the folder {sources.shown(source)}. Choose another "
                "folder, or name a place outside of it in SOUNDALIKE_OWN_INDEXES."
            )

    def _name_for(self, source: Path) -> str:
        """The name of a folder's index: that of its earlier run, or else a new one."""
        records = run_records.read(self._folder)
        known = next((run.name for run in records if run.source == str(source)), None)
        if known is not None:
            return known
        printable = "".join(mark if mark.isprintable() else " " for mark in source.name)
        base = " ".join(printable.split()).lstrip(".")[:LONGEST_NAME].strip()
        base = "Music" if base in _GENERIC else base
        name, number = base, 2
        while self._is_taken(name):
            name, number = f"{base} {number}", number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        out = self._folder / name
        others = (workspace.beside(out), run_records.path(self._folder, name))
        return any(path.exists() or path.is_symlink() for path in (out, *others))

    def _write_first(self, run: Run) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            run_records.write(self._folder, run)
        except OSError as error:
            raise _unwritable(error) from error

    def _save(self, run: Run) -> None:
        # On a full disk, memory has what the page shows.
        with suppress(OSError):
            run_records.write(self._folder, run)

    def _tracks(self, name: str) -> int:
        found = own_files.manifest(self._folder / name).get("tracks")
        return found if isinstance(found, int) else 0

    def _for_visitors(self, error: str, run: Run) -> str:
        """A run's error without the server's paths."""
        source, out = Path(run.source), self._folder / run.name
        named = {str(source): sources.shown(source), str(out): f"“{run.name}”"}
        named[str(self._folder)] = "the folder of indexes"
        for path, shown in named.items():
            error = error.replace(path, shown)
        return error


class _Live:
    """A run that is under way, its process, and the state and error that the process ends with."""

    def __init__(self, run: Run, process: subprocess.Popen[bytes]) -> None:
        self.run = run
        self.process = process
        self.ended = threading.Event()
        self.end: tuple[State, str] | None = None
        self._count = ProgressCount(0)

    def update(self, **values: Any) -> None:
        self.run = replace(self.run, **values, changed=time.time())

    def take(self, line: bytes) -> None:
        """Take in a line that the process reports."""
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        if "found" in said:
            self._count = ProgressCount(said["found"])
            self.update(found=said["found"], passed_over=said["passed_over"])
        if "kind" in said:
            self._take_file(Event(**said))
        if "skipped" in said:
            self._take_skipped(said["skipped"])
        if "step" in said:
            self.update(step=said["step"])
        if "state" in said:
            self.end = said["state"], said.get("error", "")

    def _take_file(self, event: Event) -> None:
        self._count.count(event, time.monotonic())
        run, reasons = self.run, self.run.reasons
        is_skipped = event.kind == "skipped"
        if is_skipped and len(reasons) < run_records.LISTED:
            reasons = (*reasons, Skipped(event.file, event.reason))
        self.update(
            step=background_worker.ANALYSING,
            done=self._count.done,
            skipped=run.skipped + is_skipped,
            reasons=reasons,
            rate=self._count.rate,
            left=self._count.left,
        )

    def _take_skipped(self, said: Mapping[str, Any]) -> None:
        first = tuple(Skipped(**item) for item in said["first"])
        self.update(skipped=said["count"], reasons=first)

    def say_stop(self) -> None:
        stdin = cast("IO[bytes]", self.process.stdin)
        with suppress(OSError, ValueError):
            stdin.write(b"stop\n")
            stdin.flush()

    def hang_up(self) -> None:
        """Close the process's input, at which it ends."""
        with suppress(OSError):
            cast("IO[bytes]", self.process.stdin).close()

    def kill(self) -> None:
        """End the process, and its workers, if it still runs."""
        if self.process.poll() is not None:
            return
        if sys.platform != "win32":
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()


def _unwritable(error: OSError) -> DestinationError:
    reason = error.strerror or "unknown reason"
    return DestinationError(
        f"The folder for indexes can't be written to ({reason}). The server's owner can name another "
        "one in SOUNDALIKE_OWN_INDEXES."
    )
