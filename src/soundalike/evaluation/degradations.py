"""Degradations that music suffers between loudspeaker and microphone: rooms, telephones, crowds.

Every degradation maps samples at 22,050 Hz to the same number of samples. Randomness comes from a
generator that is passed in. Levels are root mean squares.

- Rooms are synthetic impulse responses: a direct path, followed by white noise that decays by 60 dB in
  the reverberation time RT60 (Moorer, "About this reverberation business", Computer Music Journal 3,
  1979). The direct-to-reverberant ratio compares the energy of the two.
- Pink noise has equal energy in each octave. Babble is a crowd of synthetic voices: pulse trains through
  three formants each that change with every syllable, with fricatives and pauses (source-filter model:
  Fant, 1960). It contains no recordings of people.
- The signal-to-noise ratio (SNR) compares the energy of the whole clip and the whole noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import SAMPLE_RATE

Samples = NDArray[np.float32]

TELEPHONE_HZ = (300.0, 3_400.0)
SPEAKER_HZ = 200.0
VOICES = 8
_PREDELAY_S = 0.004
"""Delay from the direct sound to the first reflections, in seconds."""
_SYLLABLE_S = (0.12, 0.3)
_PITCHES_HZ = (90.0, 250.0)
_FORMANTS_HZ = ((300.0, 800.0), (900.0, 2_400.0), (2_500.0, 3_000.0))
_BANDWIDTHS_HZ = (80.0, 120.0, 180.0)


@dataclass(frozen=True)
class Room:
    """A room with a loudspeaker and a microphone.

    Attributes
    ----------
    rt60 : reverberation time, seconds
    direct_db : direct-to-reverberant ratio, dB
    """

    rt60: float
    direct_db: float

    def impulse_response(self, generator: np.random.Generator) -> Samples:
        """A random impulse response of this room [shape=(n,)]; the direct path is 1."""
        delay = round(_PREDELAY_S * SAMPLE_RATE)
        tail = round(1.2 * self.rt60 * SAMPLE_RATE)
        times = np.arange(tail) / SAMPLE_RATE
        reverberation = generator.standard_normal(tail) * 10 ** (-3 * times / self.rt60)
        energy = np.square(reverberation).sum()
        reverberation *= 10 ** (-self.direct_db / 20) / np.sqrt(energy)
        response = np.zeros(delay + tail)
        response[0] = 1.0
        response[delay:] = reverberation
        return response.astype(np.float32)


def in_room(samples: Samples, room: Room, generator: np.random.Generator) -> Samples:
    """Apply a room's reverberation."""
    from scipy import signal

    wet = signal.oaconvolve(samples, room.impulse_response(generator))
    return np.asarray(wet[: len(samples)], np.float32)


def with_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Add noise, scaled to a signal-to-noise ratio of `snr_db`."""
    loudness = np.sqrt(np.square(samples, dtype=np.float64).mean())
    noisiness = np.sqrt(np.square(noise, dtype=np.float64).mean())
    gain = loudness / max(noisiness, 1e-12) * 10 ** (-snr_db / 20)
    return np.asarray(samples + gain * noise, np.float32)


def pink_noise(count: int, generator: np.random.Generator) -> Samples:
    """Pink noise [shape=(count,)]."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0.0
    return np.fft.irfft(spectrum, count).astype(np.float32)


def babble(count: int, generator: np.random.Generator, voices: int = VOICES) -> Samples:
    """Babble of a crowd [shape=(count,)]; voices are at different distances."""
    crowd = np.zeros(count)
    for _ in range(voices):
        crowd += generator.uniform(0.3, 1.0) * _voice(count, generator)
    return crowd.astype(np.float32)


def band_limited(samples: Samples, low_hz: float | None, high_hz: float | None) -> Samples:
    """Band-pass by Butterworth filters of order 4; None leaves an end open."""
    from scipy import signal

    for edge, kind in ((low_hz, "highpass"), (high_hz, "lowpass")):
        if edge is not None:
            sections = signal.butter(4, edge, kind, fs=SAMPLE_RATE, output="sos")
            samples = signal.sosfilt(sections, samples).astype(np.float32)
    return samples


def telephone(samples: Samples) -> Samples:
    """Limit to the telephone band, 300 to 3,400 Hz."""
    return band_limited(samples, *TELEPHONE_HZ)


def small_speaker(samples: Samples, drive: float = 2.0, lowest_hz: float = SPEAKER_HZ) -> Samples:
    """Simulate a small, overdriven loudspeaker: no bass, and soft-clipped peaks.

    Parameters
    ----------
    samples : [shape=(n,)]
    drive : level before clipping, in units of a root mean square of a quarter of full scale
    lowest_hz : lower cut-off frequency
    """
    thin = band_limited(samples, lowest_hz, None)
    loudness = max(float(np.sqrt(np.square(thin, dtype=np.float64).mean())), 1e-12)
    return np.asarray(np.tanh(thin * np.float32(drive * 0.25 / loudness)))


def resampled(samples: Samples, factor: float) -> Samples:
    """Play `factor` times as fast, with the pitch; cut or repeat to the original length."""
    import soxr

    played = soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE, quality="HQ")
    return np.resize(played, len(samples)).astype(np.float32)


def transposed(samples: Samples, semitones: float) -> Samples:
    """Transpose without changing the tempo, by librosa's phase vocoder."""
    numba_cache.ready()
    import librosa

    moved = librosa.effects.pitch_shift(samples, sr=SAMPLE_RATE, n_steps=semitones)
    return np.asarray(moved, np.float32)


def _voice(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """One synthetic voice, at a root mean square of about 1 during speech."""
    voice = np.zeros(count)
    pitch = generator.uniform(*_PITCHES_HZ)
    place = 0
    while place < count:
        length = round(generator.uniform(*_SYLLABLE_S) * SAMPLE_RATE)
        if generator.random() > 0.15:
            syllable = _syllable(length, pitch * generator.uniform(0.85, 1.2), generator)
            end = min(place + length, count)
            voice[place:end] += syllable[: end - place]
        place += length
    return voice


def _syllable(length: int, pitch: float, generator: np.random.Generator) -> NDArray[np.float64]:
    from scipy import signal

    if generator.random() < 0.2:
        source = np.diff(generator.standard_normal(length + 1))
    else:
        phase = np.cumsum(pitch * np.linspace(1.05, 0.95, length) / SAMPLE_RATE)
        source = np.diff(np.floor(phase), prepend=0.0)
        for (low, high), width in zip(_FORMANTS_HZ, _BANDWIDTHS_HZ, strict=True):
            radius = np.exp(-np.pi * width / SAMPLE_RATE)
            angle = 2 * np.pi * generator.uniform(low, high) / SAMPLE_RATE
            source = signal.lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], source)
    source = source * np.hanning(length)
    loudness = np.sqrt(np.square(source).mean())
    return np.asarray(source / max(loudness, 1e-12))
