"""Tests of `yamnet` and `yamnet_classes` against the network's outputs."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.models import FILES, ModelStore, yamnet_features
from soundalike.models import yamnet as network
from soundalike.representations import yamnet, yamnet_classes


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


@pytest.fixture(scope="module")
def output(clip, models) -> network.Output:
    return models.yamnet(network.patches(network.spectrogram(clip), yamnet_features.STEP))


def test_yamnet_is_the_mean_of_the_embeddings(clip, output, models) -> None:
    embedding = yamnet.embed(clip, models)
    assert embedding.shape == (yamnet.DIM,) == (1_024,)
    assert embedding.dtype == np.float32
    assert embedding.min() >= 0
    np.testing.assert_allclose(embedding, output.embeddings.mean(axis=0), atol=1e-5)


def test_yamnet_classes_is_the_mean_of_the_probabilities(clip, output, models) -> None:
    embedding = yamnet_classes.embed(clip, models)
    assert embedding.shape == (yamnet_classes.DIM,) == (521,)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, output.probabilities.mean(axis=0), atol=1e-6)
    assert 0 <= embedding.min() <= embedding.max() <= 1


def test_music_is_music(clip, models) -> None:
    names = network.class_names(paths.MODELS / FILES["yamnet"])
    assert names[int(yamnet_classes.embed(clip, models).argmax())] == "Music"


def test_the_network_runs_once_a_clip(clip, models) -> None:
    store, runs = ModelStore(), []

    def counted(batch):
        runs.append(len(batch))
        return models.yamnet(batch)

    store._loaded["yamnet"] = counted
    first = yamnet.embed(clip, store)
    yamnet_classes.embed(clip, store)
    yamnet.moments(clip, store)
    np.testing.assert_array_equal(yamnet.embed(clip, store), first)
    assert runs == [31]


def test_a_clip_needs_a_second(models) -> None:
    with pytest.raises(ValueError, match="a patch has 96 frames"):
        yamnet_features.output(Clip(np.zeros(20_000, np.float32)), models)
