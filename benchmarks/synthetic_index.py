"""Make a synthetic index of any size in seconds, to test the app with a large or messy library.

    python benchmarks/synthetic_index.py DIR --tracks 106574
    python benchmarks/synthetic_index.py DIR --tracks 300 --messy

The tracks are in clusters of a few hundred, with one genre and a few artists each, for neighbours and
maps that resemble those of music. Neighbours are exact within a cluster and never in another. The maps
are cluster centres with some spread, not UMAP's. There is no audio: players say that the file is
missing. The same arguments give the same bytes.

A messy library has tags as they occur in practice: hundreds of genres, missing titles and artists,
titles of 300 characters, right-to-left text, emoji, HTML and Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import representations
from soundalike.index import storage
from soundalike.indexing import derived
from soundalike.projection import layout

NAMES = ("soundalike", "genre_head")
DIMS = {name: representations.get(name).dim for name in representations.stored(NAMES)}
"""Dimensions of the stored representations."""
CLUSTER = 400
ARTISTS_A_CLUSTER = 40
NEIGHBOURS = 100
PREDICTED = ("Ambient", "Folk", "Hip-Hop", "Jazz", "Metal", "Pop", "Rock", "Techno")
GENRES = (*PREDICTED, "Blues", "Classical", "Country", "Experimental", "Old-Time", "Soul", "Spoken")
HOSTILE = (
    "<script>alert('title')</script>",
    "**Bold** _and_ `code` [link](https://example.org) # $x^2$ :red[red] ~~no~~",
    "A title that does not end " * 12,
    "אבגדהו זחטיכל",
    "شرقية 12 شرقية",
    "🎸🔥 Rock'n'roll 🔥🎸",
    "Zalgo Z̷̢̛a̵̧͝l̶̡̾g̸̛̕o̷̡͝",
    "   spaces \t and\nlines   ",
    "支離滅裂な題名",
    "",
    "Unbrokenwordofmanylettersthatnolinecanholdbecauseithasnospace" * 3,
    "Quotes \"double\" and 'single' & ampersands &amp; entities",
)
_WORDS = (
    *("night", "river", "stone", "light", "winter", "city", "heart", "wave", "shadow", "garden"),
    *("glass", "fire", "road", "summer", "moon"),
)


def write(
    folder: Path, tracks: int, seed: int = 0, messy: bool = False, name: str | None = None
) -> Path:
    """Write an index.

    Parameters
    ----------
    folder : the index folder, created if missing
    tracks : number of tracks, at least 1
    seed : random seed
    messy : whether to use hostile tags
    name : name of the library; None to use the folder's

    Returns
    -------
    the folder
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    clusters = np.minimum(np.arange(tracks) // CLUSTER, max(tracks // CLUSTER - 1, 0))
    table = _messy(tracks) if messy else _table(clusters, rng)
    table.to_parquet(folder / storage.TRACKS, index=False)
    maps: dict[str, Any] = {}
    starts = np.flatnonzero(np.diff(clusters, prepend=-1)).tolist()
    spans = [slice(*ends) for ends in pairwise([*starts, tracks])]
    for stored in DIMS:
        _write_vectors(folder, stored, spans, rng)
    for representation in NAMES:
        _write_neighbours(folder, representation, spans)
        for setting in (layout.DEFAULT, layout.Setting(dims=3)):
            places = rng.normal(size=(len(spans), setting.dims))[clusters] * 8
            array = layout.array_name(representation, setting)
            _save(folder, array, places + rng.normal(size=places.shape), np.float32)
            maps[array] = _facts_of_map(representation, setting)
    chances = rng.dirichlet(np.full(len(PREDICTED), 0.3), size=tracks)
    _save(folder, "genre_probabilities", chances, np.float32)
    _write_manifest(folder, table, maps, name)
    return folder


def _table(clusters: NDArray[np.intp], rng: np.random.Generator) -> pd.DataFrame:
    n = len(clusters)
    artists = clusters * ARTISTS_A_CLUSTER + rng.integers(ARTISTS_A_CLUSTER, size=n)
    words = np.array(_WORDS)[rng.integers(len(_WORDS), size=(n, 3))]
    return _with_files(
        [" ".join(row).capitalize() for row in words],
        [f"{_WORDS[i % len(_WORDS)].capitalize()} and the {i:,}" for i in artists],
        [f"Album {i} of {artist}" for i, artist in zip(rng.integers(4, size=n), artists, strict=True)],
        [GENRES[i % len(GENRES)] for i in clusters],
    )


def _messy(n: int) -> pd.DataFrame:
    def text(i: int, often: int, otherwise: str) -> str:
        return HOSTILE[i % len(HOSTILE)] if i % often == 0 else otherwise

    genres = [f"Micro-genre No. {i % 250} (after {2000 + i % 20})" for i in range(n)]
    return _with_files(
        [text(i, 1, "") for i in range(n)],
        [text(i + 3, 2, f"Artist {i % 30}") for i in range(n)],
        [text(i + 5, 3, "") for i in range(n)],
        [text(i + 1, 5, genres[i] if i % 3 else f"Genre {i % 9}") for i in range(n)],
    )


def _with_files(
    titles: list[str], artists: list[str], albums: list[str], genres: list[str]
) -> pd.DataFrame:
    numbers = range(len(titles))
    return pd.DataFrame(
        {
            "track_id": [f"{i:06}" for i in numbers],
            "file": [f"{i // 1_000:03}/{i:06}.mp3" for i in numbers],
            "title": titles,
            "artist": artists,
            "album": albums,
            "genre": genres,
            "duration_s": ["30.0"] * len(titles),
            "sha256": [f"{i:064x}" for i in numbers],
        }
    )


def _write_vectors(folder: Path, name: str, spans: Sequence[slice], rng: np.random.Generator) -> None:
    """Write a stored representation, cluster by cluster, and the data derived from its vectors."""
    dim, scaled = DIMS[name], representations.get(name).scaling is not None
    vectors = storage.create(folder, name, (spans[-1].stop, dim), np.float16)
    for rows in spans:
        shape = (rows.stop - rows.start, dim)
        drawn = rng.standard_normal(dim, np.float32) + 0.6 * rng.standard_normal(shape, np.float32)
        vectors[rows] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True) if scaled else drawn
    vectors.flush()
    if scaled:
        _save(folder, f"{name}_scale", np.stack([np.zeros(dim), np.ones(dim)]), np.float32)
    derived.write_vector_facts(folder, name)


