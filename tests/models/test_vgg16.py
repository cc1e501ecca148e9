"""Tests of VGG16: architecture, weights, and the feature maps of Keras Applications."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike import paths
from soundalike.errors import ModelError
from soundalike.models import runtime, vgg16

WEIGHTS = paths.MODELS / "vgg16_notop_fp16.npz"
FILTERS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


@pytest.fixture(scope="module")
def network():
    return vgg16.build(vgg16.read(WEIGHTS))


def convolutions(network) -> list:
    return [layer for layer in network.layers if "conv" in layer.name]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def test_architecture(network):
    layers = convolutions(network)
    assert tuple(layer.filters for layer in layers) == FILTERS
    assert {(layer.kernel_size, layer.padding, layer.activation.__name__) for layer in layers} == {
        ((3, 3), "same", "relu")
    }
    assert network.count_params() == 14_714_688
    assert len([layer for layer in network.layers if layer.name.endswith("pool")]) == 5


def test_weights_are_those_of_the_file(network):
    with np.load(WEIGHTS, allow_pickle=False) as arrays_:
        assert len(arrays_.files) == 26
        for layer in convolutions(network):
            kernel, bias = layer.get_weights()
            np.testing.assert_array_equal(kernel, arrays_[f"{layer.name}_kernel"])
            np.testing.assert_array_equal(bias, arrays_[f"{layer.name}_bias"])


def test_the_file_matches_its_model_card():
    card = WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    (sha256,) = re.findall(r"`([0-9a-f]{64})`", card)
    assert paths.sha256_of(WEIGHTS) == sha256


def test_feature_map_of_a_spectrograms_size(models):
    feature_map = models.vgg16(picture(480, 640))
    assert feature_map.shape == (15, 20, 512) == (*vgg16.GRID, vgg16.CHANNELS)
    assert feature_map.dtype == np.float32
    assert feature_map.min() == 0.0
    assert np.isfinite(feature_map).all()
    assert 0.01 < (feature_map > 0).mean() < 0.9


def test_same_maps_as_keras_applications(network, monkeypatch):
    import keras

    monkeypatch.setenv(runtime.VARIABLE, "openvino-f32")

    own = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 96, 3))
    own.set_weights(network.get_weights())
    image = picture(64, 96)
    expected = np.asarray(own(image[np.newaxis].astype(np.float32), training=False)[0])
    feature_map = vgg16.VGG16(WEIGHTS)(image)
    assert feature_map.shape == (2, 3, 512)
    np.testing.assert_allclose(feature_map, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_the_first_convolution_by_hand(network):
    import keras

    image = picture(8, 9).astype(np.float32)
    first = keras.Model(network.inputs[0], network.get_layer("block1_conv1").output)
    kernel, bias = network.get_layer("block1_conv1").get_weights()
    by_hand = np.zeros((8, 9, 64)) + bias
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    for row in range(3):
        for column in range(3):
            by_hand += padded[row : row + 8, column : column + 9] @ kernel[row, column]
    result = np.asarray(first(image[np.newaxis])[0])
    np.testing.assert_allclose(result, by_hand.clip(0), rtol=1e-3, atol=1e-2)


def test_the_order_of_channels_counts(models):
    image = picture(64, 64)
    assert not np.allclose(models.vgg16(image), models.vgg16(image[:, :, ::-1]))


def test_the_same_image_gives_the_same_map_from_any_thread(models):
    image = picture(64, 64)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(models.vgg16(image))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = models.vgg16(image)
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
        elements=st.floats(-100, 100, width=32),
    ),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_max_pool_by_hand(feature_map, pool):
    rows, columns = feature_map.shape[0] // pool[0], feature_map.shape[1] // pool[1]
    if not rows or not columns:
        return
    pooled = vgg16.max_pool(feature_map, pool)
    assert pooled.shape == (rows, columns, feature_map.shape[2])
    for row in range(rows):
        for column in range(columns):
            cell = feature_map[
                row * pool[0] : (row + 1) * pool[0], column * pool[1] : (column + 1) * pool[1]
            ]
            assert (pooled[row, column] == cell.max(axis=(0, 1))).all()


@pytest.mark.parametrize(("pool", "shape"), [((3, 2), (5, 10, 512)), ((2, 2), (7, 10, 512))])
def test_the_pools_of_the_method(pool, shape):
    assert vgg16.max_pool(np.zeros((15, 20, 512), np.float32), pool).shape == shape


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*\.$") as caught:
        vgg16.VGG16(tmp_path / "none.npz")
    assert len(str(caught.value).splitlines()) == 1


def first_megabyte() -> bytes:
    with WEIGHTS.open("rb") as file:
        return file.read(2**20)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"These are words.\n" * 100,
        first_megabyte,
        npy,
        npz,
        lambda: npz(block1_conv1_kernel=np.zeros((3, 3, 3, 64)), block1_conv1_bias=np.zeros(32)),
        lambda: npz(block1_conv1_kernel=np.array([None]), block1_conv1_bias=np.zeros(64)),
    ],
    ids=["empty", "text", "truncated", "one array", "no arrays", "other shapes", "objects"],
)
def test_a_damaged_file(make, tmp_path: Path):
    path = tmp_path / "weights.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        vgg16.VGG16(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)
