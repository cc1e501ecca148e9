"""Compare the similarity of copies of a recording with that of different tracks.

    python benchmarks/duplicates.py

Makes copies of library clips with common changes to files (other formats and bit rates, another level, a
trimmed start) and compares each with its original, by cosine similarity in `vgg_mel` and by
`fingerprint.distance`. Then finds the most similar pairs of different tracks by either measure.
`duplicates.SIMILARITY` and `fingerprint.SAME` lie between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.evaluation.robustness_files import encode
from soundalike.features import fingerprint
from soundalike.index import index
from soundalike.index.duplicates import SIMILARITY
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.representations import vgg_mel

CLIPS = 20
NEAREST = 5

Samples = NDArray[np.float32]


def encoded(container: str, codec: str, bit_rate: int) -> Callable[[Samples], Clip]:
    """Change: encode in a lossy format."""
    return lambda samples: decoding.decode(encode(samples, container, codec, bit_rate))


def trimmed(seconds: float) -> Callable[[Samples], Clip]:
    """Change: begin later."""
    return lambda samples: Clip(samples[round(seconds * SAMPLE_RATE) :])


COPIES: dict[str, Callable[[Samples], Clip]] = {
    "MP3, 128 kbit/s": encoded("mp3", "libmp3lame", 128_000),
    "MP3, 64 kbit/s": encoded("mp3", "libmp3lame", 64_000),
    "M4A, 128 kbit/s": encoded("mp4", "aac", 128_000),
    "WebM Opus, 48 kbit/s": encoded("webm", "libopus", 48_000),
    "6 dB quieter": lambda samples: Clip(samples * 0.5),
    # Half a fingerprint hop is the worst case: the copy's frames fall between the original's.
    "start trimmed by 0.046 s": trimmed(0.5 * fingerprint.HOP_LENGTH / SAMPLE_RATE),
    "start trimmed by 0.1 s": trimmed(0.1),
    "start trimmed by 1 s": trimmed(1),
    "start trimmed by 3 s": trimmed(3),
    "start trimmed by 7 s": trimmed(7),
}


def main() -> None:
    """Print the similarity of copies and of different tracks."""
    opened = index.load(paths.index_folder())
    prints = np.stack([fingerprint.of(clip_of(opened, row)) for row in range(len(opened))])
    worst = print_copies(opened, prints)
    nearest = print_different(opened, prints)
    print(
        f"\nHalfway between the worst copy and the nearest two tracks: {(worst + nearest) / 2:.3f}\n"
        f"Taken for one recording: from a similarity of {SIMILARITY}, "
        f"up to a distance of {fingerprint.SAME}"
    )


def clip_of(opened: Index, row: int) -> Clip:
    """The analysed clip of a track."""
    return analysis_window(decoding.decode(opened.path(row)))


def print_copies(opened: Index, prints: NDArray[np.uint32]) -> float:
    """Print the similarity of copies to their originals; return the largest distance."""
    chosen = [int(row) for row in np.random.default_rng(0).choice(len(opened), CLIPS, replace=False)]
    sources = {row: decoding.decode(opened.path(row)).samples for row in chosen}
    models = ModelStore()
    worst = 0.0
    print("| copy | similarity: median | least | known | distance: median | greatest | known |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, copy in COPIES.items():
        clips = {row: analysis_window(copy(samples)) for row, samples in sources.items()}
        similarities = np.array([similarity(opened, row, clips[row], models) for row in chosen])
        distances = np.array(
            [fingerprint.distance(fingerprint.of(clips[row]), prints[row]) for row in chosen]
        )
        worst = max(worst, float(distances.max()))
        print(
            f"| {name} | {np.median(similarities):.3f} | {similarities.min():.3f} "
            f"| {np.count_nonzero(similarities >= SIMILARITY)} of {CLIPS} "
            f"| {np.median(distances):.3f} | {distances.max():.3f} "
            f"| {np.count_nonzero(distances <= fingerprint.SAME)} of {CLIPS} |",
            flush=True,
        )
    return worst


def similarity(opened: Index, row: int, clip: Clip, models: ModelStore) -> float:
    """Cosine similarity in `vgg_mel` of a clip to a track."""
    vectors = {"vgg_mel": vgg_mel.embed(clip, models)}
    return float(opened.similarities_of_parts({"vgg_mel": 1.0}, vectors)[row])


def print_different(opened: Index, prints: NDArray[np.uint32]) -> float:
    """Print the most similar pairs of different tracks; return the smallest distance."""
    pairs = np.array(list(combinations(range(len(opened)), 2)))
    vectors = {"vgg_mel": np.asarray(opened.array("vgg_mel"), np.float32)}
    likeness = opened.similarities_of_parts({"vgg_mel": 1.0}, vectors)[tuple(pairs.T)]
    distances = np.concatenate(
        [fingerprint.distances(prints[row], prints[row + 1 :]) for row in range(len(opened))]
    )
    print(f"\n{len(pairs):,} pairs of different tracks:\n")
    print("| pair | similarity | distance |")
    print("|---|---:|---:|")
    print(f"| median | {np.median(likeness):.3f} | {np.median(distances):.3f} |")
    most_alike = [*np.argsort(-likeness)[:NEAREST], *np.argsort(distances)[:NEAREST]]
    for pair in dict.fromkeys(most_alike):
        titles = " / ".join(opened.fact("title", int(row)) for row in pairs[pair])
        print(f"| {titles} | {likeness[pair]:.3f} | {distances[pair]:.3f} |")
    return float(distances.min())


if __name__ == "__main__":
    main()
