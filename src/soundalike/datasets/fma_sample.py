"""A balanced sample of FMA-small: some clips of each genre, without downloading the whole archive.

Of `fma_metadata.zip` the two tables are fetched, of `fma_small.zip` the clips that are chosen
(`zip_members`). The folder has FMA's layout, with a library's table of the sample on top:

    DIR/tracks.csv                    the sample, with the licence and the source of each clip
    DIR/CREDITS.md                    whom to thank, by licence
    DIR/fma_metadata/tracks.csv       FMA's own tables
    DIR/fma_metadata/genres.csv
    DIR/fma_small/000/000002.mp3      the clips

The rule of the choice: An artist's tracks are put in an order by the SHA-256 of the seed and the track's
ID. A genre's tracks are then taken in rounds: the first track of each artist, then the second, then the
third, in each round by the same SHA-256. So a genre has as many artists as possible, and no artist has
more than `MOST_OF_AN_ARTIST` tracks in all. A smaller sample is a part of a larger one, and a genre's
tracks don't depend on which other genres are chosen. Clips without audio (`fma.BROKEN`) are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundalike.datasets import archives, artists, fma, fma_download, library, zip_members
from soundalike.datasets.archives import OnBytes
from soundalike.errors import FetchError

GENRES = (
    *("Electronic", "Experimental", "Folk", "Hip-Hop"),
    *("Instrumental", "International", "Pop", "Rock"),
)
"""The genres of FMA-small, with a thousand tracks each."""
MOST_OF_AN_ARTIST = 3
CREDITS = "CREDITS.md"
NO_LICENCE = "Not stated by FMA"
_TABLES = tuple(f"{fma.METADATA}/{name}.csv" for name in ("tracks", "genres"))
_CLIPS = "fma_small"


@dataclass(frozen=True)
class Sample:
    """A sample that was fetched.

    Attributes
    ----------
    tracks : the library's table
    archives : what was fetched of each archive
    """

    tracks: pd.DataFrame
    archives: tuple[zip_members.Fetched, ...]


def fetch(
    folder: Path,
    count: int,
    genres: Sequence[str] = GENRES,
    seed: int = 0,
    url: str = fma_download.HOST,
    on_bytes: OnBytes = lambda doing, done, total: None,
) -> Sample:
    """Fetch a sample into a folder, resuming an earlier attempt.

    Parameters
    ----------
    folder : target folder
    count : number of tracks, divided among the genres; fewer if their artists haven't as many
    genres : some of `GENRES`
    seed : another one chooses other tracks
    url : base address of the archives, such as a mirror's
    on_bytes : progress callback

    Raises
    ------
    FetchError
        If something can't be fetched (`zip_members.fetch`), or the folder has a table that isn't a
        sample's. The table is only written when all clips are there.
    LibraryError
        If FMA's tables differ from FMA's published format.
    """
    _check_folder(folder)
    base = url.rstrip("/")
    tables = zip_members.fetch(f"{base}/{fma_download.METADATA.file}", _TABLES, folder, on_bytes)
    on_bytes("Reading FMA's tables", 0, 0)
    tracks = choose(_read(folder), count, genres, seed)
    clips = zip_members.fetch(f"{base}/{_CLIPS}.zip", list(tracks["file"]), folder, on_bytes)
    with archives.write_errors(folder):
        _replace(folder / CREDITS, credits_of(tracks))
        _replace(folder / library.TABLE, tracks.to_csv(index=False))
    return Sample(tracks, (tables, clips))


def choose(tracks: pd.DataFrame, count: int, genres: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Choose a sample's tracks by the rule above, sorted by track ID.

    Parameters
    ----------
    tracks : FMA-small's tracks, with the columns track_id, artist, album and genre
    count, genres, seed : as for `fetch`
    """
    order = tracks["track_id"].map(lambda track_id: _hash(seed, track_id))
    ranked = tracks.assign(order=order, by=_artists(tracks)).sort_values("order")
    ranked["round"] = ranked.groupby("by").cumcount()
    ranked = ranked[ranked["round"] < MOST_OF_AN_ARTIST].sort_values(["round", "order"])
    chosen = [
        ranked[ranked["genre"] == genre].head(share)
        for genre, share in zip(sorted(genres), _shares(count, len(genres)), strict=True)
    ]
    ids = set(pd.concat(chosen)["track_id"])
    return tracks[tracks["track_id"].isin(ids)].reset_index(drop=True)


def credits_of(tracks: pd.DataFrame) -> str:
    """The text of CREDITS.md: each track under its licence."""
    lines = [
        "# Credits",
        "",
        f"{len(tracks):,} clips of 30 seconds from the Free Music Archive, as published in FMA: A",
        "Dataset For Music Analysis (Defferrard, Benzi, Vandergheynst and Bresson, 2017). Artists,",
        "titles and licences are those of its table. Each clip keeps the licence that its artist chose.",
        "Some licences forbid commercial use, changes, or passing the clip on.",
    ]
    for licence, group in sorted(tracks.groupby("licence"), key=lambda pair: (-len(pair[1]), pair[0])):
        lines += ["", f"## {licence}", ""]
        rows = zip(group["artist"], group["title"], group["album"], group["track_id"], strict=True)
        lines += [
            f"- {artist or 'Unknown artist'}: {title}"
            + (f" ({album})" if album else "")
            + f", track {number}"
            for artist, title, album, number in sorted(rows)
        ]
    return "".join(f"{line}\n" for line in lines)


def _check_folder(folder: Path) -> None:
    """Refuse a folder with files of the same names that no earlier run wrote."""
    if zip_members.listing_of(folder, fma_download.METADATA.file).exists():
        return
    if found := [name for name in (library.TABLE, CREDITS) if (folder / name).exists()]:
        raise FetchError(
            f"{folder / found[0]} isn't a sample's and would be written over; name another folder with "
            "--dir."
        )


def _read(folder: Path) -> pd.DataFrame:
    """FMA-small's tracks as a library's table."""
    every = fma.read_tracks(folder / _TABLES[0])
    tree = fma.read_genres(folder / _TABLES[1])
    usable = (every["subset"] == "small") & ~every["track_id"].astype(int).isin(fma.BROKEN)
    tracks = fma.table(every[usable], tree, _CLIPS)
    source = "Free Music Archive (freemusicarchive.org), track " + tracks["track_id"] + " of FMA"
    licence = tracks["licence"].where(tracks["licence"] != "", NO_LICENCE)
    length = {"track_duration_s": tracks["track_duration"]} if "track_duration" in tracks else {}
    return tracks.assign(licence=licence, url=source, **length)


def _artists(tracks: pd.DataFrame) -> list[str]:
    """Each track's artist; a track by nobody known is its own."""
    keys = zip(artists.keys(tracks), tracks["track_id"], strict=True)
    return [key or f"track: {track_id}" for key, track_id in keys]


def _shares(count: int, parts: int) -> list[int]:
    return [count // parts + (part < count % parts) for part in range(parts)]


def _hash(seed: int, track_id: str) -> str:
    return hashlib.sha256(f"{seed} {track_id}".encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write a text, unless the file has it already: its date says when the sample changed."""
    if path.is_file() and path.read_bytes() == text.encode():
        return
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(text.encode())
    temporary.replace(path)
