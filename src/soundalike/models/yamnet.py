"""YAMNet: a classifier of 521 kinds of sound (Plakal and Ellis, 2019), with its original weights.

MobileNet v1 (Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
applications", 2017), trained by Google on AudioSet (Gemmeke et al., "Audio Set: an ontology and
human-labeled dataset for audio events", ICASSP 2017). The weights are `assets/models/yamnet_fp16.npz`;
the model card beside the file states their origin.

The network takes patches of 96 frames (0.96 s) of a log mel spectrogram, one every 48 frames: 16 kHz,
periodic Hann windows of 400 samples, hop length 160, FFT of 512, magnitudes in 64 HTK mel bands from
125 to 7,500 Hz, not normalised, ln(x + 0.001). Frames are not padded, and an incomplete last patch is
dropped: a clip of 30 s has 61 or 62 patches.

Batch normalisation is folded into the weights: every convolution has a bias and is followed by ReLU.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import Clip
from soundalike.errors import ModelError
from soundalike.models import graph
from soundalike.models.patches import SAMPLE_RATE, cut, levelled_samples
from soundalike.models.runtime import Network
from soundalike.models.weights import RESTORE, Layers, assign, read_layers

if TYPE_CHECKING:
    import keras
    import openvino

N_FFT = 512
WIN_LENGTH = 400
HOP_LENGTH = 160
N_MELS = 64
FMIN, FMAX = 125.0, 7_500.0
LOG_OFFSET = 1e-3
PATCH_FRAMES = 96
PATCH_HOP = 48

DIM = 1_024
N_CLASSES = 521
CLASSES_FILE = "yamnet_classes.csv"

_FIRST_FILTERS = 32
_FILTERS = (64, 128, 128, 256, 256, *(512,) * 6, 1_024, 1_024)
"""Filters of the pointwise convolutions, layers 2 to 14."""
_STRIDED = frozenset({3, 5, 7, 13})
"""Layers whose depthwise convolution has stride 2, as layer 1 does."""


@dataclass(frozen=True)
class Output:
    """The network's output for each patch.

    Attributes
    ----------
    embeddings : mean of the last convolution over the patch [shape=(patches, 1024), at least 0]
    logits : logits of the 521 classes, before the sigmoid [shape=(patches, 521)]
    """

    embeddings: NDArray[np.float32]
    logits: NDArray[np.float32]

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Independent probability of each class [shape=(patches, 521), range 0 to 1]."""
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * self.logits), np.float32)


class YAMNet:
    """The network, ready to call; safe to share between threads (one pass runs at a time).

    Parameters
    ----------
    path : path of the `.npz` with `layer1_kernel`, `layer1_bias`, `layer<n>_depthwise_...`,
        `layer<n>_pointwise_...` and `classes_...`

    Raises
    ------
    ModelError
        If the file is missing or does not contain the network's weights.
    """

    def __init__(self, path: Path) -> None:
        read = partial(read_layers, path, _shapes())
        self._run = Network((None, PATCH_FRAMES, N_MELS), read, _graph, _model, tolerant=True)

    def __call__(self, batch: NDArray[np.float32]) -> Output:
        """Compute embeddings and logits of a batch of patches [shape=(n, 96, 64)], in one pass."""
        return Output(*self._run(batch))


