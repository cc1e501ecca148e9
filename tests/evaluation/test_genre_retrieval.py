"""Genre retrieval of an index: comparison with the metrics, and sets of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_index import GENRES, SIZE, N, clustered, genre_numbers, table, write

from soundalike.errors import LibraryError
from soundalike.evaluation import genre_retrieval, metrics, rankings
from soundalike.evaluation.genre_retrieval import METRICS
from soundalike.index.index import Index


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return write(tmp_path_factory.mktemp("labelled") / "index")


def cosines(index: Index, name: str) -> np.ndarray:
    return metrics.cosine_matrix(index.array(name)[:])


def figures_of(index: Index, name: str, seed: int = 0) -> dict:
    task = genre_retrieval.task(index)
    return genre_retrieval.figures(task, genre_retrieval.score(index, name, task).values, None, seed)


def test_perfect_vectors_score_1(tmp_path: Path) -> None:
    perfect = write(tmp_path / "index", vectors={"vgg_mel": clustered(0.0)})
    found = figures_of(perfect, "vgg_mel")
    for kind, own in (("none", 1), ("artist", 3), ("album", 6)):
        of_filter = found["all"]["filters"][kind]
        assert of_filter["chance"] == pytest.approx((SIZE - own) / (N - own), abs=1e-6)
        for metric in METRICS:
            assert of_filter[metric] == {"mean": 1, "low": 1, "high": 1}


@pytest.mark.parametrize("kind", ["none", "artist", "album"])
def test_figures_match_full_matrix(labelled: Index, kind: str) -> None:
    tracks = labelled.tracks
    names = {"none": None, "artist": list(tracks["artist"]), "album": list(tracks["album"])}[kind]
    expected = metrics.precision_at_k(cosines(labelled, "vgg_mel"), list(tracks["genre"]), names)
    found = figures_of(labelled, "vgg_mel")["all"]["filters"][kind]
    assert found["precision_at_10"]["mean"] == pytest.approx(expected.mean, abs=1e-6)
    assert found["chance"] == pytest.approx(expected.chance, abs=1e-6)
    if kind == "artist":
        interval = found["precision_at_10"]["low"], found["precision_at_10"]["high"]
        assert interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_tagger_labels_are_separate(labelled: Index) -> None:
    found = figures_of(labelled, "vgg_mel")
    assert {name: facts["queries"] for name, facts in found.items()} == {
        "all": N,
        "tagger": N // 3,
        "not_tagger": 2 * N // 3,
        "no_tagger": 2 * N // 3,
    }
    means = {name: facts["filters"]["artist"]["map"]["mean"] for name, facts in found.items()}
    assert means["all"] == pytest.approx(means["tagger"] / 3 + 2 * means["not_tagger"] / 3, abs=1e-6)
    assert genre_retrieval.task(labelled).headline == "no_tagger"


def test_no_tagger_excludes_tagger_labels(labelled: Index) -> None:
    own = (labelled.tracks["genre_source"] != "tagger").to_numpy()
    tracks = labelled.tracks[own]
    expected = metrics.precision_at_k(
        cosines(labelled, "vgg_mel")[np.ix_(own, own)], list(tracks["genre"]), list(tracks["artist"])
    )
    found = figures_of(labelled, "vgg_mel")["no_tagger"]["filters"]["artist"]
    assert found["precision_at_10"]["mean"] == pytest.approx(expected.mean, abs=1e-6)
    assert found["chance"] == pytest.approx(expected.chance, abs=1e-6)


def test_headline_ignores_tagger_labels(labelled: Index, tmp_path: Path) -> None:
    tracks = table()
    tracks.loc[tracks["genre_source"] == "tagger", "genre"] = "Folk"
    changed = write(tmp_path / "index", tracks)
    before, after = figures_of(labelled, "vgg_mel"), figures_of(changed, "vgg_mel")
    assert before["no_tagger"] == after["no_tagger"]
    assert before["all"] != after["all"]
    assert before["not_tagger"] != after["not_tagger"]


def test_sets_of_labels_without_a_tagger(tmp_path: Path) -> None:
    for name, tracks in (
        ("none", table().drop(columns="genre_source")),
        ("others", table().assign(genre_source="tag")),
    ):
        task = genre_retrieval.task(write(tmp_path / name, tracks))
        assert list(task.labels) == ["all"]
        assert task.headline == "all"


def test_headline_needs_enough_labels(tmp_path: Path) -> None:
    tracks = table().assign(genre_source=["tag"] * 12 + ["tagger"] * (N - 12))
    task = genre_retrieval.task(write(tmp_path / "some", tracks))
    assert list(task.labels) == ["all", "tagger", "not_tagger"]
    assert task.headline == "not_tagger"
    task = genre_retrieval.task(write(tmp_path / "none", table().assign(genre_source="tagger")))
    assert list(task.labels) == ["all", "tagger"]
    assert task.headline == "tagger"


def test_tracks_without_genre_are_excluded(tmp_path: Path) -> None:
    tracks = table().drop(columns="genre_source")
    missing = np.arange(N) % 5 == 0
    tracks.loc[missing, "genre"] = ""
    some = write(tmp_path / "index", tracks)
    found = figures_of(some, "vgg_mel")["all"]
    assert found["queries"] == N - missing.sum()
    known = ~missing
    expected = metrics.precision_at_k(
        cosines(some, "vgg_mel")[np.ix_(known, known)],
        list(tracks["genre"][known]),
        list(tracks["artist"][known]),
    )
    got = found["filters"]["artist"]["precision_at_10"]["mean"]
    assert got == pytest.approx(expected.mean, abs=1e-6)


def test_genres_add_up(labelled: Index) -> None:
    task = genre_retrieval.task(labelled)
    scores = genre_retrieval.score(labelled, "vgg_mel", task)
    by_genre = genre_retrieval.by_genre(task, scores.values, 0)["artist"]
    assert list(by_genre) == list(GENRES)
    whole = genre_retrieval.figures(task, scores.values, None, 0)["no_tagger"]["filters"]["artist"]
    for metric in METRICS:
        parts = [facts["queries"] * facts[metric]["mean"] for facts in by_genre.values()]
        assert sum(parts) / whole["queries"] == pytest.approx(whole[metric]["mean"], abs=1e-5)


def test_block_size_does_not_matter(labelled: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    task = genre_retrieval.task(labelled)
    whole = genre_retrieval.score(labelled, "vgg_genre", task)
    monkeypatch.setattr(rankings, "BLOCK", 7)
    parts = genre_retrieval.score(labelled, "vgg_genre", task)
    np.testing.assert_array_equal(whole.neighbours, parts.neighbours)
    for key, of_metric in whole.values.items():
        for metric, values in of_metric.items():
            np.testing.assert_array_equal(values, parts.values[key][metric])


def test_neighbours_match_index(labelled: Index) -> None:
    scores = genre_retrieval.score(labelled, "vgg_genre", genre_retrieval.task(labelled))
    expected = labelled.array("vgg_genre_neighbours")[:, :10]
    assert (scores.neighbours == expected).mean() > 0.99


def test_comparison_uses_same_queries(labelled: Index) -> None:
    task = genre_retrieval.task(labelled)
    ours = genre_retrieval.score(labelled, "genre_head", task)
    theirs = genre_retrieval.score(labelled, "vgg_mel", task)
    found = genre_retrieval.figures(task, ours.values, theirs.values, 0)["no_tagger"]
    other = genre_retrieval.figures(task, theirs.values, None, 0)["no_tagger"]
    own_mean, other_mean = (f["filters"]["artist"]["precision_at_10"]["mean"] for f in (found, other))
    compared = found["against_baseline"]["precision_at_10"]
    assert compared["difference"] == pytest.approx(own_mean - other_mean, abs=2e-6)
    assert compared["ratio"] == pytest.approx(own_mean / other_mean, abs=1e-5)
    assert compared["low"] <= compared["difference"] <= compared["high"]
    assert other["against_baseline"] is None


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """A head that knows its training tracks' genres by heart, and nothing of others."""
    tracks = table().assign(genre_fold=np.arange(N) // 3 % 2)
    noise = np.random.default_rng(3).normal(size=(N, 16))
    # Every fold's head turns its space another way.
    noise[tracks["genre_fold"] == 1] *= -5
    vectors = {"vgg_mel": clustered(0.5), "genre_head": clustered(0.0)}
    return write(tmp_path_factory.mktemp("trained") / "index", tracks, vectors, held_out=noise)


def test_held_out_removes_training_bias(trained: Index) -> None:
    task = genre_retrieval.task(trained)
    assert figures_of(trained, "genre_head")["all"]["filters"]["artist"]["map"]["mean"] == 1
    values = genre_retrieval.score_held_out(trained, "genre_head", task)
    found = genre_retrieval.figures(task, values, None, 0)["all"]["filters"]
    assert list(found) == ["artist"]
    assert found["artist"]["precision_at_10"]["low"] < found["artist"]["chance"] + 0.03
    assert found["artist"]["queries"] == N


@pytest.mark.parametrize("name", ["vgg_mel", "genre_head", "vgg_genre"])
def test_held_out_ranks_within_folds(trained: Index, name: str) -> None:
    task = genre_retrieval.task(trained)
    values = genre_retrieval.score_held_out(trained, name, task)["all", "artist"]
    mel = trained.array("vgg_mel")[:].astype(np.float64)
    head = trained.array("genre_head_heldout")[:].astype(np.float64)
    vectors = {"vgg_mel": mel, "genre_head": head, "vgg_genre": np.hstack([mel, 80 * head])}[name]
    for fold in range(2):
        rows = np.flatnonzero(trained.tracks["genre_fold"] == fold)
        expected = metrics.precision_at_k(
            metrics.cosine_matrix(vectors[rows]),
            [GENRES[genre] for genre in genre_numbers()[rows]],
            list(trained.tracks["artist"].iloc[rows]),
        )
        np.testing.assert_allclose(values["precision_at_10"][rows], expected.per_query, atol=0.11)
        assert values["precision_at_10"][rows].mean() == pytest.approx(expected.mean, abs=2e-3)
        assert values["chance"][rows].mean() == pytest.approx(expected.chance)


def test_without_folds_nothing_is_held_out(labelled: Index) -> None:
    assert genre_retrieval.score_held_out(labelled, "genre_head", genre_retrieval.task(labelled)) == {}
    assert not rankings.trained_on_labels(labelled, "genre_head")


def test_representations_trained_on_labels(trained: Index) -> None:
    heard = {name: rankings.trained_on_labels(trained, name) for name in trained.names}
    assert heard == {"vgg_genre": True, "vgg_mel": False, "genre_head": True}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"genre": ""}, "at least two genres"),
        ({"genre": "Folk"}, "at least two genres"),
        ({"artist": "", "album": ""}, "needs the tracks' artists"),
        ({"artist": "Ann"}, "too few tracks"),
        ({"artist": ["Ann"] * 75 + ["Ben"] * 15}, "too few tracks"),
    ],
)
def test_index_that_cannot_be_evaluated(tmp_path: Path, changed: dict, message: str) -> None:
    with pytest.raises(LibraryError, match=message):
        genre_retrieval.task(write(tmp_path / "index", table().assign(**changed)))


def test_index_of_too_few_tracks(tmp_path: Path) -> None:
    rows = np.arange(0, N, 5)
    tracks: pd.DataFrame = table().iloc[rows].reset_index(drop=True)
    few = write(tmp_path / "index", tracks, {"vgg_mel": clustered(0.5)[rows]})
    with pytest.raises(LibraryError, match="20 others"):
        genre_retrieval.task(few)


def test_album_filter_is_left_out_where_it_leaves_too_little(tmp_path: Path) -> None:
    one = write(tmp_path / "index", table().assign(album="The best of"))
    assert list(figures_of(one, "vgg_mel")["all"]["filters"]) == ["none", "artist"]
