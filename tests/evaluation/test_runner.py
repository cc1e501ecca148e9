"""The evaluation document: contents, skipped parts, and determinism."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_index import N, clustered, table, write

from soundalike.errors import IndexFolderError, LibraryError, UnknownRepresentationError
from soundalike.evaluation import runner
from soundalike.evaluation.robustness_changes import USUAL
from soundalike.index.index import Index
from soundalike.models import ModelStore

HEADLINE = {
    *("name", "dim", "precision_at_10", "precision_at_10_artist_filter", "map_artist_filter"),
    *("hubness_skew", "orphans", "shift_similarity", "ms_per_track", "bytes_per_track"),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Three representations, and no tagger's labels."""
    return write(tmp_path_factory.mktemp("plain") / "index", table().drop(columns="genre_source"))


def measure(index: Index, *names: str, seed: int = 0) -> dict[str, Any]:
    return runner.evaluate(index, runner.plan(index, names, 0, seed), ModelStore())


def test_document(plain: Index) -> None:
    found = measure(plain)
    assert found["tracks"] == N
    assert found["chance"] == pytest.approx(27 / 87, abs=1e-6)
    assert found["baseline"] == "vgg_genre"
    assert found["skipped"] == []
    assert [item["name"] for item in found["representations"]] == plain.names
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for item in found["representations"]:
        assert item.keys() >= HEADLINE
        filtered = item["genre"]["all"]["filters"]["artist"]
        assert item["precision_at_10_artist_filter"] == filtered["precision_at_10"]["mean"]
        assert item["map_artist_filter"] == filtered["map"]["mean"]
        assert (item["hubness_skew"], item["orphans"]) == (
            item["hubness"]["skew"],
            item["hubness"]["orphans"],
        )
        assert not item["trained_on"]
        assert item["held_out"] is None
        assert item["robustness"] is None
        assert item["shift_similarity"] is None
        assert item["ms_per_track"] is None
        assert "not at hand" in item["cost"]["reason"]


def test_joined_representation_bytes(plain: Index) -> None:
    found = measure(plain)
    bytes_of = {item["name"]: item["bytes_per_track"] for item in found["representations"]}
    assert bytes_of == {"vgg_genre": 64, "vgg_mel": 32, "genre_head": 32}


def test_comparison_with_article(plain: Index) -> None:
    article, *others = measure(plain)["representations"]
    assert article["against_baseline"] is None
    for item in others:
        difference = item["precision_at_10_artist_filter"] - article["precision_at_10_artist_filter"]
        compared = item["against_baseline"]["precision_at_10"]
        assert compared["difference"] == pytest.approx(difference, abs=2e-6)


def test_baseline_is_always_computed(plain: Index) -> None:
    found = measure(plain, "vgg_mel")
    (item,) = found["representations"]
    assert item == measure(plain)["representations"][1]
    assert item["against_baseline"] is not None


def test_index_without_baseline(tmp_path: Path) -> None:
    alone = write(tmp_path / "index", vectors={"vgg_mel": clustered(0.5)})
    found = measure(alone)
    assert found["baseline"] is None
    assert found["representations"][0]["against_baseline"] is None


def test_document_is_deterministic(plain: Index) -> None:
    assert measure(plain, seed=4) == measure(plain, seed=4)
    assert measure(plain, seed=4) != measure(plain, seed=5)


def test_trained_on_is_marked_and_held_out(tmp_path: Path) -> None:
    tracks = table().assign(genre_fold=np.arange(N) // 3 % 2)
    vectors = {"vgg_mel": clustered(0.5), "genre_head": clustered(0.0)}
    held_out = clustered(0.8, seed=9)
    found = measure(write(tmp_path / "index", tracks, vectors, held_out=held_out))
    by_name = {item["name"]: item for item in found["representations"]}
    assert {name: item["trained_on"] for name, item in by_name.items()} == {
        "vgg_genre": True,
        "vgg_mel": False,
        "genre_head": True,
    }
    head = by_name["genre_head"]
    assert "inflates" in head["notes"][0]
    assert head["precision_at_10_artist_filter"] == 1
    assert head["precision_at_10_held_out"]["mean"] < 0.8
    assert by_name["vgg_mel"]["notes"] == []
    assert by_name["vgg_mel"]["precision_at_10_held_out"] is not None
    for name in ("vgg_mel", "genre_head"):
        item = by_name[name]
        assert all(facts["against_baseline"] is None for facts in item["genre"].values())
        fair = item["held_out"][found["labels"]["headline"]]["against_baseline"]
        assert item["against_baseline"] == fair
        assert fair is not None


def test_headline_excludes_tagger_labels(tmp_path: Path) -> None:
    found = measure(write(tmp_path / "index"), "vgg_mel")
    assert found["labels"]["headline"] == "no_tagger"
    assert found["labels"]["sets"]["no_tagger"]["candidates"] == 60
    (item,) = found["representations"]
    own = item["genre"]["no_tagger"]["filters"]["artist"]
    assert item["precision_at_10_artist_filter"] == own["precision_at_10"]["mean"]
    assert found["chance"] == own["chance"]


def test_neighbours_only_representation_is_skipped(
    plain: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Index, "has_vectors", lambda index, name: name != "vgg_mel")
    found = measure(plain)
    assert [item["name"] for item in found["representations"]] == ["vgg_genre", "genre_head"]
    assert found["skipped"] == [
        {"name": "vgg_mel", "reason": "The index stores only its neighbours, not its vectors."}
    ]
    nothing = measure(plain, "vgg_mel")
    assert (nothing["representations"], nothing["chance"]) == ([], None)


def test_progress_count(plain: Index) -> None:
    plan = runner.plan(plain, tracks=3)
    seen: list[str] = []
    found = runner.evaluate(plain, plan, ModelStore(), seen.append)
    assert len(seen) == plan.steps
    for item in found["representations"]:
        assert item["robustness"]["shift_3_s"]["tracks"] == 0
        assert "cannot be opened" in item["robustness"]["shift_3_s"]["reason"]


def test_extra_changes_apply_to_named_or_default(plain: Index) -> None:
    usual = list(USUAL)
    wide = runner.plan(plain, tracks=1, changes=["telephone"])
    assert wide.changes_by_name == {
        "vgg_genre": [*usual, "telephone"],
        "vgg_mel": usual,
        "genre_head": usual,
    }
    named = runner.plan(plain, ["vgg_mel"], tracks=1, changes=["telephone"])
    assert named.changes_by_name == {"vgg_mel": [*usual, "telephone"]}
    found = runner.evaluate(plain, wide, ModelStore())
    assert list(found["changes"]) == [*usual, "telephone"]
    assert found["changes"]["telephone"] == "Telephone, 300 to 3,400 Hz"
    for item in found["representations"]:
        assert list(item["robustness"]) == wide.changes_by_name[item["name"]]
    assert measure(plain)["changes"] == {}
    with pytest.raises(KeyError, match="cave"):
        runner.plan(plain, changes=["cave"])


def test_unknown_names(plain: Index) -> None:
    with pytest.raises(UnknownRepresentationError):
        runner.plan(plain, ["vgg19"])
    with pytest.raises(IndexFolderError, match="does not hold"):
        runner.plan(plain, ["mfcc_flat"])


def test_index_that_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="genre"):
        measure(write(tmp_path / "index", table().assign(genre="")))
