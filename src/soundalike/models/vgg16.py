"""VGG16's convolutions (Simonyan and Zisserman, 2015), with the ImageNet weights, as a feature map.

The weights are the float16 file in `assets/models`; nothing is downloaded. Images are uint8 BGR values
from 0 to 255 without mean subtraction, as in the article. The output is the last feature map after its
pooling, 15 x 20 cells of 512 channels for a 480 x 640 image.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.models import graph, weights
from soundalike.models.runtime import Network
from soundalike.models.weights import Layers

if TYPE_CHECKING:
    import keras
    import openvino

GRID = (15, 20)
CHANNELS = 512
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class VGG16:
    """The network, ready to call; safe to share between threads (one pass runs at a time).

    It runs in bfloat16 on processors with hardware support, in float32 otherwise (`runtime`).

    Parameters
    ----------
    weights : path of the `.npz` with `<layer>_kernel` (height, width, in, out) and `<layer>_bias`

    Raises
    ------
    ModelError
        If the file is missing or does not contain the thirteen convolutions.
    """

    def __init__(self, weights: Path) -> None:
        self._run = Network(
            (1, None, None, 3), partial(read, weights), _graph, build, tolerant=True, seldom=True
        )

    def __call__(self, image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the feature map of an image [shape=(480, 640, 3), BGR] -> float32
        [shape=(15, 20, 512)].

        Other sizes from 32 x 32 up give maps of height // 32 by width // 32.
        """
        (feature_maps,) = self._run(np.asarray(image, dtype=np.float32)[np.newaxis])
        feature_map: NDArray[np.float32] = feature_maps[0]
        return feature_map


def max_pool(feature_map: NDArray[np.float32], pool: tuple[int, int]) -> NDArray[np.float32]:
    """Max-pool a feature map; incomplete cells at the edges are dropped.

    Parameters
    ----------
    feature_map : [shape=(height, width, channels)]
    pool : height and width of a cell

    Returns
    -------
    [shape=(height // pool[0], width // pool[1], channels)]
    """
    rows, columns = (size // p for size, p in zip(feature_map.shape, pool, strict=False))
    trimmed = feature_map[: rows * pool[0], : columns * pool[1]]
    cells = trimmed.reshape(rows, pool[0], columns, pool[1], -1)
    pooled: NDArray[np.float32] = cells.max(axis=(1, 3))
    return pooled


def read(path: Path) -> Layers:
    """Read the convolutions of a file by name, in order: kernel [shape=(3, 3, in, out)] and bias.

    Raises
    ------
    ModelError
        If the file is missing or does not contain them.
    """
    shapes, in_channels = {}, 3
    for block, (filters, depth) in enumerate(BLOCKS, start=1):
        for layer in range(1, depth + 1):
            shapes[f"block{block}_conv{layer}"] = [(3, 3, in_channels, filters), (filters,)]
            in_channels = filters
    return weights.read_layers(path, shapes)


def build(layers: Layers) -> keras.Model:
    """Build the network as a Keras model with its weights."""
    import keras

    image = keras.Input((None, None, 3))
    x = image
    for block, (filters, depth) in enumerate(BLOCKS, start=1):
        for layer in range(1, depth + 1):
            x = keras.layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{layer}"
            )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return weights.assign(keras.Model(image, x, name="vgg16"), layers)


def _graph(layers: Layers, shape: tuple[int, ...]) -> openvino.Model:
    image = graph.parameter(shape)
    x = graph.channels_first(image)
    for block, (_, depth) in enumerate(BLOCKS, start=1):
        for layer in range(1, depth + 1):
            y = graph.convolution(x, layers[f"block{block}_conv{layer}"], [(1, 1), (1, 1)])
            x = graph.ops().relu(y)
        x = graph.pool(x, (2, 2))
    return graph.model([graph.channels_last(x)], image)
