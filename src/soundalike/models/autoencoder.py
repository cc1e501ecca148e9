"""A convolutional autoencoder of MFCC (Masci et al., 2011).

Four strided convolutions encode the standardised MFCC matrix of a clip, 20 x 1,293, into 16 positions
of 1.9 s with 32 numbers each. Four transposed convolutions reconstruct the matrix from these 512
numbers, the code, which is the `mfcc_autoencoder` representation.

Conventions: matrices are float32 [shape=(20, 1293)] in standard deviations of their row (see
`spectral.standardise`), so predicting zero everywhere has a mean squared error of 1. Weights are stored
as float16 in an `.npz` (`weight_00` and so on), with a model card beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import N_FRAMES
from soundalike.features import spectral
from soundalike.models import graph, weights
from soundalike.models.runtime import Network

if TYPE_CHECKING:
    import keras
    import openvino

INPUT_SHAPE = (spectral.N_MFCC, N_FRAMES)
POSITIONS, CHANNELS = 16, 32
DIM = POSITIONS * CHANNELS

LAYERS = ((16, (5, 7), (2, 3)), (32, (5, 7), (2, 3)), (64, (5, 7), (5, 3)), (CHANNELS, (1, 5), (1, 3)))
"""Filters, kernel and stride of the encoder's convolutions; the decoder reverses their order."""
DRAWN = (*(filters for filters, _, _ in reversed(LAYERS[:-1])), 1)
"""Filters of the decoder's convolutions."""

_PADDING = -N_FRAMES % 3**4


def build(seed: int) -> keras.Model:
    """The untrained network: [20, 1293, 1] in; the code [512] and the reconstruction out."""
    import keras

    seeds = iter(range(seed, seed + 100))

    def common(layer: int) -> dict[str, object]:
        last = layer in (len(LAYERS) - 1, 2 * len(LAYERS) - 1)
        initial = keras.initializers.GlorotUniform(seed=next(seeds))
        return {
            "padding": "same",
            "activation": None if last else "elu",
            "kernel_initializer": initial,
        }

    inputs = keras.Input((*INPUT_SHAPE, 1))
    x = keras.layers.ZeroPadding2D(((0, 0), (0, _PADDING)))(inputs)
    for number, (filters, kernel, stride) in enumerate(LAYERS):
        x = keras.layers.Conv2D(filters, kernel, stride, **common(number))(x)
    code = keras.layers.Flatten(name="code")(x)
    for number, filters in enumerate(DRAWN, start=len(LAYERS)):
        _, kernel, stride = LAYERS[2 * len(LAYERS) - 1 - number]
        x = keras.layers.Conv2DTranspose(filters, kernel, stride, **common(number))(x)
    reconstruction = keras.layers.Cropping2D(((0, 0), (0, _PADDING)), name="reconstruction")(x)
    return keras.Model(inputs, [code, reconstruction], name="mfcc_autoencoder")


class Autoencoder:
    """A trained autoencoder, ready to call; safe to share between threads.

    Parameters
    ----------
    layers : the weights of a network from `build`, in Keras's order
    """

    def __init__(self, layers: Sequence[NDArray[np.float32]]) -> None:
        self.layers = tuple(layers)

    def __call__(self, matrices: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Codes and reconstructions of a batch.

        Parameters
        ----------
        matrices : standardised MFCC [shape=(n, 20, 1293)]

        Returns
        -------
        codes : float32 [shape=(n, 512)]
        reconstructions : float32 [shape=(n, 20, 1293)]
        """
        codes, reconstruction = self._run(matrices[..., np.newaxis])
        return codes, reconstruction[..., 0]

    @cached_property
    def _run(self) -> Network:
        return Network((None, *INPUT_SHAPE, 1), lambda: self.layers, _graph, _model)

    def embed(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The code of one matrix [shape=(20, 1293)] -> float32 [shape=(512,)]."""
        code: NDArray[np.float32] = self(matrix[np.newaxis])[0][0]
        return code

    def reconstruct(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reconstruct a matrix from its code: float32 [shape=(20, 1293)], in the input's units."""
        reconstruction: NDArray[np.float32] = self(matrix[np.newaxis])[1][0]
        return reconstruction

    def save(self, path: Path) -> None:
        """Write the weights as float16; the same autoencoder gives the same bytes."""
        weights.write(path, self.layers, np.float16)

    @classmethod
    def load(cls, path: Path) -> Autoencoder:
        """Read an autoencoder that `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing, damaged, or of another architecture.
        """
        train = "restore it, or train one with `soundalike train mfcc-autoencoder LIBRARY --out FILE`"
        with weights.opened(path, "autoencoder", train) as arrays:
            return cls(weights.read(arrays, _shapes()))


def _shapes() -> list[tuple[int, ...]]:
    """Shapes of the weights in order: the encoder's, then the decoder's."""
    shapes: list[tuple[int, ...]] = []
    in_channels = 1
    for filters, kernel, _ in LAYERS:
        shapes += [(*kernel, in_channels, filters), (filters,)]
        in_channels = filters
    for (_, kernel, _), filters in zip(reversed(LAYERS), DRAWN, strict=True):
        shapes += [(*kernel, filters, in_channels), (filters,)]
        in_channels = filters
    return shapes


def _model(layers: Sequence[NDArray[np.float32]]) -> keras.Model:
    network = build(seed=0)
    network.set_weights(list(layers))
    return network


def _graph(layers: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> openvino.Model:
    pairs = [layers[at : at + 2] for at in range(0, len(layers), 2)]
    inputs = graph.parameter(shape)
    x, columns = graph.channels_first(inputs), N_FRAMES + _PADDING
    rows = spectral.N_MFCC
    for number, (_, kernel, stride) in enumerate(LAYERS):
        sides = (_same(rows, kernel[0], stride[0]), _same(columns, kernel[1], stride[1]))
        if number == 0:
            # Padding to a multiple of the stride, plus the convolution's own.
            sides = (sides[0], (sides[1][0], sides[1][1] + _PADDING))
        x = graph.convolution(x, pairs[number], sides, stride)
        x = x if number == len(LAYERS) - 1 else graph.ops().elu(x, 1.0)
        rows, columns = rows // stride[0], columns // stride[1]
    code = graph.flatten(x)
    for number, (_, _, stride) in enumerate(reversed(LAYERS), start=len(LAYERS)):
        x = graph.transposed_convolution(x, pairs[number], stride)
        x = x if number == 2 * len(LAYERS) - 1 else graph.ops().elu(x, 1.0)
    reconstruction = graph.channels_last(graph.between(x, 0, N_FRAMES, axis=3))
    return graph.model([code, reconstruction], inputs)


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zero padding before and after that maps a multiple of the stride to size / stride."""
    total = max(kernel - stride, 0)
    return total // 2, total - total // 2
