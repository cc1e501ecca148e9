"""Queries: identification, genres and networks needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from small_library import OTHER_CLIP, encode, write_index

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import library
from soundalike.errors import AudioError, IndexFolderError, ModelError, UnknownTrackError
from soundalike.evaluation import robustness_files
from soundalike.index import duplicates, index, track_arrays
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore, genre_head
from soundalike.models.genre_head import GenreHead
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.playlist import Recipe

pytest_plugins = ["library_fixtures"]

ANGLE = 0.96 * np.arccos(duplicates.SIMILARITY)


def on_circle(*angles: float) -> np.ndarray:
    """Vectors of length 10 whose cosine similarity is that of the angles between them."""
    return 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def mixture(*clips: Path) -> bytes:
    """A clip that sounds like music and is none of the library's, as a WAV file."""
    samples = sum(analysis_window(decoding.decode(clip)).samples for clip in clips) / len(clips)
    return robustness_files.encode(np.asarray(samples, np.float32), "wav", "pcm_s16le")


def test_track_of_the_library(small_index: Index) -> None:
    asked = query.from_library(small_index, "0006")
    assert asked.row == 2
    assert list(asked.genres) == list(small_index.genre_probabilities(2))
    np.testing.assert_array_equal(asked.embeddings["vgg_mel"], small_index.embeddings(2)["vgg_mel"])
    assert asked.notes == ()


def test_unknown_track(small_index: Index) -> None:
    with pytest.raises(UnknownTrackError, match="no track '9999'"):
        query.from_library(small_index, "9999")


