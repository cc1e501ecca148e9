"""Folders as FMA's archives unpack to, made up: its real columns and layout, its ids, other music."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import pandas as pd

COLUMNS = {
    "album": (
        "comments date_created date_released engineer favorites id information listens producer tags "
        "title tracks type"
    ),
    "artist": (
        "active_year_begin active_year_end associated_labels bio comments date_created favorites id "
        "latitude location longitude members name related_projects tags website wikipedia_page"
    ),
    "set": "split subset",
    "track": (
        "bit_rate comments composer date_created date_recorded duration favorites genre_top genres "
        "genres_all information interest language_code license listens lyricist number publisher tags "
        "title"
    ),
}
"""All 52 columns of tracks.csv."""
GENRES = (
    (2, 5_271, 0, "International", 2),
    (10, 13_845, 0, "Pop", 10),
    (12, 32_923, 0, "Rock", 12),
    (15, 34_413, 0, "Electronic", 15),
    (16, 304, 6, "Sound Effects", 38),
    (6, 914, 38, "Novelty", 38),
    (17, 12_706, 0, "Folk", 17),
    (21, 8_389, 0, "Hip-Hop", 21),
    (25, 9_261, 12, "Punk", 12),
    (38, 38_154, 0, "Experimental", 38),
    (76, 7_144, 10, "Experimental Pop", 10),
    (100, 740, 21, "Alternative Hip-Hop", 21),
    (103, 4_162, 17, "Singer-Songwriter", 17),
    (175, 0, 86, "Bollywood", 2),
    (86, 216, 2, "Indian", 2),
    (1235, 14_938, 0, "Instrumental", 1235),
    (18, 5_913, 1235, "Soundtrack", 1235),
)
"""Some of genres.csv: the roots of FMA-small and a few below, one three deep, one without tracks."""

Row = Mapping[tuple[str, str], Any]


def row(
    track_id: int, genre: str, artist: str, split: str = "training", subset: str = "small", **more: Any
) -> tuple[int, dict[tuple[str, str], Any]]:
    """One track; what it is not given is as FMA has it for many a track: empty, or zero."""
    known: dict[tuple[str, str], Any] = {
        (group, name): "" for group, names in COLUMNS.items() for name in names.split()
    }
    root = next((number for number, _, _, title, _ in GENRES if title == genre), None)
    known |= {
        ("album", "title"): f"Album of {artist}",
        ("album", "date_released"): "2009-01-05 00:00:00",
        ("album", "tags"): "[]",
        ("artist", "bio"): '<p>Says "hello",\nand goes on,</p>',
        ("artist", "id"): 1,
        ("artist", "name"): artist,
        ("artist", "latitude"): 40.0583238,
        ("set", "split"): split,
        ("set", "subset"): subset,
        ("track", "duration"): 168,
        ("track", "genre_top"): genre,
        ("track", "genres"): [] if root is None else [root],
        ("track", "genres_all"): [] if root is None else [root],
        ("track", "language_code"): "en",
        ("track", "license"): "Attribution-NonCommercial-ShareAlike 3.0 International",
        ("track", "listens"): 1293,
        ("track", "title"): f"Track {track_id}",
    }
    known |= {tuple(name.split("_", 1)): value for name, value in more.items()}  # type: ignore[misc]
    return track_id, known


def write_metadata(
    folder: Path, rows: Sequence[tuple[int, Row]], genres: Sequence[tuple[Any, ...]] = GENRES
) -> Path:
    """`fma_metadata`, its tables written as FMA wrote them, by pandas."""
    metadata = folder / "fma_metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    columns = pd.MultiIndex.from_tuples(
        [(group, name) for group, names in COLUMNS.items() for name in names.split()]
    )
    index = pd.Index([track_id for track_id, _ in rows], name="track_id")
    table = pd.DataFrame([[known[c] for c in columns] for _, known in rows], index, columns)
    table.to_csv(metadata / "tracks.csv")
    names = ["genre_id", "#tracks", "parent", "title", "top_level"]
    pd.DataFrame(genres, columns=names).to_csv(metadata / "genres.csv", index=False)
    return metadata


def clip_file(folder: Path, track_id: int, subset: str = "small") -> Path:
    """Where a track's clip lies."""
    return folder / f"fma_{subset}" / f"{track_id // 1000:03d}" / f"{track_id:06d}.mp3"


def write_clips(folder: Path, clips: Mapping[int, bytes], subset: str = "small") -> None:
    """Clips by id."""
    for track_id, content in clips.items():
        path = clip_file(folder, track_id, subset)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def as_mp3(source: Path) -> bytes:
    """The audio of a file as MP3, as FMA's clips are: 44,100 Hz, stereo."""
    made = io.BytesIO()
    with av.open(str(source)) as clip, av.open(made, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=44_100, layout="stereo")
        resampler = av.AudioResampler("s16p", "stereo", 44_100)
        for frame in clip.decode(audio=0):
            frame.pts = None
            for resampled in resampler.resample(frame):
                out.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            out.mux(stream.encode(resampled))
        out.mux(stream.encode(None))
    return made.getvalue()


def tagged(mp3: bytes, number: int) -> bytes:
    """The same audio in another file: an ID3v1 tag with a number at its end."""
    return mp3 + b"TAG" + f"{number}".encode().ljust(125, b"\0")
