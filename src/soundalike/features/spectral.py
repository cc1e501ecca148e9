"""Spectral front ends: convert a clip to a matrix of features by frames.

Conventions follow the article: 22,050 Hz, Hann windows of 2,048 samples, hop length 512, centred
frames. Rows are frequency (or coefficient, or pitch class), low first; columns are frames. Levels are
in dB relative to the loudest value of the clip, so the maximum is 0.

References: librosa (McFee et al., 2015); Davis and Mermelstein (1980) for MFCC; Ellis (2007) for
the chromagram.
"""

from __future__ import annotations

import threading
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
KEPT_POWERS = 4
"""Number of clips whose power spectrogram is kept: 5 MB each, and computed again in 10 ms."""
_TUNING_BINS = 380
"""Number of bins up to 4,092 Hz."""


Spectrum = Callable[[Clip], NDArray[np.float32]]
_longer: WeakKeyDictionary[Clip, Clip] = WeakKeyDictionary()


def _cached(clips: int | None = None) -> Callable[[Spectrum], Spectrum]:
    """Cache a spectrum, because several features are derived from it.

    Parameters
    ----------
    clips : number of clips to keep it for, the latest; by default it is kept as long as the clip
    """

    def decorate(spectrum: Spectrum) -> Spectrum:
        cache: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()
        lock = threading.Lock()

        @wraps(spectrum)
        def wrapper(clip: Clip) -> NDArray[np.float32]:
            found = cache.get(clip)
            if found is not None:
                return found
            computed = spectrum(clip)
            computed.flags.writeable = False
            with lock:
                cache[clip] = computed
                if clips is not None and len(cache) > clips:
                    cache.pop(next(iter(cache)), None)
            return computed

        return wrapper

    return decorate


def begins(clip: Clip, longer: Clip) -> None:
    """Have a clip's `power` taken from that of a longer clip, which begins with the same samples.

    All frames are the same but the last few, which the end of the clip cuts off.
    """
    if clip is not longer and len(clip.samples) >= N_FFT:
        _longer[clip] = longer


@_cached(KEPT_POWERS)
def power(clip: Clip) -> NDArray[np.float32]:
    """Power spectrogram, from which all others are derived [shape=(1025, t)]."""
    longer = _longer.get(clip)
    if longer is None:
        return _power(clip.samples)
    same = (len(clip.samples) - N_FFT // 2) // HOP_LENGTH + 1
    padding = np.zeros(N_FFT // 2, np.float32)
    end = np.concatenate([clip.samples[same * HOP_LENGTH - N_FFT // 2 :], padding])
    return np.concatenate([power(longer)[:, :same], _power(end, center=False)], axis=1)


def _power(samples: NDArray[np.float32], *, center: bool = True) -> NDArray[np.float32]:
    numba_cache.ready()
    import librosa

    transform = librosa.stft(samples, n_fft=N_FFT, hop_length=HOP_LENGTH, center=center)
    return np.asarray(np.abs(transform) ** 2, np.float32)


@_cached()
def mel_spectrogram(clip: Clip) -> NDArray[np.float32]:
    """Mel power spectrogram, dB relative to its maximum [shape=(216, t), range -80 to 0]."""
    numba_cache.ready()
    import librosa

    bands = librosa.feature.melspectrogram(S=power(clip), sr=clip.sample_rate, n_mels=N_MELS)
    level = librosa.power_to_db(bands, ref=np.max, top_db=DYNAMIC_RANGE_DB)
    return np.asarray(level, dtype=np.float32)


@_cached()
def log_mel(clip: Clip) -> NDArray[np.float32]:
    """Mel spectrogram for MFCC and onset strength, dB [shape=(128, t)]."""
    numba_cache.ready()
    import librosa

    bands = librosa.feature.melspectrogram(S=power(clip), sr=clip.sample_rate)
    return np.asarray(librosa.power_to_db(bands), dtype=np.float32)


@_cached()
def centroids(clip: Clip) -> NDArray[np.float32]:
    """Spectral centroid of each frame, Hz [shape=(t,)]."""
    numba_cache.ready()
    import librosa

    frames = librosa.feature.spectral_centroid(S=np.sqrt(power(clip)), sr=clip.sample_rate)
    return np.asarray(frames[0])


def mfcc(clip: Clip) -> NDArray[np.float32]:
    """The first 20 mel-frequency cepstral coefficients [shape=(20, t), dB]."""
    numba_cache.ready()
    import librosa

    return np.asarray(librosa.feature.mfcc(S=log_mel(clip), n_mfcc=N_MFCC), dtype=np.float32)


def chroma(clip: Clip) -> NDArray[np.float32]:
    """Chromagram: energy of the 12 pitch classes from C, normalised to a maximum of 1 per frame
    [shape=(12, t)].
    """
    numba_cache.ready()
    import librosa

    spectrum = power(clip)
    # librosa estimates the tuning from 150 to 4,000 Hz but spends most of its time on higher bins.
    below = spectrum[: _TUNING_BINS + 1]
    tuning = librosa.estimate_tuning(S=below, sr=clip.sample_rate * _TUNING_BINS / (N_FFT // 2))
    return np.asarray(
        librosa.feature.chroma_stft(S=spectrum, sr=clip.sample_rate, n_chroma=N_CHROMA, tuning=tuning),
        dtype=np.float32,
    )


def standardise(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standardise each row to mean 0 and standard deviation 1; a constant row becomes 0."""
    # Float64 keeps a constant row's deviation far below the threshold despite rounding.
    centred = matrix - matrix.mean(axis=1, keepdims=True, dtype=np.float64)
    deviation = matrix.std(axis=1, keepdims=True, dtype=np.float64)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    standardised: NDArray[np.float32] = np.where(deviation > 1e-6, centred / scale, 0.0).astype(
        np.float32
    )
    return standardised
