"""Workers: extract values from many files in parallel, in processes or on a Dask cluster.

Files are processed independently (`extraction.extract`), so any number of workers can share a library. A
worker is a process with one thread. Threads that share one network pass wait for each other, and
decoding would wait for all of them. With separate processes, one file is decoded while another is in the
network. Jobs are generated on demand, so no queue grows with the library.

A file whose worker process died is retried in another one, and rejected after three. A file that takes
longer than `TIMEOUT_S` is rejected. On a cluster, Dask moves a lost worker's jobs to others, and gives
a job up after it has lost four workers.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from soundalike import paths
from soundalike.errors import MissingPackageError, ModelError, SchedulerError, SoundalikeError
from soundalike.indexing import extraction
from soundalike.indexing.extraction import Extraction, ExtractionFailure
from soundalike.models import FILES, ModelStore

TIMEOUT_S = 600.0
"""Time limit per file: hundreds of times the usual duration."""
PATIENCE_S = 20.0
"""Time without any result after which we check for live workers."""
_MOST_LOST = 3
ANSWER_S = 10.0
"""Time limit for a scheduler's response."""
AHEAD = 2
"""Number of jobs queued at each worker, to keep them busy."""
_LOST = ("ProcessExpired", "BrokenProcessPool", "KilledWorker")
_GONE = ("CancelledError", "FutureCancelledError", "CommClosedError")
"""Exceptions that Pebble and Dask raise when a worker or the scheduler is lost; by name, because both
are imported lazily."""


@dataclass(frozen=True)
class Job:
    """A file, and the values to extract from it."""

    file: str
    path: Path
    wanted: tuple[str, ...]


Outcome = tuple[Job, Extraction | ExtractionFailure]


class Executor(Protocol):
    """Executor interface."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield each job with its outcome, in order of completion; jobs are drawn on demand.

        Raises
        ------
        ModelError
            If the workers' networks are missing or differ from those of this process.
        """
        ...


@dataclass(frozen=True)
class ExtractionSpec:
    """The networks that a worker must use.

    Attributes
    ----------
    networks : for each network its name, its checksum and, if it isn't bundled, its file
    feature_cache : folder for caching feature maps between runs, if any
    """

    networks: tuple[tuple[str, str, Path | None], ...]
    feature_cache: Path | None = None

    @classmethod
    def of(cls, models: ModelStore, names: Iterable[str]) -> ExtractionSpec:
        """The networks of a store that are needed for some values."""
        needed = sorted({model for name in names for model in extraction.models_of(name)})
        own = {name: models.file(name) for name in needed}
        bundled = {name: paths.MODELS / file for name, file in FILES.items()}
        networks = [
            (name, models.checksum(name), None if own[name] == bundled.get(name) else own[name])
            for name in needed
        ]
        return cls(tuple(networks), models.feature_cache)


@dataclass(frozen=True)
class InProcessExecutor:
    """Runs jobs in this process, one after another, with its own networks."""

    models: ModelStore

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """As `Executor.run`."""
        for job in jobs:
            yield job, extraction.extract(job.path, job.wanted, self.models)


@dataclass(frozen=True)
class ProcessExecutor:
    """Runs jobs in processes on this machine.

    Attributes
    ----------
    recipe : networks that they use
    count : number of processes, at least 1
    """

    recipe: ExtractionSpec
    count: int

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """As `Executor.run`."""
        pools = [self._pool()]

        def submit(job: Job) -> Future[Extraction | ExtractionFailure]:
            if not pools[-1].active:
                # A process that is killed while idle breaks Pebble's pool.
                pools.append(self._pool())
            future: Future[Extraction | ExtractionFailure] = pools[-1].schedule(
                _work, args=[job.path, job.wanted, self.recipe], timeout=TIMEOUT_S
            )
            return future

        try:
            yield from _outcomes(jobs, submit, self.count * (1 + AHEAD))
        finally:
            for pool in pools:
                pool.stop()
                pool.join()

    def _pool(self) -> Any:
        import multiprocessing

        from pebble import ProcessPool

        pool: Any = ProcessPool(
            max_workers=self.count,
            initializer=_init_worker,
            # Not forked: a forked copy of a process with a loaded network may hang.
            context=multiprocessing.get_context("spawn"),
        )
        with _sigint_blocked():
            pool.schedule(_warm_up_job)
        return pool


