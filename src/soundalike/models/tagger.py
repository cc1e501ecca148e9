"""The music tagger: a reimplementation of MSD_musicnn (Pons and Serra, 2019) with its original weights.

Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", ISMIR
late-breaking demo, 2019; trained on the Million Song Dataset's audio to predict 50 Last.fm tags. The
weights are the file `assets/models/musicnn_msd.npz`, made by `scripts/convert_musicnn.py`.

The input is patches of 187 frames (3 s) of a mel spectrogram: 16 kHz, Hann windows of 512 samples, hop
length 256, frames centred with reflected edges, 96 Slaney mel bands from 0 to 8 kHz of unit area, and
log10(10000 x + 1) of the power x. The authors' code rounds power to float16 before the logarithm, which
overflows for loud music; we use float32 throughout.

The front end has filters that are wide in frequency (timbral: 0.4 s, 38 or 67 bands, max-pooled over
frequency) and filters that are long in time (temporal: one band, 0.5 to 2 s). Three convolutions over
time follow, and the outputs of all layers are pooled over the patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import Clip
from soundalike.models import graph
from soundalike.models.patches import SAMPLE_RATE, cut, levelled_samples
from soundalike.models.runtime import Network
from soundalike.models.weights import Layers, assign, read_layers

if TYPE_CHECKING:
    import keras
    import openvino

N_FFT = 512
HOP_LENGTH = 256
N_MELS = 96
PATCH_FRAMES = 187

N_POOLED = 753
DIM = 200
TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists"),
    *("classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill"),
    *("instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic"),
    *("experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock"),
    *("60s", "rnb", "indie pop", "sad", "House", "happy"),
)
"""The tags of the 50 outputs, in order, as spelt by Last.fm's listeners."""

TIMBRAL = {"timbral_38": 38, "timbral_67": 67}
"""Number of bands of the filters over 7 frames."""
TEMPORAL = {"temporal_128": 128, "temporal_64": 64, "temporal_32": 32}
"""Number of frames of the filters over one band."""
MIDDLE = ("middle_1", "middle_2", "middle_3")
TIMBRAL_FILTERS, TEMPORAL_FILTERS, MIDDLE_FILTERS = 204, 51, 64
TAPS = 8
"""Number of frames that a temporal filter takes as channels, which quarters the computing time."""


@dataclass(frozen=True)
class TaggerOutput:
    """The network's outputs for each patch.

    Attributes
    ----------
    tags : likelihood of each of `TAGS` [shape=(patches, 50), range 0 to 1]
    penultimate : the last layer before the tags [shape=(patches, 200)]
    pooled : maximum and mean over the patch of every front-end and middle filter
        [shape=(patches, 753, 2)]
    """

    tags: NDArray[np.float32]
    penultimate: NDArray[np.float32]
    pooled: NDArray[np.float32]


class Tagger:
    """The network, ready to call; safe to share between threads (one pass runs at a time).

    Parameters
    ----------
    weights : path of the `.npz` with `<layer>_kernel`, `<layer>_bias` and `<layer>_gamma`, `_beta`,
        `_mean`, `_variance`

    Raises
    ------
    ModelError
        If the file is missing or does not contain the network's weights.
    """

    def __init__(self, weights: Path) -> None:
        shape = (None, PATCH_FRAMES, N_MELS)
        read = partial(read_layers, weights, _shapes())
        self._run = Network(shape, read, _graph, _model, tolerant=True, one_by_one=True)

    def __call__(self, batch: NDArray[np.float32]) -> TaggerOutput:
        """Run a batch of patches [shape=(n, 187, 96)]."""
        return TaggerOutput(*self._run(batch))


