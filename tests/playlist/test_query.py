"""Queries: what is known of a clip before anything is searched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import encoding
import numpy as np
import pytest
from small_library import OTHER_CLIP, encode, write_index

from soundalike import paths
from soundalike.audio import decoding
from soundalike.datasets import library
from soundalike.errors import AudioError, IndexFolderError, ModelError
from soundalike.features import fingerprint
from soundalike.index import duplicates, index
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import Plan
from soundalike.models import ModelStore, genre_head
from soundalike.models.genre_head import GenreHead
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import ClipEmbeddings

pytest_plugins = ["library_fixtures"]

ANGLE = 0.96 * np.arccos(duplicates.SIMILARITY)


def on_circle(*angles: float) -> np.ndarray:
    """Vectors of length 10 whose cosine similarity is that of the angles between them."""
    return 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def mixture(*clips: Path) -> bytes:
    """A clip that sounds like music and is none of the library's, as a WAV file."""
    samples = sum(decoding.analysis_window(decoding.decode(clip)).samples for clip in clips) / len(clips)
    return encoding.encode(np.asarray(samples, np.float32), "wav", "pcm_s16le", "mono")


def test_track_of_the_library(small_index: Index) -> None:
    asked = query.from_library(small_index, "0006")
    assert asked.row == 2
    assert list(asked.genres) == list(small_index.genre_probabilities(2))
    np.testing.assert_array_equal(asked.embeddings["vgg_mel"], small_index.embeddings(2)["vgg_mel"])
    assert asked.notes == ()


def test_unknown_track(small_index: Index) -> None:
    with pytest.raises(IndexFolderError, match="no track '9999'"):
        query.from_library(small_index, "9999")


