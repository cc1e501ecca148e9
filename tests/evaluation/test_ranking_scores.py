"""Ranking scores: known answers, scikit-learn's, invariants, and paired comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from soundalike.evaluation.metrics import (
    bootstrap_interval,
    bootstrap_means,
    paired_comparison,
    precision_of_nearest,
    ranking_order,
    ranking_scores,
)


def flags(text: str) -> np.ndarray:
    """A row of booleans, written with 1 and 0."""
    return np.array([[letter == "1" for letter in text]])


def made_up(seed: int, m: int = 5, n: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Similarities, relevance and candidacy in which every query has something to find."""
    rng = np.random.default_rng(seed)
    candidates = rng.random((m, n)) < 0.8
    candidates[:, :3] = True
    relevant = rng.random((m, n)) < 0.4
    relevant[:, 0] = True
    return rng.permutation(m * n).reshape(m, n) / 7.0, relevant, candidates


def test_scores_by_hand() -> None:
    order = ranking_order([[0.1, 0.9, 0.8, 0.5, 0.7]])
    assert order.tolist() == [[1, 2, 4, 3, 0]]
    scores = ranking_scores(order, flags("10110"), flags("11111"), ks=(1, 2, 4))
    assert scores.values["precision_at_1"].tolist() == [0]
    assert scores.values["precision_at_2"].tolist() == [1 / 2]
    assert scores.values["precision_at_4"].tolist() == [2 / 4]
    assert scores.values["map"] == pytest.approx([(1 / 2 + 2 / 4 + 3 / 5) / 3])
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert scores.values["ndcg"] == pytest.approx(
        [(1 / np.log2(3) + 1 / np.log2(5) + 1 / np.log2(6)) / ideal]
    )
    assert scores.chance == pytest.approx([3 / 5])


@settings(max_examples=100)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.integers(1, 30))
def test_precision_of_nearest_matches_ranking(seed: int, k: int, values: int) -> None:
    similarities, relevant, candidates = made_up(seed)
    tied = np.floor(similarities) % values
    precision, chance = precision_of_nearest(tied, relevant, candidates, k)
    scores = ranking_scores(ranking_order(tied), relevant, candidates, (k,))
    np.testing.assert_array_equal(precision, scores.values[f"precision_at_{k}"])
    np.testing.assert_array_equal(chance, scores.chance)


def test_precision_with_too_few_candidates() -> None:
    with pytest.raises(ValueError, match="fewer than k=4"):
        precision_of_nearest(np.ones((1, 4)), flags("1111"), flags("0111"), 4)


def test_noncandidates_take_no_rank() -> None:
    order = ranking_order([[0.9, 0.8, 0.7, 0.6]])
    scores = ranking_scores(order, flags("1101"), flags("0111"), ks=(1, 2))
    assert scores.values["precision_at_1"].tolist() == [1]
    assert scores.values["precision_at_2"].tolist() == [1 / 2]
    assert scores.values["map"] == pytest.approx([(1 + 2 / 3) / 2])
    assert scores.chance == pytest.approx([2 / 3])


def test_perfect_rankings_score_1() -> None:
    relevant = np.array([[True] * 3 + [False] * 4, [False] * 2 + [True] * 3 + [False] * 2])
    scores = ranking_scores(ranking_order(relevant), relevant, np.ones_like(relevant), ks=(1, 3))
    for values in scores.values.values():
        assert values.tolist() == [1, 1]


def test_query_without_relevant_tracks_has_nan_scores() -> None:
    relevant = np.array([[False, False, False], [False, True, False]])
    scores = ranking_scores(ranking_order(np.zeros((2, 3))), relevant, np.ones((2, 3), bool), ks=(1,))
    assert scores.values["precision_at_1"].tolist() == [0, 0]
    assert np.isnan(scores.values["map"]).tolist() == [True, False]
    assert np.isnan(scores.values["ndcg"]).tolist() == [True, False]
    assert scores.chance.tolist() == pytest.approx([0, 1 / 3])


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_average_precision_and_ndcg_match_scikit_learn(seed: int) -> None:
    similarities, relevant, candidates = made_up(seed)
    scores = ranking_scores(ranking_order(similarities), relevant, candidates, ks=(1,))
    for query, (row, hit, allowed) in enumerate(zip(similarities, relevant, candidates, strict=True)):
        expected = average_precision_score(hit[allowed], row[allowed])
        assert scores.values["map"][query] == pytest.approx(expected)
        gains = ndcg_score([hit[allowed].astype(float)], [row[allowed]])
        assert scores.values["ndcg"][query] == pytest.approx(gains)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_scores_are_invariant_to_monotone_maps_and_track_order(seed: int) -> None:
    similarities, relevant, candidates = made_up(seed)
    scores = ranking_scores(ranking_order(similarities), relevant, candidates, ks=(1, 3))
    moved = np.random.default_rng(seed).permutation(similarities.shape[1])
    others = (
        (np.exp(similarities) * 3 - 1, relevant, candidates),
        (similarities[:, moved], relevant[:, moved], candidates[:, moved]),
    )
    for matrix, hit, allowed in others:
        again = ranking_scores(ranking_order(matrix), hit, allowed, ks=(1, 3))
        for metric, values in scores.values.items():
            np.testing.assert_allclose(again.values[metric], values)
            assert ((values >= 0) & (values <= 1)).all()


