"""Psychoacoustics for the About page: tones, spectra, mel scale, equal loudness, sampling, windows.

Conventions: samples are float32 [shape=(n,)] in [-1, 1]; frequencies are in Hz, times in seconds. A
level in dBFS is relative to a sine of amplitude 1, a sound pressure level (dB SPL) to 20 micropascal.
Every tone peaks at or below `PEAK_DBFS`.

References: ISO 226:2003 (equal-loudness-level contours, equation 1 and table 1); Slaney (1998,
"Auditory Toolbox", librosa's default mel scale); Harris (1978, windows).
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
"""Sample rate of the tones; its Nyquist frequency is above the range of hearing."""
TONE_SECONDS = 2.0
PEAK_DBFS = -12.0
FADE_SECONDS = 0.03
"""Length of the fade at each end of a sound, which prevents clicks."""
FLOOR_DB = -80.0
REFERENCE_HZ = 1_000.0
"""Frequency of the reference tone that defines the phon."""

_MEL_LINEAR_HZ = 200.0 / 3.0
_MEL_BREAK_HZ = 1_000.0
_MEL_BREAK = _MEL_BREAK_HZ / _MEL_LINEAR_HZ
_MEL_LOG_STEP = np.log(6.4) / 27.0

_ISO_226 = np.array(
    [
        # frequency (Hz), exponent of loudness perception, transfer function (dB), threshold (dB SPL)
        (20, 0.532, -31.6, 78.5),
        (25, 0.506, -27.2, 68.7),
        (31.5, 0.480, -23.0, 59.5),
        (40, 0.455, -19.1, 51.1),
        (50, 0.432, -15.9, 44.0),
        (63, 0.409, -13.0, 37.5),
        (80, 0.387, -10.3, 31.5),
        (100, 0.367, -8.1, 26.5),
        (125, 0.349, -6.2, 22.1),
        (160, 0.330, -4.5, 17.9),
        (200, 0.315, -3.1, 14.4),
        (250, 0.301, -2.0, 11.4),
        (315, 0.288, -1.1, 8.6),
        (400, 0.276, -0.4, 6.2),
        (500, 0.267, 0.0, 4.4),
        (630, 0.259, 0.3, 3.0),
        (800, 0.253, 0.5, 2.2),
        (1000, 0.250, 0.0, 2.4),
        (1250, 0.246, -2.7, 3.5),
        (1600, 0.244, -4.1, 1.7),
        (2000, 0.243, -1.0, -1.3),
        (2500, 0.243, 1.7, -4.2),
        (3150, 0.243, 2.5, -6.0),
        (4000, 0.242, 1.2, -5.4),
        (5000, 0.242, -2.1, -1.5),
        (6300, 0.245, -7.1, 6.0),
        (8000, 0.254, -11.2, 12.6),
        (10000, 0.271, -10.7, 13.9),
        (12500, 0.301, -3.1, 12.3),
    ]
)
ISO_226_HZ = tuple(float(frequency) for frequency in _ISO_226[:, 0])
"""The frequencies that ISO 226:2003 tabulates."""
MIN_PHON, MAX_PHON = 20.0, 80.0
"""Range of loudness levels for which the standard's equation is valid at all these frequencies."""


def amplitude(level_db: float) -> float:
    """Convert a level in dB relative to 1 to an amplitude: -6 dB is a half, -20 dB a tenth."""
    return float(10.0 ** (level_db / 20.0))


def decibels(ratio: float) -> float:
    """Convert a positive amplitude ratio to a level in dB."""
    return float(20.0 * np.log10(ratio))


def sine(
    frequency: float,
    level_db: float = PEAK_DBFS,
    seconds: float = TONE_SECONDS,
    sample_rate: int = SAMPLE_RATE,
) -> NDArray[np.float32]:
    """A sine. Above half the sample rate it aliases, as without an anti-aliasing filter."""
    phase = 2.0 * np.pi * frequency * _times(seconds, sample_rate)
    return (_checked_amplitude(level_db) * np.sin(phase)).astype(np.float32)


