"""A small real library, audio in other formats, and synthetic indexes, for the tests to work on."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import numpy as np
import pandas as pd

from soundalike import paths, representations
from soundalike.index import index, storage
from soundalike.index.index import Index
from soundalike.indexing import derived

IDS = ("0001", "0002", "0006", "0010", "0013", "0017")
OTHER_CLIP = paths.LIBRARY / "clips" / "0021.opus"
RATE = 48_000


def copy_library(folder: Path, ids: Sequence[str] = IDS) -> Path:
    """Copy some of the shipped tracks and their rows of the table into a folder."""
    with (paths.LIBRARY / "tracks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["track_id"]: row for row in csv.DictReader(file)}
    chosen = [rows[track_id] for track_id in ids]
    for row in chosen:
        target = folder / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.LIBRARY / row["file"], target)
    with (folder / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return folder


def encode(source: Path, target: Path, codec: str) -> Path:
    """The audio of one file, encoded again into another."""
    with av.open(str(source)) as clip, av.open(str(target), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="stereo")
        for frame in clip.decode(audio=0):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def write_tone(
    target: Path, codec: str, tags: Mapping[str, str] | None = None, seconds: float = 4.0
) -> Path:
    """A quiet tone of 440 Hz with tags."""
    target.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)
    frame = av.AudioFrame.from_ndarray(wave[np.newaxis].astype(np.float32), "fltp", "mono")
    frame.sample_rate = RATE
    with av.open(str(target), "w") as out:
        out.metadata.update(tags or {})
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def write_index(
    folder: Path,
    vectors: Mapping[str, np.ndarray],
    names: Sequence[str] = ("vgg_mel",),
    probabilities: np.ndarray | None = None,
    scales: Mapping[str, np.ndarray] | None = None,
) -> Index:
    """An index of made-up vectors, by stored representation, in the format of the builder.

    Parameters
    ----------
    folder : where to, made if it is not there
    vectors : as they are compared, scaled where an index scales them
    names : the representations that the index holds
    probabilities : of made-up genres [shape=(n, genres)]; none by default
    scales : what is subtracted and divided by, of those that are scaled [shape=(2, dim)]; by default
        nothing and 1
    """
    folder.mkdir(parents=True, exist_ok=True)
    matrices = {name: np.asarray(matrix, np.float16) for name, matrix in vectors.items()}
    n = len(next(iter(matrices.values())))
    if probabilities is None:
        probabilities = np.zeros((n, 0))
    for name, matrix in matrices.items():
        storage.save(folder, name, matrix)
        derived.write_vector_facts(folder, name)
        if name in representations.REGISTRY and representations.get(name).scaling is not None:
            plain = np.stack([np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])])
            scale = (scales or {}).get(name, plain)
            storage.save(folder, f"{name}_scale", scale.astype(np.float32))
    storage.save(folder, "genre_probabilities", probabilities.astype(np.float32))
    made_up_tracks(n).to_parquet(folder / index.TRACKS, index=False)
    manifest = {
        "schema": index.SCHEMA,
        "tracks": n,
        "library": {"folder": "../library", "fingerprint": "0" * 64},
        "representations": derived.describe(folder, names),
        "drawing": "canvas",
        "genres": [f"Genre {i}" for i in range(probabilities.shape[1])],
        "models": {},
        "files": {},
    }
    derived.write_track_facts(folder, manifest)
    return index.load(folder)


def made_up_tracks(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "track_id": [f"t{i}" for i in range(n)],
            "file": [f"{i}.wav" for i in range(n)],
            "title": [f"Title {i}" for i in range(n)],
            "artist": [f"Artist {i}" for i in range(n)],
            "album": [f"Album {i}" for i in range(n)],
            "genre": ["Folk"] * n,
            "sha256": [f"{i:064x}" for i in range(n)],
        }
    )


def cosines(query: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Cosine similarity in float64, by its definition; 0 where a vector is all zeros."""
    query, vectors = query.astype(np.float64), vectors.astype(np.float64)
    scale = np.linalg.norm(query) * np.linalg.norm(vectors, axis=1)
    return np.divide(vectors @ query, scale, out=np.zeros(len(vectors)), where=scale > 0)
