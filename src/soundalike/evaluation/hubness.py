"""Hubness: how unevenly tracks occur in each other's playlists.

In high-dimensional spaces, some points are among the nearest neighbours of very many others (hubs), and
some of none (orphans, or anti-hubs), regardless of how they sound (Radovanović, Nanopoulos and Ivanović,
2010; for music Flexer, Schnitzer and Schlüter, 2012). The k-occurrence N_k of a track is the number of
other tracks that have it among their k nearest. Its mean is k; its distribution shows hubness:

- skew is the third standardised moment of N_k: 0 if all tracks occur equally often, higher with hubs;
- orphans is the share of tracks with N_k = 0, which appear in no playlist of length k;
- coverage is the share of tracks that appear in some playlist, 1 - orphans (Ge, Delgado-Battenfeld and
  Jannach, 2010; Flexer and Stevens, 2018, call it reachability);
- evenness is the number of equally frequent tracks with the same entropy, as a share of all tracks:
  exp(entropy of N_k / sum of N_k) / n (after Ge et al., section 3.2). 1 is even;
- largest is the largest N_k, that of the biggest hub.

The playlists are those of all tracks to each other, without an artist filter.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Hubness:
    """Evenness of tracks in each other's playlists; the module docstring defines the figures.

    Attributes
    ----------
    skew : 0 if all occur equally often
    orphans, coverage, evenness : 0 to 1
    largest : number of playlists, at most n - 1
    """

    skew: float
    orphans: float
    coverage: float
    evenness: float
    largest: int


def occurrences(neighbours: ArrayLike, n: int) -> NDArray[np.intp]:
    """The k-occurrence of each track [shape=(n,)]; all 0, with a warning, if there are no neighbours.

    Parameters
    ----------
    neighbours : each track's k nearest neighbours without itself [shape=(queries, k)]
    n : number of tracks

    Raises
    ------
    ValueError
        If they aren't a matrix of integers from 0 to n - 1, or a list contains a track twice.
    """
    lists = np.asarray(neighbours)
    if lists.ndim != 2:
        raise ValueError(f"neighbours must be a matrix, not of shape {lists.shape}")
    if not lists.size:
        warnings.warn("there are no neighbours to count", stacklevel=3)
        return np.zeros(n, np.intp)
    if not np.issubdtype(lists.dtype, np.integer):
        raise ValueError(f"neighbours must be whole numbers, not {lists.dtype}")
    if lists.min() < 0 or lists.max() >= n:
        raise ValueError(f"neighbours must be tracks from 0 to {n - 1}")
    ordered = np.sort(lists, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise ValueError("a track must not be named twice among one track's neighbours")
    return np.bincount(lists.ravel(), minlength=n)


def hubness(neighbours: ArrayLike, n: int) -> Hubness:
    """Hubness of the playlists of n tracks.

    Parameters
    ----------
    neighbours : each track's k nearest neighbours without itself [shape=(queries, k)]
    n : number of tracks

    Returns
    -------
    Hubness; all zeros, with a warning, if there are no neighbours

    Raises
    ------
    ValueError
        As `occurrences`.
    """
    counts = occurrences(neighbours, n).astype(np.float64)
    if not counts.sum():
        return Hubness(0.0, 0.0, 0.0, 0.0, 0)
    orphans = float((counts == 0).mean())
    return Hubness(_skew(counts), orphans, 1.0 - orphans, _evenness(counts), int(counts.max()))


def _skew(values: NDArray[np.float64]) -> float:
    """Third central moment over the cube of the standard deviation; 0 if all values are equal."""
    centred = values - values.mean()
    spread = float(np.mean(centred**2))
    return float(np.mean(centred**3)) / spread**1.5 if spread else 0.0


def _evenness(counts: NDArray[np.float64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()) / len(counts))
