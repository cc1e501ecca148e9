"""Compare the two renderings of the spectrogram for VGG16: `figure` and `canvas`.

    python benchmarks/drawings.py [FOLDER ...]

Embeds every clip of the bundled library (and of further libraries named) as `vgg_mel` from both
renderings. Prints the agreement of the embeddings and of the similarities, the genre precision at 10
with an artist filter (for all labels, and for those not from a tagger), the paired difference with its
95 % bootstrap interval over artists, and the rendering time. About 2.5 s per clip on two cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists as artist_rule
from soundalike.datasets import library
from soundalike.evaluation import metrics
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg16

DRAWINGS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.uint8]]] = {
    "figure": spectrogram_image.figure,
    "canvas": spectrogram_image.canvas,
}


def main() -> None:
    """Compare the renderings on each library."""
    network = ModelStore().vgg16
    for folder in [paths.LIBRARY, *map(Path, sys.argv[1:])]:
        compare(library.load(folder), network)


def compare(source: library.Library, network: vgg16.VGG16) -> None:
    """Embed one library both ways and print the figures."""
    n = len(source.tracks)
    embeddings = {name: np.zeros((n, 25_600), np.float32) for name in DRAWINGS}
    seconds: dict[str, list[float]] = {name: [] for name in DRAWINGS}
    for row in range(n):
        mel = spectral.mel_spectrogram(analysis_window(decoding.decode(source.path(row))))
        for name, draw in DRAWINGS.items():
            start = time.perf_counter()
            drawn = draw(mel)
            seconds[name].append(time.perf_counter() - start)
            embeddings[name][row] = vgg16.max_pool(network(drawn), (3, 2)).ravel()
    similarities = {name: metrics.cosine_matrix(vectors) for name, vectors in embeddings.items()}
    rows = zip(embeddings["figure"], embeddings["canvas"], strict=True)
    embedding_r = np.mean([np.corrcoef(a, b)[0, 1] for a, b in rows])
    pairs = np.triu_indices(n, 1)
    similarity_r = np.corrcoef(similarities["figure"][pairs], similarities["canvas"][pairs])[0, 1]
    print(f"\n{n} clips: embeddings correlate at {embedding_r:.2f}, similarities at {similarity_r:.2f}")
    times = {name: np.median(values) * 1000 for name, values in seconds.items()}
    print(f"median time to draw: figure {times['figure']:.0f} ms, canvas {times['canvas']:.0f} ms\n")
    print("| labels | n | chance | figure | canvas | difference |")
    print("|---|---:|---:|---|---|---|")
    tracks = source.tracks
    subsets = {"all": np.ones(n, bool)}
    if "genre_source" in tracks:
        subsets["not from a tagger"] = (tracks["genre_source"] != "tagger").to_numpy()
    for name, queries in subsets.items():
        _print_precision(name, queries, similarities, tracks)


def _print_precision(
    name: str,
    queries: NDArray[np.bool_],
    similarities: dict[str, NDArray[np.float32]],
    tracks: pd.DataFrame,
) -> None:
    artists = artist_rule.keys(tracks)
    found = {
        drawing: metrics.precision_at_k(matrix, list(tracks["genre"]), artists, queries)
        for drawing, matrix in similarities.items()
    }
    difference = found["canvas"].per_query - found["figure"].per_query
    groups = np.array(artists)[queries]
    low, high = metrics.bootstrap_interval(difference, groups)
    cells = [
        f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"
        for value in (found["figure"], found["canvas"])
    ]
    chance = found["canvas"].chance
    print(
        f"| {name} | {queries.sum()} | {chance:.3f} | {cells[0]} | {cells[1]} "
        f"| {difference.mean():+.3f} ({low:+.3f} to {high:+.3f}) |"
    )


if __name__ == "__main__":
    main()
