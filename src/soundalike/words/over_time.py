"""What the two networks say of each 3 s stretch of a clip.

Tags and classes are functions of the embeddings that an index stores for each stretch,
by the last layer of either network. So no network has to run for a library track. YAMNet's logits are
averaged over a stretch's patches.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore, tagger, weights, yamnet
from soundalike.representations import musicnn
from soundalike.representations import yamnet as yamnet_embedding
from soundalike.words.strengths import Probabilities

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Kernel and bias of a dense layer."""


def of_track(index: Index, row: int, models: ModelStore) -> Probabilities | None:
    """Probabilities of a library track's ten stretches; None if the index doesn't have their embeddings.

    Raises
    ------
    ModelError
        If the networks' weights are missing or damaged.
    """
    names = ("musicnn", "yamnet")
    stored = [track_arrays.moments(index, name) if name in index.stored else None for name in names]
    if stored[0] is None or stored[1] is None:
        return None
    return from_moments(stored[0][row], stored[1][row], models)


def of_clip(clip: Clip, models: ModelStore) -> Probabilities:
    """Probabilities of a new clip's ten stretches; the networks run only if they haven't yet."""
    return from_moments(musicnn.moments(clip, models), yamnet_embedding.moments(clip, models), models)


def from_moments(
    tagged: NDArray[np.floating], sounds: NDArray[np.floating], models: ModelStore
) -> Probabilities:
    """Probabilities from the stretches' embeddings.

    Parameters
    ----------
    tagged : of `musicnn` [shape=(10, 200)]
    sounds : of `yamnet` [shape=(10, 1024)]
    """
    tags = _last_layer(models.file("musicnn"), "tags", tagger.DIM, len(tagger.TAGS))
    classes = _last_layer(models.file("yamnet"), "classes", yamnet.DIM, yamnet.N_CLASSES)
    return Probabilities(_sigmoid(_dense(tagged, tags)), _sigmoid(_dense(sounds, classes)))


def _dense(x: NDArray[np.floating], layer: Layer) -> NDArray[np.float32]:
    kernel, bias = layer
    return np.asarray(x.astype(np.float32) @ kernel + bias)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float32)


@lru_cache(maxsize=4)
def _last_layer(path: Path, name: str, inputs: int, outputs: int) -> Layer:
    layers = weights.read_layers(path, {name: [(inputs, outputs), (outputs,)]})
    kernel, bias = (np.asarray(array, np.float32) for array in layers[name])
    return kernel, bias
