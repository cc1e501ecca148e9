"""Quality of journeys and variety, and the time for a playlist.

    python benchmarks/playlists.py [--tracks N]

Journeys: for random pairs of tracks (fixed seed), the mean and the largest step of a journey of eight
tracks between them, compared with two baselines of the same length: from each track to its nearest
unused neighbour, and random; both then jump to the destination. Angles between embeddings, in degrees.

Variety: for a playlist of twenty, the gain in difference among its tracks and the loss in similarity to
its query, mean over random queries.

Time: median milliseconds of a page's requests to the server, on the bundled library and on one with as
many tracks as FMA-large (106,574, made by `synthetic_index`, which has no audio).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import synthetic_index

from soundalike import paths
from soundalike.analysis import explanation, shared_traits
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.playlist import blend, file_writer, journey, playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

NAMES = ("soundalike", "vgg_genre")
PAIRS = QUERIES = 60
BETWEEN, LENGTH = 8, 20
VARIETIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
FMA_LARGE = 106_574

Ask = Callable[[Index, int], object]
"""A page's request, by a row of the library."""


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tracks", type=int, default=FMA_LARGE)
    tracks = parser.parse_args().tracks
    index = indices.load(paths.index_folder())
    rng = np.random.default_rng(0)
    journeys(index, rng.choice(len(index), (PAIRS, 2)))
    variety(index, rng.choice(len(index), QUERIES, replace=False))
    print("\n| what is asked of the server | the library, ms |", f"{tracks:,} tracks, ms |")
    print("|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        large = indices.load(synthetic_index.write(Path(folder), tracks))
        for name, ask in QUESTIONS.items():
            print(f"| {name} | {timed(ask, index)} | {timed(ask, large)} |")
        for name, ask in OF_AUDIO.items():
            print(f"| {name} | {timed(ask, index)} |  |")


def journeys(index: Index, pairs: np.ndarray) -> None:
    """Steps of journeys and of the two baselines."""
    print("| compared by | way | mean step | largest step, mean | largest of all |")
    print("|---|---|---:|---:|---:|")
    for name in NAMES:
        ways: dict[str, list[tuple[float, ...]]] = {"journey": [], "nearest next": [], "by chance": []}
        rng = np.random.default_rng(1)
        for start, end in pairs:
            if start == end:
                continue
            found = journey.travel(index, [int(start), int(end)], name, BETWEEN)
            ways["journey"].append(found.steps)
            others = [row for row in rng.permutation(len(index)) if row not in (start, end)]
            chance = [start, *others[:BETWEEN], end]
            ways["by chance"].append(journey.steps(index, name, chance))
            chain = _nearest_next(index, name, int(start), int(end))
            ways["nearest next"].append(journey.steps(index, name, chain))
        for way, steps in ways.items():
            largest = [max(each) for each in steps]
            mean = np.mean([np.mean(each) for each in steps])
            print(f"| `{name}` | {way} | {mean:.1f}° | {np.mean(largest):.1f}° | {max(largest):.1f}° |")


def _nearest_next(index: Index, name: str, start: int, end: int) -> list[int]:
    chain = [start]
    for _ in range(BETWEEN):
        ranked = indices.nearest(index.similarities(name, index.embeddings(chain[-1])), len(index))
        chain.append(next(int(row) for row in ranked if row not in (*chain, end)))
    return [*chain, end]


def variety(index: Index, queries: np.ndarray) -> None:
    """Similarity to the query and among the tracks, by variety."""
    print("\n| variety | similarity to the query | among the tracks |")
    print("|---:|---:|---:|")
    for share in VARIETIES:
        to_query, among = [], []
        for row in queries:
            asked = query.from_library(index, index.fact("track_id", int(row)))
            found = playlist.make_playlist(index, [Seed(asked)], Recipe(NAMES[0], LENGTH, variety=share))
            rows = [entry.row for entry in found.entries]
            to_query.append(np.mean([entry.similarity for entry in found.entries]))
            among.append(blend.between(index, NAMES[0], rows)[np.triu_indices(len(rows), 1)].mean())
        print(f"| {share:.0%} | {np.mean(to_query):.3f} | {np.mean(among):.3f} |")


def timed(ask: Ask, index: Index) -> str:
    """Median milliseconds over some queries, after one warm-up."""
    times = []
    for row in range(8):
        start = time.perf_counter()
        ask(index, 37 * row)
        times.append(1_000 * (time.perf_counter() - start))
    typical = median(times[1:])
    return f"{typical:.0f}" if typical >= 10 else f"{typical:.1f}"


def _seeds(index: Index, *rows: int) -> list[Seed]:
    return [
        Seed(_query(index, row), weight) for row, weight in zip(rows, (1.0, 1.0, -0.5), strict=False)
    ]


def _query(index: Index, row: int) -> query.Query:
    return query.from_library(index, index.fact("track_id", row))


def _playlist(recipe: Recipe) -> Ask:
    return lambda index, row: playlist.make_playlist(index, _seeds(index, row), recipe)


def _explain(name: str) -> Ask:
    return lambda index, row: explanation.explain(index, _query(index, row), row + 1, name)


def _write(kind: str) -> Ask:
    return lambda index, row: file_writer.write(
        file_writer.of_rows(index, range(row, row + 10)), kind, index.library_folder
    )


SOUND = NAMES[0]
QUESTIONS: dict[str, Ask] = {
    "ten tracks": _playlist(Recipe(SOUND)),
    "fifty tracks with variety, as a walk": _playlist(Recipe(SOUND, 50, variety=0.5, order="walk")),
    "three seeds": lambda index, row: playlist.make_playlist(
        index, _seeds(index, row, row + 5, row + 9), Recipe(SOUND)
    ),
    "the farthest": _playlist(Recipe(SOUND, farthest=True)),
    "a journey of ten": lambda index, row: journey.travel(index, [row, row + 100], SOUND, 10, 2),
    "a journey of fifty with a stop": lambda index, row: journey.travel(
        index, [row, row + 50, row + 100], SOUND, 50, 2
    ),
}
OF_AUDIO: dict[str, Ask] = {
    "ten tracks by `vgg_genre`": _playlist(Recipe("vgg_genre")),
    "why, by `soundalike`": _explain(SOUND),
    "why, by `vgg_genre`": _explain("vgg_genre"),
    "a sentence for each of fifty": lambda index, row: shared_traits.sentences(
        index, _query(index, row), range(50)
    ),
    "M3U8": _write("m3u8"),
    "ZIP with ten clips": _write("zip"),
}
"""What the synthetic library doesn't support, because it has no audio."""


if __name__ == "__main__":
    main()
