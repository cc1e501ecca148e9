"""Sandboxed reading of visitors' files.

The decoder is a large C program that parses untrusted input. It runs in a separate process
(`sandbox_worker`) with limits on memory, processor time and wall time. That process opens few files,
writes none, and does not inherit this process's environment. A file that crashes it raises an
`AudioError`, and the process is replaced; other visitors' files are decoded in other processes. A
crash may not be the file's fault, so each file gets a second attempt.

Files wait their turn in a fair queue, and work on a file ends when its visitor has left. Playlist files
are parsed in the same processes (`call`). What a process can reach is in `confinement`.

Requests and responses are a line of JSON followed by raw bytes, over the process's standard input and
output. Nothing is unpickled, so a compromised worker cannot compromise this process. The worker is
started as a separate module, because `multiprocessing` would run the main script again, which under
Streamlit is the app.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from queue import Empty, LifoQueue
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from soundalike import system
from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.errors import AudioError
from soundalike.fair_queue import LOOK_S, FairQueue, OnPlace

COUNT = 2
"""Number of decoding processes of a server."""
ATTEMPTS = 2
START_S = 60.0
PIPE_BYTES = 2**20
"""Size of the pipes to and from a process, on systems where it can be set."""
LONGEST_LINE = 65_536
"""Maximum bytes of a response's first line."""
LONGEST_RESULT = 2**25
"""Maximum bytes of what a called function returns."""
_OUT_OF_CPU = -getattr(signal, "SIGXCPU", 0) or None
_MAX_SAMPLES = int((decoding.MAX_SECONDS + 1) * SAMPLE_RATE)
_PASSED_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""Environment variables passed to a process; any other may hold a secret."""
_MESSAGES = {
    "died": "This file crashed the decoder",
    "slow": "This file takes too long to read",
    "memory": "This file needs too much memory to be read",
}

Decoded = tuple[Clip, NDArray[np.float32] | None]
OnWait = Callable[[], None]


def _ignore(ahead: int) -> None:
    """Take no notice of the place in the queue."""


@dataclass(frozen=True)
class Limits:
    """Limits of a process for each file, and on the number of files.

    Attributes
    ----------
    seconds : wall time
    cpu_seconds : processor time of all threads together; twice what the largest honest file takes: 20
        minutes of stereo Opus in 20 MB, both channels kept, take 10 s of a slow processor
    memory : bytes of address space beyond the process's use before its first file
    files : number of files after which the process is replaced
    """

    seconds: float = 60.0
    cpu_seconds: int = 20
    memory: int = 1 << 30
    files: int = 200


class SandboxError(AudioError):
    """A file crashed its decoding process or exceeded the limits.

    Attributes
    ----------
    reason : "died", "slow", "memory", or the exception raised in the process
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class _WorkerLostError(Exception):
    """The process ended during a request, or its memory was too fragmented for the file."""


