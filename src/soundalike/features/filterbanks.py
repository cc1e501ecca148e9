"""Alternatives to the mel front end: Bark bands, gammatone bands and a wavelet scalogram.

The article lists them as future work. All use the frames of `spectral` (hop length 512) and return
levels in dB relative to the loudest value of the clip, down to -80. Rows are ordered low to high.

`bark_bands`
    Zwicker's critical bands (Zwicker, 1961, "Subdivision of the audible frequency range into
    critical bands"): rectangular, with the power of each band summed. At 22,050 Hz, the last of the 24
    is above the Nyquist frequency and the 23rd is cut off at 11,025 Hz.
`gammatone_bands`
    Fourth-order gammatone filters (Patterson et al., 1987) at equal steps of the ERB-number scale,
    with the bandwidths of Glasberg and Moore (1990), "Derivation of auditory filter shapes from
    notched-noise data". Each filter's power response weighs the bins of the spectrogram.
`scalogram`
    The continuous wavelet transform with Morlet's wavelet (Torrence and Compo, 1998, "A practical
    guide to wavelet analysis") at every semitone; power is averaged over each frame. All wavelets
    have the same number of cycles, which resolves low notes in pitch and high notes in time. We
    implement it here because libraries either compute every wavelet at every sample, which takes over
    half a minute, or once per frame, where a wavelet of 8 kHz misses nine tenths of the sound.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE, Clip
from soundalike.features import spectral
from soundalike.features.spectral import DYNAMIC_RANGE_DB, N_FFT

BARK_EDGES = (
    *(0, 100, 200, 300, 400, 510, 630, 770, 920, 1_080, 1_270, 1_480, 1_720),
    *(2_000, 2_320, 2_700, 3_150, 3_700, 4_400, 5_300, 6_400, 7_700, 9_500, 12_000, 15_500),
)
"""Edges of Zwicker's 24 critical bands, Hz."""
N_BARK = 23
"""Number of bands that start below 11,025 Hz."""

N_GAMMATONE = 64
GAMMATONE_LOW, GAMMATONE_HIGH = 50.0, 10_000.0
_BANDWIDTHS_AN_ERB = 1.019
"""Bandwidth, in ERB, that gives a fourth-order gammatone filter the ERB of the auditory filter."""

N_NOTES = 96
LOWEST_NOTE = 440.0 * 2 ** (-45 / 12)
"""C1, 32.70 Hz."""
MORLET_OMEGA = 40.0
"""Morlet's non-dimensional frequency; the response is a semitone wide at half its maximum."""


def bark_bands(clip: Clip) -> NDArray[np.float32]:
    """Level of each critical band, dB relative to the loudest [shape=(23, t)]."""
    return _level(_bark_weights() @ spectral.power(clip))


def gammatone_bands(clip: Clip) -> NDArray[np.float32]:
    """Output level of each gammatone filter, dB relative to the loudest [shape=(64, t)]."""
    return _level(_gammatone_weights(gammatone_centres()) @ spectral.power(clip))


def scalogram(clip: Clip) -> NDArray[np.float32]:
    """Power of each semitone from C1 to B8, dB relative to the strongest [shape=(96, t)]."""
    return _level(_morlet_power(clip.samples, scalogram_centres()))


def bark_limits() -> list[tuple[float, float]]:
    """Lower and upper edge of each band of `bark_bands`, Hz."""
    edges = [min(float(edge), SAMPLE_RATE / 2) for edge in BARK_EDGES[: N_BARK + 1]]
    return list(pairwise(edges))


def erb(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Equivalent rectangular bandwidth (ERB) of the auditory filter at a frequency, Hz."""
    return 24.7 * (4.37 * hertz / 1_000 + 1)


def erb_number(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """ERB-number of a frequency: how many adjacent auditory filters lie below it."""
    scale: NDArray[np.float64] = 21.4 * np.log10(4.37 * hertz / 1_000 + 1)
    return scale


def gammatone_centres() -> NDArray[np.float64]:
    """Centre frequencies of `gammatone_bands`, Hz: equal steps of `erb_number`."""
    low, high = erb_number(np.array([GAMMATONE_LOW, GAMMATONE_HIGH]))
    return (10 ** (np.linspace(low, high, N_GAMMATONE) / 21.4) - 1) / 4.37 * 1_000


def scalogram_centres() -> NDArray[np.float64]:
    """Centre frequencies of `scalogram`, Hz: equal temperament at A4 = 440 Hz."""
    return LOWEST_NOTE * 2 ** (np.arange(N_NOTES) / 12)


def _bins() -> NDArray[np.float64]:
    return np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT


def _bark_weights() -> NDArray[np.float32]:
    """1 where a bin is in a band; each bin is in exactly one [shape=(23, 1025)]."""
    band = np.searchsorted(BARK_EDGES, _bins(), side="right") - 1
    return np.eye(N_BARK, dtype=np.float32)[band].T


def _gammatone_weights(centres: NDArray[np.float64]) -> NDArray[np.float32]:
    """Power response of each filter at each bin, 1 at its centre [shape=(n, 1025)]."""
    width = _BANDWIDTHS_AN_ERB * erb(centres)[:, np.newaxis]
    distance = (_bins() - centres[:, np.newaxis]) / width
    return ((1 + distance**2) ** -4).astype(np.float32)


def _morlet_power(samples: NDArray[np.float32], centres: NDArray[np.float64]) -> NDArray[np.float32]:
    """Squared modulus of the wavelet transform, averaged over each frame [shape=(n, t)].

    A wavelet's spectrum is a narrow bell, so only the bins under it are transformed back, at just
    enough points per frame for their bandwidth. A sinusoid of amplitude a gives a^2.
    """
    t = len(samples) // HOP_LENGTH + 1
    # Pad by the lowest wavelet's support, to prevent the clip's end from wrapping to its beginning.
    # A multiple of 64 makes the transforms fast.
    frames = -(-(t + 48) // 64) * 64
    padded = np.zeros(frames * HOP_LENGTH, np.float32)
    padded[HOP_LENGTH // 2 : HOP_LENGTH // 2 + len(samples)] = samples
    spectrum = np.fft.rfft(padded)
    hertz = SAMPLE_RATE / len(padded)

    def of_note(centre: float) -> NDArray[np.float32]:
        width = centre / MORLET_OMEGA
        first = int((centre - 4 * width) / hertz)
        bins = np.arange(first, min(int((centre + 4 * width) / hertz) + 1, len(spectrum)))
        bell = 2 * np.exp(-0.5 * ((bins * hertz - centre) / width) ** 2).astype(np.float32)
        points = min(2 ** int(np.ceil(np.log2(max(2 * len(bins) / frames, 32)))), HOP_LENGTH)
        band = np.zeros(frames * points, np.complex64)
        # A phase shift centres each point in its interval.
        shift = np.exp(1j * np.pi * bins / len(band))
        band[: len(bins)] = spectrum[bins] * bell * shift
        wave = np.fft.ifft(band).reshape(frames, points)
        mean = np.mean(wave.real**2 + wave.imag**2, axis=1)
        return np.asarray(mean[:t] * (points / HOP_LENGTH) ** 2, np.float32)

    with ThreadPoolExecutor(2) as threads:
        return np.stack(list(threads.map(of_note, centres)))


def _level(power: NDArray[np.float32]) -> NDArray[np.float32]:
    numba_cache.ready()
    import librosa

    level = librosa.power_to_db(power, ref=np.max, top_db=DYNAMIC_RANGE_DB)
    return np.asarray(level, dtype=np.float32)
