"""A made-up index with genres, artists, albums and sources of genres, for tests of the evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from small_library import write_index

from soundalike.index import index, storage
from soundalike.index.index import Index

GENRES = ("Folk", "Jazz", "Rock")
SIZE = 30
N = len(GENRES) * SIZE


def genre_numbers() -> np.ndarray:
    return np.repeat(np.arange(len(GENRES)), SIZE)


def clustered(spread: float, seed: int = 0, dim: int = 16) -> np.ndarray:
    """Vectors around one centre a genre; with a spread of 0 all of a genre are equal."""
    rng = np.random.default_rng(seed)
    return np.eye(len(GENRES), dim)[genre_numbers()] + spread * rng.normal(size=(N, dim))


def table() -> pd.DataFrame:
    """90 tracks of three genres by 30 artists of three tracks each, every third label a tagger's."""
    number = np.arange(N)
    return pd.DataFrame(
        {
            "track_id": [f"t{i}" for i in number],
            "file": [f"{i}.wav" for i in number],
            "title": [f"Title {i}" for i in number],
            "artist": [f"Artist {i // 3}" for i in number],
            "album": [f"Album {i // 6}" for i in number],
            "genre": [GENRES[genre] for genre in genre_numbers()],
            "genre_source": ["tagger" if i % 3 == 0 else "knowledge" for i in number],
            "sha256": [f"{i:064x}" for i in number],
        }
    )


def write(
    folder: Path,
    tracks: pd.DataFrame | None = None,
    vectors: dict[str, np.ndarray] | None = None,
    names: Sequence[str] = ("vgg_genre", "vgg_mel", "genre_head"),
    held_out: np.ndarray | None = None,
) -> Index:
    """An index of those tracks and vectors; with held-out features also of the genre head's."""
    if tracks is None:
        tracks = table()
    if vectors is None:
        vectors = {"vgg_mel": clustered(0.5), "genre_head": clustered(0.3, seed=1) / 80}
    if names == ("vgg_genre", "vgg_mel", "genre_head") and set(vectors) != {"vgg_mel", "genre_head"}:
        names = tuple(vectors)
    write_index(folder, vectors, names)
    if held_out is not None:
        np.save(folder / "genre_head_heldout.npy", held_out.astype(np.float32))
    tracks.to_parquet(folder / index.TRACKS, index=False)
    manifest = json.loads((folder / index.MANIFEST).read_text(encoding="utf-8"))
    manifest["files"] = {
        path.name: storage.file_facts(path)
        for path in sorted(folder.iterdir())
        if path.name != index.MANIFEST
    }
    manifest["tracks"] = len(tracks)
    (folder / index.MANIFEST).write_text(storage.manifest_text(manifest), encoding="utf-8")
    return index.load(folder)
