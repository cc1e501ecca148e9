"""Perceptual descriptors of a clip: tempo, key, loudness and brightness.

Conventions: time in seconds, frequency in Hz, levels in dBFS or LUFS. Tempo and key come with a
confidence value, because no estimator is right for all music.

References: Ellis (2007), "Beat tracking by dynamic programming", for the onset strength and the
tempo prior; Krumhansl and Kessler (1982), "Tracing the dynamic changes in perceived tonal
organization", for the key profiles; ITU-R BS.1770-4 (2015) for loudness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE, Clip
from soundalike.features import spectral

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Key profiles: how well each pitch class fits, from the tonic up (Krumhansl and Kessler, 1982)."""

ENVELOPE_POINTS = 4_096
QUIET_DB = -60.0
"""Level, relative to the clip's loudest frame, below which frames are excluded from the centroid."""


@dataclass(frozen=True)
class Tempo:
    """Tempo in beats per minute, and the regularity of the pulse (autocorrelation, 0 to 1)."""

    bpm: float
    clarity: float


@dataclass(frozen=True)
class Key:
    """The best and second best matching key, with their correlations (-1 to 1)."""

    name: str
    correlation: float
    second: str
    second_correlation: float

    @property
    def margin(self) -> float:
        """Difference between the best and second best correlation."""
        return self.correlation - self.second_correlation


def tempo(clip: Clip) -> Tempo | None:
    """Estimate the tempo; None for a clip without onsets.

    librosa estimates the beat period, preferring about 120 BPM if several fit. Peaks of the onset
    autocorrelation at 1, 2 and 4 periods then refine it to less than a frame.
    """
    numba_cache.ready()
    import librosa

    onsets = librosa.onset.onset_strength(
        S=spectral.log_mel(clip), sr=clip.sample_rate, hop_length=HOP_LENGTH
    )
    if not np.ptp(onsets) > 0:
        return None
    chosen = librosa.feature.tempo(
        onset_envelope=onsets, sr=clip.sample_rate, hop_length=HOP_LENGTH, max_tempo=240.0
    )
    frames_a_minute = 60.0 * clip.sample_rate / HOP_LENGTH
    period = frames_a_minute / float(chosen[0])
    autocorrelation = _autocorrelation(onsets)
    for beats in (1, 2, 4):
        if round(period * beats) + 2 < len(autocorrelation):
            period = _peak_near(autocorrelation, period * beats) / beats
    clarity = float(np.clip(autocorrelation[round(period)], 0.0, 1.0))
    return Tempo(frames_a_minute / period, clarity)


def key(chroma: NDArray[np.float32]) -> Key | None:
    """Estimate the key from a chromagram [shape=(12, t)]; None if all keys fit equally well.

    The chromagram's mean over time is correlated with the profile of each of the 24 keys.
    """
    mean = chroma.mean(axis=1, dtype=np.float64)
    if not np.ptp(mean) > 1e-6:
        return None
    fits = {
        f"{name} {mode}": float(np.corrcoef(mean, np.roll(profile, tonic))[0, 1])
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
        for tonic, name in enumerate(PITCH_CLASSES)
    }
    best, second = sorted(fits, key=lambda name: -fits[name])[:2]
    return Key(best, fits[best], second, fits[second])


def loudness(samples: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> float | None:
    """Integrated loudness in LUFS by ITU-R BS.1770-4, or None below its gate of -70 LUFS.

    Parameters
    ----------
    samples : one channel [shape=(n,)] or two [shape=(n, 2)], at least 0.4 s
    """
    import pyloudnorm

    # "DeMan" are the standard's two filters, derived exactly for any sample rate (De Man, 2018).
    meter = pyloudnorm.Meter(sample_rate, filter_class="DeMan")
    with np.errstate(divide="ignore", invalid="ignore"):
        level = float(meter.integrated_loudness(np.asarray(samples, np.float64)))
    return level if level > -70.0 else None


def centroid(clip: Clip) -> float:
    """Spectral centroid in Hz, the median over non-silent frames."""
    numba_cache.ready()
    import librosa

    levels = librosa.amplitude_to_db(rms(clip), ref=np.max, top_db=None)
    return float(np.median(spectral.centroids(clip)[levels >= QUIET_DB]))


def rms(clip: Clip) -> NDArray[np.float32]:
    """RMS of each frame; a full-scale square wave has 1 [shape=(t,)]."""
    numba_cache.ready()
    import librosa

    frames = librosa.feature.rms(y=clip.samples, frame_length=spectral.N_FFT, hop_length=HOP_LENGTH)
    return np.asarray(frames[0], np.float32)


def envelope(samples: NDArray[np.float32], points: int = ENVELOPE_POINTS) -> NDArray[np.float32]:
    """Minimum and maximum sample of equal sections of a clip [shape=(2, points)].

    Every peak is preserved, whatever the number of points. A clip with fewer samples than `points` has
    one point per sample.
    """
    starts = np.linspace(0, len(samples), min(points, len(samples)), endpoint=False).astype(np.intp)
    return np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)])


def _autocorrelation(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Unbiased autocorrelation of a series at lags of 0, 1, ... frames."""
    centred = values - values.mean(dtype=np.float64)
    n = len(centred)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    products = np.fft.irfft(spectrum)[: n // 2]
    unbiased: NDArray[np.float64] = products / products[0] * n / (n - np.arange(n // 2))
    return unbiased


def _peak_near(values: NDArray[np.float64], position: float) -> float:
    """Position of the maximum within 2 places, refined by parabolic interpolation."""
    middle = round(position)
    first = max(middle - 2, 1)
    peak = first + int(np.argmax(values[first : middle + 3]))
    if peak + 1 >= len(values):
        return position
    before, at, after = values[peak - 1 : peak + 2]
    curvature = before - 2 * at + after
    return (
        peak if curvature >= 0 else peak + float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))
    )