class Pool:
    """Pool of decoding processes, each started when first needed or by `warm`.

    `visitor` and `on_place` of its functions are as in `FairQueue.acquire`. While a file is worked on,
    `on_place` is called with 0 every half second. An exception that it raises ends the process.

    Parameters
    ----------
    count : number of files worked on at the same time; further files wait
    limits : limits for each file

    Attributes
    ----------
    lost : number of processes that ended during a file, by a crash or out of memory
    """

    def __init__(self, count: int = COUNT, limits: Limits | None = None) -> None:
        self.lost = 0
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        # Last in, first out: without concurrent requests the warm process is always reused.
        self._idle: LifoQueue[_Worker | None] = LifoQueue()
        self._queue = FairQueue(places=count)
        for _ in range(count):
            self._idle.put(None)

    def decode(
        self,
        content: bytes,
        visitor: str = "",
        on_place: OnPlace = _ignore,
        start: float | None = None,
    ) -> Clip:
        """Decode as `decoding.decode` does, or with a `start` the half minute of `excerpt.decode`.

        Raises
        ------
        AudioError
            As these functions; `SandboxError` if the file crashes its process or exceeds its limits.
        BusyError
            If too many files are waiting already.
        """
        decoding.check_size(content)
        clip, _ = self._run(content, {"sides": False, "start": start}, visitor, on_place)
        return cast(Clip, clip)

    def decode_stereo(self, content: bytes, visitor: str = "", on_place: OnPlace = _ignore) -> Decoded:
        """Decode as `decoding.decode_stereo` does.

        Raises
        ------
        AudioError, BusyError
            As `decode`.
        """
        decoding.check_size(content)
        return cast(Decoded, self._run(content, {"sides": True}, visitor, on_place))

    def call(
        self, task: str, content: bytes, name: str, visitor: str = "", on_place: OnPlace = _ignore
    ) -> Any:
        """Call a function with a file's bytes and name, and return its result.

        Parameters
        ----------
        task : the function as "module:name"; it returns what JSON can represent, or raises a
            `SoundalikeError` for the visitor
        content, name : its arguments

        Raises
        ------
        AudioError, BusyError
            As `decode`; an `AudioError` that is no `SandboxError` has the function's message.
        """
        return self._run(content, {"task": task, "name": name}, visitor, on_place)

    def warm(self) -> None:
        """Start all processes that are idle and not running yet, without waiting for them."""
        slots: list[_Worker | None] = []
        with suppress(Empty):
            while True:
                slots.append(self._idle.get_nowait())
        for slot in slots:
            self._idle.put(self._replacement(slot))

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.end()

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    def _run(self, content: bytes, request: dict[str, Any], visitor: str, on_place: OnPlace) -> Any:
        with self._queue.acquire(visitor, on_place):
            for _ in range(ATTEMPTS):
                worker = self._idle.get()
                try:
                    worker = self._usable(worker)
                    return worker.run(content, request, partial(on_place, 0))
                except _WorkerLostError:
                    self.lost += 1
                finally:
                    # Start a replacement at once, so that the next file doesn't wait for it.
                    self._idle.put(worker and self._replacement(worker))
        raise _failure("died")

    def _replacement(self, worker: _Worker | None) -> _Worker | None:
        """As `_usable`, but None if no process can be started; the next file tries again."""
        try:
            return self._usable(worker)
        except AudioError:
            return None

    def _usable(self, worker: _Worker | None) -> _Worker:
        """The given process if it can take another file, or a new one in its place."""
        if worker is not None and worker.usable:
            return worker
        if worker is not None:
            worker.end()
        new = _Worker(self._limits)
        with self._lock:
            self._workers.discard(cast(_Worker, worker))
            self._workers.add(new)
        return new