def square(
    frequency: float,
    level_db: float = PEAK_DBFS,
    seconds: float = TONE_SECONDS,
    sample_rate: int = SAMPLE_RATE,
) -> NDArray[np.float32]:
    """A band-limited square wave: odd harmonics, the nth at 1/n, up to half the sample rate.

    Alternating between plus and minus would alias the higher harmonics.
    """
    _check_below_nyquist(frequency, sample_rate)
    phase = 2.0 * np.pi * frequency * _times(seconds, sample_rate)
    total = np.zeros_like(phase)
    # sin((n + 2) x) = 2 cos(2 x) sin(n x) - sin((n - 2) x); computing each sine takes ten times as long.
    twice, before, wave_n = 2.0 * np.cos(2.0 * phase), -np.sin(phase), np.sin(phase)
    for multiple in range(1, math.ceil(sample_rate / 2.0 / frequency), 2):
        total += wave_n / multiple
        before, wave_n = wave_n, twice * wave_n - before
    return _scaled_to_peak(total, level_db)


def two_tones(
    frequency: float,
    level_db: float = PEAK_DBFS,
    seconds: float = TONE_SECONDS,
    sample_rate: int = SAMPLE_RATE,
) -> NDArray[np.float32]:
    """Two sines of equal level, a fifth apart (frequency ratio 3:2)."""
    _check_below_nyquist(1.5 * frequency, sample_rate)
    phase = 2.0 * np.pi * frequency * _times(seconds, sample_rate)
    return _scaled_to_peak(np.sin(phase) + np.sin(1.5 * phase), level_db)


SHAPES: dict[str, Callable[..., NDArray[np.float32]]] = {
    "sine": sine,
    "square": square,
    "two": two_tones,
}
"""The test sounds by name."""


def one_after_the_other(first: float, second: float) -> NDArray[np.float32]:
    """Two sines of one second each, separated by a short rest."""
    rest = np.zeros(round(0.1 * SAMPLE_RATE), np.float32)
    tones = [_faded(sine(frequency, seconds=1.0), SAMPLE_RATE) for frequency in (first, second)]
    return np.concatenate([tones[0], rest, tones[1]])


def wav(samples: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> bytes:
    """Encode a sound as a 16-bit mono WAV file, faded in and out."""
    whole = np.round(np.clip(_faded(samples, sample_rate), -1.0, 1.0) * 32_767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, sample_rate, 0, "NONE", ""))
        output.writeframes(whole.tobytes())
    return file.getvalue()