def test_library_without_predicted_genres(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": np.eye(3)})
    assert query.from_library(opened, "t1").genres == {}


@pytest.mark.parametrize("as_bytes", [True, False])
def test_clip_of_the_library_is_recognised(
    small_index: Index, small_models: ModelStore, as_bytes: bool
) -> None:
    path = small_index.path(3)
    asked = query.from_audio(path.read_bytes() if as_bytes else path, small_index, small_models)
    assert asked.row == 3
    assert asked.duration == pytest.approx(30, abs=0.2)
    for name, vector in small_index.embeddings(3).items():
        np.testing.assert_allclose(asked.embeddings[name], vector, rtol=2e-3, atol=0.05)


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac")])
def test_clip_of_the_library_in_another_format_is_recognised(
    small_index: Index, small_models: ModelStore, tmp_path: Path, suffix: str, codec: str
) -> None:
    copy = encode(small_index.path(3), tmp_path / f"copy.{suffix}", codec)
    assert query.from_audio(copy, small_index, small_models).row == 3


def test_genres_of_a_recognised_clip_are_the_held_out_ones(
    small_index: Index, small_models: ModelStore
) -> None:
    asked = query.from_audio(small_index.path(3), small_index, small_models)
    assert asked.genres == small_index.genre_probabilities(3)


def test_another_clip_is_not_recognised(small_index: Index, small_models: ModelStore) -> None:
    asked = query.from_audio(OTHER_CLIP, small_index, small_models)
    assert asked.row is None
    assert query.duplicates(small_index, asked).tolist() == []
    assert sum(asked.genres.values()) == pytest.approx(1, abs=1e-5)
    assert list(asked.genres.values()) == sorted(asked.genres.values(), reverse=True)
    assert set(asked.genres) == set(small_index.genres)


def test_steps_are_reported_in_order(small_index: Index, small_models: ModelStore) -> None:
    steps: list[str] = []
    query.first_answer(small_index.path(0), small_index, small_models, steps.append)
    assert steps == list(query.STEPS[:3])


def test_a_first_answer_takes_no_vgg16_where_copies_are_known_by_fingerprint() -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    content = mixture(OTHER_CLIP, opened.path(40))
    first = query.first_answer(content, opened, models)
    assert "vgg16" not in models._loaded
    assert not first.is_complete
    assert first.genres == {}
    whole = query.complete(first, opened, models)
    assert whole.is_complete
    assert sum(whole.genres.values()) == pytest.approx(1, abs=1e-5)
    assert whole.genres == query.from_audio(content, opened, models).genres
    assert query.complete(whole, opened, models) is whole


def test_of_a_recognised_clip_the_first_answer_is_the_whole() -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    first = query.first_answer(opened.path(40), opened, models)
    assert "vgg16" not in models._loaded
    assert first.is_complete
    assert first.row == 40
    assert first.genres == opened.genre_probabilities(40)


def test_without_fingerprints_a_first_answer_asks_vgg16_for_copies(
    small_index: Index, small_models: ModelStore, tmp_path: Path
) -> None:
    assert fingerprint.load(small_index) is None
    copy = encode(small_index.path(3), tmp_path / "copy.mp3", "libmp3lame")
    assert query.first_answer(copy, small_index, small_models).row == 3


def test_a_copy_that_only_vgg_mel_knows_is_known_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    monkeypatch.setattr(ClipEmbeddings, "copies", frozenset())
    monkeypatch.setattr(Index, "row_of_file", lambda self, checksum: None)
    first = query.first_answer(opened.path(40), opened, models)
    assert first.row is None
    whole = query.complete(first, opened, models)
    assert whole.row == 40
    assert whole.genres == opened.genre_probabilities(40)


def test_the_networks_are_waited_for_once_for_each_answer() -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    turns: list[str] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append("begins")
        yield
        turns.append("ends")

    first = query.first_answer(mixture(OTHER_CLIP, opened.path(40)), opened, models, turn=turn)
    assert turns == ["begins", "ends"]
    query.complete(first, opened, models, turn)
    assert turns == ["begins", "ends"] * 2


def test_unreadable_clip_stops_at_decoding(small_index: Index, small_models: ModelStore) -> None:
    steps: list[str] = []
    with pytest.raises(AudioError):
        query.first_answer(b"no audio", small_index, small_models, steps.append)
    assert steps == [query.STEPS[0]]


def test_other_models_than_the_index_has_are_refused_first(small_index: Index, tmp_path: Path) -> None:
    other = tmp_path / "head.npz"
    other.write_bytes(b"another head")
    with pytest.raises(IndexFolderError, match="a different genre_head"):
        query.from_audio(b"no audio", small_index, ModelStore(genre_head=other))


def test_an_index_is_asked_with_its_own_head(
    small_index: Index, small_models: ModelStore, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_index.folder, tmp_path / "index")
    path = folder / "model_genre_head.npz"
    GenreHead(genre_head.build(3, seed=1).get_weights(), ("Dub", "Fado", "Ska")).save(path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["own_models"] = {"genre_head": path.name}
    manifest["models"]["genre_head"] = paths.sha256_of(path)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    own = index.load(folder)
    with pytest.raises(IndexFolderError, match="a different genre_head"):
        query.from_audio(OTHER_CLIP, own, small_models)
    asked = query.from_audio(OTHER_CLIP, own, own.models(small_models))
    assert set(asked.genres) == {"Dub", "Fado", "Ska"}
    assert small_index.models(small_models) is small_models
    path.unlink()
    with pytest.raises(ModelError, match="is missing"):
        query.from_audio(OTHER_CLIP, own, index.load(folder).models(small_models))


def test_index_of_sound_alone_asks_for_no_genre_head(
    small_folder: Path, small_models: ModelStore, tmp_path: Path
) -> None:
    built = builder.build(
        library.load(small_folder), tmp_path / "index", small_models, Plan(["vgg_mel"])
    )
    asked = query.from_audio(OTHER_CLIP, built.index, small_models)
    assert list(asked.embeddings) == ["vgg_mel"]
    assert asked.genres == {}


@pytest.mark.parametrize("names", [("vgg_mel",), ("vgg_genre",), ("vgg_genre", "vgg_mel", "genre_head")])
def test_copies_of_a_track_are_its_duplicates(tmp_path: Path, names: tuple[str, ...]) -> None:
    vectors = {"vgg_mel": on_circle(0, ANGLE, -ANGLE, 1.5 * ANGLE, 1), "genre_head": np.eye(5)}
    opened = write_index(tmp_path / "index", vectors, names)
    asked = query.from_library(opened, "t0")
    assert sorted(query.duplicates(opened, asked)) == [0, 1, 2]


def test_copies_of_a_recognised_clip_are_told_by_the_clip_itself(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": on_circle(-0.9 * ANGLE, ANGLE, 1)})
    clip = query.Query({"vgg_mel": on_circle(0)[0].astype(np.float32)}, {}, row=0, duration=30.0)
    assert sorted(query.duplicates(opened, clip)) == [0, 1]


def test_without_vgg_mel_a_track_has_no_copies_but_itself(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"genre_head": np.ones((4, 3))}, ["genre_head"])
    assert query.duplicates(opened, query.from_library(opened, "t2")).tolist() == [2]
