"""Genre retrieval: whether a representation's nearest tracks share the query's genre, over an index.

Genre is a proxy for "sounds alike", because it is the label that libraries have; `metrics` defines the
measures. Three filters remove tracks from a query's ranking: `none` (only the query itself), `artist`
(all tracks by its artist; the headline) and `album`. Tracks without a genre are neither queries nor
candidates.

Some libraries have a column `genre_source` with the origin of each genre. Genres from an automatic
tagger were themselves predicted from audio, and would favour representations similar to the tagger.
Results are therefore computed for several sets of labels:

- `all` : every track with a genre;
- `tagger`, `not_tagger` : queries whose genre came from the tagger, and the others, each among all
  candidates;
- `no_tagger` : queries and candidates whose genre isn't from a tagger, which leaves no tagger labels.

A set is left out if one of its queries has too few candidates. The headline figures use `all` if no
label is from a tagger, and otherwise the first available of `no_tagger`, `not_tagger` and `tagger`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.datasets import artists
from soundalike.errors import LibraryError
from soundalike.evaluation import metrics, rankings
from soundalike.index.index import Index

KS = (1, 5, 10, 20)
METRICS = (*(f"precision_at_{k}" for k in KS), "map", "ndcg")
COMPARED = ("precision_at_10", "map")
TAGGER = "tagger"
PLAYLIST = 10
"""Length of the playlists for hubness."""


@dataclass(frozen=True)
class Labels:
    """A set of labels.

    Attributes
    ----------
    queries, candidates : which tracks are queries, and which can be retrieved [shape=(n,), bool]
    """

    queries: NDArray[np.bool_]
    candidates: NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """The evaluation task of an index, the same for every representation.

    Attributes
    ----------
    genres : genre number of each track [shape=(n,)]; -1 for none
    names : genre names, by number
    groups : group number of each track by filter; a filter removes whole groups [shape=(n,)]
    labels : sets of labels by name
    headline : name of the main set
    """

    genres: NDArray[np.intp]
    names: list[str]
    groups: dict[str, NDArray[np.intp]]
    labels: dict[str, Labels]
    headline: str


Values = dict[tuple[str, str], dict[str, NDArray[np.float64]]]
"""Per-query scores by set of labels and filter, each by metric and `chance` [shape=(n,)]; NaN for
tracks that aren't queries."""


@dataclass(frozen=True)
class Scores:
    """Scores of one representation.

    Attributes
    ----------
    values : scores of each query
    neighbours : each track's nearest neighbours among all tracks [shape=(n, 10)]
    """

    values: Values
    neighbours: NDArray[np.intp]


def task(index: Index) -> Task:
    """Define the evaluation task of an index.

    Raises
    ------
    LibraryError
        If its tracks have no genres or no artists, or there are too few for 20 neighbours by others.
    """
    tracks = index.tracks
    labelled = tracks["genre"].ne("").to_numpy(bool)
    names = sorted(set(tracks["genre"][labelled]))
    if len(names) < 2:
        raise LibraryError(
            "Evaluation needs tracks of at least two genres. Fill in the column `genre` of the "
            "library's tracks.csv and index it again."
        )
    names_of_artists = artists.keys(tracks)
    if not any(names_of_artists):
        raise LibraryError(
            "Evaluation needs the tracks' artists. Fill in the column `artist` of the library's "
            "tracks.csv and index it again."
        )
    number = {name: i for i, name in enumerate(names)}
    genres = np.array([number.get(genre, -1) for genre in tracks["genre"]])
    groups = {
        "none": np.arange(len(tracks)),
        "artist": metrics.group_numbers(names_of_artists, len(tracks)),
        "album": metrics.group_numbers(list(tracks["album"]), len(tracks)),
    }
    every = Labels(labelled, labelled)
    if not enough_candidates(groups["artist"], every):
        raise LibraryError(
            f"The index has too few tracks to evaluate: each needs {max(KS)} others with a genre and by "
            "other artists."
        )
    found = {"all": every} | _by_source(tracks, labelled, groups["artist"])
    headline = next(name for name in ("no_tagger", "not_tagger", "tagger", "all") if name in found)
    return Task(genres, names, groups, found, headline)


