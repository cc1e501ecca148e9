"""Worker process that reads visitors' files, started by `sandbox`.

Run as `python -m soundalike.audio.sandbox_worker LIMITS`. The worker reports that it is ready, then
reads requests from its standard input and responds on its standard output until the input ends. A
request is a line of JSON (`size`, `sides`, perhaps `start`) and the file's bytes. A response is a line
of JSON with `refused` (a message for the visitor), `failed` (the exception raised), or the clip's
properties. The properties are followed by the clip's samples, and by both channels' if requested and
available, as float32 in this machine's byte order.

A request with `task` and `name` instead of `sides` calls that function with the bytes and the name. The
response is a line with the size of the `result`, and the result as JSON."""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from soundalike import system
from soundalike.audio import confinement, decoding, excerpt
from soundalike.audio.clip import Clip
from soundalike.errors import SoundalikeError

MOST_OPEN_FILES = 16
Decoded = tuple[Clip, NDArray[np.float32] | None]


def main() -> None:
    """Answer requests until there are no more."""
    limits: dict[str, Any] = json.loads(sys.argv[1])
    system.lower_priority()
    requests, answers = _pipes()
    # Decode once, so that lazily loaded modules are in memory before the limits are set.
    decoding.decode_stereo(_noise_wav())
    _set_limits(limits["memory"])
    _send(answers, {"confined": confinement.confine()})
    while line := requests.readline():
        request = json.loads(line)
        content = requests.read(request["size"])
        _set_cpu_limit(limits["cpu_seconds"])
        _respond(answers, content, request)


def _respond(answers: BinaryIO, content: bytes, request: dict[str, Any]) -> None:
    try:
        if "task" in request:
            return _send_result(answers, _called(request["task"])(content, request["name"]))
        clip, both = _decoded(content, request["sides"], request.get("start"))
    except SoundalikeError as error:
        return _send(answers, {"refused": str(error)})
    except MemoryError:
        return _send(answers, {"failed": "memory"})
    except Exception as error:  # noqa: BLE001
        return _send(answers, {"failed": f"{type(error).__name__}: {error}"[:1_000]})
    _send(answers, _properties(clip) | {"sides": both is not None})
    answers.write(np.ascontiguousarray(clip.samples).data.cast("B"))
    if both is not None:
        answers.write(np.ascontiguousarray(both).data.cast("B"))
    return answers.flush()


def _decoded(content: bytes, sides: bool, start: float | None) -> Decoded:
    if sides:
        return decoding.decode_stereo(content)
    return (decoding.decode(content) if start is None else excerpt.decode(content, start)), None


def _called(task: str) -> Callable[[bytes, str], Any]:
    """The function that the server names; only the server does, and never a file."""
    module, _, name = task.partition(":")
    function: Callable[[bytes, str], Any] = getattr(importlib.import_module(module), name)
    return function


def _send_result(answers: BinaryIO, result: Any) -> None:
    encoded = json.dumps(result).encode()
    _send(answers, {"result": len(encoded)})
    answers.write(encoded)
    answers.flush()


def _properties(clip: Clip) -> dict[str, Any]:
    return {
        "samples": len(clip.samples),
        "notes": clip.notes,
        "source_duration": clip.source_duration,
        "start": clip.start,
    }


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, reserved for requests and responses; other output is discarded."""
    answers = os.fdopen(os.dup(1), "wb")
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.close(devnull)
    return sys.stdin.buffer, answers


def _noise_wav() -> bytes:
    """Four seconds of stereo noise as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((2, 2, 44_100, 0, "NONE", ""))
        output.writeframes(np.random.default_rng(0).bytes(4 * 4 * 44_100))
    return file.getvalue()


def _set_limits(memory: int) -> None:
    """Limit this process's files and memory, on systems that support it."""
    if sys.platform == "win32":
        return
    import resource

    def limit(kind: int, maximum: int) -> None:
        _, hard = resource.getrlimit(kind)
        maximum = maximum if hard == resource.RLIM_INFINITY else min(maximum, hard)
        resource.setrlimit(kind, (maximum, maximum))

    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, MOST_OPEN_FILES)
    if used := _address_space():
        limit(resource.RLIMIT_AS, used + memory)


def _address_space() -> int | None:
    """Bytes of address space in use, or None if unknown."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _set_cpu_limit(seconds: int) -> None:
    """Set the processor time limit for the next file; it counts from the process's start."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


if __name__ == "__main__":
    main()