def spectrogram(clip: Clip) -> NDArray[np.float32]:
    """Log mel spectrogram of a clip, level-normalised [shape=(t, 64), at least ln(0.001)].

    The clip is first normalised in level and resampled (`patches.levelled_samples`).
    """
    return log_mel(levelled_samples(clip))


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log mel spectrogram of 16 kHz samples, not normalised [shape=(t, 64), at least ln(0.001)]."""
    numba_cache.ready()
    import librosa

    # librosa centres a window shorter than the FFT.
    side = (N_FFT - WIN_LENGTH) // 2
    transform = librosa.stft(
        np.pad(samples, side),
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        win_length=WIN_LENGTH,
        center=False,
    )
    mel = np.abs(transform).T @ mel_weights()
    return np.asarray(np.log(mel + LOG_OFFSET, dtype=np.float32))


@lru_cache(maxsize=1)
def mel_weights() -> NDArray[np.float32]:
    """Weight of each FFT bin in each mel band [shape=(257, 64)].

    The triangles are linear on the HTK mel scale, as in `tf.signal.linear_to_mel_weight_matrix`;
    librosa's are linear in Hz.
    """

    def to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    bins = to_mel(np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1))[:, np.newaxis]
    lowest, highest = to_mel(np.array([FMIN, FMAX]))
    edges = np.linspace(float(lowest), float(highest), N_MELS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[0] = 0.0
    return np.asarray(triangles, np.float32)


def patches(frames: NDArray[np.float32], step: int = PATCH_HOP) -> NDArray[np.float32]:
    """Cut a spectrogram into patches of 0.96 s, by default half-overlapping as in the original YAMNet.

    Parameters
    ----------
    frames : from `spectrogram` [shape=(t, 64)]
    step : hop between patches in frames

    Returns
    -------
    float32 [shape=(n, 96, 64)]

    Raises
    ------
    ValueError
        If there are fewer than 96 frames.
    """
    return cut(frames, PATCH_FRAMES, step)


def class_names(path: Path) -> list[str]:
    """Names of the 521 classes, in the order of the logits.

    Parameters
    ----------
    path : path of the network's weights; the table `yamnet_classes.csv` is in the same folder

    Raises
    ------
    ModelError
        If the table is missing or does not list 521 named classes.
    """
    table = path.with_name(CLASSES_FILE)
    try:
        with table.open(encoding="utf-8", newline="") as file:
            names = [row["display_name"] for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise _damaged(table) from error
    if len(names) != N_CLASSES or not all(names):
        raise _damaged(table)
    return names


def build() -> keras.Model:
    """Build the network without its weights: [96, 64] in; embedding and logits out."""
    import keras
    from keras import layers

    patch = keras.Input((PATCH_FRAMES, N_MELS))
    x = layers.Reshape((PATCH_FRAMES, N_MELS, 1))(patch)
    x = layers.Conv2D(_FIRST_FILTERS, 3, 2, "same", activation="relu", name="layer1")(x)
    for number, filters in enumerate(_FILTERS, start=2):
        stride = 2 if number in _STRIDED else 1
        name = f"layer{number}"
        x = layers.DepthwiseConv2D(3, stride, "same", activation="relu", name=f"{name}_depthwise")(x)
        x = layers.Conv2D(filters, 1, activation="relu", name=f"{name}_pointwise")(x)
    embedding = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(N_CLASSES, name="classes")(embedding)
    return keras.Model(patch, [embedding, logits], name="yamnet")


def _damaged(table: Path) -> ModelError:
    return ModelError(f"The table of classes {table} is missing or damaged; {RESTORE}.")


def _model(layers: Layers) -> keras.Model:
    return assign(build(), layers)


def _shapes() -> dict[str, list[tuple[int, ...]]]:
    """The shapes of each layer's kernel and bias."""
    shapes: dict[str, list[tuple[int, ...]]] = {"layer1": [(3, 3, 1, _FIRST_FILTERS), (_FIRST_FILTERS,)]}
    in_channels = _FIRST_FILTERS
    for number, filters in enumerate(_FILTERS, start=2):
        shapes[f"layer{number}_depthwise"] = [(3, 3, in_channels, 1), (in_channels,)]
        shapes[f"layer{number}_pointwise"] = [(1, 1, in_channels, filters), (filters,)]
        in_channels = filters
    shapes["classes"] = [(in_channels, N_CLASSES), (N_CLASSES,)]
    return shapes


def _graph(layers: Layers, shape: tuple[int, ...]) -> openvino.Model:
    ops = graph.ops()
    patch = graph.parameter(shape)
    x = ops.unsqueeze(patch, np.array([1]))
    size = [PATCH_FRAMES, N_MELS]

    def strided(stride: int) -> list[tuple[int, int]]:
        """Zero padding of each axis for TensorFlow's "same" mode; updates the size."""
        pads = []
        for axis, length in enumerate(size):
            size[axis] = -(-length // stride)
            total = max((size[axis] - 1) * stride + 3 - length, 0)
            pads.append((total // 2, total - total // 2))
        return pads

    x = ops.relu(graph.convolution(x, layers["layer1"], strided(2), [2, 2]))
    for number in range(2, len(_FILTERS) + 2):
        stride = 2 if number in _STRIDED else 1
        depthwise, pointwise = (layers[f"layer{number}_{kind}"] for kind in ("depthwise", "pointwise"))
        x = ops.relu(graph.depthwise_convolution(x, depthwise, strided(stride), [stride, stride]))
        x = ops.relu(graph.convolution(x, pointwise))
    embedding = ops.reduce_mean(x, np.array([2, 3]), False)
    return graph.model([embedding, graph.dense(embedding, layers["classes"])], patch)