def enough_candidates(groups: NDArray[np.intp], labels: Labels) -> bool:
    """Whether every query has at least 20 candidates left without its own group."""
    if not labels.queries.any():
        return False
    taken = np.bincount(groups[labels.candidates], minlength=int(groups.max()) + 1)
    return bool(labels.candidates.sum() - taken[groups[labels.queries]].max() >= max(KS))


def score(index: Index, name: str, task: Task) -> Scores:
    """Rank all tracks for each query, and score the rankings; the slow part, done in blocks."""
    n = len(index)
    values = {
        (label, kind): _unknown(n)
        for label, labels in task.labels.items()
        for kind, groups in task.groups.items()
        if enough_candidates(groups, labels)
    }
    neighbours = np.zeros((n, min(PLAYLIST, n - 1)), np.intp)
    for rows, similarities in rankings.blocks(index, name):
        order = metrics.ranking_order(similarities)
        others = order[order != rows[:, np.newaxis]].reshape(len(rows), n - 1)
        neighbours[rows] = others[:, :PLAYLIST]
        for (label, kind), of_metric in values.items():
            _score_rows(task, label, kind, rows, order, of_metric)
    return Scores(values, neighbours)


def score_held_out(index: Index, name: str, task: Task) -> Values:
    """Like `score` with an artist filter, but within folds and by heads not trained on the fold.

    Empty if the index has no folds or the representation cannot be held out. A set of labels is left out
    if one of its queries has too few candidates within its fold.
    """
    folds = rankings.folds(index)
    values: Values = {}
    try:
        orders = {
            fold: (rows, _order_within(index, name, rows))
            for fold in range(int(folds.max()) + 1)
            if len(rows := np.flatnonzero(folds == fold))
        }
    except ValueError:
        return {}
    for label, labels in task.labels.items():
        within = [_within(labels, rows) for rows, _ in orders.values()]
        groups = [task.groups["artist"][rows] for rows, _ in orders.values()]
        if not within or not all(map(enough_candidates, groups, within)):
            continue
        of_metric = values[label, "artist"] = _unknown(len(index))
        for rows, order in orders.values():
            _score_rows(task, label, "artist", rows, order, of_metric)
    return values


def figures(task: Task, values: Values, baseline: Values | None, seed: int) -> dict[str, Any]:
    """Means, intervals and the comparison with a baseline by set of labels, ready for JSON."""
    found: dict[str, Any] = {}
    for label in task.labels:
        scored = {kind: values[label, kind] for kind in task.groups if (label, kind) in values}
        if not scored:
            continue
        found[label] = {
            "queries": int(np.isfinite(scored["artist"]["chance"]).sum()),
            "filters": {kind: summary(task, of_metric, seed) for kind, of_metric in scored.items()},
            "against_baseline": against(task, scored["artist"], baseline[label, "artist"], seed)
            if baseline
            else None,
        }
    return found


def summary(task: Task, values: Mapping[str, NDArray[np.float64]], seed: int) -> dict[str, Any]:
    """Chance, and each metric's mean over the queries with its 95 % interval over artists."""
    asked = np.isfinite(values["chance"])
    matrix = np.stack([values[metric][asked] for metric in METRICS], axis=1)
    drawn = metrics.bootstrap_means(matrix, task.groups["artist"][asked], seed)
    found: dict[str, Any] = {
        "queries": int(asked.sum()),
        "chance": rounded(float(values["chance"][asked].mean())),
    }
    for column, metric in enumerate(METRICS):
        found[metric] = _figure(matrix[:, column], drawn[:, column])
    return found


