"""Layers as OpenVINO's operations, taking the arrays that Keras's layers of the same kind have.

Conventions: activations are [batch, channels, rows, columns] (or [batch, channels, steps]), OpenVINO's
order; kernels and vectors come in Keras's order, [rows, columns, in, out], and are turned here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.models.openvino_import import import_openvino

Node = Any
"""One of OpenVINO's nodes, which has no type that mypy could follow."""
Array = NDArray[np.floating]


def ops() -> Any:
    """OpenVINO's operations."""
    return import_openvino().opset13


def parameter(shape: Sequence[int]) -> Node:
    """An input of float32 numbers."""
    return ops().parameter(list(shape), np.float32)


def model(outputs: Sequence[Node], given: Node) -> Any:
    """A graph from its input to its outputs, in order."""
    return import_openvino().Model([ops().result(node) for node in outputs], [given])


def channels_first(x: Node) -> Node:
    """[batch, ..., channels] to [batch, channels, ...]."""
    rank = len(x.output(0).get_partial_shape())
    return ops().transpose(x, np.array([0, rank - 1, *range(1, rank - 1)]))


def channels_last(x: Node) -> Node:
    """[batch, channels, ...] to [batch, ..., channels]."""
    rank = len(x.output(0).get_partial_shape())
    return ops().transpose(x, np.array([0, *range(2, rank), 1]))


def convolution(
    x: Node,
    weights: Sequence[Array],
    pads: Sequence[Sequence[int]] | None = None,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
) -> Node:
    """A convolution and its bias, over as many axes as the kernel has beside its channels.

    Parameters
    ----------
    weights : kernel [shape=(*window, in, out)] and bias [shape=(out,)]
    pads : zeros before and after, by axis; none by default
    """
    kernel, bias = weights
    axes = kernel.ndim - 2
    before, after = zip(*(pads or [(0, 0)] * axes), strict=True)
    turned = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    one = [1] * axes
    y = ops().convolution(
        x, _weights(turned), strides or one, list(before), list(after), dilations or one
    )
    return ops().add(y, _constant(bias.reshape(1, -1, *one)))


def depthwise_convolution(
    x: Node, weights: Sequence[Array], pads: Sequence[Sequence[int]], strides: Sequence[int]
) -> Node:
    """A convolution of each channel by itself, and its bias.

    Parameters
    ----------
    weights : kernel [shape=(rows, columns, channels, 1)] and bias [shape=(channels,)]
    pads : zeros before and after, by axis
    """
    kernel, bias = weights
    before, after = zip(*pads, strict=True)
    grouped = np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)[:, np.newaxis])
    y = ops().group_convolution(x, _weights(grouped), list(strides), list(before), list(after), [1, 1])
    return ops().add(y, _constant(bias.reshape(1, -1, 1, 1)))


def transposed_convolution(x: Node, weights: Sequence[Array], strides: Sequence[int]) -> Node:
    """The transpose of a convolution with "same" padding: sizes grow by the strides.

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
    """Batch normalisation with what was learnt: gamma, beta, mean and variance, each [shape=(n,)]."""
    gamma, beta, mean, variance = (np.asarray(part, np.float64) for part in parts)
    scale = gamma / np.sqrt(variance + epsilon)
    shape = [1] * len(x.output(0).get_partial_shape())
    shape[axis] = -1
    y = ops().multiply(x, _constant(scale.reshape(shape)))
    return ops().add(y, _constant((beta - mean * scale).reshape(shape)))


def dense(x: Node, weights: Sequence[Array]) -> Node:
    """A dense layer over [batch, in]: kernel [shape=(in, out)] and bias."""
    kernel, bias = weights
    # In float32: OpenVINO 2026.4 multiplies by half-precision weights wrongly where their width is odd.
    return ops().add(ops().matmul(x, _constant(kernel), False, False), _constant(bias.reshape(1, -1)))


def pool(x: Node, size: Sequence[int]) -> Node:
    """The largest value of each window; what does not fill one drops out."""
    none = [0] * len(size)
    return import_openvino().opset1.max_pool(x, list(size), none, none, list(size))


def flatten(x: Node) -> Node:
    """[batch, channels, ...] to [batch, n] in Keras's order, channels last."""
    return ops().reshape(channels_last(x), np.array([0, -1]), True)


def leaky(x: Node, slope: float) -> Node:
    """x where that is positive, and slope times x elsewhere."""
    return ops().prelu(x, _constant(np.array([slope])))


def first(x: Node, count: int, axis: int) -> Node:
    """The first positions along an axis."""
    return between(x, 0, count, axis)


def between(x: Node, start: int, end: int, axis: int) -> Node:
    """The positions along an axis from one up to another."""
    one = np.array([1])
    return ops().slice(x, np.array([start]), np.array([end]), one, np.array([axis]))


def padded(x: Node, zeros: tuple[int, int], axis: int) -> Node:
    """x with zeros before and after it along an axis."""
    before, after = ([0] * len(x.output(0).get_partial_shape()) for _ in range(2))
    before[axis], after[axis] = zeros
    return ops().pad(x, np.array(before), np.array(after), "constant")


def largest(x: Node, axis: int) -> Node:
    """The largest value along an axis, which goes."""
    return ops().reduce_max(x, np.array([axis]), False)


def mean(x: Node, axis: int) -> Node:
    """The mean along an axis, which goes."""
    return ops().reduce_mean(x, np.array([axis]), False)


def number(value: float) -> Node:
    """One number."""
    return ops().constant(np.float32(value))


def _constant(values: Array) -> Node:
    return ops().constant(np.ascontiguousarray(values, np.float32))


def _weights(values: Array) -> Node:
    """Weights that are stored in half stay so until the network is compiled."""
    if values.dtype == np.float16:
        return ops().convert(ops().constant(values), "f32")
    return _constant(values)
