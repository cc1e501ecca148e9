"""Tests of `musicnn` and `musicnn_tags`: what they take from the tagger, and what a shift changes."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike import audio
from soundalike.audio import Clip
from soundalike.models import ModelStore, tagger
from soundalike.representations import musicnn, musicnn_features, musicnn_tags


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return audio.analysis_window(audio.decode(library_clip))


@pytest.fixture(scope="module")
def heard(clip, models) -> tagger.Heard:
    return models.tagger(tagger.patches(tagger.spectrogram(clip)))


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_musicnn_is_the_mean_of_the_penultimate_layer(clip, heard, models):
    embedding = musicnn.embed(clip, models)
    assert embedding.shape == (musicnn.DIM,) == (200,)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.mean(heard.penultimate, axis=0), atol=1e-5)


def test_musicnn_tags_is_the_sum_of_likelihoods(clip, heard, models):
    embedding = musicnn_tags.embed(clip, models)
    assert embedding.shape == (musicnn_tags.DIM,) == (50,)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.sum(heard.tags, axis=0), atol=1e-5)
    assert 0 <= embedding.min() <= embedding.max() <= 10


def test_the_network_runs_once_a_clip(clip, models):
    store = ModelStore()
    runs = []

    def counted(batch):
        runs.append(len(batch))
        return models.tagger(batch)

    store._loaded["musicnn"] = counted
    first = musicnn.embed(clip, store)
    musicnn_tags.embed(clip, store)
    np.testing.assert_array_equal(musicnn.embed(clip, store), first)
    assert runs == [10]


def test_the_same_samples_give_the_same_bytes(clip, models):
    again = Clip(clip.samples.copy())
    for embed in (musicnn.embed, musicnn_tags.embed):
        np.testing.assert_array_equal(embed(again, models), embed(clip, models))


def test_a_shifted_copy_sounds_the_same(clip, models):
    shifted = Clip(np.roll(clip.samples, 3 * audio.SAMPLE_RATE))
    for embed in (musicnn.embed, musicnn_tags.embed):
        assert cosine(embed(shifted, models), embed(clip, models)) > 0.97


def test_a_clip_needs_three_seconds(models):
    with pytest.raises(ValueError, match="a patch has 187 frames"):
        musicnn_features.heard(Clip(np.zeros(22_050, np.float32)), models)


def test_what_they_hear_is_said():
    for module in (musicnn, musicnn_tags):
        assert len(module.HEARS) > 200
        assert "\n" not in module.HEARS
