"""A small index of made-up vectors in clusters, for tests of what needs no audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from soundalike.index import index, storage
from soundalike.index.index import Index

CLUSTERS = 3
DIM = 32


def write(folder: Path, size: int = 20, seed: int = 0) -> Index:
    """An index of `genre_head` with three clusters of `size` tracks each, 20 degrees wide at most."""
    rng = np.random.default_rng(seed)
    centres = np.eye(CLUSTERS, DIM) * 4.0
    labels = np.repeat(np.arange(CLUSTERS), size)
    vectors = (centres[labels] + rng.normal(scale=0.15, size=(len(labels), DIM))).astype(np.float16)
    folder.mkdir(parents=True)
    np.save(folder / "genre_head.npy", vectors)
    norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
    np.save(folder / "genre_head_norms.npy", norms)
    unit = vectors.astype(np.float32) / norms[:, None]
    similarities = unit @ unit.T
    np.fill_diagonal(similarities, -np.inf)
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :10].astype(np.int32)
    np.save(folder / "genre_head_neighbours.npy", nearest)
    values = np.take_along_axis(similarities, nearest.astype(np.intp), axis=1)
    np.save(folder / "genre_head_similarities.npy", values)
    tracks = pd.DataFrame(
        {
            "track_id": [f"{i:04}" for i in range(len(labels))],
            "file": [f"{i:04}.opus" for i in range(len(labels))],
            "title": [f"Title {i}" for i in range(len(labels))],
            "artist": [f"Artist {i % 20}" for i in range(len(labels))],
            "album": ["" if i % 2 else "An album" for i in range(len(labels))],
            "genre": [f"Genre {label}" for label in labels],
            "tempo": [str(60 + i) for i in range(len(labels))],
            "sha256": [f"{i:064x}" for i in range(len(labels))],
        }
    )
    tracks.to_parquet(folder / index.TRACKS, index=False)
    manifest = {
        "schema": index.SCHEMA,
        "tracks": len(tracks),
        "library": {"folder": ".", "fingerprint": "abcdef0123"},
        "representations": {"genre_head": {"dim": DIM, "parts": {}}},
        "genres": [],
        "models": {},
        "files": {path.name: storage.file_facts(path) for path in sorted(folder.iterdir())},
    }
    (folder / index.MANIFEST).write_text(storage.manifest_text(manifest), encoding="utf-8")
    return index.load(folder, checksums=True)
