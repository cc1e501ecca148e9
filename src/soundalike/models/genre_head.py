"""The genre head: a small convolutional network on VGG16's feature map, trained for genre.

Architecture and initialisation follow the article. The input is the feature map max-pooled by (2, 2)
to 7 x 10 cells. The last hidden layer, 32 numbers, is the `genre_head` representation, and the softmax
after it gives the predicted genres.

A head is stored as an `.npz` of plain arrays (the weights in order, `weight_00` and so on, and the
genres), with a model card in Markdown beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.models import graph, vgg16, weights
from soundalike.models.runtime import Network

if TYPE_CHECKING:
    import keras
    import openvino

INPUT_SHAPE = (7, 10, 512)
FILTERS, HIDDEN, DIM = (128, 64), 64, 32
FLAT = 2 * 4 * FILTERS[-1]
"""Length of the flattened input after two convolutions of 2 x 2 and a pooling."""
SLOPE = 0.3


def build(n_genres: int, seed: int) -> keras.Model:
    """The untrained network: [7, 10, 512] in; the 32 features and the genre probabilities out."""
    import keras

    seeds = iter(range(seed, seed + 100))

    def he() -> keras.initializers.Initializer:
        return keras.initializers.HeNormal(seed=next(seeds))

    def convolution(filters: int) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            filters, 2, kernel_initializer=he(), kernel_regularizer=keras.regularizers.L2(0.01)
        )

    def leaky() -> keras.layers.Layer:
        return keras.layers.LeakyReLU(negative_slope=SLOPE)

    def dropout() -> keras.layers.Layer:
        return keras.layers.Dropout(0.5, seed=next(seeds))

    inputs = keras.Input(INPUT_SHAPE)
    x = leaky()(convolution(FILTERS[0])(inputs))
    x = dropout()(keras.layers.BatchNormalization()(x))
    x = leaky()(convolution(FILTERS[1])(x))
    x = keras.layers.MaxPooling2D(2)(keras.layers.BatchNormalization()(x))
    x = dropout()(keras.layers.Flatten()(x))
    x = dropout()(leaky()(keras.layers.Dense(HIDDEN, kernel_initializer=he())(x)))
    features = leaky()(keras.layers.Dense(DIM, kernel_initializer=he())(x))
    genres = keras.layers.Dense(n_genres, activation="softmax", kernel_initializer=he())(features)
    return keras.Model(inputs, [features, genres], name="genre_head")


def head_input(feature_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pool VGG16's feature map [shape=(15, 20, 512)] to the head's input [shape=(7, 10, 512)]."""
    return vgg16.max_pool(feature_map, (2, 2))


class GenreHead:
    """A trained head, ready to call; safe to share between threads.

    Parameters
    ----------
    layers : the weights of a network from `build`, in Keras's order
    genres : the names of the softmax's outputs, in order
    """

    def __init__(self, layers: Sequence[NDArray[np.float32]], genres: Sequence[str]) -> None:
        self.layers = tuple(layers)
        self.genres = tuple(genres)

    def __call__(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features and genre probabilities of a batch.

        Parameters
        ----------
        inputs : [shape=(n, 7, 10, 512)]

        Returns
        -------
        features : float32 [shape=(n, 32)]
        probabilities : float32 [shape=(n, genres)], each row sums to 1
        """
        features, probabilities = self._run(inputs)
        return features, probabilities

    @cached_property
    def _run(self) -> Network:
        return Network((None, *INPUT_SHAPE), lambda: self.layers, _graph, _model)

    def save(self, path: Path) -> None:
        """Write weights and genres to an `.npz`; the same head gives the same bytes."""
        weights.write(path, self.layers, genres=np.array(self.genres))

    @classmethod
    def load(cls, path: Path) -> GenreHead:
        """Read a head that `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing, damaged, or of another architecture.
        """
        train = "restore it, or train one with `soundalike train genre-head LIBRARY --out FILE`"
        with weights.opened(path, "genre head", train) as arrays:
            genres = [str(genre) for genre in arrays["genres"]]
            return cls(weights.read(arrays, _shapes(len(genres))), genres)


def _shapes(n_genres: int) -> list[tuple[int, ...]]:
    """Shapes of the weights, in order."""
    shapes: list[tuple[int, ...]] = []
    width = INPUT_SHAPE[2]
    for filters in FILTERS:
        # A convolution's kernel and bias, and the four arrays of its normalisation.
        shapes += [(2, 2, width, filters), (filters,), *[(filters,)] * 4]
        width = filters
    for units in (HIDDEN, DIM, n_genres):
        width = FLAT if units == HIDDEN and width == FILTERS[-1] else width
        shapes += [(width, units), (units,)]
        width = units
    return shapes


def _model(layers: Sequence[NDArray[np.float32]]) -> keras.Model:
    network = build(len(layers[-1]), seed=0)
    network.set_weights(list(layers))
    return network


def _graph(layers: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> openvino.Model:
    inputs = graph.parameter(shape)
    x = graph.channels_first(inputs)
    for at in (0, 6):
        x = graph.leaky(graph.convolution(x, layers[at : at + 2]), SLOPE)
        x = graph.norm(x, layers[at + 2 : at + 6])
    x = graph.flatten(graph.pool(x, (2, 2)))
    x = graph.leaky(graph.dense(x, layers[12:14]), SLOPE)
    features = graph.leaky(graph.dense(x, layers[14:16]), SLOPE)
    genres = graph.ops().softmax(graph.dense(features, layers[16:18]), 1)
    return graph.model([features, genres], inputs)
