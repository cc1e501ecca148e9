"""A convolutional autoencoder of cepstral coefficients (Masci et al., 2011).

The standardised MFCC matrix of a clip, 20 x 1,293, is squeezed by four strided convolutions into 16
positions of 1.9 s with 32 numbers each, and four transposed convolutions draw the matrix again from
these 512 numbers. What the numbers must hold for that is the `mfcc_autoencoder` representation.

Conventions: matrices are float32 [shape=(20, 1293)] in standard deviations of their row (as
`spectra.standardise` gives them), so that predicting zero everywhere has a mean squared error of 1.
Weights are stored as float16 in an `.npz` (`weight_00` and so on); a model card lies beside it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike import spectra
from soundalike.audio import N_FRAMES
from soundalike.models import weights

if TYPE_CHECKING:
    import keras

INPUT_SHAPE = (spectra.N_MFCC, N_FRAMES)
POSITIONS, CHANNELS = 16, 32
DIM = POSITIONS * CHANNELS

LAYERS = ((16, (5, 7), (2, 3)), (32, (5, 7), (2, 3)), (64, (5, 7), (5, 3)), (CHANNELS, (1, 5), (1, 3)))
"""Filters, kernel and stride of the encoder's convolutions; the decoder has them in reverse."""

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
    outputs = (*(filters for filters, _, _ in reversed(LAYERS[:-1])), 1)
    for number, filters in enumerate(outputs, start=len(LAYERS)):
        _, kernel, stride = LAYERS[2 * len(LAYERS) - 1 - number]
        x = keras.layers.Conv2DTranspose(filters, kernel, stride, **common(number))(x)
    drawn = keras.layers.Cropping2D(((0, 0), (0, _PADDING)), name="reconstruction")(x)
    return keras.Model(inputs, [code, drawn], name="mfcc_autoencoder")


class Autoencoder:
    """A trained autoencoder, ready to call; safe to share between threads.

    Parameters
    ----------
    network : from `build`, with its weights set
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        self._lock = threading.Lock()

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
        with self._lock:
            codes, drawn = self.network(matrices[..., np.newaxis], training=False)
        return np.asarray(codes), np.asarray(drawn)[..., 0]

    def embed(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The code of one matrix [shape=(20, 1293)] -> float32 [shape=(512,)]."""
        code: NDArray[np.float32] = self(matrix[np.newaxis])[0][0]
        return code

    def reconstruct(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """A matrix drawn again from its code alone: float32 [shape=(20, 1293)], as it went in."""
        drawn: NDArray[np.float32] = self(matrix[np.newaxis])[1][0]
        return drawn

    def save(self, path: Path) -> None:
        """Write the weights as float16; the same autoencoder gives the same bytes."""
        weights.write(path, self.network, np.float16)

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
            network = build(seed=0)
            network.set_weights(weights.read(arrays))
        return cls(network)
