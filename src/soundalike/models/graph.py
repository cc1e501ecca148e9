"""Layers as OpenVINO operations that take the weights of the equivalent Keras layers.

Conventions: activations are in OpenVINO's order, [batch, channels, rows, columns] (or [batch, channels,
steps]). Kernels are given in Keras's order, [rows, columns, in, out], and transposed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.models.openvino_import import import_openvino

Node = Any
"""An OpenVINO node, for which mypy has no type."""
Array = NDArray[np.floating]


def ops() -> Any:
    """OpenVINO's operations."""
    return import_openvino().opset13


def parameter(shape: Sequence[int]) -> Node:
    """A float32 input."""
    return ops().parameter(list(shape), np.float32)


def model(outputs: Sequence[Node], given: Node) -> Any:
    """A graph from an input to its outputs, in order."""
    return import_openvino().Model([ops().result(node) for node in outputs], [given])


def channels_first(x: Node) -> Node:
    """Transpose [batch, ..., channels] to [batch, channels, ...]."""
    rank = len(x.output(0).get_partial_shape())
    return ops().transpose(x, np.array([0, rank - 1, *range(1, rank - 1)]))


def channels_last(x: Node) -> Node:
    """Transpose [batch, channels, ...] to [batch, ..., channels]."""
    rank = len(x.output(0).get_partial_shape())
    return ops().transpose(x, np.array([0, *range(2, rank), 1]))


def convolution(
    x: Node,
    weights: Sequence[Array],
    pads: Sequence[Sequence[int]] | None = None,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
) -> Node:
    """A convolution with bias, over all axes of the kernel except its channels.

    Parameters
    ----------
    weights : kernel [shape=(*window, in, out)] and bias [shape=(out,)]
    pads : zero padding before and after, by axis; none by default
    """
    kernel, bias = weights
    axes = kernel.ndim - 2
    before, after = zip(*(pads or [(0, 0)] * axes), strict=True)
    transposed = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    one = [1] * axes
    y = ops().convolution(
        x, _weights(transposed), strides or one, list(before), list(after), dilations or one
    )
    return ops().add(y, _constant(bias.reshape(1, -1, *one)))


def depthwise_convolution(
    x: Node, weights: Sequence[Array], pads: Sequence[Sequence[int]], strides: Sequence[int]
) -> Node:
    """A depthwise convolution with bias.

    Parameters
    ----------
    weights : kernel [shape=(rows, columns, channels, 1)] and bias [shape=(channels,)]
    pads : zero padding before and after, by axis
    """
    kernel, bias = weights
    before, after = zip(*pads, strict=True)
    grouped = np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)[:, np.newaxis])
    y = ops().group_convolution(x, _weights(grouped), list(strides), list(before), list(after), [1, 1])
    return ops().add(y, _constant(bias.reshape(1, -1, 1, 1)))


def transposed_convolution(x: Node, weights: Sequence[Array], strides: Sequence[int]) -> Node:
    """A transposed convolution with "same" padding, which multiplies sizes by the strides.

    Parameters
    ----------
    weights : kernel [shape=(rows, columns, out, in)], no side shorter than its stride, and bias
    """
    kernel, bias = weights
    cut = [size - stride for size, stride in zip(kernel.shape[:2], strides, strict=True)]
    y = ops().convolution_backprop_data(
        x,
        _weights(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))),
        list(strides),
        pads_begin=[total // 2 for total in cut],
        pads_end=[total - total // 2 for total in cut],
    )
    return ops().add(y, _constant(bias.reshape(1, -1, 1, 1)))


def norm(x: Node, parts: Sequence[Array], axis: int = 1, epsilon: float = 1e-3) -> Node:
    """Batch normalisation with trained gamma, beta, mean and variance, each [shape=(n,)]."""
    gamma, beta, mean, variance = (np.asarray(part, np.float64) for part in parts)
    scale = gamma / np.sqrt(variance + epsilon)
    shape = [1] * len(x.output(0).get_partial_shape())
    shape[axis] = -1
    y = ops().multiply(x, _constant(scale.reshape(shape)))
    return ops().add(y, _constant((beta - mean * scale).reshape(shape)))


def dense(x: Node, weights: Sequence[Array]) -> Node:
    """A dense layer over [batch, in]: kernel [shape=(in, out)] and bias."""
    kernel, bias = weights
    # Float32, because OpenVINO 2026.4 gives wrong products for half-precision weights of odd width.
    return ops().add(ops().matmul(x, _constant(kernel), False, False), _constant(bias.reshape(1, -1)))


def pool(x: Node, size: Sequence[int]) -> Node:
    """Max-pooling; incomplete windows are dropped."""
    none = [0] * len(size)
    return import_openvino().opset1.max_pool(x, list(size), none, none, list(size))


def flatten(x: Node) -> Node:
    """Flatten [batch, channels, ...] to [batch, n] in Keras's order, channels last."""
    return ops().reshape(channels_last(x), np.array([0, -1]), True)


def leaky(x: Node, slope: float) -> Node:
    """Leaky ReLU: x if positive, slope times x otherwise."""
    return ops().prelu(x, _constant(np.array([slope])))


def between(x: Node, start: int, end: int, axis: int) -> Node:
    """The positions from `start` to before `end` along an axis."""
    one = np.array([1])
    return ops().slice(x, np.array([start]), np.array([end]), one, np.array([axis]))


def padded(x: Node, zeros: tuple[int, int], axis: int) -> Node:
    """Zero padding before and after x along an axis."""
    before, after = ([0] * len(x.output(0).get_partial_shape()) for _ in range(2))
    before[axis], after[axis] = zeros
    return ops().pad(x, np.array(before), np.array(after), "constant")


def largest(x: Node, axis: int) -> Node:
    """The maximum along an axis, which is removed."""
    return ops().reduce_max(x, np.array([axis]), False)


def largest_in_rows(x: Node) -> Node:
    """The maximum of each row of [batch, channels, rows, columns], by pooling.

    OpenVINO takes two to three times as long for `largest`.
    """
    columns = x.output(0).get_partial_shape()[3].get_length()
    return ops().squeeze(pool(x, [1, columns]), np.array([3]))


def mean(x: Node, axis: int) -> Node:
    """The mean along an axis, which is removed."""
    return ops().reduce_mean(x, np.array([axis]), False)


def number(value: float) -> Node:
    """A scalar constant."""
    return ops().constant(np.float32(value))


def _constant(values: Array) -> Node:
    return ops().constant(np.ascontiguousarray(values, np.float32))


def _weights(values: Array) -> Node:
    """Constant weights; half-precision weights are converted when the network is compiled."""
    if values.dtype == np.float16:
        return ops().convert(ops().constant(values), "f32")
    return _constant(values)
