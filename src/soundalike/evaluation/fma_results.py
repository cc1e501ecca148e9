"""Results of an FMA index on FMA's own test tracks, next to the article's figures.

Everything is computed from the index alone: its tracks' `split`, the genre head's predictions for tracks
it wasn't trained on, and its vectors. Test tracks are those that the head was scored on, in the genres
that it predicts; they had no influence on training. The measure is genre precision at 10 (`metrics`),
both without a filter as in the article and with an artist filter, with 95 % intervals by bootstrap over
artists.

The comparison has two unavoidable differences. The article's split is random, with artists and albums on
both sides, and FMA's keeps artists apart, which is harder. And only FMA-small has the article's eight
genres.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.datasets import artists, fma
from soundalike.errors import IndexFolderError
from soundalike.evaluation import metrics, published, rankings
from soundalike.evaluation.genre_retrieval import rounded
from soundalike.index.index import Index

FILE = "fma_report.json"
K = published.K
MOST_QUERIES = 10_000
"""Maximum number of queries, evenly spaced, for figures over all tracks."""
_HEAD = "genre_head"
_NOTES = {
    "metadata": "It uses FMA's sub-genres, which reveal the genre.",
}

Figure = dict[str, Any]
"""`mean`, `low`, `high`, `chance` and `queries`; or a `mean` of None with a `reason`."""


def report(index: Index, seed: int = 0) -> dict[str, Any]:
    """Evaluate an index that was built with a head trained on its tracks' split.

    Returns
    -------
    ready for JSON: the number of `tracks` by `split`, the `genres`, the artists on more than one side,
    the `figures` next to the article's, and `representations`, each on the test tracks

    Raises
    ------
    IndexFolderError
        If the index was not built that way.
    """
    tracks = index.tracks
    test = np.flatnonzero(rankings.folds(index) == 0)
    if "split" not in tracks or _HEAD not in index.stored or not len(test):
        raise IndexFolderError(
            f"The index {index.folder} does not have a genre head that was trained on FMA's split; "
            "build it with `soundalike fma`."
        )
    told = np.flatnonzero(tracks["genre"].isin(index.genres).to_numpy())
    shared = fma.shared_artists(tracks)
    return {
        "tracks": len(index),
        "split": {name: int((tracks["split"] == name).sum()) for name in fma.SPLITS},
        "test_tracks": len(test),
        "genres": index.genres,
        "genre_from": {str(k): int(n) for k, n in tracks["genre_from"].value_counts().items()}
        if "genre_from" in tracks
        else {},
        "artists_on_two_sides": {"count": len(shared), "first": list(shared[:10])},
        "seed": seed,
        "article": asdict(published.CHECKED) | {"accuracy_claimed": published.CLAIMED_ACCURACY},
        "figures": {
            "accuracy": _accuracy(index, test, seed),
            "precision_test": _precisions(index, _HEAD, test, test, seed),
            "precision_all": _precisions(index, _HEAD, _subsample(told), told, seed),
        },
        "representations": [
            {"name": name, "note": _NOTES.get(name, "")} | _precisions(index, name, test, test, seed)
            for name in index.names
            if index.has_vectors(name)
        ],
    }


def save(index: Index, document: dict[str, Any]) -> None:
    """Write the report into the index folder."""
    path = index.folder / FILE
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(path)


def _accuracy(index: Index, test: NDArray[np.intp], seed: int) -> Figure:
    """The head's accuracy; chance is always predicting the most frequent genre of training."""
    genre = index.tracks["genre"].to_numpy()
    told = np.array(index.genres)[np.asarray(index.array("genre_probabilities")[test]).argmax(axis=1)]
    training = genre[(index.tracks["split"] == "training").to_numpy()]
    majority = max(index.genres, key=lambda name: int((training == name).sum()))
    right = (told == genre[test]).astype(float)
    return _figure(right, (genre[test] == majority).astype(float), _artists(index)[test], seed)


def _precisions(
    index: Index, name: str, queries: NDArray[np.intp], candidates: NDArray[np.intp], seed: int
) -> dict[str, Figure]:
    """Precision at 10 without a filter and with an artist filter."""
    artists = _artists(index)
    groups = {"no_filter": np.arange(len(index)), "artist_filter": artists}
    genre = np.unique(index.tracks["genre"], return_inverse=True)[1]
    hits: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {
        kind: [] for kind in groups
    }
    possible = {kind: _enough(group, queries, candidates) for kind, group in groups.items()}
    for rows, similarities in _blocks(index, name, queries, candidates):
        asked = rows[:, np.newaxis]
        for kind, group in groups.items():
            if not possible[kind]:
                continue
            allowed = group[candidates] != group[asked]
            relevant = genre[candidates] == genre[asked]
            hits[kind].append(metrics.precision_of_nearest(similarities, relevant, allowed, K))
    return {
        kind: _figure(
            np.concatenate([found for found, _ in scored]),
            np.concatenate([chance for _, chance in scored]),
            artists[queries],
            seed,
        )
        if scored
        else _unknown(len(queries))
        for kind, scored in hits.items()
    }


def _blocks(
    index: Index, name: str, queries: NDArray[np.intp], candidates: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Similarities of queries to candidates, in blocks of queries."""
    for start in range(0, len(queries), rankings.BLOCK):
        rows = queries[start : start + rankings.BLOCK]
        similarities = rankings.ranking_matrix(index, name, rankings.vectors_of(index, name, rows))
        yield rows, similarities[:, candidates]


def _enough(groups: NDArray[np.intp], queries: NDArray[np.intp], candidates: NDArray[np.intp]) -> bool:
    """Whether every query has ten candidates left without its own group."""
    taken = np.bincount(groups[candidates], minlength=int(groups.max()) + 1)
    return bool(len(candidates) - taken[groups[queries]].max() >= K)


def _subsample(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: -(-len(rows) // MOST_QUERIES)]


def _artists(index: Index) -> NDArray[np.intp]:
    return metrics.group_numbers(artists.keys(index.tracks), len(index))


def _figure(
    values: NDArray[np.float64], chance: NDArray[np.float64], artists: NDArray[np.intp], seed: int
) -> Figure:
    return metrics.mean_and_interval(values, artists, seed) | {
        "chance": rounded(float(chance.mean())),
        "queries": len(values),
    }


def _unknown(queries: int) -> Figure:
    return {"mean": None, "queries": queries, "reason": f"A track has fewer than {K} others to find."}
