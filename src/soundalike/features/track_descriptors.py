"""A clip in plain quantities, to say in words what a dimension of an embedding answers to.

Eight descriptors of the whole clip, then, for each of `vgg_mel`'s 5 x 10 cells, the mean level and how
much it changes from frame to frame in the cell's own share of the mel spectrogram. Spectral shape is
averaged over frames by their power, so that near-silence between notes decides nothing.

References: Peeters (2004), "A large set of audio features for sound description", for centroid,
bandwidth and flatness; Bock and Widmer (2013) for onset strength; librosa's tempo estimator, whose
answer can be half or twice what a person taps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import receptive_fields
from soundalike.audio import decoding
from soundalike.audio.decoding import HOP_LENGTH, Clip
from soundalike.features import spectral
from soundalike.index.index import Index

FILE = "descriptors"
"""The array of an index that holds them, one row a track."""


@dataclass(frozen=True)
class Descriptor:
    """One quantity of a clip.

    Attributes
    ----------
    name : its name, with its unit where that helps
    more, less : what a clip is that has much of it, or little
    logarithmic : whether ratios count rather than differences, as with hertz
    """

    name: str
    more: str
    less: str
    logarithmic: bool = False


CLIP = (
    Descriptor("loudness (dBFS)", "loud", "quiet"),
    Descriptor("level changes (dB)", "uneven in level", "even in level"),
    Descriptor("spectral centroid (Hz)", "bright", "dark", logarithmic=True),
    Descriptor("bandwidth (Hz)", "wide in spectrum", "narrow in spectrum", logarithmic=True),
    Descriptor("spectral flatness (dB)", "noisy", "tonal"),
    Descriptor("onset strength (dB per frame)", "punchy", "smooth"),
    Descriptor("onsets per second", "busy", "sparse"),
    Descriptor("tempo (BPM)", "fast", "slow", logarithmic=True),
)
"""Of the whole clip."""
CELL = (
    Descriptor("level in its cell (dB)", "loud in this cell", "quiet in this cell"),
    Descriptor(
        "change in its cell (dB per frame)",
        "restless in this cell",
        "steady in this cell",
    ),
)
"""Of one cell of the picture."""

N_CELLS = receptive_fields.BANDS * receptive_fields.TIMES
SIZE = len(CLIP) + len(CELL) * N_CELLS


def summarise(clip: Clip) -> NDArray[np.float32]:
    """The descriptors of a 30 s clip: float32 [shape=(108,)].

    The eight of `CLIP`, then the level of each cell (band by band from the top, as in `vgg_mel`), then
    the change in each.
    """
    mel = spectral.mel_spectrogram(clip)
    return np.concatenate([_of_clip(clip, mel), *_of_cells(mel)]).astype(np.float32)


def load(index: Index) -> NDArray[np.float32] | None:
    """The descriptors of an index [shape=(n, 108)], or None if it has none.

    Raises
    ------
    IndexFolderError
        If they are of another library or another version.
    """
    return index.optional(FILE, (len(index), SIZE), np.float32)


def of_dimension(
    descriptors: NDArray[np.float32], cell: receptive_fields.Cell | None
) -> tuple[tuple[Descriptor, ...], NDArray[np.float64]]:
    """What a dimension may be compared with: the clip's descriptors, and those of its own cell.

    Parameters
    ----------
    descriptors : from `load`
    cell : of the dimension; None for one that looks at the whole picture

    Returns
    -------
    descriptors, and their values [shape=(n, k)], in logarithms where ratios count
    """
    known: tuple[Descriptor, ...] = CLIP
    columns = list(range(len(CLIP)))
    if cell is not None:
        known += CELL
        place = cell.band * receptive_fields.TIMES + cell.time
        columns += [len(CLIP) + kind * N_CELLS + place for kind in range(len(CELL))]
    values = np.array(descriptors[:, columns], np.float64)
    for column, descriptor in enumerate(known):
        if descriptor.logarithmic:
            values[:, column] = np.log2(np.maximum(values[:, column], 1.0))
    return known, values


def _of_clip(clip: Clip, mel: NDArray[np.float32]) -> NDArray[np.float64]:
    from librosa import feature, fft_frequencies, onset

    rate: dict[str, Any] = {"sr": clip.sample_rate, "hop_length": HOP_LENGTH}
    magnitude = np.sqrt(spectral.power(clip))
    frequency = fft_frequencies(sr=clip.sample_rate, n_fft=spectral.N_FFT)
    centroids = feature.spectral_centroid(S=magnitude, freq=frequency)
    centroid = centroids[0]
    bandwidth = feature.spectral_bandwidth(S=magnitude, freq=frequency, centroid=centroids)[0]
    flatness = feature.spectral_flatness(S=magnitude)[0]
    power = np.square(magnitude).sum(axis=0) + 1e-12
    levels = decoding.level_dbfs(clip.samples)
    strength = onset.onset_strength(S=mel, **rate)
    onsets = onset.onset_detect(onset_envelope=strength, **rate)
    return np.array(
        [
            10 * np.log10(np.mean(np.square(clip.samples, dtype=np.float64)) + 1e-20),
            np.std(np.maximum(levels, levels.max() - 60)),
            np.average(centroid, weights=power),
            np.average(bandwidth, weights=power),
            10 * np.log10(np.average(flatness, weights=power) + 1e-10),
            np.mean(strength),
            len(onsets) / clip.duration,
            feature.tempo(onset_envelope=strength, **rate)[0],
        ]
    )


def _of_cells(mel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Level and change of each cell, [shape=(50,)] each."""
    change = np.abs(np.diff(mel, axis=1, prepend=mel[:, :1]))
    return _cell_means(mel), _cell_means(change)


def _cell_means(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over each cell's share of the picture, which ends within a mel band."""
    from PIL import Image

    flipped = Image.fromarray(np.ascontiguousarray(matrix[::-1]))
    means = flipped.resize((receptive_fields.TIMES, receptive_fields.BANDS), Image.Resampling.BOX)
    return np.asarray(means, np.float32).ravel()
