"""Indexing throughput compared with the bare networks', and its memory over many tracks.

`rate` alternates between processes that only call the networks on a prepared picture and spectrogram,
and an indexing run over the bundled clips with as many processes. The run's start (loading networks,
first calls) and end (processes without files) are excluded. It prints the ratio of the two rates for
each turn.

`memory` indexes the requested number of tracks, repeating the bundled clips. Each copy has a unique
comment in its tags, so no two files are the same. It prints the memory of all processes together for
each tenth of the run (private resident memory, and the proportional share of shared memory).
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import mutagen
import numpy as np
import psutil

from soundalike import paths, representations, threads
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import library
from soundalike.datasets.library import Library
from soundalike.indexing import builder, workers
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.ingest import Event
from soundalike.models import ModelStore, tagger, vgg_features, yamnet

NAMES = ("soundalike", "vgg_genre", "vgg_mel", "genre_head")
CLIP = paths.LIBRARY / "clips" / "0102.opus"


@threads.single_threaded()
def call_networks(names: Sequence[str], seconds: float, ready: threading.Barrier, out: object) -> None:
    """Call the networks of some representations, and report the calls per second.

    With one thread, as files are indexed.
    """
    models = workers._models(workers.ExtractionSpec.of(ModelStore(), builder.wants(names)))
    clip = analysis_window(decoding.decode(CLIP))
    picture = vgg_features.mel_image(clip)
    patches = tagger.patches(tagger.spectrogram(clip))
    sounds = yamnet.patches(yamnet.spectrogram(clip))
    needed = {model for name in names for model in representations.get(name).models}

    def call() -> None:
        if "vgg16" in needed:
            models.vgg16(picture)
        if "musicnn" in needed:
            models.tagger(patches)
        if "yamnet" in needed:
            models.yamnet(sounds)

    call()
    ready.wait()
    began, calls = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        call()
        calls += 1
    out.put(calls / (time.monotonic() - began))  # type: ignore[attr-defined]


def bare_rate(names: Sequence[str], count: int, seconds: float) -> float:
    """Network calls per second, for `count` processes together."""
    context = multiprocessing.get_context("spawn")
    ready, out = context.Barrier(count), context.Queue()
    started = [
        context.Process(target=call_networks, args=(names, seconds, ready, out)) for _ in range(count)
    ]
    for process in started:
        process.start()
    rates = [out.get() for _ in started]
    for process in started:
        process.join()
    return float(sum(rates))


def index_rate(source: Library, names: Sequence[str], count: int) -> float:
    """Tracks indexed per second while all processes are busy."""
    times: list[float] = []

    def on_file(event: Event) -> None:
        if event.kind == "taken":
            times.append(time.monotonic())

    models = ModelStore()
    hired = workers.ProcessExecutor(workers.ExtractionSpec.of(models, builder.wants(names)), count)
    with tempfile.TemporaryDirectory() as folder:
        builder.build(source, Path(folder) / "index", models, BuildPlan(names), hired, on_file)
    steady = times[2 * count : len(times) - count]
    return (len(steady) - 1) / (steady[-1] - steady[0])


def rate(names: Sequence[str], count: int, clips: int, turns: int) -> None:
    """Print both rates, turn by turn, and the median of their ratios."""
    whole = library.load(paths.LIBRARY)
    source = Library(whole.folder, whole.tracks.iloc[:clips].reset_index(drop=True))
    ratios = []
    for turn in range(turns):
        bare = bare_rate(names, count, 30.0)
        indexed = index_rate(source, names, count)
        ratios.append(indexed / bare)
        print(
            f"turn {turn + 1}: bare network {bare:.2f} a second, indexing {indexed:.2f}, "
            f"ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(f"median ratio over {turns} turns, {count} processes: {statistics.median(ratios):.3f}")


def copies(folder: Path, tracks: int) -> Library:
    """Copies of clips, each unique."""
    clips = sorted((paths.LIBRARY / "clips").iterdir())
    for number in range(tracks):
        target = folder / f"{number // 1_000:03d}" / f"{number:06d}.opus"
        target.parent.mkdir(exist_ok=True, parents=True)
        shutil.copyfile(clips[number % len(clips)], target)
        tags = mutagen.File(target)
        tags["comment"] = str(number)
        tags.save()
    return library.find(folder)


def memory_mb() -> tuple[float, float]:
    """Memory of this process, and of its children: proportional resident memory, MB."""
    own = psutil.Process()
    children = 0.0
    for child in own.children(recursive=True):
        try:
            children += child.memory_full_info().pss
        except psutil.Error:
            continue
    return own.memory_full_info().pss / 1e6, children / 1e6


def memory(names: Sequence[str], count: int, tracks: int, folder: Path | None) -> None:
    """Print the memory of all processes during a long run."""
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        source = copies(Path(aside) / "music", tracks)
        print(f"{len(source.tracks):,} files", flush=True)
        seen: list[tuple[int, float, float]] = []
        done, began = 0, time.monotonic()

        def on_file(event: Event) -> None:
            nonlocal done
            done += 1
            if done % max(tracks // 200, 1) == 0:
                seen.append((done, *memory_mb()))
            if done % max(tracks // 10, 1) == 0:
                print(
                    f"{done:>7,} tracks, {time.monotonic() - began:6.0f} s: this process "
                    f"{seen[-1][1]:6.0f} MB, workers {seen[-1][2]:6.0f} MB",
                    flush=True,
                )

        models = ModelStore()
        hired = workers.ProcessExecutor(workers.ExtractionSpec.of(models, builder.wants(names)), count)
        out = Path(aside) / "index"
        built = builder.build(source, out, models, BuildPlan(names), hired, on_file)
        table = np.array([(own, others) for _, own, others in seen])
        first, last = table[len(table) // 10 : len(table) // 5], table[-len(table) // 10 :]
        for column, name in enumerate(("this process", "the workers")):
            before, after = np.median(first[:, column]), np.median(last[:, column])
            print(f"{name}: {before:.0f} MB in the second tenth, {after:.0f} MB in the last, medians")
        peak = psutil.Process().memory_info().rss / 1e6
        print(f"after the index was put together: {peak:.0f} MB; {len(built.index):,} tracks in it")


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["rate", "memory"])
    parser.add_argument("--representation", action="append", dest="names")
    parser.add_argument("--workers", type=int, default=workers.default_count())
    parser.add_argument("--clips", type=int, default=60, help="of `rate`")
    parser.add_argument("--turns", type=int, default=3, help="of `rate`")
    parser.add_argument("--tracks", type=int, default=10_000, help="of `memory`")
    parser.add_argument("--folder", type=Path, help="where `memory` puts its files, 2 GB for 10,000")
    chosen = parser.parse_args()
    names = chosen.names or list(NAMES)
    if chosen.what == "rate":
        rate(names, chosen.workers, chosen.clips, chosen.turns)
    else:
        memory(names, chosen.workers, chosen.tracks, chosen.folder)


if __name__ == "__main__":
    main()
