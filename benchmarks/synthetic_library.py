"""Synthetic vectors with the spectrum of the bundled library's, for benchmarks at larger sizes.

One half of the 478 bundled tracks gives the principal directions of a representation, and the other half
the variance along each. This avoids overestimating the leading variances, and underestimating the tail,
which no direction of the first half explains. The tail is extrapolated by a power law whose exponent
makes the total variance that of the held-out half. Coefficients are drawn from normal distributions with
these variances around the measured mean, and rotated randomly (signs and cosine transforms, twice),
which makes every vector dense. The same seed gives the same bytes.

Limits: real tracks come in groups (albums, artists, copies) and have rarer, larger deviations than a
normal distribution; their vectors are sparse and nonnegative. Neighbours among normal vectors are
farther away and closer to each other in similarity than real ones, which makes them harder to
distinguish. On the other hand, real tracks may lie outside the directions of a sample of the library,
and synthetic ones never do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.optimize import brentq

from soundalike import paths, representations
from soundalike.index import index as indices
from soundalike.index import storage
from soundalike.indexing import derived

NAMES = ("soundalike", "vgg_genre", "vgg_mel", "genre_head")
SEED = 0
_BLOCK = 512


@dataclass(frozen=True)
class Spectrum:
    """Variances and means along the principal directions [shape=(dim,)], largest variance first."""

    variances: NDArray[np.float64]
    means: NDArray[np.float64]


def spectrum(vectors: NDArray[np.float32], seed: int = SEED) -> Spectrum:
    """Estimate the spectrum of vectors [shape=(n, dim)], from two halves."""
    n, dim = vectors.shape
    order = np.random.default_rng(seed).permutation(n)
    fitted, held_out = vectors[order[: n // 2]], vectors[order[n // 2 :]]
    mean = fitted.mean(axis=0)
    directions = np.linalg.svd(fitted - mean, full_matrices=False)[2][: n // 2 - 1]
    leading = np.sort(np.square((held_out - mean) @ directions.T).mean(axis=0))[::-1].astype(np.float64)
    total = float(np.square(held_out - mean).sum(axis=1).mean())
    m = len(leading)
    variances, means = np.zeros(dim), np.zeros(dim)
    variances[:m] = leading
    means[:m] = directions @ mean
    if m < dim:
        places = np.arange(m + 1, dim + 1) / m
        level = float(np.median(leading[-20:]))
        left = total - leading.sum()
        exponent = float(brentq(lambda a: level * (places**-a).sum() - left, -5.0, 1e6))
        variances[m:] = level * places**-exponent
        means[m] = np.sqrt(max(float(mean @ mean - means[:m] @ means[:m]), 0.0))
    return Spectrum(variances, means)


def blocks(of: Spectrum, n: int, seed: int = SEED) -> Iterator[NDArray[np.float32]]:
    """Draw vectors with a spectrum, in blocks of rows [shape=(up to 512, dim)]."""
    dim = len(of.variances)
    rng = np.random.default_rng([seed, dim])
    signs = rng.choice(np.array([-1.0, 1.0], np.float32), (2, dim))
    deviations, means = np.sqrt(of.variances).astype(np.float32), of.means.astype(np.float32)
    for start in range(0, n, _BLOCK):
        drawn = rng.standard_normal((min(_BLOCK, n - start), dim), np.float32)
        rows = drawn * deviations + means
        for turn in signs:
            rows = dct(rows * turn, axis=1, norm="ortho", workers=1)
        yield rows


def write(
    folder: Path,
    n: int,
    seed: int = SEED,
    names: Sequence[str] = NAMES,
    source: Path = paths.BUNDLED_INDEX,
) -> None:
    """Write the vectors of a synthetic library of n tracks, and its table.

    Representations with scaling are written in float32 with the source's mean, for `derived.scale`.

    Parameters
    ----------
    folder : the unfinished index
    n : number of tracks
    seed : random seed
    names : the representations
    source : an index of real tracks that provides the spectra
    """
    folder.mkdir(parents=True, exist_ok=True)
    real = indices.load(source)
    for name in representations.stored(names):
        vectors = np.asarray(real.array(name), np.float32)
        scaled = representations.get(name).scaling is not None
        mean = np.asarray(real.array(f"{name}_scale"))[0] if scaled else np.float32(0)
        dtype = np.float32 if scaled else np.float16
        matrix = storage.create(folder, name, (n, vectors.shape[1]), dtype)
        start = 0
        for block in blocks(spectrum(vectors), n, seed):
            matrix[start : start + len(block)] = block + mean
            start += len(block)
        matrix.flush()
    numbers = range(n)
    table = pd.DataFrame(
        {
            "track_id": [f"t{i}" for i in numbers],
            "file": [f"{i}.mp3" for i in numbers],
            "title": [f"Title {i}" for i in numbers],
            "artist": [f"Artist {i // 10}" for i in numbers],
            "album": [f"Album {i // 10}" for i in numbers],
            "genre": ["Rock"] * n,
            "sha256": [f"{i:064x}" for i in numbers],
        }
    )
    table.to_parquet(folder / indices.TRACKS, index=False)


def manifest(folder: Path, n: int, names: Sequence[str] = NAMES) -> dict[str, object]:
    """The manifest of a synthetic library, once the data derived from its vectors is written."""
    return {
        "schema": indices.SCHEMA,
        "tracks": n,
        "library": {"folder": "library", "fingerprint": "0" * 64},
        "representations": derived.describe(folder, names),
        "genres": [],
        "models": {},
        "files": {},
    }
