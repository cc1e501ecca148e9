"""Placement of new tracks on a map, from their nearest neighbours in the full space.

The weights of the neighbours are UMAP's (McInnes, Healy & Melville 2018): exp(-(d - rho) / sigma), where
rho is the distance of the nearest, and sigma is chosen to make them sum to log2 of their number. The
position is the weighted geometric median of the neighbours' positions, the point with the least weighted
distance to them (Weiszfeld 1937). All functions are vectorised over tracks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BISECTIONS = 64
_MEDIAN_STEPS = 100
_BLOCK = 4_096


def weights(distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights of the nearest neighbours [shape=(m, k)]; each row sums to 1.

    If some neighbours are at distance 0, the others get no weight.

    Parameters
    ----------
    distances : distances to the k nearest, nearest first [shape=(m, k)]
    """
    found = np.asarray(distances, np.float64)
    on_it = found[:, 0] <= 0.0
    shares = np.where(on_it[:, np.newaxis], found <= 0.0, _memberships(found))
    normalised: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return normalised


def medians(points: NDArray[np.floating], shares: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weighted geometric medians of points [shape=(m, d)].

    Parameters
    ----------
    points : [shape=(m, k, d)]
    shares : their weights [shape=(m, k)]
    """
    medians = np.empty((len(points), points.shape[2]), np.float32)
    for start in range(0, len(points), _BLOCK):
        rows = slice(start, start + _BLOCK)
        medians[rows] = _medians(points[rows].astype(np.float64), shares[rows])
    return medians


def _medians(points: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    median = np.einsum("mk,mkd->md", shares, points)
    for _ in range(_MEDIAN_STEPS):
        away = np.linalg.norm(points - median[:, np.newaxis], axis=2)
        pulls = shares / np.maximum(away, 1e-9)
        median = np.einsum("mk,mkd->md", pulls, points) / pulls.sum(axis=1, keepdims=True)
    return np.asarray(median, np.float64)


def _memberships(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """UMAP's smooth nearest-neighbour weights, by bisection on sigma."""
    beyond = distances - distances[:, :1]
    k = distances.shape[1]
    farthest = beyond[:, -1:]
    if k < 3:
        return np.ones_like(beyond)
    low, high = np.zeros_like(farthest), np.where(farthest > 0, farthest * 1e3, 1.0)
    for _ in range(_BISECTIONS):
        sigma = (low + high) / 2
        above = np.exp(-beyond / sigma).sum(axis=1, keepdims=True) > np.log2(k)
        high = np.where(above, sigma, high)
        low = np.where(above, low, sigma)
    return np.asarray(np.where(farthest > 0, np.exp(-beyond / high), 1.0), np.float64)
