"""Tests of the genre head: its architecture against a plain computation, and its file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from soundalike import paths
from soundalike.errors import ModelError
from soundalike.models import genre_head
from soundalike.models.genre_head import GenreHead

GENRES = ("Ambient", "Folk", "Jazz")
BUNDLED = paths.MODELS / "genre_head.npz"


def inputs(n: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).exponential(10.0, (n, *genre_head.INPUT_SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def head() -> GenreHead:
    """A head of random weights, its batch normalisation with statistics of its own."""
    network = genre_head.build(len(GENRES), seed=0)
    rng = np.random.default_rng(1)
    network.set_weights(
        [w if w.ndim > 1 else rng.uniform(0.5, 1.5, w.shape) for w in network.get_weights()]
    )
    return GenreHead(network.get_weights(), GENRES)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.3 * x)


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    height, width = x.shape[1] - 1, x.shape[2] - 1
    result = np.zeros((len(x), height, width, kernel.shape[-1])) + bias
    for row in range(2):
        for column in range(2):
            result += x[:, row : row + height, column : column + width] @ kernel[row, column]
    return result


def normalise(x: np.ndarray, gamma, beta, mean, variance) -> np.ndarray:
    return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta


def by_hand(x: np.ndarray, weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The head's features and probabilities, layer by layer in float64."""
    w = [weight.astype(np.float64) for weight in weights]
    x = normalise(leaky(convolve(x, *w[0:2])), *w[2:6])
    x = normalise(leaky(convolve(x, *w[6:8])), *w[8:12])
    x = x[:, :4, :8].reshape(len(x), 2, 2, 4, 2, 64).max(axis=(2, 4)).reshape(len(x), 512)
    x = leaky(x @ w[12] + w[13])
    features = leaky(x @ w[14] + w[15])
    scores = np.exp(features @ w[16] + w[17] - (features @ w[16] + w[17]).max(axis=1, keepdims=True))
    return features, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_genres", [3, 8, 10])
def test_parameters(n_genres):
    network = genre_head.build(n_genres, seed=0)
    convolutions = (4 * 512 + 1) * 128 + (4 * 128 + 1) * 64
    normalisations = 4 * (128 + 64)
    dense = 513 * 64 + 65 * 32 + 33 * n_genres
    assert network.count_params() == convolutions + normalisations + dense
    assert network.input_shape == (None, 7, 10, 512)
    assert [tuple(output.shape) for output in network.outputs] == [(None, 32), (None, n_genres)]
    assert genre_head.DIM == 32


def test_layers():
    names = [type(layer).__name__ for layer in genre_head.build(8, seed=0).layers[1:]]
    assert names == [
        *("Conv2D", "LeakyReLU", "BatchNormalization", "Dropout"),
        *("Conv2D", "LeakyReLU", "BatchNormalization", "MaxPooling2D", "Flatten", "Dropout"),
        *("Dense", "LeakyReLU", "Dropout", "Dense", "LeakyReLU", "Dense"),
    ]


def test_regularisation_and_dropout():
    layers = genre_head.build(8, seed=0).layers
    strengths = [float(layer.kernel_regularizer.l2) for layer in layers if "conv" in layer.name]
    assert strengths == pytest.approx([0.01, 0.01])
    assert [layer.rate for layer in layers if "dropout" in layer.name] == [0.5] * 3


def test_initialisation_follows_the_seed_and_he():
    def weights(seed: int) -> list[np.ndarray]:
        return genre_head.build(8, seed).get_weights()

    first, again, other = weights(0), weights(0), weights(1)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])
    for kernel in (w for w in first if w.ndim > 1):
        expected = np.sqrt(2 / np.prod(kernel.shape[:-1]))
        assert kernel.std() == pytest.approx(expected, rel=0.15)


def test_outputs(head):
    features, probabilities = head(inputs())
    assert features.shape == (4, 32)
    assert probabilities.shape == (4, 3)
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert probabilities.min() >= 0


def test_outputs_by_hand(head):
    features, probabilities = head(inputs())
    expected_features, expected_probabilities = by_hand(inputs(), head.layers)
    np.testing.assert_allclose(
        features, expected_features, rtol=1e-3, atol=1e-3 * np.abs(expected_features).max()
    )
    np.testing.assert_allclose(probabilities, expected_probabilities, atol=1e-3)


def test_a_batch_gives_what_its_members_give(head):
    together = head(inputs())[0]
    alone = np.concatenate([head(inputs()[i : i + 1])[0] for i in range(4)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)


def test_calling_changes_nothing(head):
    before = [w.copy() for w in head.layers]
    first, second = head(inputs()), head(inputs())
    np.testing.assert_array_equal(first[0], second[0])
    for kept, now in zip(before, head.layers, strict=True):
        np.testing.assert_array_equal(kept, now)


def test_head_input_is_the_map_pooled_by_two():
    feature_map = np.random.default_rng(0).uniform(0, 1, (15, 20, 512)).astype(np.float32)
    feature_map[14] = 100
    pooled = genre_head.head_input(feature_map)
    assert pooled.shape == genre_head.INPUT_SHAPE
    np.testing.assert_array_equal(pooled[3, 4], feature_map[6:8, 8:10].max(axis=(0, 1)))
    assert pooled.max() < 100


def test_the_bundled_head(models):
    head = models.genre_head
    assert len(head.genres) == len(set(head.genres)) >= 8
    probabilities = head(inputs())[1]
    assert probabilities.shape == (4, len(head.genres))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_save_and_load(head, tmp_path):
    path = tmp_path / "folder" / "head.npz"
    head.save(path)
    loaded = GenreHead.load(path)
    assert loaded.genres == GENRES
    for saved, read in zip(head.layers, loaded.layers, strict=True):
        np.testing.assert_array_equal(saved, read)
    np.testing.assert_array_equal(head(inputs())[0], loaded(inputs())[0])


def test_the_same_head_gives_the_same_bytes(head, tmp_path):
    for name in ("one.npz", "other.npz"):
        head.save(tmp_path / name)
    GenreHead.load(tmp_path / "one.npz").save(tmp_path / "again.npz")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*\.$") as caught:
        GenreHead.load(tmp_path / "none.npz")
    assert len(str(caught.value).splitlines()) == 1


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def bundled(edit) -> bytes:
    source = bytearray(BUNDLED.read_bytes())
    edit(source)
    return bytes(source)


def halve(source: bytearray) -> None:
    del source[len(source) // 2 :]


def overwrite(source: bytearray) -> None:
    source[len(source) // 2 : len(source) // 2 + 100] = b"x" * 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"These are words.\n" * 100,
        lambda: bundled(halve),
        lambda: bundled(overwrite),
        npy,
        npz,
        lambda: npz(genres=np.array(GENRES)),
        lambda: npz(genres=np.array(3), weight_00=np.zeros(3)),
        lambda: npz(genres=np.array(GENRES), weight_00=np.zeros((2, 2, 512, 64))),
        lambda: npz(genres=np.array([None, None]), weight_00=np.zeros(3)),
    ],
    ids=[
        *("empty", "text", "truncated", "overwritten", "one array", "no arrays"),
        *("no weights", "no list of genres", "other shapes", "objects"),
    ],
)
def test_a_damaged_file(make, tmp_path: Path):
    path = tmp_path / "head.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        GenreHead.load(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)


def test_a_head_of_other_genres_than_its_weights(models, tmp_path):
    path = tmp_path / "head.npz"
    GenreHead(models.genre_head.layers, ("Only", "two")).save(path)
    with pytest.raises(ModelError, match="is damaged"):
        GenreHead.load(path)
