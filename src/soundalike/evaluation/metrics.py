"""Metrics of genre retrieval and genre classification.

Conventions, after mir_eval (Raffel et al., 2014): every function validates its input before computing.
Malformed input raises a ValueError that names the problem, empty input warns and scores 0, and a perfect
result scores 1. Higher is better unless stated otherwise.

A track is the query; all others are ranked by their similarity to it (the candidates), and those of the
query's genre are relevant. Per query,

- precision at k is the share of the k nearest that are relevant (Schnitzer et al., 2012, section 3);
- average precision is the mean of the precision at the rank of each relevant track, and MAP is its mean
  over queries (Manning, Raghavan and Schütze, 2008, section 8.4);
- NDCG is the sum of 1 / log2(rank + 1) over the relevant, divided by its value with all of them ranked
  first (Järvelin and Kekäläinen, 2002), over the whole ranking.

A query without relevant candidates has neither average precision nor NDCG, and is left out of their
means. Ties keep the order of tracks. With an artist filter (Pampalk, Flexer and Widmer, 2005), tracks by
the query's own artist aren't candidates, because albums are recognised by their production more than by
their music. Chance is the expected precision of a random ranking under the same filter: the share of
candidates that are relevant.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS = 2_000
"""Number of bootstrap samples."""
_ROUNDS_AT_ONCE = 250


@dataclass(frozen=True)
class Precision:
    """Precision at k.

    Attributes
    ----------
    mean : mean over queries, 0 to 1
    low, high : 95 % bootstrap interval of the mean, resampling artists (or queries without artists)
    chance : expected precision of a random ranking
    per_query : [shape=(queries,)]
    """

    mean: float
    low: float
    high: float
    chance: float
    per_query: NDArray[np.float64]


def precision_at_k(
    similarities: ArrayLike,
    labels: Sequence[str],
    artists: Sequence[str] | None = None,
    queries: ArrayLike | None = None,
    k: int = 10,
    seed: int = 0,
) -> Precision:
    """Genre precision at k from a similarity matrix.

    Parameters
    ----------
    similarities : [shape=(n, n)], row i holds the similarity of track i to every track
    labels : genre of each track
    artists : artist of each track, for the filter; None for no filter. A track with an empty name
        filters out only itself
    queries : which tracks are queries [shape=(n,), bool]; all by default. All tracks are always
        candidates
    k : number of neighbours
    seed : random seed of the bootstrap

    Returns
    -------
    Precision; all zeros, with a warning, if there are no queries

    Raises
    ------
    ValueError
        If shapes disagree, a similarity is not a number, k is under 1, or a query has fewer than k
        candidates.
    """
    matrix = np.asarray(similarities)
    genre = np.asarray(labels)
    n = len(genre)
    if matrix.shape != (n, n):
        raise ValueError(f"similarities must have shape {(n, n)}, not {matrix.shape}")
    if artists is not None and len(artists) != n:
        raise ValueError(f"artists must have length {n}, not {len(artists)}")
    if queries is not None and np.shape(queries) != (n,):
        raise ValueError(f"queries must have shape {(n,)}, not {np.shape(queries)}")
    asked = np.arange(n) if queries is None else np.flatnonzero(np.asarray(queries, bool))
    groups = group_numbers(artists, n)
    scores = ranking_scores(
        ranking_order(matrix[asked]),
        genre[asked, np.newaxis] == genre,
        groups[asked, np.newaxis] != groups,
        (k,),
    )
    if not len(asked):
        return Precision(0.0, 0.0, 0.0, 0.0, np.zeros(0))
    hits = scores.values[f"precision_at_{k}"]
    low, high = bootstrap_interval(hits, groups[asked], seed)
    return Precision(float(hits.mean()), low, high, float(scores.chance.mean()), hits)


@dataclass(frozen=True)
class RankingScores:
    """Scores of each query's ranking.

    Attributes
    ----------
    values : by metric (`precision_at_<k>`, `map`, `ndcg`), each 0 to 1 [shape=(queries,)]; `map` holds
        average precision, and it and `ndcg` are NaN for a query without relevant candidates
    chance : share of candidates that are relevant [shape=(queries,)]
    """

    values: dict[str, NDArray[np.float64]]
    chance: NDArray[np.float64]


def ranking_order(similarities: ArrayLike) -> NDArray[np.intp]:
    """Sort tracks by similarity, most similar first; ties keep their order.

    Parameters
    ----------
    similarities : similarity of each query to every track [shape=(m, n)]

    Returns
    -------
    track numbers [shape=(m, n)]

    Raises
    ------
    ValueError
        If the input is not a matrix of finite numbers.
    """
    matrix = np.asarray(similarities)
    if not np.issubdtype(matrix.dtype, np.floating):
        matrix = matrix.astype(np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"similarities must be a matrix, not of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("similarities must be finite numbers")
    return np.argsort(-matrix, axis=1, kind="stable")


def validate(
    order: NDArray[np.number], relevant: ArrayLike, candidates: ArrayLike, ks: Sequence[int]
) -> None:
    """Validate the input of `ranking_scores`; warn if there is nothing to score.

    Raises
    ------
    ValueError
        If shapes disagree, relevance or candidates are not booleans, a k is under 1, or a query has
        fewer candidates than the largest k.
    """
    if order.ndim != 2:
        raise ValueError(f"order must be a matrix, not of shape {order.shape}")
    for name, mask in (("relevant", np.asarray(relevant)), ("candidates", np.asarray(candidates))):
        if mask.shape != order.shape:
            raise ValueError(f"{name} must have shape {order.shape}, not {mask.shape}")
        if mask.dtype != np.bool_:
            raise ValueError(f"{name} must be booleans, not {mask.dtype}")
    if not ks or min(ks) < 1:
        raise ValueError(f"k must be at least 1, not {min(ks, default='missing')}")
    if not len(order):
        warnings.warn("there is no query to evaluate", stacklevel=3)
        return
    counts = np.asarray(candidates).sum(axis=1)
    fewest = int(np.argmin(counts))
    if counts[fewest] < max(ks):
        raise ValueError(f"query {fewest} has {counts[fewest]} candidates, fewer than k={max(ks)}")


def ranking_scores(
    order: NDArray[np.intp],
    relevant: NDArray[np.bool_],
    candidates: NDArray[np.bool_],
    ks: Sequence[int] = (1, 5, 10, 20),
) -> RankingScores:
    """Precision at each k, average precision and NDCG of each query.

    Parameters
    ----------
    order : every track by similarity to each query, from `ranking_order` [shape=(m, n)]
    relevant : whether a track has the query's genre [shape=(m, n)]
    candidates : whether a track can be retrieved [shape=(m, n)]; the query itself cannot
    ks : numbers of neighbours

    Raises
    ------
    ValueError
        As `validate`.
    """
    validate(order, relevant, candidates, ks)
    names = [*(f"precision_at_{k}" for k in ks), "map", "ndcg"]
    if not order.size:
        return RankingScores({name: np.zeros(0) for name in names}, np.zeros(0))
    allowed = np.take_along_axis(candidates, order, axis=1)
    hit = np.take_along_axis(relevant & candidates, order, axis=1)
    rank = np.cumsum(allowed, axis=1, dtype=np.int32)
    hits = np.cumsum(hit, axis=1, dtype=np.int32)
    found = hits[:, -1]
    values = {f"precision_at_{k}": (hit & (rank <= k)).sum(axis=1) / k for k in ks}
    precisions = np.divide(hits, rank, out=np.zeros(hit.shape), where=hit)
    values["map"] = _share(precisions.sum(axis=1), found)
    discounts = np.concatenate([[0.0], 1.0 / np.log2(np.arange(2, order.shape[1] + 2))])
    gains = np.where(hit, discounts[rank], 0.0).sum(axis=1)
    values["ndcg"] = _share(gains, np.cumsum(discounts)[found])
    return RankingScores(values, found / rank[:, -1])


def precision_of_nearest(
    similarities: NDArray[np.float32],
    relevant: NDArray[np.bool_],
    candidates: NDArray[np.bool_],
    k: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision at k and chance of each query, as from `ranking_scores`, without a full ranking.

    Parameters
    ----------
    similarities : similarity of each query to every track, finite [shape=(m, n)]
    relevant, candidates : as for `ranking_scores` [shape=(m, n)]

    Raises
    ------
    ValueError
        As `validate`.
    """
    validate(similarities, relevant, candidates, (k,))
    masked = np.where(candidates, similarities, -np.inf)
    least = np.partition(masked, -k, axis=1)[:, -k:].min(axis=1, keepdims=True)
    above, equal = masked > least, masked == least
    # Ties are resolved by the order of tracks.
    wanted = k - above.sum(axis=1, keepdims=True)
    nearest = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= wanted))
    chance = (relevant & candidates).sum(axis=1) / candidates.sum(axis=1)
    return (nearest & relevant).sum(axis=1) / k, chance


