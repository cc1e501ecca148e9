"""`fma518`: seven statistics over time of 74 classic features, as in FMA's features.csv.

The recipe is FMA's (Defferrard et al., 2017): librosa's features at n_fft 2048 and hop length 512,
summarised over frames by kurtosis (excess), maximum, mean, median, minimum, skewness and standard
deviation. As there, the constant-Q chromagrams come from one transform of 84 bins, the tonnetz from
`chroma_cens`, and the MFCC from a mel spectrogram of 128 bands. There are two differences: FMA read
whole files (30 s) at their own sample rate, and we use the 30 s window at 22,050 Hz; and librosa is
the current version.

The features have very different units (a centroid in Hz, a kurtosis), so the 518 numbers must be
standardised over the library before comparison. Undefined values, such as the skewness and kurtosis of
a constant feature, are 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, Clip
from soundalike.features import spectral
from soundalike.models import ModelStore

SIZES = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
"""Number of rows of each feature, in FMA's order."""

STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")

COLUMNS: tuple[tuple[str, str, str], ...] = tuple(
    (feature, statistic, f"{number:02d}")
    for feature, size in SIZES.items()
    for statistic in STATISTICS
    for number in range(1, size + 1)
)
"""Feature, statistic and number of each dimension: the three header rows of FMA's features.csv."""

DIM = len(COLUMNS)

DESCRIPTION = (
    "Averages and spreads of classic audio features: loudness, brightness, noise against tone, timbre "
    "and the notes of the scale. They describe how much of each there is and how much it varies, so a "
    "shifted copy matches. They ignore order: a piece played backwards is hardly different, and rhythm "
    "and melody are missing."
)

_OCTAVES = 7


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip without a network: float32 [shape=(518,)], in the order of `COLUMNS`."""
    features = rows(clip)
    parts = [statistics(features[name]).ravel() for name in SIZES]
    return np.concatenate(parts).astype(np.float32)


def rows(clip: Clip) -> dict[str, NDArray[np.float32]]:
    """Compute the features by frame, each [shape=(SIZES[name], t)]."""
    numba_cache.ready()
    import librosa

    samples, rate = clip.samples, clip.sample_rate
    of = librosa.feature
    magnitude = np.sqrt(spectral.power(clip))
    tones = np.abs(
        librosa.cqt(samples, sr=rate, hop_length=HOP_LENGTH, n_bins=_OCTAVES * 12, tuning=None)
    )
    # librosa's default is now 36 bins per octave; FMA's version used 12, as this transform does.
    cqt = {"C": tones, "n_octaves": _OCTAVES, "bins_per_octave": 12}
    cens = of.chroma_cens(**cqt)
    return {
        "chroma_cens": cens,
        "chroma_cqt": of.chroma_cqt(**cqt),
        "chroma_stft": spectral.chroma(clip),
        "mfcc": spectral.mfcc(clip),
        "rmse": of.rms(S=magnitude),
        "spectral_bandwidth": of.spectral_bandwidth(S=magnitude, sr=rate),
        "spectral_centroid": of.spectral_centroid(S=magnitude, sr=rate),
        "spectral_contrast": of.spectral_contrast(S=magnitude, sr=rate),
        "spectral_rolloff": of.spectral_rolloff(S=magnitude, sr=rate),
        "tonnetz": of.tonnetz(chroma=cens, sr=rate),
        "zcr": of.zero_crossing_rate(samples, frame_length=spectral.N_FFT, hop_length=HOP_LENGTH),
    }


def statistics(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute seven statistics of each row [shape=(d, t)] -> [shape=(7, d)], ordered as `STATISTICS`."""
    from scipy import stats

    exact = np.asarray(values, np.float64)
    computed: dict[str, Callable[..., NDArray[np.float64]]] = {
        "kurtosis": stats.kurtosis,
        "max": np.max,
        "mean": np.mean,
        "median": np.median,
        "min": np.min,
        "skew": stats.skew,
        "std": np.std,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        table = np.stack([computed[name](exact, axis=1) for name in STATISTICS])
    return np.nan_to_num(table, nan=0.0)
