"""Spectral front ends: a clip to a matrix of features by frames.

Conventions of the article: 22,050 Hz, Hann windows of 2,048 samples, hop length 512, frames centred
on their time. Rows are frequency (or coefficient, or pitch class), low first; columns are frames.
Levels are in dB relative to the loudest value of the clip, so that 0 is the maximum.

References: librosa (McFee et al., 2015); Davis and Mermelstein (1980) for MFCC; Ellis (2007) for
the chromagram.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, Clip

N_FFT = 2_048
N_MELS = 216
N_MFCC = 20
N_CHROMA = 12
DYNAMIC_RANGE_DB = 80.0
_TUNING_BINS = 380
"""Bins up to 4,092 Hz."""


def _kept(spectrum: Callable[[Clip], NDArray[np.float32]]) -> Callable[[Clip], NDArray[np.float32]]:
    """A spectrum worked out once, and kept as long as its clip: several others are made of it."""
    kept: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()

    @wraps(spectrum)
    def of(clip: Clip) -> NDArray[np.float32]:
        if clip not in kept:
            made = spectrum(clip)
            made.flags.writeable = False
            kept[clip] = made
        return kept[clip]

    return of


@_kept
def power(clip: Clip) -> NDArray[np.float32]:
    """Power spectrogram, which all others are made of [shape=(1025, t)]."""
    numba_cache.ready()
    import librosa

    transform = librosa.stft(clip.samples, n_fft=N_FFT, hop_length=HOP_LENGTH)
    return np.asarray(np.abs(transform) ** 2, np.float32)


@_kept
def mel_spectrogram(clip: Clip) -> NDArray[np.float32]:
    """Mel power spectrogram, dB relative to its maximum [shape=(216, t), range -80 to 0]."""
    numba_cache.ready()
    import librosa

    bands = librosa.feature.melspectrogram(S=power(clip), sr=clip.sample_rate, n_mels=N_MELS)
    level = librosa.power_to_db(bands, ref=np.max, top_db=DYNAMIC_RANGE_DB)
    return np.asarray(level, dtype=np.float32)


@_kept
def log_mel(clip: Clip) -> NDArray[np.float32]:
    """The mel spectrogram that MFCC and onsets are made of, dB [shape=(128, t)]."""
    numba_cache.ready()
    import librosa

    bands = librosa.feature.melspectrogram(S=power(clip), sr=clip.sample_rate)
    return np.asarray(librosa.power_to_db(bands), dtype=np.float32)


def mfcc(clip: Clip) -> NDArray[np.float32]:
    """Mel-frequency cepstral coefficients, the first 20 [shape=(20, t), dB]."""
    numba_cache.ready()
    import librosa

    return np.asarray(librosa.feature.mfcc(S=log_mel(clip), n_mfcc=N_MFCC), dtype=np.float32)


def chroma(clip: Clip) -> NDArray[np.float32]:
    """Chromagram: energy of the 12 pitch classes from C, each frame's largest is 1 [shape=(12, t)]."""
    numba_cache.ready()
    import librosa

    spectrum = power(clip)
    # librosa hears the tuning between 150 and 4,000 Hz, and takes most of the time for what is above.
    below = spectrum[: _TUNING_BINS + 1]
    tuning = librosa.estimate_tuning(S=below, sr=clip.sample_rate * _TUNING_BINS / (N_FFT // 2))
    return np.asarray(
        librosa.feature.chroma_stft(S=spectrum, sr=clip.sample_rate, n_chroma=N_CHROMA, tuning=tuning),
        dtype=np.float32,
    )


def standardise(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row shifted to mean 0 and scaled to standard deviation 1; a constant row becomes 0."""
    # In float64, where rounding leaves a constant row's deviation far below the threshold.
    centred = matrix - matrix.mean(axis=1, keepdims=True, dtype=np.float64)
    deviation = matrix.std(axis=1, keepdims=True, dtype=np.float64)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    standardised: NDArray[np.float32] = np.where(deviation > 1e-6, centred / scale, 0.0).astype(
        np.float32
    )
    return standardised