def bootstrap_means(
    values: ArrayLike, groups: ArrayLike, seed: int = 0, rounds: int = ROUNDS
) -> NDArray[np.float64]:
    """Bootstrap means of values, resampling whole groups (Efron and Tibshirani, 1993).

    Tracks by one artist are not independent, and resampling tracks would give too narrow an interval.
    Groups are drawn with replacement, each with all of its values.

    Parameters
    ----------
    values : one column per quantity, all resampled alike [shape=(n, m)]; NaN counts as missing
    groups : group of each row [shape=(n,)]

    Returns
    -------
    [shape=(rounds, m)]; NaN if only missing values were drawn

    Raises
    ------
    ValueError
        If there are no values, or the number of groups differs from the number of rows.
    """
    array, group = np.asarray(values, np.float64), np.asarray(groups)
    if array.ndim != 2 or not len(array) or group.shape != (len(array),):
        raise ValueError(f"groups of shape {group.shape} do not go with values of shape {array.shape}")
    _, member = np.unique(group, return_inverse=True)
    n = int(member.max()) + 1
    known = np.isfinite(array)
    sums, counts = np.zeros((n, array.shape[1])), np.zeros((n, array.shape[1]))
    np.add.at(sums, member, np.where(known, array, 0.0))
    np.add.at(counts, member, known)
    generator = np.random.default_rng(seed)
    means = np.zeros((rounds, array.shape[1]))
    for start in range(0, rounds, _ROUNDS_AT_ONCE):
        drawn = generator.integers(n, size=(min(_ROUNDS_AT_ONCE, rounds - start), n))
        places = drawn + n * np.arange(len(drawn))[:, np.newaxis]
        times = np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        means[start : start + len(drawn)] = _share(times @ sums, times @ counts)
    return means


