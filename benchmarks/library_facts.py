"""Describe an index's library: artists, hours, licences, words, and precision on its first human labels.

    python benchmarks/library_facts.py INDEX [--labels-of 478]

Of the labels that no tagger made, only those of the first tracks count, so that the figures of a library
and of the same library with more tracks have the same queries and labels.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from words import GENRES

from soundalike.datasets import artists
from soundalike.evaluation import genre_retrieval
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.models import ModelStore
from soundalike.words import library, naming, vocabulary

NAMES = ("soundalike", "musicnn", "yamnet", "vgg_genre", "vgg_mel")
WORDS = (
    *("acoustic guitar", "harp", "flute", "violin", "piano", "strings", "choir", "singing", "calm"),
    *("percussion", "folk", "classical", "rock", "metal", "electronic", "techno", "ambient"),
    *("video game", "soundtrack"),
)
SETS = {"no_tagger": "among human labels", "not_tagger": "among all tracks"}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="INDEX")
    parser.add_argument("--labels-of", type=int, default=478, metavar="TRACKS")
    options = parser.parse_args()
    index = indices.load(options.folder)
    size(index)
    words(index)
    precision(index, options.labels_of)


def size(index: Index) -> None:
    """Tracks, artists, packages, hours and licences."""
    tracks = index.tracks
    excerpts, whole = (
        tracks[name].astype(float).sum() / 3600 for name in ("duration_s", "track_duration_s")
    )
    print(
        f"{len(tracks)} tracks by {artists.count(tracks)} artists, "
        f"from {tracks['package'].nunique()} packages"
    )
    print(f"{excerpts:.1f} hours, cut from {whole:.1f} hours")
    print(tracks["licence"].value_counts().to_dict())


def words(index: Index) -> None:
    """The highest scored genre of each track, and how many have some words."""
    found = library.of(index, ModelStore())
    assert found is not None
    places = [vocabulary.positions()[name] for name in GENRES]
    highest = Counter(GENRES[place] for place in found.scores[:, places].argmax(axis=1))
    print(f"highest scored of eleven genres: {dict(highest.most_common())}")
    named = [naming.sounds_like(found, found.of_track(row)).words for row in range(len(index))]
    counts = Counter(item.word for of_track in named for item in of_track)
    print(f"without a word: {sum(not of_track for of_track in named)}")
    print(f"with a word: { {word: counts[word] for word in WORDS} }")


def precision(index: Index, first: int) -> None:
    """P@10 with the artist filter, on the first tracks' labels that no tagger made."""
    later = np.arange(len(index)) >= first
    sources = index.tracks["genre_source"].mask(later, genre_retrieval.TAGGER)
    index = replace(index, table=TrackTable.of(index.tracks.assign(genre_source=sources)))
    task = genre_retrieval.task(index)
    for name in NAMES:
        values = genre_retrieval.score(index, name, task).values
        for labels, title in SETS.items():
            found = genre_retrieval.summary(task, values[labels, "artist"], seed=0)
            print(f"{name}, {found['queries']} queries {title}: {found['precision_at_10']}")
        held_out = genre_retrieval.score_held_out(index, name, task)
        if ("no_tagger", "artist") in held_out:
            found = genre_retrieval.summary(task, held_out["no_tagger", "artist"], seed=0)
            print(f"{name}, {found['queries']} queries held out: {found['precision_at_10']}")


if __name__ == "__main__":
    main()
