"""Compare Musly with every representation on the same clips.

    pip install pymusly==2.0.0
    python benchmarks/musly.py INDEX

Musly (Schnitzer, "Indexing content-based music similarity models for fast retrieval in massive
databases", 2012; method `timbre`, with mutual proximity) is the obvious alternative. It gets the same
half minutes from the same decoder, and its rankings are scored by the same functions: genre precision at
10 with the artist filter, 95 % intervals by bootstrap over artists, the skew of the k-occurrence at 10,
and the share of orphans. The last column is the paired difference of a representation from Musly, with
its interval.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from default_variants import hubs_of
from numpy.typing import NDArray

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists as artist_rule
from soundalike.evaluation import metrics, rankings
from soundalike.index import index
from soundalike.index.index import Index

K = 10


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("index", type=Path)
    opened = index.load(parser.parse_args().index)
    genres, artists = list(opened.tracks["genre"]), artist_rule.keys(opened.tracks)
    groups = metrics.group_numbers(artists, len(opened))
    queries = _untagged(opened)
    own = musly(opened)
    base = metrics.precision_at_k(own, genres, artists, queries, K)
    print(f"{int(queries.sum())} queries of {len(opened)} tracks, chance {base.chance:.3f}\n")
    print("| | P@10 | interval | skew | orphans | against Musly |")
    print("|---|---:|---|---:|---:|---|")
    print(_row("Musly", own, base, ""))
    for name in opened.names:
        if not opened.has_vectors(name):
            continue
        matrix = rankings.ranking_matrix(opened, name)
        scored = metrics.precision_at_k(matrix, genres, artists, queries, K)
        found = metrics.paired_comparison(scored.per_query, base.per_query, groups[queries])
        against = f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        print(_row(name, matrix, scored, against), flush=True)


def musly(opened: Index) -> NDArray[np.float64]:
    """Musly's pairwise similarities, higher is more similar [shape=(n, n)]."""
    try:
        import pymusly
    except ImportError:
        sys.exit("Musly is not installed; `pip install pymusly==2.0.0` does it.")
    jukebox = pymusly.MuslyJukebox("timbre")
    tracks = [
        jukebox.track_from_audiodata(analysis_window(decoding.decode(opened.path(row))).samples)
        for row in range(len(opened))
    ]
    jukebox.set_style(tracks)
    numbered = list(enumerate(tracks))
    jukebox.add_tracks(numbered)
    distances: Any = [jukebox.compute_similarity(track, numbered) for track in numbered]
    return -np.asarray(distances, np.float64)


def _untagged(opened: Index) -> NDArray[np.bool_]:
    """Tracks whose genre isn't from a tagger, which would be based on audio too."""
    if "genre_source" not in opened.tracks:
        return np.ones(len(opened), bool)
    return (opened.tracks["genre_source"] != "tagger").to_numpy(bool)


def _row(name: str, matrix: NDArray[np.floating[Any]], scored: metrics.Precision, against: str) -> str:
    hubs = hubs_of(matrix.astype(np.float64))
    return (
        f"| {name} | {scored.mean:.3f} | {scored.low:.3f} to {scored.high:.3f} | {hubs.skew:.2f} "
        f"| {hubs.orphans:.1%} | {against} |"
    )


if __name__ == "__main__":
    main()