def bootstrap_interval(
    values: ArrayLike, groups: ArrayLike, seed: int = 0, rounds: int = ROUNDS
) -> tuple[float, float]:
    """95 % percentile interval of a mean, resampling whole groups; see `bootstrap_means`."""
    means = bootstrap_means(np.asarray(values, np.float64)[:, np.newaxis], groups, seed, rounds)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def mean_and_interval(
    values: Sequence[float] | NDArray[np.float64], groups: ArrayLike, seed: int = 0
) -> dict[str, float]:
    """`mean`, `low` and `high` of `bootstrap_interval`, to six decimals."""
    low, high = bootstrap_interval(values, groups, seed)
    return {"mean": round(float(np.mean(values)), 6), "low": round(low, 6), "high": round(high, 6)}


@dataclass(frozen=True)
class PairedComparison:
    """Comparison of two systems on the same queries.

    Attributes
    ----------
    difference : mean of value minus baseline
    low, high : 95 % bootstrap interval of the difference, resampling artists
    p : two-sided achieved significance level, at least 2 / (rounds + 1)
    ratio : ratio of the means; None if the baseline's is 0
    """

    difference: float
    low: float
    high: float
    p: float
    ratio: float | None


def paired_comparison(
    values: ArrayLike, baseline: ArrayLike, groups: ArrayLike, seed: int = 0, rounds: int = ROUNDS
) -> PairedComparison:
    """Paired bootstrap test of two systems' per-query values (Sakai, 2006).

    Differences are resampled by whole groups. p is twice the smaller share of resampled means on either
    side of 0, including the observed sample (Davison and Hinkley, 1997, section 4.2). Queries with a NaN
    in either value are left out.

    Raises
    ------
    ValueError
        If the lengths disagree, or no query has both values.
    """
    own, other = np.asarray(values, np.float64), np.asarray(baseline, np.float64)
    if own.ndim != 1 or own.shape != other.shape:
        raise ValueError(f"values of shape {own.shape} do not go with a baseline of {other.shape}")
    both = np.isfinite(own) & np.isfinite(other)
    if not both.any():
        raise ValueError("there is no query that both systems have a value for")
    own, other = own[both], other[both]
    means = bootstrap_means((own - other)[:, np.newaxis], np.asarray(groups)[both], seed, rounds)
    low, high = np.percentile(means, [2.5, 97.5])
    side = min(int((means <= 0).sum()), int((means >= 0).sum()))
    p = min(1.0, 2.0 * (side + 1) / (rounds + 1))
    ratio = float(own.mean() / other.mean()) if other.mean() else None
    return PairedComparison(float((own - other).mean()), float(low), float(high), p, ratio)


