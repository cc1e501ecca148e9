"""Tests of the VGG16 representations of other pictures than the mel spectrogram."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import librosa
import numpy as np
import pytest
from remembering import remembering

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.features import spectrogram_image
from soundalike.models import ModelStore, vgg_features
from soundalike.representations import vgg_chroma, vgg_mel, vgg_mfcc, vgg_mfcc_grey

POOLED = (vgg_mfcc, vgg_chroma)
ALL = (*POOLED, vgg_mfcc_grey)
DIMS = {vgg_mfcc: 25_600, vgg_chroma: 25_600, vgg_mfcc_grey: 20_480}


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


@pytest.fixture(scope="module")
def embeddings(clip, models) -> dict[ModuleType, np.ndarray]:
    return {module: module.embed(clip, models) for module in ALL}


class CountingStore(ModelStore):
    """Another store's VGG16, with the images that it was shown."""

    def __init__(self, models: ModelStore, feature_cache: Path | None = None) -> None:
        super().__init__(feature_cache=feature_cache)
        self.models = models
        self.shown: list[np.ndarray] = []

    @property
    def vgg16(self):
        def network(picture):
            self.shown.append(picture)
            return remembering(self.models.vgg16)(picture)

        return network


class Blank(ModelStore):
    """A store whose VGG16 sees nothing in any picture, at once."""

    @property
    def vgg16(self):
        return lambda picture: np.zeros(
            (picture.shape[0] // 32, picture.shape[1] // 32, 512), np.float32
        )


def copy(clip: Clip) -> Clip:
    return Clip(clip.samples.copy())


def test_dimensions(embeddings):
    for module, embedding in embeddings.items():
        assert embedding.shape == (module.DIM,) == (DIMS[module],)
        assert embedding.dtype == np.float32
        assert np.isfinite(embedding).all()
        assert embedding.min() == 0.0
        assert embedding.max() > 0.0


@pytest.mark.parametrize("module", ALL)
def test_description_is_a_paragraph(module):
    assert module.DESCRIPTION.endswith(".")
    assert "\n" not in module.DESCRIPTION
    assert len(module.DESCRIPTION.split()) > 30


def test_the_mfcc_picture_is_the_standardised_mfcc(clip):
    matrix = librosa.feature.mfcc(y=clip.samples, sr=22_050, n_mfcc=20)
    matrix = (matrix - matrix.mean(axis=1)[:, None]) / matrix.std(axis=1)[:, None]
    expected = spectrogram_image.canvas(matrix.astype(np.float32))
    drawn = vgg_mfcc.picture(clip)
    assert drawn.shape == (480, 640, 3)
    assert drawn.dtype == np.uint8
    assert (np.abs(drawn.astype(int) - expected) <= 2).mean() > 0.999


def test_the_chroma_picture_is_the_chromagram(clip):
    expected = spectrogram_image.canvas(librosa.feature.chroma_stft(y=clip.samples, sr=22_050))
    drawn = vgg_chroma.picture(clip)
    assert drawn.dtype == np.uint8
    assert (np.abs(drawn.astype(int) - expected) <= 2).mean() > 0.999


def test_a_lone_note_is_a_light_band_at_its_height():
    seconds = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    note = Clip((0.3 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32))
    brightness = vgg_chroma.picture(note).astype(int).sum(axis=(1, 2))
    semitones = brightness[::-1].reshape(12, 40).sum(axis=1)
    assert semitones.argmax() == 9


def test_the_grey_picture_is_the_mfcc_over_zeros_in_three_channels(clip):
    drawn = vgg_mfcc_grey.picture(clip)
    assert drawn.shape == (32, 1_293, 3)
    assert drawn.dtype == np.float32
    matrix = librosa.feature.mfcc(y=clip.samples, sr=22_050, n_mfcc=20)
    np.testing.assert_allclose(drawn[:20, :, 0], matrix, atol=0.02)
    np.testing.assert_array_equal(drawn[20:], 0)
    for channel in (1, 2):
        np.testing.assert_array_equal(drawn[:, :, channel], drawn[:, :, 0])


@pytest.mark.parametrize("module", POOLED)
def test_the_map_is_pooled_by_three_and_two(module, clip, embeddings, models):
    feature_map = vgg_features.feature_map(clip, models, module.PICTURE)
    assert feature_map.shape == (15, 20, 512)
    cells = embeddings[module].reshape(5, 10, 512)
    for band, stretch in ((0, 0), (2, 7), (4, 9)):
        cell = feature_map[3 * band : 3 * band + 3, 2 * stretch : 2 * stretch + 2]
        np.testing.assert_array_equal(cells[band, stretch], cell.max(axis=(0, 1)))


def test_the_grey_map_is_not_pooled(clip, embeddings, models):
    seen = models.vgg16(vgg_mfcc_grey.picture(clip))
    assert seen.shape == (1, 40, 512)
    np.testing.assert_array_equal(embeddings[vgg_mfcc_grey].reshape(1, 40, 512), seen)


@pytest.mark.sweep
def test_embeddings_are_deterministic(clip, embeddings, models):
    for module in ALL:
        np.testing.assert_array_equal(module.embed(copy(clip), models), embeddings[module])


def test_pictures_differ(clip, embeddings, models):
    mel = vgg_mel.embed(clip, models)
    for module in POOLED:
        one = embeddings[module]
        assert one @ mel / np.linalg.norm(one) / np.linalg.norm(mel) < 0.95


def test_a_clip_and_a_kind_of_picture_run_the_network_once(clip, models):
    store, own = CountingStore(models), copy(clip)
    for _ in range(2):
        for module in (vgg_mfcc_grey, vgg_mfcc):
            module.embed(own, store)
    assert [picture.shape for picture in store.shown] == [(32, 1_293, 3), (480, 640, 3)]
    assert own not in store.feature_maps


def test_two_stores_keep_their_own_maps(clip, models):
    own = copy(clip)
    assert vgg_mfcc_grey.embed(own, Blank()).max() == 0
    assert vgg_mfcc_grey.embed(own, models).max() > 0


def test_the_mel_maps_are_the_stores_own(clip):
    store, own = Blank(), copy(clip)
    vgg_mel.embed(own, store)
    assert own in store.feature_maps


@pytest.fixture(scope="module")
def cache(clip, models, embeddings, tmp_path_factory):
    """A feature cache that knows the clip's grey picture."""
    folder = tmp_path_factory.mktemp("cache")
    vgg_mfcc_grey.embed(copy(clip), CountingStore(models, folder))
    return folder


def test_the_cache_replaces_the_network(cache, clip, models, embeddings):
    store = CountingStore(models, cache)
    kept = vgg_mfcc_grey.embed(copy(clip), store)
    assert store.shown == []
    np.testing.assert_array_equal(kept, embeddings[vgg_mfcc_grey].astype(np.float16))


def test_the_cache_distinguishes_pictures(cache, clip, models):
    (file,) = cache.iterdir()
    assert file.name.startswith(f"mfcc-grey-{models.checksum('vgg16')[:8]}-")
    store = Blank(feature_cache=cache)
    for module in POOLED:
        assert module.embed(copy(clip), store).max() == 0
    assert len(list(cache.iterdir())) == 3
    names = {path.name.removesuffix(file.name[-40:]) for path in cache.iterdir()}
    assert len(names) == 3


def test_a_cached_map_of_another_grid_is_computed_again(clip, models, tmp_path):
    store = CountingStore(models, tmp_path)
    vgg_mfcc_grey.embed(copy(clip), store)
    (file,) = tmp_path.iterdir()
    np.save(file, np.zeros((15, 20, 512), np.float16))
    assert vgg_mfcc_grey.embed(copy(clip), store).max() > 0
    assert len(store.shown) == 2


def test_a_cache_that_cannot_be_written_is_left_out(clip, tmp_path):
    (tmp_path / "cache").write_text("a file")
    store = Blank(feature_cache=tmp_path / "cache")
    assert vgg_mfcc_grey.embed(copy(clip), store).max() == 0
    assert (tmp_path / "cache").read_text() == "a file"
