"""`yamnet`: the embedding of a classifier of 521 kinds of sound.

YAMNet's embedding, 1,024 numbers, averaged over the patches of a clip. An index centres the vectors on
its own tracks (`scaling`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.models import ModelStore, patches, stretches, yamnet, yamnet_features

DIM = yamnet.DIM

DESCRIPTION = (
    "What kind of sound fills each second: instruments, voices, crowds, machines, and the space they "
    "are in. The network was trained to name 521 kinds of sound on two million clips of all sorts, "
    "including music. It separates a solo piano, a choir and a drum machine well, also outside Western "
    "pop. It averages over the clip, so order, melody, key and tempo are lost."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(1024,), at least 0]."""
    return np.asarray(yamnet_features.output(clip, models).embeddings.mean(axis=0))


def moments(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed each 3 s stretch of a 30 s clip: float32 [shape=(10, 1024)].

    The clip's embedding is their mean weighted by `moment_weights`.
    """
    embeddings = yamnet_features.output(clip, models).embeddings
    return stretches.means(embeddings, yamnet_features.stretch_of_patches(len(embeddings)))


def moment_weights() -> NDArray[np.float64]:
    """Weight of each stretch in the embedding of a 30 s clip [shape=(10,), sum 1]."""
    samples = round(ANALYSIS_SAMPLES / SAMPLE_RATE * patches.SAMPLE_RATE)
    frames = (samples - yamnet.WIN_LENGTH) // yamnet.HOP_LENGTH + 1
    count = (frames - yamnet.PATCH_FRAMES) // yamnet_features.STEP + 1
    return stretches.weights(yamnet_features.stretch_of_patches(count))
