"""Tests of the representations: registry, parts, and caching."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from remembering import remembering

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip
from soundalike.errors import UnknownRepresentationError
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg_features
from soundalike.representations import genre_head, vgg_mel

DIMS = {"vgg_genre": 25_632, "vgg_mel": 25_600, "genre_head": 32}


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


@pytest.fixture(scope="module")
def embeddings(clip, models) -> dict[str, np.ndarray]:
    return {name: representations.get(name).embed(clip, models) for name in DIMS}


def copy(clip: Clip) -> Clip:
    return Clip(clip.samples.copy())


class CountingStore(ModelStore):
    """Another store's networks, with a count of how often VGG16 was asked for."""

    def __init__(self, models: ModelStore, feature_cache: Path | None = None) -> None:
        super().__init__(feature_cache=feature_cache)
        self.models = models
        self.runs = 0

    @property
    def vgg16(self):
        self.runs += 1
        return remembering(self.models.vgg16)

    @property
    def genre_head(self):
        return self.models.genre_head


def test_registry():
    assert representations.DEFAULT in representations.REGISTRY
    for name, representation in representations.REGISTRY.items():
        assert representation.name == name
        assert representation.title
        assert len(representation.description) > 80
        assert (representation.own_embed is None) == bool(representation.parts)
    titles = [representation.title for representation in representations.REGISTRY.values()]
    assert len(set(titles)) == len(titles)
    assert {name: representations.get(name).dim for name in DIMS} == DIMS


def test_representations_without_their_model_are_unavailable(tmp_path):
    everything = set(representations.REGISTRY)
    assert everything - set(representations.available(ModelStore())) == {"cf_regression"}
    given = ModelStore(factors=tmp_path / "factors.npz")
    assert set(representations.available(given)) == everything


def test_default_among_available_representations():
    assert representations.default(["vgg_mel", representations.DEFAULT]) == representations.DEFAULT
    assert representations.default(["vgg_mel", "genre_head"]) == "vgg_mel"


@pytest.mark.parametrize("name", ["vgg", "", "VGG_MEL", "vgg_mel "])
def test_error_for_an_unknown_name_lists_the_known_names(name):
    with pytest.raises(UnknownRepresentationError) as caught:
        representations.get(name)
    message = str(caught.value)
    assert repr(name) in message
    assert message.endswith(f"choose from {', '.join(representations.REGISTRY)}.")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("names", "stored"),
    [
        (["vgg_genre"], ["vgg_mel", "genre_head"]),
        (["genre_head"], ["genre_head"]),
        (["genre_head", "vgg_genre"], ["genre_head", "vgg_mel"]),
        (list(DIMS), ["vgg_mel", "genre_head"]),
        (["soundalike"], ["musicnn", "musicnn_mid", "yamnet"]),
        (["yamnet", "soundalike"], ["yamnet", "musicnn", "musicnn_mid"]),
        ([], []),
    ],
)
def test_stored_representations(names, stored):
    assert representations.stored(names) == stored


def test_an_unknown_name_cannot_be_stored():
    with pytest.raises(UnknownRepresentationError):
        representations.stored(["vgg_mel", "nothing"])


def test_dimensions(embeddings):
    for name, embedding in embeddings.items():
        assert embedding.shape == (DIMS[name],)
        assert embedding.dtype == np.float32
        assert np.isfinite(embedding).all()
        assert embedding.std() > 0


def test_vgg_genre_joins_sound_and_80_times_genre(embeddings):
    joined = np.concatenate([embeddings["vgg_mel"], 80 * embeddings["genre_head"]])
    np.testing.assert_array_equal(embeddings["vgg_genre"], joined)


def test_vgg_mel_is_the_map_pooled_by_three_and_two(clip, embeddings, models):
    feature_map = vgg_features.feature_map(clip, models)
    cells = embeddings["vgg_mel"].reshape(5, 10, 512)
    for band, stretch in ((0, 0), (2, 7), (4, 9)):
        cell = feature_map[3 * band : 3 * band + 3, 2 * stretch : 2 * stretch + 2]
        np.testing.assert_array_equal(cells[band, stretch], cell.max(axis=(0, 1)))
    assert embeddings["vgg_mel"].min() == 0.0
    assert vgg_mel.GRID == (5, 10)


