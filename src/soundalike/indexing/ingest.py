"""Ingest: process a library's files and store the requested values of each in a work store.

Each file is identified by the SHA-256 of its content. Values that the store or an earlier index has for
that content aren't recomputed: a killed run resumes where it stopped, and moved files cost nothing.
Files go to workers as these become free; hashing runs ahead of them.
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
    """Outcome for a file: taken now, known already, or skipped with a reason."""

    file: str
    kind: Literal["taken", "known", "skipped"]
    reason: str = ""


OnFile = Callable[[Event], None]
"""Called once for every file."""


def ignored(event: Event) -> None:
    """Ignore an event."""


@dataclass
class Ingested:
    """State of a library's files after a complete run, or one that was stopped.

    Attributes
    ----------
    sums : checksum of each file that can be in an index, by row of the library
    reasons : why others cannot, by row
    stopped : whether Ctrl-C ended the run early
    """

    sums: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    stopped: bool = False

    def skipped(self, source: Library) -> list[Skipped]:
        """Every skipped file by name, including those skipped before."""
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
    """Extract the requested values of every file of a library, unless known.

    Parameters
    ----------
    source : the library
    wanted : names of values, see `extraction`
    store : work store for the values
    earlier : an earlier index whose values can be reused
    workers : executor for the files
    on_file : called once for every file, when it is done

    Returns
    -------
    outcome of each file; if stopped by Ctrl-C, of those finished until then
    """
    files = _Files(source, tuple(wanted), store, earlier, on_file)
    rows = list(range(len(source.tracks)))
    try:
        while rows and not files.retries_exhausted:
            _work_through(files, rows, store, workers)
            rows = files.rows_to_retry()
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
                files.record_failure(job, outcome)
            else:
                store.put(outcome)
                files.record_extraction(job, outcome.sha256)
    finally:
        close = getattr(outcomes, "close", None)
        if close is not None:
            close()


@dataclass
class _Files:
    """Files of a run: those in progress, outcomes of the others, and those to retry.

    A file is retried if its content, or that of an identical file processed for it, changed meanwhile.
    """

    source: Library
    wanted: tuple[str, ...]
    store: WorkStore
    earlier: Earlier
    on_file: OnFile
    found: Ingested = field(default_factory=Ingested)
    _under_way: dict[str, list[int]] = field(default_factory=dict)
    _sums: dict[Job, str] = field(default_factory=dict)
    _changed: list[int] = field(default_factory=list)
    _passes: int = 0

    @property
    def retries_exhausted(self) -> bool:
        """Whether files were already retried."""
        return self._passes >= _PASSES

    def rows_to_retry(self) -> list[int]:
        """Rows of the files to retry."""
        rows, self._changed = sorted(self._changed), []
        return rows

    def jobs(self, rows: Sequence[int]) -> Iterator[Job]:
        """Jobs for the rows that need extraction; the other rows are recorded here."""
        self._passes += 1
        for row, result in _hashed(self.source, rows):
            file = str(self.source.tracks["file"].iloc[row])
            if isinstance(result, OSError):
                self.leave_out(row, library.unreadable(result))
                continue
            if result in self._under_way:
                self._under_way[result].append(row)
                continue
            if (reason := self.store.refusal(result)) is not None:
                self.leave_out(row, reason)
                continue
            missing = self.store.missing(result, self.earlier.missing(result, self.wanted))
            if not missing:
                self._keep(row, result, "known")
                continue
            job = Job(file, self.source.path(row).absolute(), tuple(missing))
            self._under_way[result] = [row]
            self._sums[job] = result
            yield job

    def record_extraction(self, job: Job, sha256: str) -> None:
        """Record an extraction; `sha256` is the checksum of the content the worker read."""
        hashed = self._sums.pop(job)
        rows = self._under_way.pop(hashed)
        if sha256 != hashed:
            self._changed += rows
            return
        for row in rows:
            self._keep(row, sha256, "taken")

    def record_failure(self, job: Job, refused: ExtractionFailure) -> None:
        """Record that extraction failed for a file."""
        if refused.sha256:
            self.store.put_refused(refused)
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
        self.on_file(Event(str(self.source.tracks["file"].iloc[row]), kind))

    def leave_out(self, row: int, reason: str) -> None:
        """Leave a file out of the index, with a reason."""
        self.found.reasons[row] = reason
        self.on_file(Event(str(self.source.tracks["file"].iloc[row]), "skipped", reason))


def _hashed(source: Library, rows: Sequence[int]) -> Iterator[tuple[int, str | OSError]]:
    """Each row with its file's checksum, or the error that prevents it; hashing runs ahead."""
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
