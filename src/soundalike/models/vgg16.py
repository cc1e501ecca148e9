"""VGG16's convolutions (Simonyan and Zisserman, 2015), with the ImageNet weights, as a feature map.

The weights are the float16 file in `assets/models`, loaded from there and nowhere else. Images go in
as they are: uint8 BGR values from 0 to 255, no mean subtracted, as in the article. The output is the
last feature map after its pooling, 15 x 20 cells of 512 channels for a 480 x 640 image.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.models import weights

if TYPE_CHECKING:
    import keras

GRID = (15, 20)
CHANNELS = 512
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class VGG16:
    """The network, ready to call; safe to share between threads (one pass runs at a time).

    Parameters
    ----------
    weights : path of the `.npz` with `<layer>_kernel` (height, width, in, out) and `<layer>_bias`

    Raises
    ------
    ModelError
        If the file is missing or does not hold the thirteen convolutions.
    """

    def __init__(self, weights: Path) -> None:
        import tensorflow as tf

        network = _build()
        _load_weights(network, weights)
        self._lock = threading.Lock()
        self._call = tf.function(
            lambda image: network(image, training=False),
            input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)],
        )

    def __call__(self, image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Feature map of one image [shape=(480, 640, 3), BGR] -> float32 [shape=(15, 20, 512)].

        Other sizes from 32 x 32 up give maps of height // 32 by width // 32.
        """
        batch = np.asarray(image, dtype=np.float32)[np.newaxis]
        with self._lock:
            return np.asarray(self._call(batch)[0])


def max_pool(feature_map: NDArray[np.float32], pool: tuple[int, int]) -> NDArray[np.float32]:
    """Largest value in each cell of a coarser grid; rows and columns that do not fill a cell drop out.

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


def _build() -> keras.Model:
    import keras

    image = keras.Input((None, None, 3))
    x = image
    for block, (filters, depth) in enumerate(BLOCKS, start=1):
        for layer in range(1, depth + 1):
            x = keras.layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{layer}"
            )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return keras.Model(image, x, name="vgg16")


def _load_weights(network: keras.Model, path: Path) -> None:
    convolutions = [layer for layer in network.layers if "_conv" in layer.name]
    with weights.opened(path, "model file") as arrays:
        for layer in convolutions:
            kernel, bias = arrays[f"{layer.name}_kernel"], arrays[f"{layer.name}_bias"]
            layer.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
