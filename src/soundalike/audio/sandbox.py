"""Sandboxed decoding of visitors' files.

The decoder is a large C program that parses untrusted input. It runs in a separate process
(`sandbox_worker`) with limits on memory, processor time and wall time. That process opens few files,
writes none, and does not inherit this process's environment. A file that crashes it raises an
`AudioError`, and the process is replaced; other visitors' files are decoded in other processes. A
crash may not be the file's fault, so each file gets a second attempt.

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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from queue import Empty, LifoQueue
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from soundalike import system
from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.errors import AudioError

COUNT = 2
"""Number of decoding processes of a server."""
ATTEMPTS = 2
START_S = 60.0
PIPE_BYTES = 2**20
"""Size of the pipes to and from a process, on systems where it can be set."""
LONGEST_LINE = 65_536
"""Maximum bytes of a response's first line."""
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


@dataclass(frozen=True)
class Limits:
    """Limits of a process for each file, and on the number of files.

    Attributes
    ----------
    seconds : wall time
    cpu_seconds : processor time of all threads together
    memory : bytes of address space beyond the process's use before its first file
    files : number of files after which the process is replaced
    """

    seconds: float = 60.0
    cpu_seconds: int = 30
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

    Parameters
    ----------
    count : number of files decoded at the same time; further files wait
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
        for _ in range(count):
            self._idle.put(None)

    def decode(self, content: bytes) -> Clip:
        """Decode as `decoding.decode` does.

        Raises
        ------
        AudioError
            As `decoding.decode`; `SandboxError` if the file crashes its process or exceeds its limits.
        """
        return self._run(content, sides=False)[0]

    def decode_stereo(self, content: bytes) -> Decoded:
        """Decode as `decoding.decode_stereo` does.

        Raises
        ------
        AudioError
            As `decode`.
        """
        return self._run(content, sides=True)

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

    def _run(self, content: bytes, sides: bool) -> Decoded:
        decoding.check_size(content)
        for _ in range(ATTEMPTS):
            worker = self._idle.get()
            try:
                worker = self._usable(worker)
                return worker.run(content, sides)
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
            raise AudioError("We can't read audio at the moment. Try again later.") from error
        self._limits = limits
        self._ready = False
        self._busy = False
        self._overdue = False
        self._files = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        used_up = self._busy or self._overdue or self._files >= self._limits.files
        return not used_up and self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast(BinaryIO, pipe).close()

    def run(self, content: bytes, sides: bool) -> Decoded:
        self._busy = True
        self._files += 1
        if not self._ready:
            self._with_timeout(START_S, self._read_line)
            self._ready = True
        answer: Decoded | AudioError = self._with_timeout(
            self._limits.seconds, lambda: self._request(content, sides)
        )
        if isinstance(answer, SandboxError) and answer.reason == "memory" and self._files > 1:
            # Earlier files fragment the memory, so retry in a new process.
            raise _WorkerLostError from answer
        if isinstance(answer, AudioError):
            # An ordinary error leaves the process idle and reusable.
            self._busy = isinstance(answer, SandboxError)
            raise answer
        self._busy = False
        return answer

    def _with_timeout(self, seconds: float, action: Callable[[], Any]) -> Any:
        timer = threading.Timer(seconds, self._kill_overdue)
        timer.daemon = True
        timer.start()
        try:
            return action()
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
            # A broken pipe or an invalid response.
            self.end()
            if self._overdue or self._process.returncode == _OUT_OF_CPU:
                raise _failure("slow") from error
            raise _WorkerLostError from error
        finally:
            timer.cancel()

    def _kill_overdue(self) -> None:
        self._overdue = True
        self._process.kill()

    def _read_line(self) -> Any:
        line = cast(BinaryIO, self._process.stdout).readline(LONGEST_LINE)
        return json.loads(line)

    def _request(self, content: bytes, sides: bool) -> Decoded | AudioError:
        requests = cast(BinaryIO, self._process.stdin)
        requests.write(json.dumps({"size": len(content), "sides": sides}).encode() + b"\n")
        requests.write(content)
        requests.flush()
        answer = self._read_line()
        if "refused" in answer:
            return AudioError(str(answer["refused"]))
        if "failed" in answer:
            return _failure(str(answer["failed"]))
        samples = self._read_array(answer["samples"], 1)[:, 0]
        both = self._read_array(answer["samples"], 2) if answer["sides"] else None
        notes = tuple(map(str, answer["notes"]))
        return Clip(samples, notes=notes, source_duration=float(answer["source_duration"])), both

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


def decode(content: bytes) -> Clip:
    """Decode as `decoding.decode` does, in a pooled process; see `Pool.decode`."""
    return _pool().decode(content)


def decode_stereo(content: bytes) -> Decoded:
    """Decode as `decoding.decode_stereo` does, in a pooled process; see `Pool.decode_stereo`."""
    return _pool().decode_stereo(content)


def warm() -> None:
    """Start the processes, to save the first file the wait."""
    _pool().warm()


@lru_cache(maxsize=1)
def _pool() -> Pool:
    pool = Pool(1 if system.is_small_host() else COUNT)
    atexit.register(pool.close)
    return pool


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
