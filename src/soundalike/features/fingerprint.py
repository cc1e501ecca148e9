"""Audio fingerprints: is one clip a copy of another, whatever format, level or start it came with?

Haitsma and Kalker (2002), "A highly robust audio fingerprinting system" (ISMIR): the power spectrum of
long, overlapping frames is summed in 33 logarithmic bands from 300 to 2,000 Hz, a semitone each. With
E[n, m] the energy of frame n in band m, frame n's word has the 32 bits

    E[n, m] - E[n, m + 1] - (E[n - 1, m] - E[n - 1, m + 1]) > 0,    m = 0 (the lowest bit) to 31.

What a codec or a volume knob does to a spectrum is smooth over frequency and time, so that it falls out
of such a second difference; another recording flips each bit with even odds. Two fingerprints are
compared by their bit error rate, the share of bits that differ: 0 for the same clip, 0.5 by chance.

The paper's frames are 370 ms long and 11.6 ms apart. Here they are twice as long, which forgives more
when those of a copy fall between those of the original, and eight times as far apart, which makes 1,260
bytes a clip.

Conventions: a clip is the 30 s of `audio.analysis_window`; frames lie wholly within it, uncentred. A
frame in which next to nothing changes (silence, a steady tone) has only rounding noise for bits: its
word is 0, and it counts for no comparison.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip

SAME = 0.25
"""Two clips whose distance is at most this are one recording.

It lies halfway between the worst copy (0.16) and the nearest two different tracks (0.35, one tune in two
arrangements), as `benchmarks/duplicates.py` measures them.
"""

SAME_RECORDED = 0.32
"""The same where one of the two came through a microphone: rooms, noise and small loudspeakers flip more
bits. Other tracks keep above 0.42, but for another arrangement of one tune (0.35)."""
SPEEDS = (0.98, 0.99, 1.01, 1.02)
"""Speeds of a copy that are tried beside 1. Each is good for 0.5 % on either side."""

N_FFT, HOP_LENGTH = 16_384, 2_048
N_BITS = 32
LOWEST_HZ, HIGHEST_HZ = 300.0, 2_000.0
N_FRAMES = (ANALYSIS_SAMPLES - N_FFT) // HOP_LENGTH
"""Words of a fingerprint: 315. The first frame has none before it to differ from."""

MAX_SHIFT = 108
"""Frames by which one clip may begin before the other: 10 s."""
MIN_FRAMES = 108
"""Frames that have to say something in both clips for these to be compared: 10 s."""

_LEAST_CHANGE_DB = -60.0
"""Changes this far below the clip's loudest frame are taken for none."""
_UNRELATED = 0.5
_BLOCK = 256
"""Fingerprints compared at a time: some 15 MB of transforms."""

_Transforms = tuple[NDArray[np.complex64], NDArray[np.complex64]]
"""Of bits [shape=(..., f, 16)] and of informative frames [shape=(..., f // 2 + 1)]."""


def of(clip: Clip, speed: float = 1.0) -> NDArray[np.uint32]:
    """The fingerprint of a 30 s clip: uint32 [shape=(315,)], 0 where a frame says nothing.

    Parameters
    ----------
    clip : 30 s of it
    speed : how many times as fast as its original the clip is taken to run, pitch and all: bands and
        hops are chosen as those that the original's have become in it
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
    """How unlike two fingerprints are: their least bit error rate over shifts, 0 to 0.5.

    One is moved against the other by up to `MAX_SHIFT` frames either way, and bits are compared where
    they overlap, in frames that say something in both. A shift that leaves fewer than `MIN_FRAMES` of
    these is passed over; where every shift does, or none fits better than chance, the distance is 0.5.

    Parameters
    ----------
    a, b : from `of`, [shape=(315,)] each; their order does not matter
    """
    return float(distances(a, b[np.newaxis])[0])


def distances(one: NDArray[np.uint32], many: NDArray[np.uint32]) -> NDArray[np.float32]:
    """`distance` of one fingerprint to each of many.

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
    return np.concatenate([np.empty(0, np.float32), *(_least_rates(own, block) for block in blocks)])


def _least_rates(one: _Transforms, many: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Least bit error rates over shifts; at all of them at once, as circular cross-correlations.

    Bits are +1 or -1, so that the sum of products over an overlap is equal bits less unequal ones. The
    transforms are longer than a fingerprint by `MAX_SHIFT`: what wraps around stays out of its shifts.
    """
    from scipy import fft

    (own_signs, own_informative), (signs, informative) = one, _transforms(many)
    shifts = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
    products = np.einsum("nfc,fc->nf", signs, own_signs.conj())
    overlaps = informative * own_informative.conj()
    # Both are whole numbers but for rounding, which would make a distance depend on the order.
    agreement = np.rint(fft.ifft(products).real[:, shifts])
    frames = np.rint(fft.irfft(overlaps, signs.shape[-2])[:, shifts])
    rates = _UNRELATED - agreement / (2 * N_BITS * np.maximum(frames, 1))
    compared = np.where(frames >= MIN_FRAMES, rates, _UNRELATED)
    least: NDArray[np.float32] = compared.min(axis=1, initial=_UNRELATED).astype(np.float32)
    return least


def _transforms(words: NDArray[np.uint32]) -> _Transforms:
    """Fourier transforms over time of fingerprints' signs, and of which frames say something.

    Two bits share a complex number: the real part of a product of one with another's conjugate is the
    sum of the two bits' products, and half the transforms do.
    """
    from scipy import fft

    length = fft.next_fast_len(N_FRAMES + MAX_SHIFT)
    octets = np.ascontiguousarray(words, "<u4")[..., np.newaxis].view(np.uint8)
    informative = (words != 0).astype(np.float32)
    bits = np.unpackbits(octets, axis=-1, bitorder="little").astype(np.float32)
    signs = (2 * bits - 1) * informative[..., np.newaxis]
    return fft.fft(signs.view(np.complex64), length, axis=-2), fft.rfft(informative, length)
