"""Workers: taking what is wanted of many files at once, here, in processes, or on a Dask cluster.

Each file is taken by itself (`extraction.extract`), so any number of workers can share a library. A
worker is a process with one thread: where several threads share one pass of a network they wait for
each other, and decoding would have to wait for all; as it is, one file is decoded while another is
in the network. Jobs are drawn as places come free, so that no queue grows with the library.

A file whose process is lost is given to another, and refused when it has cost three; one that takes
longer than `TIMEOUT_S` is refused. On a cluster Dask moves the jobs of a worker that
is lost to others, and gives a job up that has cost four.
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
"""How long one file may take: hundreds of times what one does."""
PATIENCE_S = 20.0
"""After so long without any result it is asked whether there are workers."""
_MOST_LOST = 3
ANSWER_S = 10.0
"""How long a scheduler has to answer."""
AHEAD = 2
"""Jobs that wait at each worker, so that none is ever without."""
_LOST = ("ProcessExpired", "BrokenProcessPool", "KilledWorker")
_GONE = ("CancelledError", "FutureCancelledError", "CommClosedError")
"""What Pebble and Dask raise when a worker is lost, and when the scheduler is; by name, since neither is
imported before it is used."""


@dataclass(frozen=True)
class Job:
    """A file, and what is wanted of it."""

    file: str
    path: Path
    wanted: tuple[str, ...]


Outcome = tuple[Job, Extraction | ExtractionFailure]


class Executor(Protocol):
    """Whoever takes jobs on."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Each job with its outcome, in the order in which they are done; jobs are drawn as needed.

        Raises
        ------
        ModelError
            If the workers' networks are missing, or are not those of this process.
        """
        ...


@dataclass(frozen=True)
class ExtractionSpec:
    """Which networks a worker has to use.

    Attributes
    ----------
    networks : of each its name, its checksum and, where it is not among the bundled ones, its file
    feature_cache : where feature maps are kept between runs, if anywhere
    """

    networks: tuple[tuple[str, str, Path | None], ...]
    feature_cache: Path | None = None

    @classmethod
    def of(cls, models: ModelStore, names: Iterable[str]) -> ExtractionSpec:
        """The networks of a store that some wanted things are taken by."""
        needed = sorted({model for name in names for model in extraction.models_of(name)})
        own = {name: models.file(name) for name in needed}
        bundled = {name: paths.MODELS / file for name, file in FILES.items()}
        networks = [
            (name, models.checksum(name), None if own[name] == bundled.get(name) else own[name])
            for name in needed
        ]
        return cls(tuple(networks), models.feature_cache)


class InProcessExecutor:
    """No worker: jobs are done in this process, one after another, with networks that it has.

    Parameters
    ----------
    models : the networks
    """

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """As `Executor.run`."""
        for job in jobs:
            yield job, extraction.extract(job.path, job.wanted, self._models)


class ProcessExecutor:
    """Processes on this machine.

    Parameters
    ----------
    recipe : the networks that they use
    count : how many, at least 1
    """

    def __init__(self, recipe: ExtractionSpec, count: int) -> None:
        self._recipe = recipe
        self._count = count

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """As `Executor.run`."""
        pools = [self._pool()]

        def submit(job: Job) -> Future[Extraction | ExtractionFailure]:
            if not pools[-1].active:
                # A process that is killed while it has nothing to do takes Pebble's pool with it.
                pools.append(self._pool())
            future: Future[Extraction | ExtractionFailure] = pools[-1].schedule(
                _work, args=[job.path, job.wanted, self._recipe], timeout=TIMEOUT_S
            )
            return future

        try:
            yield from _drawn(jobs, submit, self._count * (1 + AHEAD))
        finally:
            for pool in pools:
                pool.stop()
                pool.join()

    def _pool(self) -> Any:
        import multiprocessing

        from pebble import ProcessPool

        pool: Any = ProcessPool(
            max_workers=self._count,
            initializer=_begin,
            # Not forked: a copy of a process with a network in it may hang.
            context=multiprocessing.get_context("spawn"),
        )
        with _ctrl_c_for_this_one_alone():
            pool.schedule(_nothing)
        return pool


class ClusterExecutor:
    """The workers of a Dask cluster. They need this package, and the library under the same path.

    Parameters
    ----------
    recipe : the networks that they use, from their own installation
    address : of the scheduler, for example `tcp://10.0.0.1:8786`

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
        yield from _drawn(
            jobs,
            lambda job: _Remote(client.submit(_work, job.path, job.wanted, self._recipe, pure=False)),
            (1 + AHEAD) * max(sum(client.nthreads().values()), 1),
            self._check_alive,
        )

    def _check_alive(self) -> None:
        """Check that there are workers; asked when nothing has come from them for a while."""
        if not self._client.nthreads():
            raise SchedulerError(
                "The cluster has no workers any more. What was finished is kept: start some, and the "
                "same command goes on from there."
            )


class _Remote(Future[Extraction | ExtractionFailure]):
    """A Dask future as one of the standard library's, so that both are waited for alike."""

    def __init__(self, remote: Any) -> None:
        super().__init__()
        self._remote = remote
        remote.add_done_callback(self._take_over)

    def _take_over(self, remote: Any) -> None:
        # In a thread of Dask's own, one of several.
        try:
            self.set_result(remote.result())
        except BaseException as error:  # noqa: BLE001
            self.set_exception(error)


def default_count() -> int:
    """As many processes as there are processors that this one may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _drawn(
    jobs: Iterable[Job],
    submit: Callable[[Job], Future[Extraction | ExtractionFailure]],
    most: int,
    check_alive: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Outcomes of jobs, of which no more than `most` are under way at a time."""
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
    """What came of a job; None where its worker was lost."""
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


def _begin() -> None:
    """Before a process's first job: Ctrl-C is for the one that hands jobs out, and ends both."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _orphaned_with_parent()


def _orphaned_with_parent() -> None:
    """End this process as soon as the one that started it has, whichever way that was killed."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _ctrl_c_for_this_one_alone() -> Iterator[None]:
    """What is started meanwhile, thread or process, does not get Ctrl-C, from its very first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _nothing() -> None:
    """A job that has the processes start."""


def _work(path: Path, wanted: tuple[str, ...], recipe: ExtractionSpec) -> Extraction | ExtractionFailure:
    """Do a job in a worker."""
    return extraction.extract(path, wanted, _models(recipe))


@lru_cache(maxsize=1)
def _models(recipe: ExtractionSpec) -> ModelStore:
    """A worker's networks, kept from job to job."""
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
    """Whether a text can be a scheduler's address: `tcp://HOST:PORT` or `tls://HOST:PORT`."""
    return re.fullmatch(r"(tcp|tls)://([^:/\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}", text) is not None


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingPackageError(
            "Indexing on a cluster needs Dask; please run: pip install -r requirements-cluster.txt"
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
