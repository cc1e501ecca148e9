"""Descriptors that a listener can check by ear: tempo, key, loudness and brightness of a clip.

Conventions: time in seconds, frequency in Hz, levels in dBFS or LUFS. Estimates come with what tells
how far to trust them, since no measure of tempo or key is right for every music.

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
"""How well each pitch class from the tonic up fits a key (Krumhansl and Kessler, 1982)."""

ENVELOPE_POINTS = 4_096
QUIET_DB = -60.0
"""Frames this far below the clip's loudest say nothing of its brightness."""


@dataclass(frozen=True)
class Tempo:
    """A tempo in beats a minute, and how regular the pulse is (autocorrelation, 0 to 1)."""

    bpm: float
    clarity: float


@dataclass(frozen=True)
class Key:
    """The key whose profile fits best, the next best, and their correlations (-1 to 1)."""

    name: str
    correlation: float
    second: str
    second_correlation: float

    @property
    def margin(self) -> float:
        """By how much the best key fits better than the next."""
        return self.correlation - self.second_correlation


def tempo(clip: Clip) -> Tempo | None:
    """Beats a minute, or None for a clip without onsets.

    librosa chooses the beat's period, near 120 a minute where several fit; the peaks of the onsets'
    autocorrelation at 1, 2 and 4 periods then say it to better than a frame.
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
    likeness = _autocorrelation(onsets)
    for beats in (1, 2, 4):
        if round(period * beats) + 2 < len(likeness):
            period = _peak_near(likeness, period * beats) / beats
    clarity = float(np.clip(likeness[round(period)], 0.0, 1.0))
    return Tempo(frames_a_minute / period, clarity)


def key(chroma: NDArray[np.float32]) -> Key | None:
    """The key that a chromagram [shape=(12, t)] fits best, or None where all fit alike.

    Its mean over time is correlated with the profile of each of the 24 keys.
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
    """Integrated loudness by ITU-R BS.1770-4 in LUFS, or None below its gate of -70 LUFS.

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
    """Spectral centroid in Hz: the median over the frames that are not near silence."""
    numba_cache.ready()
    import librosa

    levels = librosa.amplitude_to_db(rms(clip), ref=np.max, top_db=None)
    frames = librosa.feature.spectral_centroid(S=np.sqrt(spectral.power(clip)), sr=clip.sample_rate)[0]
    return float(np.median(frames[levels >= QUIET_DB]))


def rms(clip: Clip) -> NDArray[np.float32]:
    """Root mean square of each frame, 1 for a full-scale square wave [shape=(t,)]."""
    numba_cache.ready()
    import librosa

    frames = librosa.feature.rms(y=clip.samples, frame_length=spectral.N_FFT, hop_length=HOP_LENGTH)
    return np.asarray(frames[0], np.float32)


def envelope(samples: NDArray[np.float32], points: int = ENVELOPE_POINTS) -> NDArray[np.float32]:
    """Smallest and largest sample of equal stretches of a clip [shape=(2, points)].

    No peak is lost, whatever the number of points; a clip of fewer samples has as many points.
    """
    starts = np.linspace(0, len(samples), min(points, len(samples)), endpoint=False).astype(np.intp)
    return np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)])


def _autocorrelation(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Correlation of a series with itself shifted by 0, 1, ... frames, over what overlaps."""
    centred = values - values.mean(dtype=np.float64)
    n = len(centred)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    products = np.fft.irfft(spectrum)[: n // 2]
    unbiased: NDArray[np.float64] = products / products[0] * n / (n - np.arange(n // 2))
    return unbiased


def _peak_near(values: NDArray[np.float64], position: float) -> float:
    """The largest value within 2 places, its place refined by a parabola through its neighbours."""
    middle = round(position)
    first = max(middle - 2, 1)
    peak = first + int(np.argmax(values[first : middle + 3]))
    if peak + 1 >= len(values):
        return position
    before, at, after = values[peak - 1 : peak + 2]
    bend = before - 2 * at + after
    return peak if bend >= 0 else peak + float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
