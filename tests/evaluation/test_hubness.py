"""Hubness: known answers, SciPy's skew, and invalid input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, skew

from soundalike.evaluation.hubness import Hubness, hubness, occurrences


def nearest(points: np.ndarray, k: int) -> np.ndarray:
    """Each point's k nearest others."""
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k]


def test_a_ring_has_no_hubs() -> None:
    ring = np.array([[(i - 1) % 8, (i + 1) % 8] for i in range(8)])
    assert hubness(ring, 8) == Hubness(0.0, 0.0, 1.0, pytest.approx(1.0), 2)


def test_a_star_by_hand() -> None:
    star = np.array([[1], [0], [0], [0], [0]])
    assert occurrences(star, 5).tolist() == [4, 1, 0, 0, 0]
    found = hubness(star, 5)
    assert found.orphans == 3 / 5
    assert found.coverage == pytest.approx(2 / 5)
    assert found.largest == 4
    assert found.skew == pytest.approx(np.mean((np.array([4, 1, 0, 0, 0]) - 1) ** 3) / 2.4**1.5)
    assert found.evenness == pytest.approx(np.exp(-0.8 * np.log(0.8) - 0.2 * np.log(0.2)) / 5)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_figures_match_scipy_and_are_order_independent(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(30, 8))
    lists = nearest(points, k)
    counts = occurrences(lists, 30)
    assert counts.sum() == 30 * k
    found = hubness(lists, 30)
    assert found.skew == pytest.approx(float(skew(counts)))
    assert found.evenness == pytest.approx(np.exp(entropy(counts / counts.sum())) / 30)
    assert found.orphans + found.coverage == pytest.approx(1)
    again = hubness(nearest(points[rng.permutation(30)], k), 30)
    assert (again.orphans, again.largest) == (found.orphans, found.largest)
    assert again.skew == pytest.approx(found.skew)


def test_hubs_grow_with_dimension() -> None:
    rng = np.random.default_rng(0)
    skews = [hubness(nearest(rng.normal(size=(300, dim)), 10), 300).skew for dim in (2, 20, 200)]
    assert skews[0] < skews[1] < skews[2]
    assert skews[0] < 0.5
    assert skews[2] > 1.5


@pytest.mark.parametrize("lists", [np.zeros((0, 10), int), np.zeros((4, 0), int)])
def test_no_neighbours_warn_and_score_0(lists: np.ndarray) -> None:
    with pytest.warns(UserWarning, match="no neighbours"):
        assert hubness(lists, 4) == Hubness(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([1, 2], "matrix"),
        ([[0.5]], "whole numbers"),
        ([[4]], "from 0 to 3"),
        ([[-1]], "from 0 to 3"),
        ([[1, 1]], "twice"),
    ],
)
def test_malformed_neighbours(lists: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hubness(lists, 4)
