"""The process in which visitors' files are decoded; started and talked to by `sandbox`.

Run as `python -m soundalike.audio.sandbox_worker LIMITS`. It says that it is ready, then takes
requests from its standard input and answers on its standard output until the input ends. A request is
a line of JSON (`size`, `sides`) and the file's bytes. An answer is a line of JSON with `refused` (what
to tell the visitor), with `failed` (what was raised), or with the clip's facts; then follow its
samples, and both channels' if they were asked for and there are two, as float32 of this machine's byte
order."""

from __future__ import annotations

import io
import json
import os
import sys
import time
import wave
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from soundalike import system
from soundalike.audio import decoding
from soundalike.audio.clip import Clip
from soundalike.errors import AudioError

MOST_OPEN_FILES = 16


def main() -> None:
    """Answer requests until there are no more."""
    limits: dict[str, Any] = json.loads(sys.argv[1])
    system.lower_priority()
    requests, answers = _pipes()
    # Once through it all, so that whatever is loaded late is there before the limits are set.
    decoding.decode_stereo(_noise())
    _confine(limits["memory"])
    _say(answers, {"ready": True})
    while line := requests.readline():
        request = json.loads(line)
        content = requests.read(request["size"])
        _allow_cpu(limits["cpu_seconds"])
        _answer(answers, content, request["sides"])


def _answer(answers: BinaryIO, content: bytes, sides: bool) -> None:
    try:
        clip, both = decoding.decode_stereo(content) if sides else (decoding.decode(content), None)
    except AudioError as error:
        return _say(answers, {"refused": str(error)})
    except MemoryError:
        return _say(answers, {"failed": "memory"})
    except Exception as error:  # noqa: BLE001
        return _say(answers, {"failed": f"{type(error).__name__}: {error}"[:1_000]})
    _say(answers, _facts(clip) | {"sides": both is not None})
    answers.write(np.ascontiguousarray(clip.samples).data.cast("B"))
    if both is not None:
        answers.write(np.ascontiguousarray(both).data.cast("B"))
    return answers.flush()


def _facts(clip: Clip) -> dict[str, Any]:
    return {
        "samples": len(clip.samples),
        "notes": clip.notes,
        "source_duration": clip.source_duration,
    }


def _say(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, for requests and answers alone: what else is printed goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return sys.stdin.buffer, answers


def _noise() -> bytes:
    """Four seconds of stereo noise as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((2, 2, 44_100, 0, "NONE", ""))
        output.writeframes(np.random.default_rng(0).bytes(4 * 4 * 44_100))
    return file.getvalue()


def _confine(memory: int) -> None:
    """Limit what this process can do, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    def limit(what: int, most: int) -> None:
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))

    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, MOST_OPEN_FILES)
    if used := _address_space():
        limit(resource.RLIMIT_AS, used + memory)


def _address_space() -> int | None:
    """Bytes of address space in use; None where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _allow_cpu(seconds: int) -> None:
    """Give the next file its processor time: the limit counts from the process's start."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


if __name__ == "__main__":
    main()
