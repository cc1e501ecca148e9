"""Tests of layers as OpenVINO operations, against computations by hand."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.models import graph
from soundalike.models.runtime import Network


def run(make, shape: tuple[int, ...], batch: np.ndarray) -> np.ndarray:
    """The output of a layer for a batch, in single precision."""

    def model(make, given):
        x = graph.parameter(given)
        return graph.model([make(x)], x)

    (found,) = Network(shape, lambda: make, model, lambda make: pytest.fail("on TensorFlow"))(batch)
    return found


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("width", [1, 2, 50, 63, 521])
@pytest.mark.parametrize("rows", [1, 3, 61])
def test_dense_of_every_width(dtype, width, rows, monkeypatch):
    """OpenVINO 2026.4 itself multiplies by half-precision weights of an odd width wrongly."""
    monkeypatch.setenv("SOUNDALIKE_RUNTIME", "openvino-f32")
    rng = np.random.default_rng(width)
    kernel = rng.normal(size=(1_024, width)).astype(dtype)
    bias = rng.normal(size=width).astype(np.float32)
    batch = rng.normal(size=(rows, 1_024)).astype(np.float32)
    found = run(lambda x: graph.dense(x, [kernel, bias]), (None, 1_024), batch)
    expected = batch.astype(np.float64) @ kernel.astype(np.float64) + bias
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("stride", "pads"), [(1, (1, 1)), (2, (0, 1))])
def test_depthwise_convolution(stride, pads, monkeypatch):
    monkeypatch.setenv("SOUNDALIKE_RUNTIME", "openvino-f32")
    rng = np.random.default_rng(stride)
    channels, size = 5, 8
    kernel = rng.normal(size=(3, 3, channels, 1)).astype(np.float16)
    bias = rng.normal(size=channels).astype(np.float32)
    batch = rng.normal(size=(2, channels, size, size)).astype(np.float32)
    found = run(
        lambda x: graph.depthwise_convolution(x, [kernel, bias], [pads, pads], [stride, stride]),
        (None, channels, size, size),
        batch,
    )
    padded = np.pad(batch.astype(np.float64), ((0, 0), (0, 0), pads, pads))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    expected = np.einsum("bcijrs,rsc->bcij", windows[:, :, ::stride, ::stride], kernel[..., 0])
    np.testing.assert_allclose(found, expected + bias[:, None, None], rtol=1e-3, atol=1e-3)
