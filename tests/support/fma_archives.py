"""FMA's archives as its server has them, made up: its names and its order, other clips."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fma_tree import Row, row, write_metadata

from soundalike.datasets.fma_sample import GENRES

LICENCES = (
    "Attribution-NonCommercial-ShareAlike 3.0 International",
    "Attribution",
    "CC0 1.0 Universal",
    "FMA-Limited: Download Only",
    "",
)
"""As FMA's table has them; of some tracks it has none."""
_NO_ZEROS_KEPT = 4_096


class _SparseFile(io.FileIO):
    """A file in which zeros take no place on the disk."""

    def write(self, content: Any) -> int:
        if len(content) >= _NO_ZEROS_KEPT and not np.frombuffer(content, np.uint8).any():
            self.seek(len(content), os.SEEK_CUR)
            return len(content)
        return super().write(content) or 0


def rows_of(count: int, seed: int = 0) -> list[tuple[int, Row]]:
    """Tracks of FMA-small, an eighth of each genre: some artists have many, and most have one or two."""
    rng = np.random.default_rng(seed)
    ids = sorted(rng.choice(np.arange(2, 150_000), count, replace=False).tolist())
    genres = rng.permutation(np.arange(count) % len(GENRES))
    singers = np.minimum(rng.pareto(1.0, count) * 4, 400).astype(int)
    return [
        row(
            track_id,
            GENRES[genre],
            f"{GENRES[genre]} artist {singer}",
            track_license=LICENCES[track_id % len(LICENCES)],
            artist_id=singer,
        )
        for track_id, genre, singer in zip(ids, genres, singers, strict=True)
    ]


def metadata_archive(folder: Path, rows: Sequence[tuple[int, Row]], other: int = 0) -> bytes:
    """`fma_metadata.zip`, compressed by bzip2 as FMA's is; `other` is the size of what isn't needed."""
    metadata = write_metadata(folder, rows)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("fma_metadata/README.txt", "read me")
        archive.writestr("fma_metadata/features.csv", np.random.default_rng(0).bytes(other))
        for name in ("genres.csv", "tracks.csv"):
            archive.write(metadata / name, f"fma_metadata/{name}")
    return made.getvalue()


def clips_archive(clips: Mapping[int, bytes]) -> bytes:
    """`fma_small.zip` with these clips, by ID."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("fma_small/README.txt", "read me")
        for track_id, content in sorted(clips.items()):
            archive.writestr(zipfile.ZipInfo(name_of(track_id)), content)
    return made.getvalue()


def write_clips_archive(path: Path, ids: Sequence[int], size: int) -> None:
    """A large `fma_small.zip` that takes little of the disk: different clips of about that size."""
    rng = np.random.default_rng(0)
    with _SparseFile(path, "w") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("fma_small/README.txt", "read me")
        for track_id in ids:
            length = int(size * rng.uniform(0.8, 1.0))
            with archive.open(zipfile.ZipInfo(name_of(track_id)), "w") as clip:
                clip.write(rng.bytes(512))
                clip.write(bytes(length))


def name_of(track_id: int) -> str:
    """The name of a track's clip in the archive."""
    return f"fma_small/{track_id // 1000:03d}/{track_id:06d}.mp3"
