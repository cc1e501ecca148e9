"""Ingest: going through a library's files and keeping what is wanted of each in a work store.

Each file is recognised by the SHA-256 of its content. What the store or an earlier index knows of that
content is not taken again, so that a run that was killed goes on where it stopped, and a file that was
moved costs nothing. Files go to workers as these come free; hashing runs ahead of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from soundalike import paths
from soundalike.datasets import library
from soundalike.datasets.library import Library, Skipped
from soundalike.indexing.checkpoint import WorkStore
from soundalike.indexing.extraction import ExtractionFailure
from soundalike.indexing.previous_index import Earlier
from soundalike.indexing.workers import Executor, Job

_HASHED_AHEAD = 8
_PASSES = 2


@dataclass(frozen=True)
class Event:
    """What became of a file: taken now, known already, or skipped with its reason."""

    file: str
    kind: Literal["taken", "known", "skipped"]
    reason: str = ""


OnFile = Callable[[Event], None]
"""Called once for every file."""


def ignored(event: Event) -> None:
    """Take no notice of a file."""


@dataclass
class Ingested:
    """What is known of a library's files once all were gone through, or as many as there was time for.

    Attributes
    ----------
    sums : the checksum of each file that can be in an index, by row of the library
    reasons : why others cannot, by row
    stopped : whether Ctrl-C ended it early
    """

    sums: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    stopped: bool = False

    def skipped(self, source: Library) -> list[Skipped]:
        """Every file that was left out, by name: those that were given as skipped as well."""
        files = source.tracks["file"]
        own = [Skipped(str(files.iloc[row]), reason) for row, reason in self.reasons.items()]
        return sorted([*source.skipped, *own], key=lambda item: item.file)


def run(
    source: Library,
    wanted: Sequence[str],
    store: WorkStore,
    earlier: Earlier,
    workers: Executor,
    on_file: OnFile = ignored,
) -> Ingested:
    """Take what is wanted of every file of a library, unless it is known.

    Parameters
    ----------
    source : the library
    wanted : names, as `extraction` has them
    store : where it is kept
    earlier : an index whose values are as good
    workers : who takes it
    on_file : called once for every file, as it is done

    Returns
    -------
    What became of each file; stopped by Ctrl-C, of those that were done by then
    """
    files = _Files(source, tuple(wanted), store, earlier, on_file)
    rows = list(range(len(source.tracks)))
    try:
        while rows and not files.tired:
            _work_through(files, rows, store, workers)
            rows = files.again()
        for row in rows:
            files.leave_out(row, "This file changed while it was read.")
    except KeyboardInterrupt:
        files.found.stopped = True
    return files.found


def _work_through(files: _Files, rows: Sequence[int], store: WorkStore, workers: Executor) -> None:
    outcomes = workers.run(files.jobs(rows))
    try:
        for job, outcome in outcomes:
            if isinstance(outcome, ExtractionFailure):
                files.refuse(job, outcome)
            else:
                store.put(outcome)
                files.settle(job, outcome.sha256)
    finally:
        close = getattr(outcomes, "close", None)
        if close is not None:
            close()


class _Files:
    """A run's files: which are under way, what became of the others, and which to take once more.

    One is taken once more whose content, or that of the file which stood for it, changed meanwhile.
    """

    def __init__(
        self,
        source: Library,
        wanted: tuple[str, ...],
        store: WorkStore,
        earlier: Earlier,
        on_file: OnFile,
    ) -> None:
        self.found = Ingested()
        self._source = source
        self._wanted = wanted
        self._store = store
        self._earlier = earlier
        self._on_file = on_file
        self._under_way: dict[str, list[int]] = {}
        self._sums: dict[Job, str] = {}
        self._changed: list[int] = []
        self._passes = 0

    @property
    def tired(self) -> bool:
        """Whether files were taken once more already."""
        return self._passes >= _PASSES

    def again(self) -> list[int]:
        """The rows of files to take once more."""
        rows, self._changed = sorted(self._changed), []
        return rows

    def jobs(self, rows: Sequence[int]) -> Iterator[Job]:
        """The files of some rows of which something has to be taken; the others are settled here."""
        self._passes += 1
        for row, result in _hashed(self._source, rows):
            file = str(self._source.tracks["file"].iloc[row])
            if isinstance(result, OSError):
                self.leave_out(row, library.unreadable(result))
                continue
            if result in self._under_way:
                self._under_way[result].append(row)
                continue
            if (reason := self._store.refusal(result)) is not None:
                self.leave_out(row, reason)
                continue
            missing = self._store.missing(result, self._earlier.missing(result, self._wanted))
            if not missing:
                self._keep(row, result, "known")
                continue
            job = Job(file, self._source.path(row).absolute(), tuple(missing))
            self._under_way[result] = [row]
            self._sums[job] = result
            yield job

    def settle(self, job: Job, sha256: str) -> None:
        """A file was taken; `sha256` is that of the content which the worker saw."""
        hashed = self._sums.pop(job)
        rows = self._under_way.pop(hashed)
        if sha256 != hashed:
            self._changed += rows
            return
        for row in rows:
            self._keep(row, sha256, "taken")

    def refuse(self, job: Job, refused: ExtractionFailure) -> None:
        """Nothing can be taken from a file."""
        if refused.sha256:
            self._store.put_refused(refused)
        hashed = self._sums.pop(job)
        row, *twins = self._under_way.pop(hashed)
        self.leave_out(row, refused.reason)
        if refused.sha256 == hashed:
            for twin in twins:
                self.leave_out(twin, refused.reason)
        else:
            self._changed += twins

    def _keep(self, row: int, sha256: str, kind: Literal["taken", "known"]) -> None:
        self.found.sums[row] = sha256
        self._on_file(Event(str(self._source.tracks["file"].iloc[row]), kind))

    def leave_out(self, row: int, reason: str) -> None:
        """A file is not in the index, for a reason."""
        self.found.reasons[row] = reason
        self._on_file(Event(str(self._source.tracks["file"].iloc[row]), "skipped", reason))


def _hashed(source: Library, rows: Sequence[int]) -> Iterator[tuple[int, str | OSError]]:
    """Each row with its file's checksum, or what stands in the way; some are worked out ahead."""
    with ThreadPoolExecutor(2) as aside:
        ahead: deque[tuple[int, Future[str | OSError]]] = deque()
        for row in rows:
            ahead.append((row, aside.submit(_sum_of, source.path(row))))
            if len(ahead) > _HASHED_AHEAD:
                first, future = ahead.popleft()
                yield first, future.result()
        while ahead:
            first, future = ahead.popleft()
            yield first, future.result()


def _sum_of(path: Path) -> str | OSError:
    try:
        return paths.sha256_of(path)
    except OSError as error:
        return error
