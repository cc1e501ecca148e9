"""The report on an FMA index: figures against brute force, and missing figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_index import GENRES, N, clustered, genre_numbers, table, write
from small_library import cosines

from soundalike.errors import IndexFolderError
from soundalike.evaluation import fma_results, published, runner
from soundalike.index import index, storage
from soundalike.index.index import Index
from soundalike.models.heldout import TRAINED_ON


def split_table() -> pd.DataFrame:
    """Artists of three tracks: of each genre's ten the first four are heard, the others are to test."""
    number = np.arange(N)
    test = number // 3 % 10 >= 4
    return table().assign(
        split=np.where(test, "test", np.where(number // 3 % 10 == 3, "validation", "training")),
        genre_fold=np.where(test, 0, TRAINED_ON),
        genre_from="genre_top",
    )


def write_split(folder: Path, tracks: pd.DataFrame, right: np.ndarray | None = None) -> Index:
    """Its index; the head is right about the tracks that `right` says."""
    made = write(folder, tracks.drop(columns="genre_source"), held_out=clustered(0.3, seed=1))
    told = (genre_numbers() + (0 if right is None else ~right)) % 3
    np.save(folder / "genre_probabilities.npy", np.eye(3, dtype=np.float32)[told])
    manifest = json.loads((folder / index.MANIFEST).read_text(encoding="utf-8"))
    manifest["genres"] = list(GENRES)
    manifest["files"]["genre_probabilities.npy"] = storage.file_facts(folder / "genre_probabilities.npy")
    (folder / index.MANIFEST).write_text(storage.manifest_text(manifest), encoding="utf-8")
    return index.load(made.folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Index:
    right = np.arange(N) % 4 > 0
    return write_split(tmp_path_factory.mktemp("fma") / "index", split_table(), right)


@pytest.fixture(scope="module")
def found(built: Index) -> dict:
    return fma_results.report(built)


def brute_force(built: Index, rows: np.ndarray, by_artist: bool) -> float:
    """Precision at 10 of the head's features among some rows, by its definition."""
    vectors = np.asarray(built.array("genre_head"))
    tracks = built.tracks
    shares = []
    for row in rows:
        others = [
            other
            for other in rows
            if other != row and not (by_artist and tracks["artist"][other] == tracks["artist"][row])
        ]
        alike = cosines(vectors[row], vectors[others])
        nearest = np.array(others)[np.argsort(-alike, kind="stable")[:10]]
        shares.append(np.mean(tracks["genre"][nearest] == tracks["genre"][row]))
    return float(np.mean(shares))


def test_figures_match_definitions(built: Index, found: dict) -> None:
    test = np.flatnonzero(built.tracks["split"] == "test")
    figures = found["figures"]
    assert figures["accuracy"]["mean"] == pytest.approx(np.mean(test % 4 > 0), abs=1e-6)
    assert figures["accuracy"]["chance"] == pytest.approx(1 / 3, abs=1e-6)
    assert figures["accuracy"]["queries"] == len(test) == found["test_tracks"] == 54
    for key, rows in (("precision_test", test), ("precision_all", np.arange(N))):
        for kind, by_artist in (("no_filter", False), ("artist_filter", True)):
            figure = figures[key][kind]
            assert figure["mean"] == pytest.approx(brute_force(built, rows, by_artist), abs=0.005)
            assert figure["low"] <= figure["mean"] <= figure["high"]
    assert figures["precision_test"]["artist_filter"]["chance"] == pytest.approx(15 / 51, abs=1e-6)
    assert figures["precision_test"]["no_filter"]["chance"] == pytest.approx(17 / 53, abs=1e-6)


def test_every_representation_is_measured_on_the_test_tracks(built: Index, found: dict) -> None:
    items = {item["name"]: item for item in found["representations"]}
    assert list(items) == built.names
    assert {item["artist_filter"]["queries"] for item in items.values()} == {54}
    head = {key: items["genre_head"][key] for key in ("no_filter", "artist_filter")}
    assert head == found["figures"]["precision_test"]


def test_other_report_fields(built: Index, found: dict) -> None:
    assert found["tracks"] == N
    assert found["split"] == {"training": 27, "validation": 9, "test": 54}
    assert found["genres"] == list(GENRES)
    assert found["artists_on_two_sides"] == {"count": 0, "first": []}
    assert found["article"]["accuracy_claimed"] == 0.56
    assert found["article"]["precision_all"] == published.CHECKED.precision_all
    assert json.loads(json.dumps(found)) == found
    fma_results.save(built, found)
    assert json.loads((built.folder / fma_results.FILE).read_text(encoding="utf-8")) == found
    index.load(built.folder, checksums=True)


def test_shared_artists_are_reported(tmp_path: Path) -> None:
    tracks = split_table()
    tracks.loc[[0, N - 1], "artist"] = "Both"
    found = fma_results.report(write_split(tmp_path / "index", tracks))
    assert found["artists_on_two_sides"] == {"count": 1, "first": ["Both"]}


def test_too_few_test_tracks(tmp_path: Path) -> None:
    tracks = split_table()
    tracks.loc[15:, ["split", "genre_fold"]] = ["training", TRAINED_ON]
    figures = fma_results.report(write_split(tmp_path / "index", tracks))["figures"]
    assert figures["accuracy"]["queries"] == 3
    assert figures["precision_test"]["no_filter"]["mean"] is None
    assert "fewer than 10" in figures["precision_test"]["artist_filter"]["reason"]
    assert figures["precision_all"]["artist_filter"]["mean"] > 0


def test_index_without_split(tmp_path: Path) -> None:
    with pytest.raises(IndexFolderError, match="soundalike fma"):
        fma_results.report(write(tmp_path / "index"))


def test_evaluate_holds_out_the_test_tracks(built: Index, found: dict) -> None:
    plan = runner.plan(built, ["genre_head"], tracks=0)
    item = runner.evaluate(built, plan, None)["representations"][0]  # type: ignore[arg-type]
    assert item["trained_on"]
    held_out = item["precision_at_10_held_out"]
    assert held_out["mean"] == pytest.approx(
        found["figures"]["precision_test"]["artist_filter"]["mean"], abs=0.02
    )
