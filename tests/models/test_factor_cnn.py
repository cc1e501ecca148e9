"""Tests of the network that predicts factors: its layers by hand, and its file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import ModelError
from soundalike.models import factor_cnn
from soundalike.models.factor_cnn import FactorCNN


@pytest.fixture(scope="module")
def network() -> FactorCNN:
    """First weights, with biases that are not 0, and a scale of its own for each band."""
    built = factor_cnn.build(seed=3)
    rng = np.random.default_rng(0)
    built.set_weights([w if w.ndim > 1 else rng.normal(0, 0.3, w.shape) for w in built.get_weights()])
    mean, deviation = rng.uniform(-40, -20, 128), rng.uniform(5, 15, 128)
    return FactorCNN(built.get_weights(), mean.astype(np.float32), deviation.astype(np.float32))


def spectrogram(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-80, 0, (128, frames)).astype(np.float32)


def by_hand(mel: np.ndarray, network: FactorCNN) -> np.ndarray:
    """The factors of one window of 129 frames, in float64."""
    w = [weight.astype(np.float64) for weight in network.layers]
    x = (mel.T.astype(np.float64) - network.mean) / network.deviation
    for layer, pool in enumerate((4, 2, 2)):
        kernel, bias = w[2 * layer], w[2 * layer + 1]
        steps = range(len(x) - 3)
        x = np.stack([np.tensordot(x[i : i + 4], kernel, 2) + bias for i in steps]).clip(0)
        x = x[: len(x) // pool * pool].reshape(-1, pool, 64).max(axis=1)
    pooled = np.concatenate([x.mean(axis=0), x.max(axis=0), np.sqrt((x**2).mean(axis=0) + 1e-6)])
    hidden = (pooled @ w[6] + w[7]).clip(0)
    return hidden @ w[8] + w[9]


def test_outputs_by_hand(network):
    mel = spectrogram(129)
    expected = by_hand(mel, network)
    found = network(mel)
    assert found.shape == (factor_cnn.FACTORS,) == (40,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_a_clip_is_the_mean_of_its_stretches(network):
    mel = spectrogram(1_293)
    windows = [network(mel[:, 129 * i : 129 * (i + 1)]) for i in range(10)]
    np.testing.assert_allclose(network(mel), np.mean(windows, axis=0), atol=1e-4)


def test_half_precision_spectrograms_are_taken(network):
    mel = spectrogram(258)
    np.testing.assert_allclose(network(mel.astype(np.float16)), network(mel), atol=0.05)


def test_the_first_weights_follow_the_seed():
    first, again, other = (factor_cnn.build(seed).get_weights() for seed in (0, 0, 1))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


def test_save_and_load(network, tmp_path):
    for name in ("one.npz", "other.npz"):
        network.save(tmp_path / name)
    loaded = FactorCNN.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(loaded(spectrogram(300)), network(spectrogram(300)))
    loaded.save(tmp_path / "again.npz")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*cf-regression LIBRARY.*\.$"):
        FactorCNN.load(tmp_path / "none.npz")


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


SCALE = {"mean": np.zeros(128), "deviation": np.ones(128)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"These are words.\n" * 100,
        npz(),
        npz(**SCALE),
        npz(**SCALE, weight_00=np.zeros((4, 128, 64))),
        npz(mean=np.zeros(128), deviation=np.ones(3)),
        npz(mean=np.array(["x"]), deviation=np.ones(128)),
    ],
    ids=["empty", "text", "no arrays", "no weights", "too few", "another scale", "words"],
)
def test_a_damaged_file(content, tmp_path: Path):
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        FactorCNN.load(path)
    assert str(path) in str(caught.value)
