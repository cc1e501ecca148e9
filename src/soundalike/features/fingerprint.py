"""Audio fingerprints, which identify copies of a clip in any format, at any level or start time.

Haitsma and Kalker (2002), "A highly robust audio fingerprinting system" (ISMIR): the power spectrum of
long, overlapping frames is summed in 33 logarithmic bands from 300 to 2,000 Hz, a semitone each. Let
E[n, m] be the energy of frame n in band m. Frame n's word has the 32 bits

    E[n, m] - E[n, m + 1] - (E[n - 1, m] - E[n - 1, m + 1]) > 0,    m = 0 (the lowest bit) to 31.

A codec or a gain changes a spectrum smoothly over frequency and time, and the second difference
removes such changes. In a different recording, each bit differs with probability 0.5. Two fingerprints
are compared by their bit error rate, the proportion of bits that differ: 0 for the same clip, 0.5 by
chance.

The paper's frames are 370 ms long and 11.6 ms apart. Ours are twice as long, which tolerates a larger
time offset between the frames of a copy and the original, and eight times as far apart, which makes
1,260 bytes per clip.

Conventions: a clip is the 30 s of `audio.analysis_window`; frames lie wholly within it,
uncentred. If almost nothing changes in a frame (silence, a steady tone), its bits would be rounding
noise: its word is 0, and comparisons ignore it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip

SAME = 0.25
"""Maximum distance between two clips of the same recording.

It is halfway between the worst copy (0.16) and the closest pair of different tracks (0.35, one tune in
two arrangements), as measured by `benchmarks/duplicates.py`.
"""

SAME_RECORDED = 0.32
"""Maximum distance if one clip was recorded by a microphone: rooms, noise and small loudspeakers flip
more bits. Other tracks are above 0.42, except for another arrangement of one tune (0.35)."""
SPEEDS = (0.98, 0.99, 1.01, 1.02)
"""Playback speeds to try besides 1. Each covers 0.5 % on either side."""

N_FFT, HOP_LENGTH = 16_384, 2_048
N_BITS = 32
LOWEST_HZ, HIGHEST_HZ = 300.0, 2_000.0
N_FRAMES = (ANALYSIS_SAMPLES - N_FFT) // HOP_LENGTH
"""Number of words of a fingerprint: 315. The first frame has none, because it has no predecessor."""

MAX_SHIFT = 108
"""Maximum time shift between two clips in frames: 10 s."""
MIN_FRAMES = 108
"""Minimum number of frames that are informative in both clips: 10 s."""

_LEAST_CHANGE_DB = -60.0
"""Level of changes, relative to the clip's loudest frame, below which they are ignored."""
_UNRELATED = 0.5
_BLOCK = 256
"""Number of fingerprints per block; their transforms take about 15 MB."""

_Transforms = tuple[NDArray[np.complex64], NDArray[np.complex64]]
"""Transforms of the bits [shape=(..., f, 16)] and the informative frames [shape=(..., f // 2 + 1)]."""


def of(clip: Clip, speed: float = 1.0) -> NDArray[np.uint32]:
    """Compute the fingerprint of a 30 s clip: uint32 [shape=(315,)], 0 for uninformative frames.

    Parameters
    ----------
    clip : a 30 s clip
    speed : assumed playback speed relative to the original, which also changes the pitch; bands and
        hops are scaled accordingly
    """
    numba_cache.ready()
    import librosa

    hop = round(HOP_LENGTH / speed)
    spectrum = librosa.stft(clip.samples, n_fft=N_FFT, hop_length=hop, center=False)
    power = np.square(np.abs(spectrum))
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, N_BITS + 2) * speed * N_FFT / clip.sample_rate
    bins = np.round(edges).astype(int)
    energy = np.add.reduceat(power[: bins[-1]], bins[:-1], axis=0, dtype=np.float64)
    change = np.diff(-np.diff(energy, axis=0), axis=1)
    bits = np.ascontiguousarray(change.T > 0)
    words = np.packbits(bits, axis=1, bitorder="little").view("<u4")[:, 0]
    least = 10 ** (_LEAST_CHANGE_DB / 10) * power.sum(axis=0, dtype=np.float64).max()
    informative = np.where(np.abs(change).sum(axis=0) > least, words, 0)[:N_FRAMES]
    return np.pad(informative, (0, N_FRAMES - len(informative))).astype(np.uint32)


def distance(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """Distance between two fingerprints: the minimum bit error rate over time shifts, 0 to 0.5.

    One is shifted against the other by up to `MAX_SHIFT` frames either way, and bits are compared in
    the overlapping frames that are informative in both. Shifts with fewer than `MIN_FRAMES` such frames
    are skipped. If all are skipped, or none is better than chance, the distance is 0.5.

    Parameters
    ----------
    a, b : from `of`, [shape=(315,)] each; their order does not matter
    """
    return float(distances(a, b[np.newaxis])[0])


def distances(one: NDArray[np.uint32], many: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Compute the `distance` of one fingerprint to each of many.

    Parameters
    ----------
    one : from `of` [shape=(315,)]
    many : fingerprints by row [shape=(n, 315)]

    Returns
    -------
    float32 [shape=(n,), range 0 to 0.5]
    """
    own = _transforms(one)
    blocks = (many[start : start + _BLOCK] for start in range(0, len(many), _BLOCK))
    return np.concatenate([np.empty(0, np.float32), *(_min_error_rates(own, block) for block in blocks)])


def _min_error_rates(one: _Transforms, many: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Minimum bit error rates over all shifts, computed as circular cross-correlations.

    Bits are +1 or -1, so the sum of products over an overlap is the number of equal bits minus that of
    unequal ones. The transforms are longer than a fingerprint by `MAX_SHIFT`, which keeps wrap-around
    out of the shifts compared.
    """
    from scipy import fft

    (own_signs, own_informative), (signs, informative) = one, _transforms(many)
    shifts = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
    products = np.einsum("nfc,fc->nf", signs, own_signs.conj())
    overlaps = informative * own_informative.conj()
    # Both are whole numbers except for rounding errors, which would make the distance asymmetric.
    agreement = np.rint(fft.ifft(products).real[:, shifts])
    frames = np.rint(fft.irfft(overlaps, signs.shape[-2])[:, shifts])
    rates = _UNRELATED - agreement / (2 * N_BITS * np.maximum(frames, 1))
    compared = np.where(frames >= MIN_FRAMES, rates, _UNRELATED)
    least: NDArray[np.float32] = compared.min(axis=1, initial=_UNRELATED).astype(np.float32)
    return least


def _transforms(words: NDArray[np.uint32]) -> _Transforms:
    """Fourier transforms over time of the fingerprints' signs and of the informative frames.

    Two bits are packed into one complex number, which halves the number of transforms: the real part of
    a product with another's conjugate is the sum of the two bits' products.
    """
    from scipy import fft

    length = fft.next_fast_len(N_FRAMES + MAX_SHIFT)
    octets = np.ascontiguousarray(words, "<u4")[..., np.newaxis].view(np.uint8)
    informative = (words != 0).astype(np.float32)
    bits = np.unpackbits(octets, axis=-1, bitorder="little").astype(np.float32)
    signs = (2 * bits - 1) * informative[..., np.newaxis]
    return fft.fft(signs.view(np.complex64), length, axis=-2), fft.rfft(informative, length)