def test_random_rankings_score_chance() -> None:
    rng = np.random.default_rng(0)
    relevant = np.tile(np.arange(20) < 6, (4_000, 1))
    scores = ranking_scores(
        ranking_order(rng.random((4_000, 20))), relevant, np.ones_like(relevant), ks=(5,)
    )
    assert scores.values["precision_at_5"].mean() == pytest.approx(scores.chance.mean(), abs=0.01)


def test_no_queries_warns() -> None:
    nothing = np.zeros((0, 4), bool)
    with pytest.warns(UserWarning, match="no query"):
        scores = ranking_scores(np.zeros((0, 4), int), nothing, nothing, ks=(1,))
    assert all(len(values) == 0 for values in scores.values.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": np.arange(4)}, "matrix"),
        ({"relevant": flags("101")}, "relevant must have shape"),
        ({"relevant": np.ones((1, 4))}, "booleans"),
        ({"candidates": flags("11")}, "candidates must have shape"),
        ({"candidates": np.ones((1, 4), int)}, "booleans"),
        ({"candidates": flags("1000")}, "query 0 has 1 candidates, fewer than k=2"),
        ({"ks": (0,)}, "at least 1"),
        ({"ks": ()}, "at least 1"),
    ],
)
def test_malformed_rankings(arguments: dict[str, object], message: str) -> None:
    valid = {
        "order": np.arange(4)[np.newaxis],
        "relevant": flags("1010"),
        "candidates": flags("1111"),
        "ks": (2,),
    }
    ranking_scores(**valid)
    with pytest.raises(ValueError, match=message):
        ranking_scores(**valid | arguments)


@pytest.mark.parametrize("similarities", [np.zeros(3), np.array([[0, np.nan]]), np.array([[0, np.inf]])])
def test_malformed_similarities(similarities: np.ndarray) -> None:
    with pytest.raises(ValueError, match="similarities must be"):
        ranking_order(similarities)


def test_bootstrap_resamples_all_columns_alike() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((40, 2))
    groups = np.arange(40) // 4
    means = bootstrap_means(np.column_stack([values, values.sum(axis=1)]), groups, seed=5, rounds=700)
    assert means.shape == (700, 3)
    np.testing.assert_allclose(means[:, 0] + means[:, 1], means[:, 2])
    low, high = bootstrap_interval(values[:, 0], groups, seed=5, rounds=700)
    assert (low, high) == pytest.approx(tuple(np.percentile(means[:, 0], [2.5, 97.5])))


def test_bootstrap_matches_manual_resampling() -> None:
    values, groups = np.array([[1.0], [2.0], [6.0], [3.0]]), np.array([0, 0, 1, 2])
    means = bootstrap_means(values, groups, seed=3, rounds=4)
    drawn = np.random.default_rng(3).integers(3, size=(4, 3))
    for mean, groups_drawn in zip(means[:, 0], drawn, strict=True):
        pooled = np.concatenate([values[groups == group, 0] for group in groups_drawn])
        assert mean == pytest.approx(pooled.mean())


def test_bootstrap_ignores_missing_values() -> None:
    values = np.array([[1.0], [np.nan], [3.0]])
    means = bootstrap_means(values, np.array([0, 0, 1]), rounds=500)
    assert set(np.round(means[:, 0], 9)) == {1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("values", "groups"), [(np.zeros((0, 1)), []), (np.zeros((2, 1)), [0]), (np.zeros(2), [0, 1])]
)
def test_malformed_bootstrap(values: np.ndarray, groups: list[int]) -> None:
    with pytest.raises(ValueError, match="do not go with"):
        bootstrap_means(values, groups)


def test_comparison_with_itself_finds_no_difference() -> None:
    values = np.random.default_rng(0).random(30)
    found = paired_comparison(values, values, np.arange(30))
    assert (found.difference, found.low, found.high, found.p, found.ratio) == (0, 0, 0, 1, 1)


def test_comparison_of_a_system_that_is_always_better() -> None:
    values = np.random.default_rng(0).random(30)
    found = paired_comparison(values + 0.25, values, np.arange(30), rounds=999)
    assert (found.difference, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))
    assert found.p == pytest.approx(2 / 1000)
    assert found.ratio == pytest.approx(1 + 0.25 / values.mean())


def test_comparison_is_antisymmetric() -> None:
    rng = np.random.default_rng(1)
    ours, theirs, groups = rng.random(60), rng.random(60), rng.integers(0, 15, 60)
    found, turned = paired_comparison(ours, theirs, groups), paired_comparison(theirs, ours, groups)
    assert (found.difference, found.low, found.high) == pytest.approx(
        (-turned.difference, -turned.high, -turned.low)
    )
    assert found.p == turned.p


def test_p_values_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    ps = [
        paired_comparison(rng.normal(size=80), np.zeros(80), np.arange(80), seed, rounds=400).p
        for seed in range(300)
    ]
    assert 0.02 < np.mean(np.array(ps) < 0.05) < 0.10


def test_comparison_ignores_missing_values() -> None:
    found = paired_comparison([1.0, np.nan, 0.5], [0.5, 0.1, np.nan], [0, 1, 2])
    assert found.difference == 0.5
    assert paired_comparison([1.0], [0.0], [0]).ratio is None


@pytest.mark.parametrize(
    ("values", "baseline", "message"),
    [([1.0], [1.0, 2.0], "do not go with"), ([np.nan], [1.0], "no query")],
)
def test_malformed_comparison(values: list[float], baseline: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_comparison(values, baseline, np.arange(len(values)))