def spectrogram(clip: Clip) -> NDArray[np.float32]:
    """The network's input for a clip, log10(10000 x mel power + 1) [shape=(t, 96), at least 0].

    The clip is first normalised in level and resampled (`patches.levelled_samples`).
    """
    return log_mel(levelled_samples(clip))


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log mel spectrogram of 16 kHz samples, without normalisation [shape=(t, 96), at least 0]."""
    numba_cache.ready()
    import librosa

    power = librosa.feature.melspectrogram(
        y=samples,
        sr=SAMPLE_RATE,
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        n_mels=N_MELS,
        pad_mode="reflect",
    )
    return np.log10(1e4 * power.T + 1, dtype=np.float32)


def patches(frames: NDArray[np.float32], step: int = PATCH_FRAMES) -> NDArray[np.float32]:
    """Cut a spectrogram into consecutive patches of 3 s; an incomplete last patch is dropped.

    Parameters
    ----------
    frames : from `spectrogram` [shape=(t, 96)]
    step : hop between patches in frames; no overlap by default

    Returns
    -------
    float32 [shape=(n, 187, 96)]

    Raises
    ------
    ValueError
        If there are fewer than 187 frames.
    """
    return cut(frames, PATCH_FRAMES, step)


def build() -> keras.Model:
    """Build the network without its weights: [187, 96] in; tags, penultimate layer and pooled filters
    out.
    """
    import keras
    from keras import layers, ops

    def norm(name: str) -> keras.layers.Layer:
        return layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")

    patch = keras.Input((PATCH_FRAMES, N_MELS))
    x = norm("input")(layers.Reshape((PATCH_FRAMES, N_MELS, 1))(patch))
    padded = layers.ZeroPadding2D(((3, 3), (0, 0)))(x)
    features = []
    for name, bands in TIMBRAL.items():
        y = layers.Conv2D(TIMBRAL_FILTERS, (7, bands), activation="relu", name=name)(padded)
        features.append(ops.max(norm(name)(y), axis=2))
    for name, frames in TEMPORAL.items():
        padded = layers.ZeroPadding2D(((frames // 2 - 1, frames // 2), (0, 0)))(x)
        reach = PATCH_FRAMES + frames - TAPS
        taps = ops.concatenate([padded[:, tap : tap + reach] for tap in range(TAPS)], axis=3)
        y = layers.Conv2D(
            TEMPORAL_FILTERS,
            (frames // TAPS, 1),
            dilation_rate=(TAPS, 1),
            activation="relu",
            name=name,
        )(taps)
        features.append(ops.max(norm(name)(y), axis=2))

    front = layers.Concatenate(axis=2)(features)
    middle = [front]
    for name in MIDDLE:
        padded = layers.ZeroPadding1D(3)(middle[-1])
        y = layers.Conv1D(MIDDLE_FILTERS, 7, activation="relu", name=name)(padded)
        y = norm(name)(y)
        middle.append(y if len(middle) == 1 else layers.Add()([y, middle[-1]]))

    every = layers.Concatenate(axis=2)(middle)
    pooled = ops.stack([ops.max(every, axis=1), ops.mean(every, axis=1)], axis=2)
    flat = norm("pooled")(layers.Flatten()(pooled))
    dense = layers.Dense(DIM, activation="relu", name="penultimate")(flat)
    penultimate = norm("penultimate")(dense)
    tags = layers.Dense(len(TAGS), activation="sigmoid", name="tags")(penultimate)
    return keras.Model(patch, [tags, penultimate, pooled], name="musicnn")


def _model(layers: Layers) -> keras.Model:
    return assign(build(), layers)


def _shapes() -> dict[str, list[tuple[int, ...]]]:
    """The shapes of each layer's arrays."""
    front_filters = len(TIMBRAL) * TIMBRAL_FILTERS + len(TEMPORAL) * TEMPORAL_FILTERS
    shapes: dict[str, list[tuple[int, ...]]] = {"input_norm": [(1,)] * 4}

    def convolution(name: str, kernel: tuple[int, ...]) -> None:
        shapes[name] = [kernel, kernel[-1:]]
        shapes[f"{name}_norm"] = [kernel[-1:]] * 4

    for name, bands in TIMBRAL.items():
        convolution(name, (7, bands, 1, TIMBRAL_FILTERS))
    for name, frames in TEMPORAL.items():
        convolution(name, (frames // TAPS, 1, TAPS, TEMPORAL_FILTERS))
    for name, in_channels in zip(MIDDLE, (front_filters, MIDDLE_FILTERS, MIDDLE_FILTERS), strict=True):
        convolution(name, (7, in_channels, MIDDLE_FILTERS))
    shapes["pooled_norm"] = [(2 * N_POOLED,)] * 4
    convolution("penultimate", (2 * N_POOLED, DIM))
    shapes["tags"] = [(DIM, len(TAGS)), (len(TAGS),)]
    return shapes


def _graph(layers: Layers, shape: tuple[int, ...]) -> openvino.Model:
    ops = graph.ops()

    def convolved(x: Any, name: str, pads: list[tuple[int, int]], dilations: list[int]) -> Any:
        y = ops.relu(graph.convolution(x, layers[name], pads, dilations=dilations))
        return graph.norm(y, layers[f"{name}_norm"])

    patch = graph.parameter(shape)
    x = ops.unsqueeze(patch, np.array([1]))
    x = graph.norm(x, layers["input_norm"])
    front = [graph.largest_in_rows(convolved(x, name, [(3, 3), (0, 0)], [1, 1])) for name in TIMBRAL]
    for name, frames in TEMPORAL.items():
        padded = graph.padded(x, (frames // 2 - 1, frames // 2), axis=2)
        reach = PATCH_FRAMES + frames - TAPS
        taps = [graph.between(padded, tap, tap + reach, axis=2) for tap in range(TAPS)]
        y = convolved(ops.concat(taps, 1), name, [(0, 0), (0, 0)], [TAPS, 1])
        front.append(graph.largest_in_rows(y))
    every = [ops.concat(front, 1)]
    for name in MIDDLE:
        y = convolved(every[-1], name, [(3, 3)], [1])
        every.append(y if len(every) == 1 else ops.add(y, every[-1]))
    joined = ops.concat(every, 1)
    both = [graph.largest(joined, 2), graph.mean(joined, 2)]
    pooled = ops.concat([ops.unsqueeze(y, np.array([2])) for y in both], 2)
    flat = graph.norm(ops.reshape(pooled, np.array([0, -1]), True), layers["pooled_norm"])
    dense = ops.relu(graph.dense(flat, layers["penultimate"]))
    penultimate = graph.norm(dense, layers["penultimate_norm"])
    tags = ops.sigmoid(graph.dense(penultimate, layers["tags"]))
    return graph.model([tags, penultimate, pooled], patch)
