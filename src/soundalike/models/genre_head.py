"""The genre head: a small convolutional network on VGG16's feature map, trained for genre.

Architecture and initialisation are the article's. Its input is the feature map max-pooled by (2, 2)
to 7 x 10 cells; its last hidden layer, 32 numbers, is the `genre_head` representation, and the
softmax after it gives the predicted genres.

A head is stored as an `.npz` of plain arrays (the weights in order, `weight_00` and so on, and the
genres); a model card in Markdown lies beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.models import vgg16, weights

if TYPE_CHECKING:
    import keras

INPUT_SHAPE = (7, 10, 512)
DIM = 32


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
        return keras.layers.LeakyReLU(negative_slope=0.3)

    def dropout() -> keras.layers.Layer:
        return keras.layers.Dropout(0.5, seed=next(seeds))

    inputs = keras.Input(INPUT_SHAPE)
    x = leaky()(convolution(128)(inputs))
    x = dropout()(keras.layers.BatchNormalization()(x))
    x = leaky()(convolution(64)(x))
    x = keras.layers.MaxPooling2D(2)(keras.layers.BatchNormalization()(x))
    x = dropout()(keras.layers.Flatten()(x))
    x = dropout()(leaky()(keras.layers.Dense(64, kernel_initializer=he())(x)))
    features = leaky()(keras.layers.Dense(DIM, kernel_initializer=he())(x))
    genres = keras.layers.Dense(n_genres, activation="softmax", kernel_initializer=he())(features)
    return keras.Model(inputs, [features, genres], name="genre_head")


def head_input(feature_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """VGG16's feature map [shape=(15, 20, 512)] as the head takes it [shape=(7, 10, 512)]."""
    return vgg16.max_pool(feature_map, (2, 2))


class GenreHead:
    """A trained head, ready to call; safe to share between threads.

    Parameters
    ----------
    network : from `build`, with its weights set
    genres : the names of the softmax's outputs, in order
    """

    def __init__(self, network: keras.Model, genres: Sequence[str]) -> None:
        self.network = network
        self.genres = tuple(genres)
        self._lock = threading.Lock()

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
        with self._lock:
            features, probabilities = self.network(inputs, training=False)
        return np.asarray(features), np.asarray(probabilities)

    def save(self, path: Path) -> None:
        """Write weights and genres to an `.npz`; the same head gives the same bytes."""
        weights.write(path, self.network, genres=np.array(self.genres))

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
            network = build(len(genres), seed=0)
            network.set_weights(weights.read(arrays))
        return cls(network, genres)
