"""Decoding of what a visitor sent, in a process that can do little harm and has nothing to lose.

A decoder is a large C program that reads what strangers wrote. Here it runs in a process of its own
(`sandbox_worker`) under limits of memory, processor time and wall time; that process opens few files,
writes none, and is not given this one's environment. A file that breaks it gets an `AudioError`, and the
process is replaced; files that others sent meanwhile are with other processes. A process that was lost
may have been lost for no fault of the file, so that the file gets a second one.

Requests and answers are a line of JSON and raw bytes over the process's standard input and output.
Nothing is unpickled, so that a process that has been taken over cannot take this one over. It is started
as a module of its own: `multiprocessing` would run the main script again, and under Streamlit that is
the app.
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

from soundalike import memory
from soundalike.audio import decoding
from soundalike.audio.decoding import Clip
from soundalike.errors import AudioError

COUNT = 2
"""Processes that decode for a server."""
ATTEMPTS = 2
START_S = 60.0
PIPE_BYTES = 2**20
"""What may be under way to a process or from it, where the system lets a pipe hold that much."""
LONGEST_LINE = 65_536
"""Bytes of the line that an answer begins with."""
_OUT_OF_CPU = -getattr(signal, "SIGXCPU", 0) or None
_MOST_SAMPLES = int((decoding.MAX_SECONDS + 1) * decoding.SAMPLE_RATE)
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""What a process needs of the environment; anything else may be a secret."""
_MESSAGES = {
    "died": "This file crashed the decoder",
    "slow": "This file takes too long to read",
    "memory": "This file needs too much memory to be read",
}

Decoded = tuple[Clip, NDArray[np.float32] | None]


@dataclass(frozen=True)
class Limits:
    """What a process may use for one file, and how many files it gets.

    Attributes
    ----------
    seconds : of wall time
    cpu_seconds : of processor time, of all threads together
    memory : bytes of address space above what the process has before its first file
    files : after which the process is replaced
    """

    seconds: float = 60.0
    cpu_seconds: int = 30
    memory: int = 1 << 30
    files: int = 200


class SandboxError(AudioError):
    """A file that cost the process that read it.

    Attributes
    ----------
    reason : "died", "slow", "memory", or what was raised in the process
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class _LostError(Exception):
    """A process that ended in the middle of its work, or was too worn for it."""


class Pool:
    """Processes that decode, each started when it is first needed, or by `warm`.

    Parameters
    ----------
    count : how many files are decoded at a time; more wait
    limits : for each file

    Attributes
    ----------
    lost : processes that ended in the middle of a file, of their own accord or for want of memory
    """

    def __init__(self, count: int = COUNT, limits: Limits | None = None) -> None:
        self.lost = 0
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        # Last in, first out: who comes alone always gets the process that is warm.
        self._free: LifoQueue[_Worker | None] = LifoQueue()
        for _ in range(count):
            self._free.put(None)

    def decode(self, content: bytes) -> Clip:
        """As `audio.decode`.

        Raises
        ------
        AudioError
            As `audio.decode`; `SandboxError` if the file breaks its process or goes over its limits.
        """
        return self._run(content, sides=False)[0]

    def decode_stereo(self, content: bytes) -> Decoded:
        """As `audio.decode_stereo`.

        Raises
        ------
        AudioError
            As `decode`.
        """
        return self._run(content, sides=True)

    def warm(self) -> None:
        """Start all processes that have nothing to do and are not there yet; does not wait for them."""
        places: list[_Worker | None] = []
        with suppress(Empty):
            while True:
                places.append(self._free.get_nowait())
        for place in places:
            self._free.put(self._successor(place))

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
            worker = self._free.get()
            try:
                worker = self._usable(worker)
                return worker.run(content, sides)
            except _LostError:
                self.lost += 1
            finally:
                # A successor starts at once, so that nobody has to wait for it.
                self._free.put(worker and self._successor(worker))
        raise _failure("died")

    def _successor(self, worker: _Worker | None) -> _Worker | None:
        """As `_usable`; None where none can be started now, which is tried again with the next file."""
        try:
            return self._usable(worker)
        except AudioError:
            return None

    def _usable(self, worker: _Worker | None) -> _Worker:
        """A process that can take a file: the one given, or a new one in its place."""
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
                # Ctrl-C is for the server; this process ends when its standard input does. In a session
                # of its own it would not give way: Linux first shares out evenly between those.
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
        worn = self._busy or self._overdue or self._files >= self._limits.files
        return not worn and self._process.poll() is None

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
            self._in_time(START_S, self._line)
            self._ready = True
        answer: Decoded | AudioError = self._in_time(
            self._limits.seconds, lambda: self._ask(content, sides)
        )
        if isinstance(answer, SandboxError) and answer.reason == "memory" and self._files > 1:
            # Earlier files leave memory in pieces, and a new process has it whole.
            raise _LostError from answer
        if isinstance(answer, AudioError):
            # In the midst of nothing: the next file can have this process.
            self._busy = isinstance(answer, SandboxError)
            raise answer
        self._busy = False
        return answer

    def _in_time(self, seconds: float, act: Callable[[], Any]) -> Any:
        timer = threading.Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            return act()
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
            # A pipe that is broken, or an answer that is none.
            self.end()
            if self._overdue or self._process.returncode == _OUT_OF_CPU:
                raise _failure("slow") from error
            raise _LostError from error
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self._overdue = True
        self._process.kill()

    def _line(self) -> Any:
        line = cast(BinaryIO, self._process.stdout).readline(LONGEST_LINE)
        return json.loads(line)

    def _ask(self, content: bytes, sides: bool) -> Decoded | AudioError:
        requests = cast(BinaryIO, self._process.stdin)
        requests.write(json.dumps({"size": len(content), "sides": sides}).encode() + b"\n")
        requests.write(content)
        requests.flush()
        answer = self._line()
        if "refused" in answer:
            return AudioError(str(answer["refused"]))
        if "failed" in answer:
            return _failure(str(answer["failed"]))
        samples = self._array(answer["samples"], 1)[:, 0]
        both = self._array(answer["samples"], 2) if answer["sides"] else None
        notes = tuple(map(str, answer["notes"]))
        return Clip(samples, notes=notes, source_duration=float(answer["source_duration"])), both

    def _array(self, length: int, channels: int) -> NDArray[np.float32]:
        if not 0 <= length <= _MOST_SAMPLES:
            raise ValueError(length)
        array = np.empty((length, channels), np.float32)
        left = array.data.cast("B")
        while left:
            done = cast(BinaryIO, self._process.stdout).readinto(left)  # type: ignore[attr-defined]
            if not done:
                raise EOFError
            left = left[done:]
        return array


def decode(content: bytes) -> Clip:
    """As `audio.decode`, in a process that is kept for it; see `Pool.decode`."""
    return _pool().decode(content)


def decode_stereo(content: bytes) -> Decoded:
    """As `audio.decode_stereo`, in a process that is kept for it; see `Pool.decode_stereo`."""
    return _pool().decode_stereo(content)


def warm() -> None:
    """Start the processes, so that the first file does not wait for them."""
    _pool().warm()


@lru_cache(maxsize=1)
def _pool() -> Pool:
    pool = Pool(1 if memory.is_small() else COUNT)
    atexit.register(pool.close)
    return pool


def _failure(reason: str) -> SandboxError:
    message = _MESSAGES.get(reason, "We couldn't read this file")
    return SandboxError(f"{message}. Convert it to another format and try again.", reason)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        # Threads of linear algebra would take address space and are of no use here.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
