"""Playlists: selection, order and notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import OTHER_CLIP, cosines, encode, write_index

from soundalike.errors import IndexFolderError
from soundalike.index import duplicates
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe
from soundalike.playlist.query import Query

pytest_plugins = ["library_fixtures"]

ALL = ("vgg_genre", "vgg_mel", "genre_head")


def random_index(folder: Path, seed: int, n: int, dim: int = 6) -> Index:
    rng = np.random.default_rng(seed)
    vectors = {"vgg_mel": rng.normal(size=(n, dim)), "genre_head": rng.normal(size=(n, 3))}
    return write_index(folder / "index", vectors, ALL)


def recommend(
    index: Index,
    asked: Query,
    name: str,
    length: int = 10,
    weights: dict[str, float] | None = None,
) -> playlist.Playlist:
    """A playlist without rules."""
    recipe = Recipe(name, length, per_artist=None, weights=weights)
    return playlist.make_playlist(index, [Seed(asked)], recipe)


def rows(found: playlist.Playlist) -> list[int]:
    return [entry.row for entry in found.entries]


def similarities(found: playlist.Playlist) -> list[float]:
    return [entry.similarity for entry in found.entries]


def as_new_clip(index: Index, asked: Query) -> Query:
    """The query as `from_audio` would describe it, without its place in the library."""
    return replace(asked, row=query._same_recording(index, asked.embeddings))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 30),
    dim=st.integers(2, 6),
    length=st.integers(1, 40),
    name=st.sampled_from(ALL),
    new=st.booleans(),
    weights=st.none()
    | st.fixed_dictionaries({"vgg_mel": st.floats(0.1, 9), "genre_head": st.floats(0.1, 9)}),
)
def test_playlist_invariants(
    seed: int, n: int, dim: int, length: int, name: str, new: bool, weights: dict[str, float] | None
) -> None:
    weights = weights if name == "vgg_genre" else None
    with TemporaryDirectory() as folder:
        index = random_index(Path(folder), seed, n, dim)
        asked = query.from_library(index, "t0")
        if new:
            noise = np.random.default_rng(seed + 1).normal(size=dim)
            heard = dict(asked.embeddings) | {"vgg_mel": noise.astype(np.float32)}
            asked = as_new_clip(index, replace(asked, embeddings=heard))
        same = set(query.duplicates(index, asked).tolist())
        found = recommend(index, asked, name, length, weights)
        copies = {copy for row in rows(found) for copy in duplicates.of(index, row)}
    assert len(set(rows(found))) == len(found.entries) <= length
    if len(found.entries) < length:
        assert set(rows(found)) | same | copies == set(range(n))
    assert not copies & set(rows(found))
    assert asked.row not in rows(found)
    assert not same & set(rows(found))
    assert (np.diff(similarities(found)) <= 1e-6).all()
    assert all(-1 <= value <= 1 for value in similarities(found))
    assert [entry.rank for entry in found.entries] == list(range(1, len(found.entries) + 1))
    short = [note for note in found.notes if "has only" in note or "tracks are left" in note]
    assert bool(short) == (len(found.entries) < length)


def test_most_similar_tracks_come_first(tmp_path: Path) -> None:
    index = random_index(tmp_path, 5, 40)
    asked = query.from_library(index, "t9")
    found = recommend(index, asked, "genre_head", 8)
    expected = cosines(asked.embeddings["genre_head"], index.array("genre_head"))
    same = set(query.duplicates(index, asked).tolist())
    order = [row for row in np.argsort(-expected, kind="stable") if row not in same][:8]
    assert rows(found) == order
    np.testing.assert_allclose(similarities(found), expected[order], atol=1e-5)


@pytest.mark.parametrize("length", [99, 100, 101, 128, 129, 130])
def test_longer_than_precomputed_neighbours(tmp_path: Path, length: int) -> None:
    index = random_index(tmp_path, 6, 130, dim=30)
    found = recommend(index, query.from_library(index, "t7"), "vgg_genre", length)
    assert len(found.entries) == min(length, 129)
    assert 7 not in rows(found)
    assert (np.diff(similarities(found)) <= 1e-6).all()


def test_library_of_one_track(tmp_path: Path) -> None:
    index = random_index(tmp_path, 7, 1)
    found = recommend(index, query.from_library(index, "t0"), "vgg_genre", 5)
    assert found.entries == ()
    assert found.notes == ("The library has only 0 other tracks.",)


@pytest.mark.parametrize("names", [ALL, ("vgg_genre",), ("vgg_mel",)])
def test_copies_are_excluded_and_reported(tmp_path: Path, names: tuple[str, ...]) -> None:
    mel = np.eye(6)
    mel[3] = mel[0] * 3 + mel[1] / 10
    mel[5] = mel[0] - mel[2] / 10
    index = write_index(tmp_path / "index", {"vgg_mel": mel, "genre_head": np.eye(6)}, names)
    found = recommend(index, query.from_library(index, "t0"), names[0], 10)
    assert sorted(rows(found)) == [1, 2, 4]
    assert found.notes == (
        "Left out (same recording): “Title 3”, “Title 5”.",
        "The library has only 3 other tracks.",
    )


def test_copy_does_not_take_a_place(tmp_path: Path) -> None:
    mel = np.eye(6) + 0.1
    mel[3] = mel[0]
    index = write_index(tmp_path / "index", {"vgg_mel": mel})
    found = recommend(index, query.from_library(index, "t0"), "vgg_mel", 4)
    assert rows(found) == [1, 2, 4, 5]
    assert found.notes == ("Left out (same recording): “Title 3”.",)


def test_weights_change_the_ranking(tmp_path: Path) -> None:
    vectors = {
        "vgg_mel": [[1, 0], [0.6, 0.8], [-1, 0]],
        "genre_head": [[1, 0], [-1, 0], [0.6, 0.8]],
    }
    index = write_index(tmp_path / "index", {name: np.array(v) for name, v in vectors.items()}, ALL)
    asked = query.from_library(index, "t0")
    by_sound = {"vgg_mel": 1.0, "genre_head": 0.1}
    by_genre = {"vgg_mel": 0.1, "genre_head": 1.0}
    assert rows(recommend(index, asked, "vgg_genre", 5, by_sound)) == [1, 2]
    assert rows(recommend(index, asked, "vgg_genre", 5, by_genre)) == [2, 1]
    assert rows(recommend(index, asked, "vgg_genre", 5)) == [2, 1]


@pytest.mark.parametrize("length", [0, -1])
def test_length_must_be_positive(tmp_path: Path, length: int) -> None:
    index = random_index(tmp_path, 8, 3)
    with pytest.raises(ValueError, match="at least 1"):
        recommend(index, query.from_library(index, "t0"), "vgg_mel", length)


def test_missing_representation(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index", {"vgg_mel": np.eye(3)})
    with pytest.raises(IndexFolderError, match="does not hold 'vgg_genre'"):
        recommend(index, query.from_library(index, "t0"), "vgg_genre", 2)


@pytest.mark.parametrize("name", ALL)
def test_precomputed_neighbours_equal_the_live_search(small_index: Index, name: str) -> None:
    for track_id in small_index.tracks["track_id"]:
        asked = query.from_library(small_index, track_id)
        ready = recommend(small_index, asked, name, 5)
        live = recommend(small_index, asked, name, 5, small_index.parts(name))
        assert rows(ready) == rows(live)
        np.testing.assert_allclose(similarities(ready), similarities(live), atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_uploaded_library_track_is_excluded(
    small_index: Index, small_models: ModelStore, name: str
) -> None:
    content = small_index.path(4).read_bytes()
    asked = query.from_audio(content, small_index, small_models)
    found = recommend(small_index, asked, name, 10)
    assert sorted(rows(found)) == [0, 1, 2, 3, 5]
    assert found.notes == ("The library has only 5 other tracks.",)


@pytest.mark.sweep
def test_uploaded_copy_excludes_original(
    small_index: Index, small_models: ModelStore, tmp_path: Path
) -> None:
    copy = encode(small_index.path(3), tmp_path / "copy.mp3", "libmp3lame")
    asked = query.from_audio(copy, small_index, small_models)
    found = recommend(small_index, asked, "vgg_genre", 10, {"vgg_mel": 1, "genre_head": 9})
    assert sorted(rows(found)) == [0, 1, 2, 4, 5]


def test_new_clip_gets_every_track(small_index: Index, small_models: ModelStore) -> None:
    asked = query.from_audio(OTHER_CLIP, small_index, small_models)
    found = recommend(small_index, asked, "vgg_genre", 6)
    assert sorted(rows(found)) == list(range(6))
    assert found.notes == ()
