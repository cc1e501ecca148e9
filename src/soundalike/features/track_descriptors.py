"""Track descriptors, used to describe tracks and the dimensions of embeddings in words.

Eight descriptors cover the whole clip. For each of `vgg_mel`'s 5 x 10 cells follow the mean level and
the mean change between frames, in the cell's part of the mel spectrogram. Tempo, loudness and
brightness are those of `descriptors`, as on the Anatomy page. Bandwidth and flatness are averages over
frames weighted by power, which ignores near-silence between notes.

References: Peeters (2004), "A large set of audio features for sound description", for centroid,
bandwidth and flatness; Böck and Widmer (2013) for onset strength.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, Clip, level_dbfs
from soundalike.features import descriptors, spectral
from soundalike.features.spectrogram_image import BANDS, TIMES


@dataclass(frozen=True)
class Descriptor:
    """A measured property of a clip.

    Attributes
    ----------
    name : its name, with the unit if helpful
    more, less : adjectives for clips with high and low values
    logarithmic : whether to compare ratios instead of differences, as for hertz
    """

    name: str
    more: str
    less: str
    logarithmic: bool = False


CLIP = (
    Descriptor("loudness (LUFS)", "loud", "quiet"),
    Descriptor("level changes (dB)", "uneven in level", "even in level"),
    Descriptor("spectral centroid (Hz)", "bright", "dark", logarithmic=True),
    Descriptor("bandwidth (Hz)", "wide in spectrum", "narrow in spectrum", logarithmic=True),
    Descriptor("spectral flatness (dB)", "noisy", "tonal"),
    Descriptor("onset strength (dB per frame)", "punchy", "smooth"),
    Descriptor("onsets per second", "busy", "sparse"),
    Descriptor("tempo (BPM)", "fast", "slow", logarithmic=True),
)
"""Descriptors of the whole clip."""
CELL = (
    Descriptor("level in its cell (dB)", "loud in this cell", "quiet in this cell"),
    Descriptor(
        "change in its cell (dB per frame)",
        "restless in this cell",
        "steady in this cell",
    ),
)
"""Descriptors of one cell of the picture."""

QUIETEST_LUFS = -70.0
"""Loudness assigned to clips below the gate of BS.1770."""

N_CELLS = BANDS * TIMES
SIZE = len(CLIP) + len(CELL) * N_CELLS


def summarise(clip: Clip) -> NDArray[np.float32]:
    """Compute the descriptors of a 30 s clip: float32 [shape=(108,)].

    The eight of `CLIP`, then the level of each cell (band by band from the top, as in `vgg_mel`), then
    the change in each.
    """
    mel = spectral.mel_spectrogram(clip)
    return np.concatenate([_of_clip(clip, mel), *_of_cells(mel)]).astype(np.float32)


def of_dimension(
    measured: NDArray[np.float32], cell: tuple[int, int] | None
) -> tuple[tuple[Descriptor, ...], NDArray[np.float64]]:
    """Select the descriptors relevant to a dimension: those of the clip and of its own cell.

    Parameters
    ----------
    measured : descriptors of each track from `summarise` [shape=(n, 108)]
    cell : band and time of the dimension; None if it covers the whole picture

    Returns
    -------
    descriptors, and their values [shape=(n, k)], as logarithms if `logarithmic`
    """
    known: tuple[Descriptor, ...] = CLIP
    columns = list(range(len(CLIP)))
    if cell is not None:
        known += CELL
        place = cell[0] * TIMES + cell[1]
        columns += [len(CLIP) + kind * N_CELLS + place for kind in range(len(CELL))]
    values = np.array(measured[:, columns], np.float64)
    for column, descriptor in enumerate(known):
        if descriptor.logarithmic:
            values[:, column] = np.log2(np.maximum(values[:, column], 1.0))
    return known, values


def _of_clip(clip: Clip, mel: NDArray[np.float32]) -> NDArray[np.float64]:
    numba_cache.ready()
    from librosa import feature, fft_frequencies, onset

    rate: dict[str, Any] = {"sr": clip.sample_rate, "hop_length": HOP_LENGTH}
    magnitude = np.sqrt(spectral.power(clip))
    frequency = fft_frequencies(sr=clip.sample_rate, n_fft=spectral.N_FFT)
    centroids = spectral.centroids(clip)[np.newaxis]
    bandwidth = feature.spectral_bandwidth(S=magnitude, freq=frequency, centroid=centroids)[0]
    flatness = feature.spectral_flatness(S=magnitude)[0]
    power = np.square(magnitude).sum(axis=0) + 1e-12
    levels = level_dbfs(clip.samples)
    strength = onset.onset_strength(S=mel, **rate)
    onsets = onset.onset_detect(onset_envelope=strength, **rate)
    loudness, tempo = descriptors.loudness(clip.samples), descriptors.tempo(clip)
    return np.array(
        [
            QUIETEST_LUFS if loudness is None else loudness,
            np.std(np.maximum(levels, levels.max() - 60)),
            descriptors.centroid(clip),
            np.average(bandwidth, weights=power),
            10 * np.log10(np.average(flatness, weights=power) + 1e-10),
            np.mean(strength),
            len(onsets) / clip.duration,
            0.0 if tempo is None else tempo.bpm,
        ]
    )


def _of_cells(mel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Level and change of each cell, [shape=(50,)] each."""
    change = np.abs(np.diff(mel, axis=1, prepend=mel[:, :1]))
    return _cell_means(mel), _cell_means(change)


def _cell_means(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over each cell's part of the picture; a cell's edges may split a mel band."""
    from PIL import Image

    flipped = Image.fromarray(np.ascontiguousarray(matrix[::-1]))
    means = flipped.resize((TIMES, BANDS), Image.Resampling.BOX)
    return np.asarray(means, np.float32).ravel()
