"""A convolutional network over time that predicts a track's collaborative-filtering factors.

After Dieleman (2014) and van den Oord, Dieleman and Schrauwen (2013): the frames of a mel spectrogram
are the steps and its bands the channels, so convolutions slide over time only. After three of them,
mean, maximum and root mean square over time are concatenated, and dense layers give the factors. The
input is 3 s long, and a clip's prediction is the mean over its consecutive stretches of 3 s. The
original's layers are several times wider; these suit a library of hundreds of tracks and training on a
CPU.

Conventions: spectrograms are `spectral.log_mel`, dB [shape=(128, t)]. Each band is standardised with
the mean and deviation of the training tracks, which are stored with the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.models import graph, weights
from soundalike.models.runtime import Network

if TYPE_CHECKING:
    import keras
    import openvino

FACTORS = 40
BANDS = 128
WINDOW = 129
"""Number of frames of the network's input: 3.0 s."""

_FILTERS = 64
_KERNEL = 4
_POOLS = (4, 2, 2)
_HIDDEN = 128
_LEAST_POWER = 1e-6
"""Keeps the square root's gradient finite if a filter's output is zero."""


def build(seed: int) -> keras.Model:
    """Build the untrained network: [129, 128] standardised levels in, 40 factors out."""
    import keras

    seeds = iter(range(seed, seed + 100))

    def he() -> keras.initializers.Initializer:
        return keras.initializers.HeNormal(seed=next(seeds))

    inputs = keras.Input((WINDOW, BANDS))
    x = inputs
    for pool in _POOLS:
        x = keras.layers.Conv1D(_FILTERS, _KERNEL, activation="relu", kernel_initializer=he())(x)
        x = keras.layers.MaxPooling1D(pool)(x)
    mean = keras.layers.GlobalAveragePooling1D()(x)
    largest = keras.layers.GlobalMaxPooling1D()(x)
    power = keras.layers.GlobalAveragePooling1D()(keras.ops.square(x))
    x = keras.layers.Concatenate()([mean, largest, keras.ops.sqrt(power + _LEAST_POWER)])
    x = keras.layers.Dense(_HIDDEN, activation="relu", kernel_initializer=he())(x)
    x = keras.layers.Dropout(0.5, seed=next(seeds))(x)
    factors = keras.layers.Dense(FACTORS, kernel_initializer=he())(x)
    return keras.Model(inputs, factors, name="factor_cnn")


class FactorCNN:
    """A trained network, ready to call; safe to share between threads.

    Parameters
    ----------
    layers : the weights of a network from `build`, in Keras's order
    mean, deviation : statistics of each mel band over the training tracks, dB [shape=(128,)]
    """

    def __init__(
        self,
        layers: Sequence[NDArray[np.float32]],
        mean: NDArray[np.float32],
        deviation: NDArray[np.float32],
    ) -> None:
        self.layers = tuple(layers)
        self.mean = mean
        self.deviation = deviation

    def __call__(self, mel: NDArray[np.floating]) -> NDArray[np.float32]:
        """Predict the factors of a clip.

        Parameters
        ----------
        mel : `spectral.log_mel` [shape=(128, t)], t at least 129

        Returns
        -------
        float32 [shape=(40,)]
        """
        levels = (mel.T.astype(np.float32) - self.mean) / self.deviation
        whole = len(levels) // WINDOW
        windows = levels[: whole * WINDOW].reshape(whole, WINDOW, BANDS)
        (predicted,) = self._run(windows)
        factors: NDArray[np.float32] = predicted.mean(axis=0)
        return factors

    @cached_property
    def _run(self) -> Network:
        return Network((None, WINDOW, BANDS), lambda: self.layers, _graph, _model)

    def save(self, path: Path) -> None:
        """Write weights and scale to an `.npz`; the same network gives the same bytes."""
        weights.write(path, self.layers, mean=self.mean, deviation=self.deviation)

    @classmethod
    def load(cls, path: Path) -> FactorCNN:
        """Read a network that `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing, damaged, or of another architecture.
        """
        train = "train one with `soundalike train cf-regression LIBRARY --plays plays.csv --out FILE`"
        with weights.opened(path, "network", train) as arrays:
            mean, deviation = (np.asarray(arrays[name], np.float32) for name in ("mean", "deviation"))
            if mean.shape != (BANDS,) or deviation.shape != (BANDS,):
                raise ValueError(f"the scale has shapes {mean.shape} and {deviation.shape}")
            return cls(weights.read(arrays, _shapes()), mean, deviation)


def _shapes() -> list[tuple[int, ...]]:
    """Shapes of the weights, in order."""
    shapes: list[tuple[int, ...]] = []
    in_channels = BANDS
    for _ in _POOLS:
        shapes += [(_KERNEL, in_channels, _FILTERS), (_FILTERS,)]
        in_channels = _FILTERS
    return [*shapes, (3 * _FILTERS, _HIDDEN), (_HIDDEN,), (_HIDDEN, FACTORS), (FACTORS,)]


def _model(layers: Sequence[NDArray[np.float32]]) -> keras.Model:
    network = build(seed=0)
    network.set_weights(list(layers))
    return network


def _graph(layers: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> openvino.Model:
    ops = graph.ops()
    inputs = graph.parameter(shape)
    x = graph.channels_first(inputs)
    for number, pool in enumerate(_POOLS):
        x = ops.relu(graph.convolution(x, layers[2 * number : 2 * number + 2]))
        x = graph.pool(x, (pool,))
    power = graph.mean(ops.multiply(x, x), 2)
    root = ops.sqrt(ops.add(power, graph.number(_LEAST_POWER)))
    x = ops.concat([graph.mean(x, 2), graph.largest(x, 2), root], 1)
    x = ops.relu(graph.dense(x, layers[6:8]))
    return graph.model([graph.dense(x, layers[8:10])], inputs)
