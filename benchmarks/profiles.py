"""Where the time goes, by function.

    pip install yappi==1.7.6
    python benchmarks/profiles.py upload | anatomy | indexing | first-page [--rounds N] [--least MS]

For each of the project's functions, all threads included: the milliseconds from its call to its return,
those called in it included, and how often it is called. All are per upload or track. Threads that
run at the same time, and waiting for them, count in full, so the rows don't add up. Another process's
work, such as decoding in the sandbox, is in the call that waits for it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import indexing
import psutil
import reruns
import upload
import uploads

from soundalike import paths, threads
from soundalike.analysis import clip_analysis
from soundalike.audio import sandbox
from soundalike.index import index
from soundalike.indexing import builder, extraction
from soundalike.models import ModelStore
from soundalike.ui.middleware import first_page

WARM = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=MEASURED)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--least", type=float, default=3.0, help="leave out functions below so many ms")
    options = parser.parse_args()
    MEASURED[options.what](options.rounds, options.least)


def of_upload(rounds: int, least: float) -> None:
    """Profile the way from an MP3's bytes to a playlist, its words, and then its genres."""
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    for said, call in (("words", upload.to_words), ("words and genres", upload.to_genres)):
        contents = iter([uploads.upload(number)[1] for number in range(rounds + WARM)])
        print(f"\nUntil its playlist and its {said}\n")
        repeat(lambda: call(next(contents), opened, models), rounds, least)  # noqa: B023


def of_indexing(rounds: int, least: float) -> None:
    """Profile what a process does for a track, with one thread as there."""
    files = iter(sorted((paths.LIBRARY / "clips").iterdir()))
    wanted, models = builder.wants(indexing.NAMES), ModelStore()
    with threads.single_threaded():
        repeat(lambda: extraction.extract(next(files), wanted, models), rounds, least)


def of_anatomy(rounds: int, least: float) -> None:
    """Profile what Anatomy measures of a clip of one's own."""
    contents = iter([uploads.upload(number)[1] for number in range(rounds + WARM)])

    def measure() -> object:
        clip, start = sandbox.decode_stereo(next(contents))
        return clip_analysis.measure(clip_analysis.part_shown(clip, start))

    repeat(measure, rounds, least)


def of_first_page(_: int, least: float) -> None:
    """Profile the first page that a new server draws, and what is prepared for it meanwhile."""
    os.environ["SOUNDALIKE_WARM_UP"] = "0"
    first_page.prepare()
    repeat(lambda: reruns.opened("recommend", {}), 1, least, warm=0)


def repeat(call: Callable[[], object], rounds: int, least: float, warm: int = WARM) -> None:
    """Call, first without watching, and print a table per call."""
    for _ in range(warm):
        call()
    worked = processor_s()
    with watched(rounds, least):
        for _ in range(rounds):
            call()
    print(f"\nProcessor time of all processes: {1000 * (processor_s() - worked) / rounds:.0f} ms")


@contextmanager
def watched(rounds: int, least: float) -> Iterator[None]:
    """Print the functions that take longest."""
    try:
        import yappi
    except ImportError:
        sys.exit("This needs yappi: pip install yappi==1.7.6")
    yappi.clear_stats()
    yappi.set_clock_type("wall")
    yappi.start()
    yield
    yappi.stop()
    print("| function | ms | of it, its own | calls |\n|---|---:|---:|---:|")
    for found in sorted(yappi.get_func_stats(), key=lambda stat: -stat.ttot):
        if "soundalike" in Path(found.module).parts and 1000 * found.ttot / rounds >= least:
            module = Path(found.module).relative_to(reruns.ROOT / "src" / "soundalike").with_suffix("")
            name = f"{'.'.join(module.parts)}.{found.name}"
            total, own = (1000 * seconds / rounds for seconds in (found.ttot, found.tsub))
            print(f"| `{name}` | {total:.1f} | {own:.1f} | {found.ncall / rounds:.1f} |")


def processor_s() -> float:
    """Seconds of processor time that this process and its children have used so far."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (own, *own.children(recursive=True)))


MEASURED = {
    "upload": of_upload,
    "anatomy": of_anatomy,
    "indexing": of_indexing,
    "first-page": of_first_page,
}

if __name__ == "__main__":
    main()
