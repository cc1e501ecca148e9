"""Comparison with what the article's author published.

The reference data is in ../shared and not in the project. The last digits depend on the MP3 decoder, the
float16 weights and the version of matplotlib that draws the picture, so the features are compared by
correlation rather than bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.clip import Clip
from soundalike.evaluation import metrics, published
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, genre_head
from soundalike.models.genre_head import GenreHead

pytestmark = pytest.mark.reference

N_TRAIN = 6_397


@pytest.fixture(scope="module")
def folder(shared) -> Path:
    return shared / "seed_reference"


@pytest.fixture(scope="module")
def published_features(folder) -> dict[str, np.ndarray]:
    """The published 32 features by file name, in the published order."""
    features = np.load(folder / "genre_predict4.npy")
    names = np.load(folder / "filename_split_order.npy")
    return dict(zip(names.tolist(), features, strict=True))


@pytest.fixture(scope="module")
def clips(folder) -> dict[str, Clip]:
    return {path.name: decoding.decode(path) for path in sorted((folder / "fma_clips").glob("*.mp3"))}


@pytest.fixture(scope="module")
def head(folder) -> GenreHead:
    """The published head; its softmax is not part of the file."""
    import h5py

    network = genre_head.build(8, seed=0)
    normalisation = ("gamma", "beta", "moving_mean", "moving_variance")
    layers = {
        "conv2d": ("kernel", "bias"),
        "batch_normalization": normalisation,
        "conv2d_1": ("kernel", "bias"),
        "batch_normalization_1": normalisation,
        "dense": ("kernel", "bias"),
        "dense_1": ("kernel", "bias"),
    }
    with h5py.File(folder / "weights4_model.h5") as file:
        weights = file["model_weights"]
        read = [weights[f"{k}/{k}/{name}:0"][()] for k, names in layers.items() for name in names]
    network.set_weights([*read, *network.get_weights()[-2:]])
    return GenreHead(network.get_weights(), "abcdefgh")


@pytest.fixture(scope="module")
def features(clips, head, models: ModelStore) -> dict[str, np.ndarray]:
    """The 32 features of each clip, drawn, mapped and put through the published head here."""

    def of(clip: Clip) -> np.ndarray:
        drawn = spectrogram_image.figure(spectral.mel_spectrogram(clip))
        return head(genre_head.head_input(models.vgg16(drawn))[np.newaxis])[0][0]

    return {name: of(clip) for name, clip in clips.items()}


def test_the_ten_clips_decode_whole(clips):
    assert len(clips) == 10
    for clip in clips.values():
        assert clip.duration == pytest.approx(30.0, abs=0.1)
        assert clip.notes == ()


@pytest.mark.sweep
def test_features_match_published(features, published_features):
    correlations = [np.corrcoef(features[name], published_features[name])[0, 1] for name in features]
    differences = [np.abs(features[name] - published_features[name]).mean() for name in features]
    assert np.mean(correlations) >= 0.98
    assert min(correlations) >= 0.9
    assert np.mean(differences) <= 0.35


def figures(features: np.ndarray, labels: Sequence[str]) -> published.Figures:
    """The article's figures from its features of the training clips, then of the test clips.

    The head's last layer, a softmax over these features, was not published. It is a logistic regression,
    so one is fitted to the features of the training clips.
    """
    from sklearn.linear_model import LogisticRegression

    genres = np.asarray(labels)
    softmax = LogisticRegression(max_iter=5_000).fit(features[:N_TRAIN], genres[:N_TRAIN])
    accuracy = softmax.score(features[N_TRAIN:], genres[N_TRAIN:])
    test, chance = precision(features[N_TRAIN:], genres[N_TRAIN:])
    return published.Figures(accuracy, test, precision(features, genres)[0], chance)


def precision(features: np.ndarray, genres: np.ndarray, block: int = 512) -> tuple[float, float]:
    """Precision at 10 and chance with every track as a query, in blocks of queries."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, norms, out=np.zeros_like(features), where=norms > 0)
    numbers = np.arange(len(unit))
    hits, chances = [], []
    for start in range(0, len(unit), block):
        asked = numbers[start : start + block, np.newaxis]
        similarities = unit[start : start + block] @ unit.T
        scored = metrics.precision_of_nearest(
            similarities, genres[asked] == genres, asked != numbers, published.K
        )
        hits.append(scored[0])
        chances.append(scored[1])
    return float(np.concatenate(hits).mean()), float(np.concatenate(chances).mean())


@pytest.mark.sweep
def test_article_figures_match_published_features(folder, published_features):
    import pandas as pd

    table = pd.read_csv(folder / "fma_small_genre.csv")
    genres = dict(zip(table["filename"].str.slice(4), table["genre"], strict=True))
    labels = [genres[name] for name in published_features]
    found = figures(np.array(list(published_features.values())), labels)
    assert len(labels) - N_TRAIN == 1_600
    for name, value in vars(published.CHECKED).items():
        assert getattr(found, name) == pytest.approx(value, abs=0.001), name


def test_vgg16_weights_match_reference(shared):
    own, given = (
        np.load(path, allow_pickle=False)
        for path in (paths.MODELS / "vgg16_notop_fp16.npz", shared / "models" / "vgg16_notop_fp16.npz")
    )
    with own, given:
        assert sorted(own.files) == sorted(given.files)
        for name in own.files:
            np.testing.assert_array_equal(own[name], given[name])