def spectrum(
    samples: NDArray[np.float32], sample_rate: int = SAMPLE_RATE, max_hz: float = 10_000.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Level at each frequency of a steady sound, through a Hann window.

    Returns
    -------
    frequencies : Hz [shape=(m,)], at most 1,000 from 0 to `max_hz`; neighbouring bins are max-pooled
    levels : dBFS, floored at -80; a sine of amplitude 1 has 0 [shape=(m,)]
    """
    window = np.hanning(len(samples) + 1)[:-1]
    magnitudes = np.abs(np.fft.rfft(samples * window)) / (window.sum() / 2.0)
    frequencies = np.fft.rfftfreq(len(samples), 1.0 / sample_rate)
    kept = frequencies <= max_hz
    loudest, step = _max_pooled(magnitudes[kept], 0, 1_000)
    levels = 20.0 * np.log10(np.maximum(loudest, amplitude(FLOOR_DB)))
    return frequencies[kept][::step].astype(np.float32), levels.astype(np.float32)


def alias(frequency: float, sample_rate: float) -> float:
    """The alias of a frequency, between minus and plus half the sample rate, with the same samples.

    A negative frequency sounds like its absolute value, with inverted phase.
    """
    return float(frequency - sample_rate * np.round(frequency / sample_rate))


def hz_to_mel(frequency: float) -> float:
    """Convert Hz to Slaney's mel: linear up to 1 kHz (15 mel), logarithmic above."""
    if frequency < _MEL_BREAK_HZ:
        return float(frequency / _MEL_LINEAR_HZ)
    return float(_MEL_BREAK + np.log(frequency / _MEL_BREAK_HZ) / _MEL_LOG_STEP)


def mel_to_hz(mel: float) -> float:
    """Convert mel to Hz, the inverse of `hz_to_mel`."""
    if mel < _MEL_BREAK:
        return float(mel * _MEL_LINEAR_HZ)
    return float(_MEL_BREAK_HZ * np.exp(_MEL_LOG_STEP * (mel - _MEL_BREAK)))


def mel_centres(n_bands: int, max_hz: float) -> list[float]:
    """Centre frequencies of mel bands from 0 to `max_hz`, equally spaced in mel, low first."""
    points = np.linspace(0.0, hz_to_mel(max_hz), n_bands + 2)
    return [mel_to_hz(float(mel)) for mel in points[1:-1]]


def equal_steps(starts: Sequence[float], step_hz: float, in_mel: bool) -> list[tuple[float, float]]:
    """Upward steps from several frequencies, equal in Hz or in mel.

    Parameters
    ----------
    starts : Hz
    step_hz : size of the first step
    in_mel : whether the other steps have the same size in mel, instead of in Hz

    Returns
    -------
    pairs of frequencies in Hz
    """
    if not in_mel:
        return [(start, start + step_hz) for start in starts]
    rise = hz_to_mel(starts[0] + step_hz) - hz_to_mel(starts[0])
    return [(start, mel_to_hz(hz_to_mel(start) + rise)) for start in starts]


def equal_loudness(phon: float) -> NDArray[np.float64]:
    """Equal-loudness contour: sound pressure levels as loud as a 1 kHz tone, by ISO 226:2003.

    Parameters
    ----------
    phon : loudness level, 20 to 80

    Returns
    -------
    dB SPL at each of `ISO_226_HZ` [shape=(29,)]

    Raises
    ------
    ValueError
        If the loudness level is outside the range.
    """
    if not MIN_PHON <= phon <= MAX_PHON:
        raise ValueError(f"phon must be between {MIN_PHON:.0f} and {MAX_PHON:.0f}, not {phon}")
    _, exponent, transfer, _ = _ISO_226.T
    loudness = 4.47e-3 * (10.0 ** (0.025 * phon) - 1.15) + _at_threshold()
    levels: NDArray[np.float64] = 10.0 / exponent * np.log10(loudness) - transfer + 94.0
    return levels


def hearing_threshold() -> NDArray[np.float64]:
    """Threshold of hearing in dB SPL at each of `ISO_226_HZ` [shape=(29,)]."""
    return _ISO_226[:, 3].copy()


def phon_of(level_spl: float, frequency: float) -> float:
    """Loudness level of a tone in phon: the inverse of equation 1 of ISO 226:2003.

    Parameters
    ----------
    level_spl : dB SPL
    frequency : one of `ISO_226_HZ`

    Returns
    -------
    phon; values outside 20 to 80 are outside the standard's range, and 0 means below the threshold
    """
    row = ISO_226_HZ.index(frequency)
    _, exponent, transfer, _ = _ISO_226[row]
    total = 10.0 ** (exponent * (level_spl + transfer - 94.0) / 10.0)
    argument = (total - _at_threshold()[row]) / 4.47e-3 + 1.15
    return float(max(0.0, 40.0 * np.log10(argument))) if argument > 0 else 0.0


def matched_levels(frequency: float, phon: float) -> tuple[float, float]:
    """Levels in dBFS at which a 1 kHz tone and another are equally loud; the higher is `PEAK_DBFS`."""
    needed = float(equal_loudness(phon)[ISO_226_HZ.index(frequency)]) - phon
    return PEAK_DBFS - max(0.0, needed), PEAK_DBFS + min(0.0, needed)


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """Levels over time and frequency, downsampled for display.

    Attributes
    ----------
    levels : whole dB relative to the loudest, -80 to 0 [shape=(frequencies, frames), int8]
    seconds : column spacing
    hertz : row spacing; the first row is 0 Hz
    frames : number of frames before downsampling
    """

    levels: NDArray[np.int8]
    seconds: float
    hertz: float
    frames: int


def spectrogram(
    samples: NDArray[np.float32],
    sample_rate: int,
    n_fft: int,
    hop: int,
    max_hz: float = 5_000.0,
    max_shape: tuple[int, int] = (160, 260),
) -> Spectrogram:
    """Short-time Fourier transform with centred Hann windows, as in librosa.

    Parameters
    ----------
    n_fft : window length; frequencies closer than `sample_rate` / `n_fft` are not resolved
    hop : hop length in samples
    max_hz : highest frequency to include
    max_shape : maximum rows and columns; neighbouring cells are max-pooled
    """
    padded = np.pad(samples, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    magnitudes = np.abs(np.fft.rfft(frames * window, axis=1)).T
    rows = int(max_hz * n_fft / sample_rate) + 1
    thinned, row_step = _max_pooled(magnitudes[:rows], 0, max_shape[0])
    thinned, column_step = _max_pooled(thinned, 1, max_shape[1])
    loudest = max(float(thinned.max()), np.finfo(np.float32).tiny)
    levels = 20.0 * np.log10(np.maximum(thinned / loudest, amplitude(FLOOR_DB)))
    return Spectrogram(
        np.round(levels).astype(np.int8),
        column_step * hop / sample_rate,
        row_step * sample_rate / n_fft,
        len(frames),
    )


def thinned_levels(levels: NDArray[np.float32], max_shape: tuple[int, int]) -> NDArray[np.int8]:
    """Max-pool a matrix of dB and round it to whole dB [shape within `max_shape`]."""
    fewer_rows, _ = _max_pooled(levels, 0, max_shape[0])
    fewer, _ = _max_pooled(fewer_rows, 1, max_shape[1])
    return np.round(fewer).astype(np.int8)


def middle(samples: NDArray[np.float32], sample_rate: int, seconds: float) -> NDArray[np.float32]:
    """The middle `seconds` of a sound, or all of a shorter one."""
    n = min(len(samples), round(seconds * sample_rate))
    start = (len(samples) - n) // 2
    return samples[start : start + n]


def _at_threshold() -> NDArray[np.float64]:
    """Equation 1's hearing threshold term at each frequency of the table."""
    _, exponent, transfer, threshold = _ISO_226.T
    term: NDArray[np.float64] = (0.4 * 10.0 ** ((threshold + transfer) / 10.0 - 9.0)) ** exponent
    return term


def _times(seconds: float, sample_rate: int) -> NDArray[np.float64]:
    return np.arange(round(seconds * sample_rate)) / sample_rate


def _checked_amplitude(level_db: float) -> float:
    if level_db > PEAK_DBFS:
        raise ValueError(f"a tone may peak at {PEAK_DBFS:.0f} dBFS at most, not {level_db}")
    return amplitude(level_db)


def _check_below_nyquist(frequency: float, sample_rate: int) -> None:
    if not 0 < frequency < sample_rate / 2.0:
        raise ValueError(f"frequency must be between 0 and {sample_rate / 2.0:g} Hz, not {frequency}")


def _scaled_to_peak(samples: NDArray[np.float64], level_db: float) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (
        samples * (_checked_amplitude(level_db) / np.abs(samples).max())
    ).astype("f4")
    return scaled


def _faded(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    n = min(round(FADE_SECONDS * sample_rate), len(samples) // 2)
    ramp = np.sin(np.linspace(0.0, np.pi / 2.0, n, dtype=np.float32)) ** 2
    faded = samples.astype(np.float32)
    faded[:n] *= ramp
    faded[len(faded) - n :] *= ramp[::-1]
    return faded


def _max_pooled(values: NDArray[Any], axis: int, limit: int) -> tuple[NDArray[Any], int]:
    """Max-pool an axis to at most `limit` values; also return the pool size."""
    n = values.shape[axis]
    step = -(-n // limit)
    return np.maximum.reduceat(values, np.arange(0, n, step), axis=axis), step