def test_library_without_predicted_genres(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": np.eye(3)})
    assert query.from_library(opened, "t1").genres == {}


def test_a_chosen_half_minute_of_a_library_file_is_compared_by_its_audio(
    default_index: Index, models: ModelStore
) -> None:
    # Stands for a half minute that the index knows nothing of.
    other = decoding.decode(OTHER_CLIP)
    content = default_index.path(3).read_bytes()
    asked = query.embed_query(
        content, default_index, models, decode=lambda _: analysis_window(other), chosen=True
    )
    assert (asked.row, asked.recording) == (None, 3)
    assert set(query.duplicates(default_index, asked)) == {3}
    own = query.embed_query(OTHER_CLIP.read_bytes(), default_index, models)
    assert own.recording is None
    np.testing.assert_allclose(
        asked.embeddings["musicnn"], own.embeddings["musicnn"], rtol=1e-3, atol=1e-3
    )
    found = playlist.make_playlist(default_index, [Seed(asked)], Recipe("soundalike", 5))
    assert 3 not in [entry.row for entry in found.entries]
    assert not any("Left out" in note for note in found.notes)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_library_clip_is_recognised(
    small_index: Index, small_models: ModelStore, as_bytes: bool
) -> None:
    path = small_index.path(3)
    asked = query.from_audio(path.read_bytes() if as_bytes else path, small_index, small_models)
    assert asked.row == 3
    assert asked.duration == pytest.approx(30, abs=0.2)
    for name, vector in small_index.embeddings(3).items():
        np.testing.assert_allclose(asked.embeddings[name], vector, rtol=2e-3, atol=0.05)


@pytest.mark.sweep
@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac")])
def test_reencoded_library_clip_is_recognised(
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
    query.embed_query(small_index.path(0), small_index, small_models, steps.append)
    assert steps == list(query.STEPS[:3])


def test_first_result_needs_no_vgg16_with_fingerprints() -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    content = mixture(OTHER_CLIP, opened.path(40))
    first = query.embed_query(content, opened, models)
    assert not first.is_complete
    assert first.genres == {}
    assert query.look_closer(first, opened, models) is first
    assert "vgg16" not in models._loaded
    whole = query.predict_genres(first, opened, models)
    assert whole.is_complete
    assert sum(whole.genres.values()) == pytest.approx(1, abs=1e-5)
    assert whole.genres == query.from_audio(content, opened, models).genres
    assert query.predict_genres(whole, opened, models) is whole


def test_first_result_of_recognised_clip_is_complete() -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    first = query.embed_query(opened.path(40), opened, models)
    assert "vgg16" not in models._loaded
    assert first.is_complete
    assert first.row == 40
    assert first.genres == opened.genre_probabilities(40)


def test_first_result_uses_vgg16_without_fingerprints(
    small_index: Index, small_models: ModelStore, tmp_path: Path
) -> None:
    assert track_arrays.fingerprints(small_index) is None
    copy = encode(small_index.path(3), tmp_path / "copy.mp3", "libmp3lame")
    assert query.embed_query(copy, small_index, small_models).row == 3


@pytest.mark.parametrize("light", [False, True])
def test_a_closer_look_finds_a_faster_copy_without_vgg16(light: bool) -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore(light=light)
    original = analysis_window(decoding.decode(opened.path(40))).samples
    faster = np.asarray(scipy.signal.resample(original, round(len(original) / 1.02)), np.float32)
    content = robustness_files.encode(faster, "wav", "pcm_s16le")
    first = query.embed_query(content, opened, models)
    assert first.row is None
    assert first.is_complete == light
    found = query.look_closer(first, opened, models)
    assert (found.row, found.is_complete) == (40, True)
    assert found.genres == opened.genre_probabilities(40)
    assert not any("too little memory" in note for note in found.notes)
    assert query.look_closer(found, opened, models) is found
    assert "vgg16" not in models._loaded


@pytest.mark.sweep
def test_copy_found_by_vgg_mel_only(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    monkeypatch.setattr(ClipEmbeddings, "copies", frozenset())
    monkeypatch.setattr(Index, "row_of_file", lambda self, checksum: None)
    first = query.embed_query(opened.path(40), opened, models)
    assert first.row is None
    whole = query.predict_genres(first, opened, models)
    assert whole.row == 40
    assert whole.genres == opened.genre_probabilities(40)


def test_representations_that_wait_for_a_network(bundled: Index) -> None:
    turns: list[str] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append("begins")
        yield

    names = ["soundalike", "vgg_genre", "musicnn"]
    light = query.embed_query(OTHER_CLIP, bundled, ModelStore(light=True))
    assert query.waiting(light, bundled, names) == []
    assert query.waiting(query.from_library(bundled, "0102"), bundled, names) == []
    first = query.embed_query(OTHER_CLIP, bundled, ModelStore())
    assert query.waiting(first, bundled, names) == ["vgg_genre"]
    query.compute(first, bundled, ["vgg_genre"], turn)
    assert turns == ["begins"]
    assert query.waiting(first, bundled, names) == []


def test_networks_acquired_once_per_result(bundled: Index, models: ModelStore) -> None:
    turns: list[str] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append("begins")
        yield
        turns.append("ends")

    first = query.embed_query(mixture(OTHER_CLIP, bundled.path(40)), bundled, models, turn=turn)
    assert turns == ["begins", "ends"]
    whole = query.predict_genres(first, bundled, models, turn)
    assert turns == ["begins", "ends"] * 2
    turns.clear()
    assert all(len(whole.embeddings[name]) for name in whole.embeddings if name != "metadata")
    assert turns == []


def test_unreadable_clip_stops_at_decoding(small_index: Index, small_models: ModelStore) -> None:
    steps: list[str] = []
    with pytest.raises(AudioError):
        query.embed_query(b"no audio", small_index, small_models, steps.append)
    assert steps == [query.STEPS[0]]


def test_mismatched_models_are_rejected_first(small_index: Index, tmp_path: Path) -> None:
    other = tmp_path / "head.npz"
    other.write_bytes(b"another head")
    with pytest.raises(IndexFolderError, match="a different genre_head"):
        query.from_audio(b"no audio", small_index, ModelStore(genre_head=other))


def test_index_uses_its_own_head(small_index: Index, small_models: ModelStore, tmp_path: Path) -> None:
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


def test_index_without_genres_needs_no_genre_head(
    small_folder: Path, small_models: ModelStore, tmp_path: Path
) -> None:
    built = builder.build(
        library.load(small_folder), tmp_path / "index", small_models, BuildPlan(["vgg_mel"])
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


def test_copies_of_recognised_clip_use_its_own_vectors(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": on_circle(-0.9 * ANGLE, ANGLE, 1)})
    clip = query.Query({"vgg_mel": on_circle(0)[0].astype(np.float32)}, {}, row=0, duration=30.0)
    assert sorted(query.duplicates(opened, clip)) == [0, 1]


def test_no_copies_without_vgg_mel(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"genre_head": np.ones((4, 3))}, ["genre_head"])
    assert query.duplicates(opened, query.from_library(opened, "t2")).tolist() == [2]


def test_clip_is_searched_once(
    default_index: Index, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []
    search = Index.similarities

    def counted(self: Index, name: str, *rest: object) -> np.ndarray:
        searched.append(name)
        return search(self, name, *rest)

    monkeypatch.setattr(Index, "similarities", counted)
    asked = query.from_audio(OTHER_CLIP, default_index, models)
    for length in (3, 4):
        playlist.make_playlist(default_index, [Seed(asked)], Recipe("soundalike", length))
    assert searched == ["soundalike"]


def test_genres_wait_for_the_networks_without_a_vector_by_vgg16(
    bundled: Index, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = query.embed_query(mixture(OTHER_CLIP, bundled.path(40)), bundled, models)
    ran: list[bool] = []

    @contextmanager
    def turn() -> Iterator[None]:
        assert isinstance(first.embeddings, ClipEmbeddings)
        ran.append(models.has_run(first.embeddings.clip, ("vgg16",)))
        yield
        ran.append(models.has_run(first.embeddings.clip, ("vgg16",)))

    monkeypatch.setattr(query, "BY_VGG16", ())
    assert query.predict_genres(first, bundled, models, turn).genres
    assert ran == [False, True]
