"""Cost of decoding in a sandboxed process.

    python benchmarks/decoding.py [--repeats 30]

Half a minute of stereo MP3 is decoded and resampled in this process and in the warm sandbox process,
alternately, as the mix alone and with both channels. Prints the medians in milliseconds and their
difference, the time for the first file with and without `warm`, and for the longest accepted files.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from encoding import encode
from numpy.typing import NDArray

from soundalike.audio import decoding, sandbox
from soundalike.audio.clip import SAMPLE_RATE

LONGEST_S = decoding.MAX_SECONDS - 1


def noise(seconds: float) -> NDArray[np.float32]:
    """Noise, which no codec can compress away."""
    length = round(seconds * SAMPLE_RATE)
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


def milliseconds(act: Callable[[], object]) -> float:
    """Time a function call."""
    began = time.perf_counter()
    act()
    return 1_000 * (time.perf_counter() - began)


def in_turns(first: Callable[[], object], second: Callable[[], object], repeats: int) -> list[float]:
    """Median milliseconds of two functions, called alternately."""
    times = [(milliseconds(first), milliseconds(second)) for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def main() -> None:
    """Time both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    clip = encode(noise(30), "mp3", "libmp3lame", "stereo")
    pool = sandbox.Pool(1)
    print(f"first file, process not started: {milliseconds(lambda: pool.decode(clip)):.0f} ms")
    print("| decoded from 30 s of MP3 | here | sandbox | more |\n|---|--:|--:|--:|")
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "the mix": (lambda: decoding.decode(clip), lambda: pool.decode(clip)),
        "and both channels": (lambda: decoding.decode_stereo(clip), lambda: pool.decode_stereo(clip)),
    }
    for name, (here, there) in ways.items():
        direct, sandboxed = in_turns(here, there, repeats)
        more = sandboxed - direct
        print(f"| {name} | {direct:.1f} ms | {sandboxed:.1f} ms | {more:.1f} ms |", flush=True)
    print("\n| nearly 20 minutes | file | took | greatest memory of the process |\n|---|--:|--:|--:|")
    for codec, container in (("libmp3lame", "mp3"), ("libopus", "ogg"), ("aac", "ipod")):
        longest = encode(noise(LONGEST_S), container, codec, "stereo", 190_000)
        seconds = milliseconds(lambda: pool.decode_stereo(longest)) / 1_000  # noqa: B023
        size, memory = len(longest) / 2**20, peak_mb(pool)
        print(f"| {codec} | {size:.0f} MB | {seconds:.1f} s | {memory:.0f} MB |", flush=True)
    pool.close()


def peak_mb(pool: sandbox.Pool) -> float:
    """Peak memory of a pool's only process, in MB; 0 if the system doesn't report it."""
    try:
        status = Path(f"/proc/{pool.pids[0]}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next(float(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


if __name__ == "__main__":
    main()
