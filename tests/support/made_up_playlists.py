"""Random libraries for the tests of playlists: few artists and albums, some tracks nearly the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from small_library import write_index

from soundalike.features import key, track_descriptors
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable


def library(folder: Path, seed: int, n: int = 40, dim: int = 6, artists: int = 8) -> Index:
    """An index of `vgg_mel`, `genre_head` and `vgg_genre` whose tracks share artists and albums."""
    rng = np.random.default_rng(seed)
    vectors = {"vgg_mel": rng.normal(size=(n, dim)), "genre_head": rng.normal(size=(n, 3))}
    index = write_index(folder / "index", vectors, ("vgg_genre", "vgg_mel", "genre_head"))
    by = rng.integers(0, artists, n)
    tracks = index.tracks.assign(
        # A few tracks have no artist or album, as in a library without tags.
        artist=[f"Artist {i}" if i else "" for i in by],
        album=[f"Album {i} {rng.integers(0, 2)}" if i else "" for i in by],
    )
    return replace(index, table=TrackTable.of(tracks))


def measured(index: Index, seed: int) -> Index:
    """The index with random descriptors and keys."""
    rng = np.random.default_rng(seed)
    descriptors = rng.normal(size=(len(index), track_descriptors.SIZE)).astype(np.float32)
    np.save(index.folder / f"{track_arrays.DESCRIPTORS}.npy", descriptors)
    keys = np.column_stack([rng.integers(0, 12, len(index)), rng.integers(0, 2, len(index))])
    keys[rng.random(len(index)) < 0.2] = key.NONE
    np.save(index.folder / f"{track_arrays.KEYS}.npy", keys.astype(np.int8))
    return index