def group_numbers(names: Sequence[str] | None, n: int) -> NDArray[np.intp]:
    """Number each artist (or album); tracks without one each get their own number."""
    if names is None:
        return np.arange(n)
    own = [name or f"\0{position}" for position, name in enumerate(names)]
    return np.unique(own, return_inverse=True)[1]


def cosine_matrix(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Pairwise cosine similarity of rows [shape=(n, dim)] -> [shape=(n, n)]; 0 for a zero row."""
    array = np.asarray(vectors, np.float32)
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    unit = np.divide(array, norms, out=np.zeros_like(array), where=norms > 0)
    similarities: NDArray[np.float32] = unit @ unit.T
    return similarities


@dataclass(frozen=True)
class Classification:
    """Agreement of predicted genres with labels.

    Attributes
    ----------
    n : number of tracks
    accuracy : share predicted correctly, 0 to 1
    macro_f1 : mean over genres of the F1 score, 0 to 1
    log_loss : mean negative log probability of the label, nats, lower is better; None for a
        prediction without probabilities
    confusion : [label][prediction] counts, in the order of `genres`
    genres : genre names
    """

    n: int
    accuracy: float
    macro_f1: float
    log_loss: float | None
    confusion: list[list[int]]
    genres: list[str]


def classification(
    labels: Sequence[str],
    predicted: Sequence[str],
    genres: Sequence[str],
    probabilities: NDArray[np.floating] | None = None,
) -> Classification:
    """Score predicted genres.

    Parameters
    ----------
    labels, predicted : one genre per track
    genres : all possible genres, in the order of the probabilities' columns
    probabilities : [shape=(n, genres)], rows sum to 1

    Raises
    ------
    ValueError
        If lengths disagree, there are no tracks, or a label is not among the genres.
    """
    from sklearn import metrics

    if not len(labels) or len(labels) != len(predicted):
        raise ValueError(f"{len(labels)} labels do not go with {len(predicted)} predictions")
    if unknown := set(labels) - set(genres):
        raise ValueError(f"labels are not among the genres: {', '.join(sorted(unknown))}")
    shape = (len(labels), len(genres))
    if probabilities is not None and np.shape(probabilities) != shape:
        raise ValueError(f"probabilities must have shape {shape}, not {np.shape(probabilities)}")
    present = [genre for genre in genres if genre in set(labels)]
    loss = None
    if probabilities is not None:
        columns = [list(genres).index(label) for label in labels]
        true = np.asarray(probabilities)[np.arange(len(labels)), columns]
        loss = float(-np.log(np.maximum(true, 1e-12)).mean())
    return Classification(
        len(labels),
        float(metrics.accuracy_score(labels, predicted)),
        float(metrics.f1_score(labels, predicted, labels=present, average="macro", zero_division=0)),
        loss,
        metrics.confusion_matrix(labels, predicted, labels=list(genres)).tolist(),
        list(genres),
    )


def _share(part: NDArray[np.floating], whole: NDArray[np.number]) -> NDArray[np.float64]:
    """part / whole, NaN where whole is 0."""
    share: NDArray[np.float64] = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return share