def _write_neighbours(folder: Path, name: str, spans: Sequence[slice]) -> None:
    """Write each track's nearest others in its cluster."""
    parts = representations.get(name).parts or {name: 1.0}
    stored = {part: np.load(folder / f"{part}.npy", mmap_mode="r") for part in parts}
    k = min(NEIGHBOURS, spans[-1].stop - 1)
    rows, values = [], []
    for span in spans:
        joined = np.concatenate(
            [weight * stored[part][span].astype(np.float32) for part, weight in parts.items()], axis=1
        )
        near, alike = _nearest(joined / np.linalg.norm(joined, axis=1, keepdims=True), k)
        rows.append(near + span.start)
        values.append(alike)
    _save(folder, f"{name}_neighbours", np.concatenate(rows), np.int32)
    _save(folder, f"{name}_similarities", np.concatenate(values), np.float32)


def _nearest(unit: NDArray[np.float32], k: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    similarities = unit @ unit.T
    np.fill_diagonal(similarities, -np.inf)
    rows = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(similarities, rows, axis=1)


def _facts_of_map(representation: str, setting: layout.Setting) -> dict[str, Any]:
    described = {"representation": representation, **vars(setting), "seed": 0, "umap": "none"}
    trust = {
        "trustworthiness": 0.9,
        "trustworthiness_neighbours": 10,
        "trustworthiness_tracks": 1_000,
    }
    return described | trust


def _write_manifest(folder: Path, table: pd.DataFrame, maps: dict[str, Any], name: str | None) -> None:
    fingerprint = hashlib.sha256("".join(table["title"]).encode()).hexdigest()
    manifest = {
        "schema": storage.SCHEMA,
        "tracks": len(table),
        "library": {"folder": "music", "fingerprint": fingerprint},
        "representations": derived.describe(folder, NAMES),
        "genres": list(PREDICTED),
        "models": {},
        "maps": maps,
        "files": {},
    }
    if name is not None:
        manifest["name"] = name
    storage.write_manifest(folder, manifest)


def _save(folder: Path, name: str, values: NDArray[Any], dtype: type) -> None:
    storage.save(folder, name, np.asarray(values, dtype))


def main() -> None:
    """Write an index to the given folder."""
    parser = argparse.ArgumentParser(description="Write a made-up index.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, default=106_574)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--messy", action="store_true")
    parser.add_argument("--name")
    options = parser.parse_args()
    write(options.folder, options.tracks, options.seed, options.messy, options.name)
    print(f"{options.tracks:,} tracks in {options.folder}")


if __name__ == "__main__":
    main()