class _Worker:
    """A process that decodes one file at a time."""

    def __init__(self, limits: Limits) -> None:
        command = [
            sys.executable,
            "-P",
            "-m",
            "soundalike.audio.sandbox_worker",
            json.dumps(asdict(limits)),
        ]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pipesize=PIPE_BYTES,
                env=_environment(),
                # Ctrl-C must reach only the server; this process ends with its standard input. A new
                # session would cancel the lower priority: Linux shares evenly between sessions first.
                process_group=0,
            )
        except OSError as error:
            raise AudioError("We can't read files at the moment. Try again later.") from error
        self._limits = limits
        self._ready = False
        self._busy = False
        self._overdue = False
        self._files = 0
        self.confined: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        used_up = self._busy or self._overdue or self._files >= self._limits.files
        return not used_up and self._process.poll() is None

    def end(self) -> None:
        self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast(BinaryIO, pipe).close()

    def _kill(self) -> None:
        """End the process, and any that it started where that cannot be prevented."""
        if sys.platform != "win32" and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def run(self, content: bytes, request: dict[str, Any], on_wait: OnWait) -> Any:
        self._busy = True
        self._files += 1
        if not self._ready:
            self.confined = self._attended(START_S, self._read_line, on_wait)["confined"]
            self._ready = True
        answer = self._attended(self._limits.seconds, lambda: self._request(content, request), on_wait)
        if isinstance(answer, SandboxError) and answer.reason == "memory" and self._files > 1:
            # Earlier files fragment the memory, so retry in a new process.
            raise _WorkerLostError from answer
        if isinstance(answer, AudioError):
            # An ordinary error leaves the process idle and reusable.
            self._busy = isinstance(answer, SandboxError)
            raise answer
        self._busy = False
        return answer

    def _attended(self, seconds: float, action: Callable[[], Any], on_wait: OnWait) -> Any:
        """Run an action on the process in another thread, as long as the visitor waits for it."""
        done: Future[Any] = Future()
        # A daemon, so that the server can stop meanwhile.
        threading.Thread(target=_settle, args=(done, action), daemon=True).start()
        deadline = time.monotonic() + seconds
        try:
            while not wait([done], min(LOOK_S, max(0.0, deadline - time.monotonic()))).done:
                if time.monotonic() >= deadline:
                    self._overdue = True
                    self._kill()
                    wait([done])
                else:
                    on_wait()
            return done.result()
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
            # A broken pipe or an invalid response.
            self.end()
            if self._overdue or self._process.returncode == _OUT_OF_CPU:
                raise _failure("slow") from error
            raise _WorkerLostError from error
        except BaseException:
            # The visitor has left.
            self._kill()
            wait([done])
            self.end()
            raise

    def _read_line(self) -> Any:
        line = cast(BinaryIO, self._process.stdout).readline(LONGEST_LINE)
        return json.loads(line)

    def _request(self, content: bytes, request: dict[str, Any]) -> Any:
        requests = cast(BinaryIO, self._process.stdin)
        requests.write(json.dumps({"size": len(content)} | request).encode() + b"\n")
        requests.write(content)
        requests.flush()
        answer = self._read_line()
        if "refused" in answer:
            return AudioError(str(answer["refused"]))
        if "failed" in answer:
            return _failure(str(answer["failed"]))
        if "task" in request:
            return self._read_result(answer["result"])
        samples = self._read_array(answer["samples"], 1)[:, 0]
        both = self._read_array(answer["samples"], 2) if answer["sides"] else None
        notes = tuple(map(str, answer["notes"]))
        start, duration = float(answer["start"]), float(answer["source_duration"])
        if not 0 <= start <= decoding.MAX_SECONDS:
            raise ValueError(start)
        return Clip(samples, notes=notes, start=start, source_duration=duration), both

    def _read_result(self, size: int) -> Any:
        if not 0 <= size <= LONGEST_RESULT:
            raise ValueError(size)
        return json.loads(cast(BinaryIO, self._process.stdout).read(size))

    def _read_array(self, length: int, channels: int) -> NDArray[np.float32]:
        if not 0 <= length <= _MAX_SAMPLES:
            raise ValueError(length)
        array = np.empty((length, channels), np.float32)
        remaining = array.data.cast("B")
        while remaining:
            received = cast(BinaryIO, self._process.stdout).readinto(remaining)  # type: ignore[attr-defined]
            if not received:
                raise EOFError
            remaining = remaining[received:]
        return array


def decode(
    content: bytes, visitor: str = "", on_place: OnPlace = _ignore, start: float | None = None
) -> Clip:
    """Decode a file or half a minute of it in a pooled process; see `Pool.decode`."""
    return _pool().decode(content, visitor, on_place, start)


def decode_stereo(content: bytes, visitor: str = "", on_place: OnPlace = _ignore) -> Decoded:
    """Decode as `decoding.decode_stereo` does, in a pooled process; see `Pool.decode_stereo`."""
    return _pool().decode_stereo(content, visitor, on_place)


def call(task: str, content: bytes, name: str, visitor: str = "", on_place: OnPlace = _ignore) -> Any:
    """Call a function with a visitor's file, in a pooled process; see `Pool.call`."""
    return _pool().call(task, content, name, visitor, on_place)


def warm() -> None:
    """Start the processes, to save the first file the wait."""
    _pool().warm()


@lru_cache(maxsize=1)
def _pool() -> Pool:
    # A decoder that a file has taken over must not read this process's memory.
    system.hide_memory()
    pool = Pool(1 if system.is_small_host() else COUNT)
    atexit.register(pool.close)
    return pool


def _settle(done: Future[Any], action: Callable[[], Any]) -> None:
    try:
        done.set_result(action())
    except BaseException as error:  # noqa: BLE001
        done.set_exception(error)


def _failure(reason: str) -> SandboxError:
    message = _MESSAGES.get(reason, "We couldn't read this file")
    return SandboxError(f"{message}. Convert it to another format and try again.", reason)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        # Threads of linear algebra take address space and aren't needed here.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