@pytest.mark.sweep
def test_embeddings_are_deterministic(clip, embeddings, models):
    for name in ("vgg_mel", "genre_head"):
        again = representations.get(name).embed(copy(clip), models)
        np.testing.assert_array_equal(again, embeddings[name])


def test_other_sounds_have_other_embeddings(embeddings, models):
    noise = Clip(np.random.default_rng(0).normal(0, 0.1, ANALYSIS_SAMPLES).astype(np.float32))
    for name in ("vgg_mel", "genre_head"):
        other = representations.get(name).embed(noise, models)
        one = embeddings[name]
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) < 0.95


def test_the_network_input_is_the_canvas_of_the_mel_spectrogram(clip):
    drawn = vgg_features.mel_image(clip)
    np.testing.assert_array_equal(drawn, spectrogram_image.canvas(spectral.mel_spectrogram(clip)))
    assert vgg_features.DRAWING == "canvas"


def test_genres_are_sorted_and_sum_to_1(clip, models):
    genres = genre_head.genre_probabilities(clip, models)
    probabilities = list(genres.values())
    assert set(genres) == set(models.genre_head.genres)
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(type(probability) is float for probability in probabilities)


def test_genres_follow_from_the_features(clip, embeddings, models):
    kernel, bias = models.genre_head.layers[-2:]
    scores = np.exp(embeddings["genre_head"] @ kernel + bias)
    expected = dict(zip(models.genre_head.genres, scores / scores.sum(), strict=True))
    assert genre_head.genre_probabilities(clip, models) == pytest.approx(expected, abs=1e-4)


def test_a_clip_runs_the_network_once(clip, models):
    store, own = CountingStore(models), copy(clip)
    for name in DIMS:
        representations.get(name).embed(own, store)
    genre_head.genre_probabilities(own, store)
    assert store.runs == 1


def test_cached_values_are_freed_with_their_clip(models):
    noise = Clip(np.random.default_rng(1).normal(0, 0.1, ANALYSIS_SAMPLES).astype(np.float32))
    kept = weakref.ref(vgg_features.mel_image(noise))
    assert kept() is not None
    del noise
    gc.collect()
    assert kept() is None


@pytest.fixture(scope="module")
def cache(clip, models, tmp_path_factory):
    """A feature cache that knows the clip."""
    folder = tmp_path_factory.mktemp("cache") / "maps"
    store = CountingStore(models, folder)
    vgg_features.feature_map(copy(clip), store)
    assert store.runs == 1
    return folder


def test_the_cache_replaces_the_network(cache, clip, models):
    store = CountingStore(models, cache)
    kept = vgg_features.feature_map(copy(clip), store)
    assert store.runs == 0
    computed = vgg_features.feature_map(clip, models)
    assert kept.shape == (15, 20, 512)
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept, computed.astype(np.float16))
    np.testing.assert_allclose(kept, computed, rtol=1e-3, atol=1e-3)


def test_the_cache_has_one_file_per_clip_drawing_and_network(cache, models):
    (file,) = cache.iterdir()
    assert file.name.startswith(f"{vgg_features.DRAWING}-{models.checksum('vgg16')[:8]}-")
    assert file.suffix == ".npy"


def test_the_cache_misses_for_new_clips(cache, clip, models, tmp_path):
    (file,) = cache.iterdir()
    (tmp_path / file.name).write_bytes(file.read_bytes())
    changed = copy(clip)
    changed.samples[1_000] += 0.1
    store = CountingStore(models, tmp_path)
    vgg_features.feature_map(changed, store)
    assert store.runs == 1
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"words", "half"])
def test_a_damaged_file_of_the_cache_is_computed_again(damage, cache, clip, models, tmp_path):
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    own = tmp_path / file.name
    own.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    store = CountingStore(models, tmp_path)
    vgg_features.feature_map(copy(clip), store)
    assert store.runs == 1
    assert own.read_bytes() == whole
