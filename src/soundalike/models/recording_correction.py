"""Recording correction: map the embeddings of a recording to those of its clean source.

A network with one hidden layer corrects the embeddings of each 3 s of a clip. Its input is those
embeddings and their mean over the clip, which characterises noise and room:

    y = x + W relu(U x + V mean(x) + b) + c

x is the concatenation of the three parts' embeddings, each centred and divided by one number. The
network was trained (`scripts/fit_recording_correction.py`) on pairs of clean clips and the same clips
through loudspeakers, in rooms and noise and over telephones, without labels. The idea is that of
feature mapping in robust speech recognition (Acero and Stern, "Environmental robustness in automatic
speech recognition", ICASSP 1990; Xu, Du, Dai and Lee, "A regression approach to speech enhancement based
on deep neural networks", IEEE/ACM TASLP 23, 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models import tagger, weights, yamnet

SIZES = {"musicnn": tagger.DIM, "musicnn_mid": 4 * tagger.MIDDLE_FILTERS, "yamnet": yamnet.DIM}
"""Length of each part's embedding, in order of concatenation."""
DIM = sum(SIZES.values())
_NAMES = ("mean", "scale", "own", "context", "bias", "output", "output_bias")


@dataclass(frozen=True)
class RecordingCorrection:
    """The network, ready to call.

    Attributes
    ----------
    mean : mean of clean music, subtracted from the input [shape=(1480,)]
    scale : divisor of the centred input, one value per part, repeated [shape=(1480,)]
    own, context : weights of a stretch and of the mean over the clip [shape=(1480, hidden)]
    bias : bias of the hidden layer [shape=(hidden,)]
    output, output_bias : output layer [shape=(hidden, 1480)] and [shape=(1480,)]
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    own: NDArray[np.float32]
    context: NDArray[np.float32]
    bias: NDArray[np.float32]
    output: NDArray[np.float32]
    output_bias: NDArray[np.float32]

    def __call__(self, moments: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Correct embeddings; the result is by part [shape=(stretches, dim)].

        Parameters
        ----------
        moments : a recording's embeddings, by the names of `SIZES` [shape=(stretches, dim)]
        """
        joined = np.concatenate([moments[name] for name in SIZES], axis=1).astype(np.float32)
        x = (joined - self.mean) / self.scale
        hidden = np.maximum(x @ self.own + x.mean(axis=0) @ self.context + self.bias, 0.0)
        y = (x + hidden @ self.output + self.output_bias) * self.scale + self.mean
        ends = np.cumsum(list(SIZES.values()))[:-1]
        return dict(zip(SIZES, np.split(y.astype(np.float32), ends, axis=1), strict=True))

    def save(self, path: Path) -> None:
        """Write an `.npz` with half-precision weights; the same network gives the same bytes."""
        half = {name: getattr(self, name).astype(np.float16) for name in ("own", "context", "output")}
        rest = {name: getattr(self, name) for name in _NAMES if name not in half}
        with path.open("wb") as file:
            np.savez(file, **rest, **half)

    @classmethod
    def load(cls, path: Path) -> RecordingCorrection:
        """Read a network that `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        with weights.opened(path, "model file") as arrays:
            found = {name: arrays[name] for name in _NAMES}
            hidden = len(found["bias"])
            wide, narrow = (DIM, hidden), (hidden, DIM)
            weights.check(found, [(DIM,), (DIM,), wide, wide, (hidden,), narrow, (DIM,)])
            return cls(**{name: array.astype(np.float32) for name, array in found.items()})
