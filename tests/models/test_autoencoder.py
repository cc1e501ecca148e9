"""Tests of the MFCC autoencoder: its layers by hand, its reconstruction, and its file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.errors import ModelError
from soundalike.features import spectral
from soundalike.models import autoencoder
from soundalike.models.autoencoder import Autoencoder
from soundalike.representations import mfcc_autoencoder

BUNDLED = paths.MODELS / "mfcc_autoencoder.npz"
STRIDES = ((2, 3), (2, 3), (5, 3), (1, 3))


@pytest.fixture(scope="module")
def untrained() -> Autoencoder:
    """First weights, with biases that are not 0."""
    network = autoencoder.build(seed=3)
    rng = np.random.default_rng(0)
    network.set_weights(
        [w if w.ndim > 1 else rng.uniform(-0.5, 0.5, w.shape) for w in network.get_weights()]
    )
    return Autoencoder(network.get_weights())


@pytest.fixture(scope="module")
def matrix(library_clip) -> np.ndarray:
    clip = analysis_window(decoding.decode(library_clip))
    return spectral.standardise(spectral.mfcc(clip))


def padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """What "same" adds before and after: one output for every `stride` inputs."""
    whole = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return whole // 2, whole - whole // 2


def elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def convolve(x: np.ndarray, kernel: np.ndarray, stride: tuple[int, int]) -> np.ndarray:
    """A strided convolution, its output position by position."""
    pads = [padding(x.shape[axis], kernel.shape[axis], stride[axis]) for axis in (0, 1)]
    padded = np.pad(x, (*pads, (0, 0)))
    shape = tuple(-(-x.shape[axis] // stride[axis]) for axis in (0, 1))
    result = np.zeros((*shape, kernel.shape[3]))
    for i, j in np.ndindex(*shape):
        top, left = i * stride[0], j * stride[1]
        window = padded[top : top + kernel.shape[0], left : left + kernel.shape[1]]
        result[i, j] = np.tensordot(window, kernel, 3)
    return result


def spread(x: np.ndarray, kernel: np.ndarray, stride: tuple[int, int]) -> np.ndarray:
    """Its transpose: every position adds a kernel to the output."""
    shape = (x.shape[0] * stride[0], x.shape[1] * stride[1])
    pads = [padding(shape[axis], kernel.shape[axis], stride[axis]) for axis in (0, 1)]
    padded = np.zeros((shape[0] + sum(pads[0]), shape[1] + sum(pads[1]), kernel.shape[2]))
    for i, j in np.ndindex(*x.shape[:2]):
        top, left = i * stride[0], j * stride[1]
        padded[top : top + kernel.shape[0], left : left + kernel.shape[1]] += kernel @ x[i, j]
    return padded[pads[0][0] :, pads[1][0] :][: shape[0], : shape[1]]


def by_hand(matrix: np.ndarray, weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Code and reconstruction in float64."""
    w = [weight.astype(np.float64) for weight in weights]
    x = np.pad(matrix.astype(np.float64), ((0, 0), (0, 3)))[..., np.newaxis]
    for layer, stride in enumerate(STRIDES):
        x = convolve(x, w[2 * layer], stride) + w[2 * layer + 1]
        x = x if layer == 3 else elu(x)
    code = x.ravel()
    for layer, stride in enumerate(reversed(STRIDES), start=4):
        x = spread(x, w[2 * layer], stride) + w[2 * layer + 1]
        x = x if layer == 7 else elu(x)
    return code, x[:, :1_293, 0]


def test_shapes():
    network = autoencoder.build(seed=0)
    assert network.input_shape == (None, 20, 1_293, 1)
    assert [tuple(output.shape) for output in network.outputs] == [(None, 512), (None, 20, 1_293, 1)]
    assert autoencoder.DIM == mfcc_autoencoder.DIM == 512


def test_outputs_by_hand(untrained, matrix):
    code, drawn = by_hand(matrix, untrained.layers)
    np.testing.assert_allclose(untrained.embed(matrix), code, atol=1e-3 * np.abs(code).max())
    np.testing.assert_allclose(untrained.reconstruct(matrix), drawn, atol=1e-3 * np.abs(drawn).max())


def test_the_first_weights_follow_the_seed():
    first, again, other = (autoencoder.build(seed).get_weights() for seed in (0, 0, 1))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


def test_a_batch_gives_what_its_members_give(untrained, matrix):
    codes, drawn = untrained(np.stack([matrix, -matrix]))
    np.testing.assert_allclose(codes[1], untrained.embed(-matrix), atol=1e-4)
    np.testing.assert_allclose(drawn[0], untrained.reconstruct(matrix), atol=1e-4)


def test_the_reconstruction_depends_only_on_the_code(untrained, matrix):
    """Two of three numbers a frame could not survive in 512 of 25,860."""
    assert untrained.embed(matrix).shape == (512,)
    error = np.square(matrix - untrained.reconstruct(matrix)).mean()
    assert error > 0.5


def test_the_bundled_autoencoder_reconstructs_better_than_zeros(models, matrix):
    drawn = models.autoencoder.reconstruct(matrix)
    assert drawn.shape == (20, 1_293)
    assert drawn.dtype == np.float32
    assert np.square(matrix - drawn).mean() < 0.8 * np.square(matrix).mean()


def test_a_clip_is_embedded_by_its_standardised_mfcc(models, matrix, library_clip):
    clip = analysis_window(decoding.decode(library_clip))
    embedding = mfcc_autoencoder.embed(clip, models)
    assert embedding.shape == (512,)
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(embedding, models.autoencoder.embed(matrix))
    np.testing.assert_array_equal(embedding, mfcc_autoencoder.embed(clip, models))


def test_the_bundled_file_is_small():
    assert BUNDLED.stat().st_size < 2_000_000
    card = BUNDLED.with_suffix(".md").read_text(encoding="utf-8")
    assert "| predicting zero | 1.000 | 0.0% |" in card


def test_save_and_load(untrained, matrix, tmp_path):
    path = tmp_path / "folder" / "own.npz"
    untrained.save(path)
    loaded = Autoencoder.load(path)
    np.testing.assert_allclose(loaded.embed(matrix), untrained.embed(matrix), rtol=0.01, atol=0.01)
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*mfcc-autoencoder LIBRARY.*\.$") as caught:
        Autoencoder.load(tmp_path / "none.npz")
    assert len(str(caught.value).splitlines()) == 1


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"These are words.\n" * 100,
        lambda: BUNDLED.read_bytes()[: BUNDLED.stat().st_size // 2],
        npz,
        lambda: npz(weight_00=np.zeros((5, 7, 1, 16))),
        lambda: npz(weight_00=np.array(["x"])),
    ],
    ids=["empty", "text", "truncated", "no arrays", "too few", "words"],
)
def test_a_damaged_file(make, tmp_path: Path):
    path = tmp_path / "own.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        Autoencoder.load(path)
    assert str(path) in str(caught.value)
