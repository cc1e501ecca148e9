"""Metrics: known answers, chance, filters, and invalid input."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from soundalike.evaluation import metrics
from soundalike.evaluation.metrics import (
    bootstrap_interval,
    classification,
    cosine_matrix,
    precision_at_k,
)

FOLK_AND_JAZZ = ["Folk"] * 5 + ["Jazz"] * 5


def same_genre(labels: list[str]) -> np.ndarray:
    genre = np.array(labels)
    return (genre[:, np.newaxis] == genre).astype(float)


def test_perfect_similarities_score_1() -> None:
    result = precision_at_k(same_genre(FOLK_AND_JAZZ), FOLK_AND_JAZZ, k=4)
    assert (result.mean, result.low, result.high) == (1, 1, 1)
    assert result.per_query.tolist() == [1] * 10


def test_worst_similarities_score_0() -> None:
    result = precision_at_k(-same_genre(FOLK_AND_JAZZ), FOLK_AND_JAZZ, k=5)
    assert (result.mean, result.low, result.high) == (0, 0, 0)


def test_chance_of_a_balanced_set() -> None:
    result = precision_at_k(np.zeros((10, 10)), FOLK_AND_JAZZ, k=3)
    assert result.chance == pytest.approx(4 / 9)


def test_chance_matches_random_rankings() -> None:
    rng = np.random.default_rng(0)
    labels = ["Folk"] * 6 + ["Jazz"] * 3 + ["Rock"] * 3
    artists = [f"artist {i // 2}" for i in range(12)]
    results = [precision_at_k(rng.random((12, 12)), labels, artists, k=3) for _ in range(300)]
    assert np.mean([result.mean for result in results]) == pytest.approx(results[0].chance, abs=0.01)


def test_query_is_not_a_candidate() -> None:
    result = precision_at_k(np.eye(3), ["Folk", "Jazz", "Rock"], k=2)
    assert result.mean == 0


def test_artist_filter_excludes_same_artist() -> None:
    labels = ["Folk", "Folk", "Jazz", "Folk"]
    artists = ["Ann", "Ann", "Ben", "Cy"]
    matrix = np.zeros((4, 4))
    matrix[0] = [1, 0.9, 0.5, 0.1]
    only_first = [True, False, False, False]
    assert precision_at_k(matrix, labels, None, only_first, k=1).mean == 1
    filtered = precision_at_k(matrix, labels, artists, only_first, k=1)
    assert filtered.mean == 0
    assert filtered.chance == pytest.approx(1 / 2)


def test_track_without_an_artist_filters_only_itself() -> None:
    labels = ["Folk", "Folk", "Jazz"]
    matrix = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    asked = [True, True, False]
    assert precision_at_k(matrix, labels, ["", "", ""], asked, k=1).mean == 1
    assert precision_at_k(matrix, labels, ["Ann", "Ann", ""], asked, k=1).mean == 0


def test_ties_keep_the_order_of_tracks() -> None:
    result = precision_at_k(np.zeros((4, 4)), ["Folk", "Folk", "Jazz", "Jazz"], k=1)
    assert result.per_query.tolist() == [1, 1, 0, 0]


def test_query_mask_keeps_all_candidates() -> None:
    matrix = same_genre(FOLK_AND_JAZZ)
    matrix[0] = 1 - matrix[0]
    result = precision_at_k(matrix, FOLK_AND_JAZZ, queries=np.arange(10) < 2, k=4)
    assert result.per_query.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"similarities": np.zeros((3, 4))}, "shape"),
        ({"similarities": np.zeros(9)}, "shape"),
        ({"similarities": np.zeros((4, 4))}, "shape"),
        ({"artists": ["Ann"]}, "length 3"),
        ({"queries": [True]}, "quer"),
        ({"queries": [True] * 4}, "quer"),
        ({"k": 0}, "at least 1"),
        ({"k": 3}, "candidates"),
        ({"artists": ["Ann", "Ann", "Ann"]}, "candidates"),
        ({"similarities": np.full((3, 3), np.nan)}, "finite"),
    ],
)
def test_malformed_input(arguments: dict[str, object], message: str) -> None:
    valid = {"similarities": np.zeros((3, 3)), "labels": ["Folk"] * 3, "k": 1}
    precision_at_k(**valid)
    with pytest.raises(ValueError, match=message):
        precision_at_k(**valid | arguments)


@pytest.mark.parametrize(
    "arguments", [(np.zeros((0, 0)), []), (np.zeros((3, 3)), ["Folk"] * 3, None, [False] * 3)]
)
def test_no_queries_warns_and_scores_0(arguments: tuple[object, ...]) -> None:
    with pytest.warns(UserWarning, match="no query"):
        result = precision_at_k(*arguments)
    assert (result.mean, result.low, result.high, result.chance) == (0, 0, 0, 0)
    assert len(result.per_query) == 0


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8)), min_size=1, max_size=60),
    st.integers(0, 1000),
)
def test_bootstrap_interval_contains_mean(pairs: list[tuple[float, int]], seed: int) -> None:
    values, groups = zip(*pairs, strict=True)
    low, high = bootstrap_interval(values, groups, seed)
    assert 0 <= low <= high <= 1 + 1e-12
    if len(set(groups)) == 1:
        assert low == high == pytest.approx(np.mean(values))
    if len(set(groups)) == len(groups):
        assert low - 1e-9 <= np.mean(values) <= high + 1e-9


def test_bootstrap_is_seeded() -> None:
    values = np.random.default_rng(0).random(40)
    groups = np.arange(40) // 3
    assert bootstrap_interval(values, groups, 3) == bootstrap_interval(values, groups, 3)
    assert bootstrap_interval(values, groups, 3) != bootstrap_interval(values, groups, 4)


def test_bootstrap_resamples_groups() -> None:
    values = np.repeat([0.0, 1.0], 50)
    low, high = bootstrap_interval(values, np.repeat(np.arange(2), 50))
    assert (low, high) == (0, 1)
    low, high = bootstrap_interval(values, np.arange(100))
    assert 0.35 < low < 0.5 < high < 0.65


def test_bootstrap_width_matches_theory() -> None:
    values = np.random.default_rng(1).normal(size=400)
    low, high = bootstrap_interval(values, np.arange(400))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_classification_by_hand() -> None:
    labels = ["Folk", "Folk", "Folk", "Jazz"]
    predicted = ["Folk", "Folk", "Jazz", "Jazz"]
    shares = np.array([[0.8, 0.2], [0.5, 0.5], [0.25, 0.75], [0.4, 0.6]])
    result = classification(labels, predicted, ["Folk", "Jazz"], shares)
    assert result.n == 4
    assert result.accuracy == 0.75
    assert result.macro_f1 == pytest.approx((2 * 2 / 5 + 2 / 3) / 2)
    assert result.log_loss == pytest.approx(-np.log([0.8, 0.5, 0.25, 0.6]).mean())
    assert result.confusion == [[2, 1], [0, 1]]
    assert result.genres == ["Folk", "Jazz"]


def test_perfect_classification() -> None:
    result = classification(["Folk", "Jazz"], ["Folk", "Jazz"], ["Folk", "Jazz"], np.eye(2))
    assert (result.accuracy, result.macro_f1, result.log_loss) == (1, 1, 0)


def test_a_probability_of_0_for_the_label_is_finite() -> None:
    result = classification(["Folk"], ["Jazz"], ["Folk", "Jazz"], np.array([[0, 1]]))
    assert (result.accuracy, result.macro_f1) == (0, 0)
    assert np.isfinite(result.log_loss)
    assert result.log_loss > 20


def test_prediction_without_probabilities_has_no_log_loss() -> None:
    assert classification(["Folk", "Jazz"], ["Folk", "Folk"], ["Folk", "Jazz"]).log_loss is None


def test_genres_without_a_track_do_not_lower_macro_f1() -> None:
    result = classification(["Folk", "Jazz"], ["Folk", "Jazz"], ["Folk", "Jazz", "Rock"])
    assert result.macro_f1 == 1
    assert result.confusion == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_probabilities_follow_the_order_of_genres() -> None:
    shares = np.array([[0.1, 0.9]])
    assert classification(["Folk"], ["Folk"], ["Jazz", "Folk"], shares).log_loss == pytest.approx(
        -np.log(0.9)
    )


@pytest.mark.parametrize(
    ("labels", "predicted", "shares"),
    [
        ([], [], None),
        (["Folk"], [], None),
        (["Folk"], ["Folk", "Jazz"], None),
        (["Polka"], ["Folk"], None),
        (["Folk"], ["Folk"], np.full((2, 2), 0.5)),
        (["Folk", "Jazz"], ["Folk", "Jazz"], np.full((1, 2), 0.5)),
        (["Folk"], ["Folk"], np.full((1, 3), 1 / 3)),
    ],
)
def test_malformed_classification(
    labels: list[str], predicted: list[str], shares: np.ndarray | None
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        classification(labels, predicted, ["Folk", "Jazz"], shares)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 50))
def test_cosine_matrix_matches_scipy(seed: int, n: int, dim: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    expected = 1 - cdist(vectors, vectors, "cosine")
    np.testing.assert_allclose(cosine_matrix(vectors), expected, atol=1e-5)


def test_cosine_matrix_of_a_zero_row() -> None:
    matrix = cosine_matrix(np.array([[0, 0], [3, 4]], np.float16))
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, [[0, 0], [0, 1]], atol=1e-6)


def test_interval_narrows_with_more_artists() -> None:
    rng = np.random.default_rng(2)
    widths = []
    for n in (20, 80, 320):
        low, high = metrics.bootstrap_interval(rng.random(n), np.arange(n))
        widths.append(high - low)
    assert all(wide > narrow for wide, narrow in pairwise(widths))