class ClusterExecutor:
    """Runs jobs on a Dask cluster. Its workers need this package, and the library under the same path.

    Parameters
    ----------
    recipe : networks that they use, from their own installation
    address : address of the scheduler, for example `tcp://10.0.0.1:8786`

    Raises
    ------
    SchedulerError
        If Dask is not installed here, or no scheduler answers at the address.
    """

    def __init__(self, recipe: ExtractionSpec, address: str) -> None:
        self._recipe = recipe
        self._client: Any = _connect(address)

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """As `Executor.run`."""
        client = self._client
        yield from _outcomes(
            jobs,
            lambda job: _Remote(client.submit(_work, job.path, job.wanted, self._recipe, pure=False)),
            (1 + AHEAD) * max(sum(client.nthreads().values()), 1),
            self._check_alive,
        )

    def _check_alive(self) -> None:
        """Check that there are workers, after a while without results."""
        if not self._client.nthreads():
            raise SchedulerError(
                "The cluster has no workers any more. What was finished is kept: start some, and the "
                "same command goes on from there."
            )


class _Remote(Future[Extraction | ExtractionFailure]):
    """A Dask future as a standard one, to wait for both in the same way."""

    def __init__(self, remote: Any) -> None:
        super().__init__()
        self._remote = remote
        remote.add_done_callback(self._take_over)

    def _take_over(self, remote: Any) -> None:
        # Runs in one of Dask's own threads.
        try:
            self.set_result(remote.result())
        except BaseException as error:  # noqa: BLE001
            self.set_exception(error)


def default_count() -> int:
    """Number of processors available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _outcomes(
    jobs: Iterable[Job],
    submit: Callable[[Job], Future[Extraction | ExtractionFailure]],
    most: int,
    check_alive: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Outcomes of jobs, with at most `most` in progress at a time."""
    waiting = iter(jobs)
    pending: dict[Future[Extraction | ExtractionFailure], Job] = {}
    lost: Counter[Job] = Counter()
    more = True
    while more or pending:
        while more and len(pending) < most:
            job = next(waiting, None)
            more = job is not None
            if job is not None:
                pending[submit(job)] = job
        done = wait(pending, timeout=PATIENCE_S, return_when=FIRST_COMPLETED).done
        if pending and not done:
            check_alive()
        for future in done:
            job = pending.pop(future)
            outcome = _outcome(future)
            lost[job] += outcome is None
            if outcome is None and lost[job] < _MOST_LOST:
                pending[submit(job)] = job
                continue
            del lost[job]
            yield (
                job,
                outcome
                or ExtractionFailure("", "This file stopped the process that read it, three times."),
            )


def _outcome(future: Future[Extraction | ExtractionFailure]) -> Extraction | ExtractionFailure | None:
    """Outcome of a job; None if its worker was lost."""
    try:
        return future.result()
    except SoundalikeError:
        raise
    except FutureTimeoutError:
        return ExtractionFailure("", f"This file took longer than {TIMEOUT_S / 60:.0f} minutes.")
    except (Exception, CancelledError) as error:
        if type(error).__name__ in _LOST:
            return None
        if type(error).__name__ in _GONE:
            raise SchedulerError(
                "The connection to the cluster is lost. What was finished is kept, and the same command "
                "goes on from there."
            ) from error
        raise


def _init_worker() -> None:
    """Set up a worker process: ignore Ctrl-C, which the parent handles for both."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _exit_with_parent()


def _exit_with_parent() -> None:
    """End this process as soon as its parent ends, however that was killed."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Keep Ctrl-C from threads and processes that are started meanwhile, from their first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _warm_up_job() -> None:
    """Empty job that makes the processes start."""


def _work(path: Path, wanted: tuple[str, ...], recipe: ExtractionSpec) -> Extraction | ExtractionFailure:
    """Run a job in a worker."""
    return extraction.extract(path, wanted, _models(recipe))


@lru_cache(maxsize=1)
def _models(recipe: ExtractionSpec) -> ModelStore:
    """A worker's networks, cached between jobs."""
    own = {name: file for name, _, file in recipe.networks if file is not None}
    models = ModelStore(feature_cache=recipe.feature_cache).with_files(**own)
    for name, checksum, _ in recipe.networks:
        if models.checksum(name) != checksum:
            raise ModelError(
                f"A worker has another {name} than the one that indexing was started with; please "
                "install the same version of Soundalike everywhere."
            )
    return models


def is_address(text: str) -> bool:
    """Whether a text is a valid scheduler address: `tcp://HOST:PORT` or `tls://HOST:PORT`."""
    return re.fullmatch(r"(tcp|tls)://([^:/\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}", text) is not None


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingPackageError(
            "Indexing on a cluster needs Dask; please run `pip install 'soundalike[cluster]'`."
        ) from error
    try:
        make: Any = Client
        client = make(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SchedulerError(
            f"No Dask scheduler answers at {address}; please see whether it is running, and name it "
            "as tcp://HOST:PORT."
        ) from error
    if not client.nthreads():
        client.close()
        raise SchedulerError(
            f"The scheduler at {address} has no workers; start some with: dask worker {address} "
            "--nthreads 1"
        )
    return client
