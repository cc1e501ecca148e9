"""Tests of scaling: centred to length 1, or standardised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soundalike.representations import scaling
from soundalike.representations.scaling import CENTRED, STANDARDISED

quick = settings(deadline=None, max_examples=80)
numbers = st.floats(-1e3, 1e3, width=32)
matrices = hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 6)), elements=numbers)


def fitted(kind: scaling.Scaling, matrix: np.ndarray) -> np.ndarray:
    wide = matrix.astype(np.float64)
    return scaling.fit(kind, len(matrix), wide.mean(axis=0), wide.std(axis=0))


@quick
@given(matrices)
def test_centred_vectors_have_length_1_or_are_zeros(matrix: np.ndarray) -> None:
    scale = fitted(CENTRED, matrix)
    scaled = scaling.apply(CENTRED, matrix, scale)
    left = matrix - scale[0]
    lengths = np.linalg.norm(left, axis=1)
    assert scaled.shape == matrix.shape
    assert scaled.dtype == np.float32
    assert np.isfinite(scaled).all()
    clear = lengths > 1e-3
    np.testing.assert_allclose(np.linalg.norm(scaled[clear], axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(scaled[clear] * lengths[clear, np.newaxis], left[clear], atol=1e-2)
    assert not scaled[lengths == 0].any()


@quick
@given(matrices)
def test_one_vector_is_scaled_as_among_others(matrix: np.ndarray) -> None:
    for kind in (CENTRED, STANDARDISED):
        scale = fitted(kind, matrix)
        together = scaling.apply(kind, matrix, scale)
        for row, vector in enumerate(matrix):
            np.testing.assert_array_equal(scaling.apply(kind, vector, scale), together[row])


@pytest.mark.parametrize(("n", "share"), [(1, 1 / 11), (2, 1 / 6), (10, 1 / 2), (990, 0.99)])
def test_the_mean_of_few_tracks_is_shrunk(n: int, share: float) -> None:
    mean = np.array([2.0, -4.0])
    subtracted, divided = scaling.fit(CENTRED, n, mean, np.array([5.0, 0.0]))
    np.testing.assert_allclose(subtracted, share * mean, rtol=1e-6)
    np.testing.assert_array_equal(divided, [1, 1])


def test_the_only_track_of_an_index_keeps_its_direction() -> None:
    only = np.array([[3.0, 0.0, 4.0]], np.float32)
    scaled = scaling.apply(CENTRED, only, fitted(CENTRED, only))
    np.testing.assert_allclose(scaled, [[0.6, 0, 0.8]], atol=1e-6)


def test_centring_separates_vectors_that_differ_from_the_mean() -> None:
    rng = np.random.default_rng(0)
    matrix = (10 + rng.normal(size=(500, 20))).astype(np.float32)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled = scaling.apply(CENTRED, matrix, fitted(CENTRED, matrix))
    pairs = np.triu_indices(500, 1)
    assert (unit @ unit.T)[pairs].min() > 0.9
    assert abs((scaled @ scaled.T)[pairs].mean()) < 0.05


def test_zeros_stay_zeros_where_nothing_is_subtracted() -> None:
    silent = np.zeros((4, 3), np.float32)
    scaled = scaling.apply(CENTRED, silent, fitted(CENTRED, silent))
    np.testing.assert_array_equal(scaled, silent)
    assert np.isfinite(scaled).all()


def test_standardising_brings_dimensions_to_mean_0_and_deviation_1() -> None:
    rng = np.random.default_rng(1)
    matrix = (rng.normal(size=(200, 4)) * [1, 10, 100, 0] + [5, 0, -7, 3]).astype(np.float32)
    scaled = scaling.apply(STANDARDISED, matrix, fitted(STANDARDISED, matrix))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 1, 0], atol=1e-4)
    assert not scaled[:, 3].any()


def test_a_new_clip_is_scaled_by_the_index() -> None:
    matrix = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    scale = fitted(CENTRED, matrix)
    outside = scaling.apply(CENTRED, np.array([1.0, 1.0]), scale)
    np.testing.assert_allclose(outside, [np.sqrt(0.5)] * 2, rtol=1e-6)
    inside = scaling.apply(CENTRED, matrix[0], scale)
    expected = np.array([1 - 1 / 12, -1 / 12])
    np.testing.assert_allclose(inside, expected / np.linalg.norm(expected), rtol=1e-6)
