"""Tests of the hubness bias."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from soundalike.evaluation import metrics
from soundalike.index import hubness_correction


def hubby(n: int = 150, dim: int = 200, seed: int = 0) -> np.ndarray:
    """Cosines of points that do not lie around the origin, some of them nearer to the middle."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, dim)) * rng.uniform(0.3, 1.5, (n, 1)) + 0.5
    return metrics.cosine_matrix(points)


def occurrences(similarities: np.ndarray, added: np.ndarray | float = 0.0, k: int = 10) -> np.ndarray:
    """How often each track is among the k nearest of another."""
    scores = similarities + added
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.bincount(nearest.ravel(), minlength=len(scores))


def test_constant_similarity_gives_no_bias():
    np.testing.assert_array_equal(hubness_correction.bias(np.full((50, 50), 0.7)), 0)


def test_tracks_that_are_all_reachable_get_no_bias():
    around = np.arange(60)
    steps = np.abs(around[:, None] - around)
    circle = np.cos(2 * np.pi * np.minimum(steps, 60 - steps) / 60)
    np.testing.assert_array_equal(hubness_correction.bias(circle), 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("reach", [1, 2, 5])
def test_no_orphan_is_left(seed, reach):
    similarities = hubby(seed=seed)
    before = occurrences(similarities)
    after = occurrences(similarities, hubness_correction.bias(similarities, reach=reach))
    assert (before == 0).mean() > 0.25
    assert after.min() >= reach
    assert after.max() <= before.max()


def test_rounding_makes_no_orphan():
    similarities = hubby(n=300)
    added = hubness_correction.bias(similarities).astype(np.float16)
    after = occurrences(similarities.astype(np.float16).astype(np.float32), added.astype(np.float32))
    assert after.min() >= 1


def test_only_a_few_tracks_change_for_few_orphans():
    points = np.random.default_rng(0).normal(0.25, 1, (200, 24))
    similarities = metrics.cosine_matrix(points)
    before = occurrences(similarities)
    added = hubness_correction.bias(similarities)
    assert 0 < (before < 2).sum() < 30
    assert (added[before < 2] > 0).all()
    assert (added > 0).sum() <= 1.5 * (before < 2).sum()


def test_the_bias_is_minimal():
    around = np.arange(40)
    steps = np.abs(around[:, None] - around)
    similarities = np.cos(2 * np.pi * np.minimum(steps, 40 - steps) / 40)
    similarities[:, 7] -= np.linspace(1.0, 1.5, 40)
    added = hubness_correction.bias(similarities, k=6, reach=1)
    assert np.flatnonzero(added).tolist() == [7]
    scores = similarities.copy()
    np.fill_diagonal(scores, -np.inf)
    last = np.sort(scores, axis=1)[:, -6]
    least = np.delete(last - similarities[:, 7], 7).min()
    assert least < added[7] < least + 0.01
    assert occurrences(similarities, added, k=6)[7] >= 1


def test_an_orphan_of_an_index_is_found_by_new_queries_too():
    similarities = hubby(n=400)
    index, new = similarities[:200, :200], similarities[200:, :200]
    reached = [
        len(np.unique(np.argsort(-(new + added), axis=1)[:, :10]))
        for added in (0.0, hubness_correction.bias(index))
    ]
    assert reached[1] > 1.3 * reached[0]


def test_a_sample_of_the_queries_is_sufficient():
    similarities = hubby(n=400)
    rows = np.arange(0, 400, 2)
    added = hubness_correction.bias(similarities[rows], rows)
    assert added.shape == (400,)
    before, after = occurrences(similarities), occurrences(similarities, added)
    assert (after == 0).mean() < 0.3 * (before == 0).mean()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 1_000), st.floats(0.1, 10), st.floats(-5, 5))
@example(753, 7.0, 0.0)
def test_invariants(seed, factor, offset):
    similarities = hubby(n=60, seed=seed)
    added = hubness_correction.bias(similarities)
    assert added.shape == (60,)
    assert added.dtype == np.float32
    assert added.min() == 0.0
    order = np.random.default_rng(seed).permutation(60)
    permuted = hubness_correction.bias(similarities[np.ix_(order, order)])
    # A margin or two: two lists that are equally near may be tried in another order.
    np.testing.assert_allclose(
        permuted, added[order], atol=3 * hubness_correction.MARGIN * similarities.std()
    )
    rescaled = similarities.astype(np.float64) * factor + offset
    after = occurrences(rescaled, hubness_correction.bias(rescaled).astype(np.float64))
    # Rounding may make two tracks equal at the end of a list, which has a place for one of them.
    assert after.min() >= hubness_correction.REACH - 1


def test_self_similarity_is_ignored():
    similarities = hubby(n=40)
    other = similarities.copy()
    np.fill_diagonal(other, np.inf)
    np.testing.assert_array_equal(hubness_correction.bias(other), hubness_correction.bias(similarities))


def test_the_matrix_is_not_modified():
    similarities = hubby(n=40)
    before = similarities.copy()
    hubness_correction.bias(similarities)
    np.testing.assert_array_equal(similarities, before)


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_no_bias_if_every_list_contains_all_tracks(n):
    similarities = np.random.default_rng(0).uniform(size=(n, n))
    np.testing.assert_array_equal(hubness_correction.bias(similarities), np.zeros(n))


@pytest.mark.parametrize(
    ("similarities", "arguments", "message"),
    [
        (np.zeros(5), {}, "must be queries by tracks"),
        (np.zeros((3, 5)), {}, "own must say"),
        (np.zeros((3, 5)), {"own": [0, 1]}, r"own must have shape \(3,\)"),
        (np.zeros((3, 5)), {"own": [0, 1, 5]}, "own must lie between 0 and 4"),
        (np.zeros((3, 5)), {"own": [0, 1, -1]}, "own must lie between 0 and 4"),
        (np.full((3, 3), np.nan), {}, "must be finite"),
        (np.zeros((3, 3)), {"k": 0}, "reach must lie between 1 and k=0"),
        (np.zeros((3, 3)), {"k": 5, "reach": 6}, "reach must lie between 1 and k=5"),
        (np.zeros((3, 3)), {"reach": 0}, "reach must lie between 1 and k=10"),
    ],
)
def test_malformed_input(similarities, arguments, message):
    with pytest.raises(ValueError, match=message):
        hubness_correction.bias(similarities, **arguments)
