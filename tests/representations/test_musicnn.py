"""Tests of `musicnn`, `musicnn_mid` and `musicnn_tags` against the tagger's outputs."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, musicnn_features, tagger
from soundalike.representations import musicnn, musicnn_mid, musicnn_tags


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


@pytest.fixture(scope="module")
def output(clip, models) -> tagger.TaggerOutput:
    return models.tagger(tagger.patches(tagger.spectrogram(clip)))


def test_musicnn_is_the_mean_of_the_penultimate_layer(clip, output, models):
    embedding = musicnn.embed(clip, models)
    assert embedding.shape == (musicnn.DIM,) == (200,)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.mean(output.penultimate, axis=0), atol=1e-5)


def test_musicnn_mid_is_the_second_and_third_convolution(clip, output, models):
    assert tagger.N_POOLED - 128 == 3 * 51 + 2 * 204 + 64
    embedding = musicnn_mid.embed(clip, models)
    assert embedding.shape == (musicnn_mid.DIM,) == (256,)
    assert embedding.dtype == np.float32
    expected = output.pooled[:, 625:753].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(embedding.reshape(128, 2), expected, atol=1e-5)
    largest, mean = embedding[::2], embedding[1::2]
    assert (largest > mean).all()


def test_musicnn_tags_is_the_sum_of_likelihoods(clip, output, models):
    embedding = musicnn_tags.embed(clip, models)
    assert embedding.shape == (musicnn_tags.DIM,) == (50,)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.sum(output.tags, axis=0), atol=1e-5)
    assert 0 <= embedding.min() <= embedding.max() <= 10


def test_the_network_runs_once_a_clip(clip, models):
    store = ModelStore()
    runs = []

    def counted(batch):
        runs.append(len(batch))
        return models.tagger(batch)

    store._loaded["musicnn"] = counted
    first = musicnn.embed(clip, store)
    musicnn_mid.embed(clip, store)
    musicnn_tags.embed(clip, store)
    np.testing.assert_array_equal(musicnn.embed(clip, store), first)
    assert runs == [10]


def test_a_clip_needs_three_seconds(models):
    with pytest.raises(ValueError, match="a patch has 187 frames"):
        musicnn_features.output(Clip(np.zeros(22_050, np.float32)), models)


def test_descriptions():
    for module in (musicnn, musicnn_mid, musicnn_tags):
        assert len(module.DESCRIPTION) > 200
        assert "\n" not in module.DESCRIPTION