def by_genre(task: Task, values: Values, seed: int) -> dict[str, Any]:
    """Like `summary`, for the headline queries of each genre, by filter and genre."""
    return {
        kind: _by_genre(task, values[task.headline, kind], seed)
        for kind in task.groups
        if (task.headline, kind) in values
    }


def against(
    task: Task,
    values: Mapping[str, NDArray[np.float64]],
    baseline: Mapping[str, NDArray[np.float64]],
    seed: int,
) -> dict[str, Any]:
    """Paired test against a baseline, by metric."""
    groups = task.groups["artist"]
    compared = {
        metric: asdict(metrics.paired_comparison(values[metric], baseline[metric], groups, seed))
        for metric in COMPARED
        if (np.isfinite(values[metric]) & np.isfinite(baseline[metric])).any()
    }
    return {
        metric: {key: None if value is None else rounded(value) for key, value in facts.items()}
        for metric, facts in compared.items()
    }


def rounded(value: float) -> float:
    """Round to six decimals, more than the precision of any figure."""
    return round(value, 6)


def _by_source(
    tracks: pd.DataFrame, labelled: NDArray[np.bool_], artists: NDArray[np.intp]
) -> dict[str, Labels]:
    """Sets of labels by origin; empty if no label is from a tagger."""
    if "genre_source" not in tracks:
        return {}
    tagged = tracks["genre_source"].eq(TAGGER).to_numpy(bool) & labelled
    untagged = labelled & ~tagged
    if not tagged.any():
        return {}
    sets = {
        "tagger": Labels(tagged, labelled),
        "not_tagger": Labels(untagged, labelled),
        "no_tagger": Labels(untagged, untagged),
    }
    return {name: labels for name, labels in sets.items() if enough_candidates(artists, labels)}


def _unknown(n: int) -> dict[str, NDArray[np.float64]]:
    return {metric: np.full(n, np.nan) for metric in (*METRICS, "chance")}


def _order_within(index: Index, name: str, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Ranking of a fold's tracks for each other, as rows of the index [shape=(m, m)]."""
    return rows[metrics.ranking_order(rankings.held_out_matrix(index, name, rows))]


def _within(labels: Labels, rows: NDArray[np.intp]) -> Labels:
    return Labels(labels.queries[rows], labels.candidates[rows])


def _score_rows(
    task: Task,
    label: str,
    kind: str,
    rows: NDArray[np.intp],
    order: NDArray[np.intp],
    values: dict[str, NDArray[np.float64]],
) -> None:
    """Score the rankings for some rows, over all tracks or some, and store the scores."""
    labels = task.labels[label]
    here = np.flatnonzero(labels.queries[rows])
    if not len(here):
        return
    asked, ranked = rows[here], order[here]
    groups, own = task.groups[kind], asked[:, np.newaxis]
    scored = metrics.ranking_scores(
        np.broadcast_to(np.arange(ranked.shape[1]), ranked.shape),
        task.genres[ranked] == task.genres[own],
        (groups[ranked] != groups[own]) & labels.candidates[ranked],
        KS,
    )
    for metric, found in (scored.values | {"chance": scored.chance}).items():
        values[metric][asked] = found


def _by_genre(task: Task, values: Mapping[str, NDArray[np.float64]], seed: int) -> dict[str, Any]:
    asked = np.isfinite(values["chance"])
    return {
        name: summary(
            task,
            {metric: np.where(task.genres == number, found, np.nan) for metric, found in values.items()},
            seed,
        )
        for number, name in enumerate(task.names)
        if (asked & (task.genres == number)).any()
    }


def _figure(values: NDArray[np.float64], drawn: NDArray[np.float64]) -> dict[str, float | None]:
    """Mean and interval; None if no query has a value."""
    if not np.isfinite(values).any():
        return {"mean": None, "low": None, "high": None}
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return {
        "mean": rounded(float(np.nanmean(values))),
        "low": rounded(float(low)),
        "high": rounded(float(high)),
    }
