"""Saved results: round trip, and results of another index are ignored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_library import write_index

from soundalike.errors import IndexFolderError
from soundalike.evaluation import results
from soundalike.index.index import Index


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setattr(results, "OTHER_CLIPS", tmp_path / "none.json")
    return write_index(tmp_path / "index", {"vgg_mel": np.eye(4)})


def item(name: str, precision: float, trained_on: bool = False) -> dict[str, object]:
    return {
        "name": name,
        "title": "As it was called",
        "dim": 4,
        "precision_at_10": precision + 0.1,
        "precision_at_10_artist_filter": precision,
        "precision_at_10_artist_filter_interval": [precision - 0.05, precision + 0.05],
        "precision_at_10_held_out": {"mean": precision / 2, "low": 0.1, "high": 0.4, "chance": 0.2},
        "map_artist_filter": 0.3,
        "hubness_skew": 1.5,
        "orphans": 0.02,
        "shift_similarity": None,
        "ms_per_track": 12.5,
        "bytes_per_track": 8,
        "trained_on": trained_on,
    }


def document() -> dict[str, object]:
    return {
        "tracks": 4,
        "chance": 0.25,
        "labels": {"headline": "all", "sets": {"all": {"is": "all labels", "queries": 3}}},
        "representations": [item("vgg_mel", 0.4), item("vgg_genre", 0.5), item("gone", 0.1)],
    }


def test_saved_results_are_sorted(opened: Index) -> None:
    assert results.reports(opened) == []
    results.save(opened, document())
    (report,) = results.reports(opened)
    assert report.title == "This library"
    assert report.chance == 0.25
    assert report.asked == "all labels (3 of 4 tracks)"
    table = report.table()
    assert list(table["name"]) == ["vgg_genre", "vgg_mel", "gone"]
    assert list(table["title"]) == ["Article's method", "Picture only", "As it was called"]
    assert table["high"].tolist() == pytest.approx([0.55, 0.45, 0.15])


def test_results_of_another_library_are_ignored(opened: Index) -> None:
    path = results.save(opened, document())
    content = json.loads(path.read_text()) | {"fingerprint": "f" * 64}
    path.write_text(json.dumps(content))
    assert results.reports(opened) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"tracks": 1}', "\x00", '{"representations": [1]}']
)
def test_damaged_file(opened: Index, content: str) -> None:
    (opened.folder / results.FILE).write_text(content)
    with pytest.raises(IndexFolderError, match="soundalike evaluate INDEX --save"):
        results.reports(opened)


def test_trained_representations_show_held_out(opened: Index) -> None:
    content = document()
    content["representations"] = [item("vgg_mel", 0.4), item("genre_head", 0.6, trained_on=True)]
    results.save(opened, content)
    (report,) = results.reports(opened)
    assert report.held_out
    assert report.chance == 0.2
    table = report.table()
    assert table["precision"].tolist() == [0.3, 0.2]
    assert table["all_tracks"].tolist() == [0.6, 0.4]
    assert table["high"].tolist() == [0.4, 0.4]


def test_updated_results_are_reloaded(opened: Index) -> None:
    results.save(opened, document())
    assert results.reports(opened)[0].chance == 0.25
    results.save(opened, document() | {"chance": 0.125})
    assert results.reports(opened)[0].chance == 0.125


def test_changed_copies(opened: Index) -> None:
    interval = {"mean": 0.75, "low": 0.5, "high": 1.0}
    found = {"tracks": 4, "ranked_first": 0.5, "kept": interval, "known": interval}
    robustness = {
        "gain_6_db": found,
        "phone": found | {"known": None},
        "other_30_s": {"tracks": 0, "similarity": None, "reason": "Not measured: too short."},
    }
    titles = {"gain_6_db": "6 dB louder", "phone": "A phone", "other_30_s": "Another 30 s"}
    items = [item("vgg_mel", 0.4) | {"robustness": robustness}, item("vgg_genre", 0.5)]
    results.save(opened, document() | {"changes": titles, "representations": items})
    (report,) = results.reports(opened)
    table = report.changed_copies("vgg_mel")
    assert list(table["change"]) == ["6 dB louder", "A phone"]
    assert list(table["kept"]) == [0.75, 0.75]
    assert list(table["first"]) == [0.5, 0.5]
    assert table["known"][0] == 0.75
    assert np.isnan(table["known"][1])
    assert report.changed_copies("vgg_genre").empty
    assert report.changed_copies("gone").empty


def test_older_documents_have_no_changed_copies(opened: Index) -> None:
    before = {"tracks": 4, "similarity": {"mean": 0.9}, "ranked_first": 1.0, "median_rank": 1.0}
    items = [item("vgg_mel", 0.4) | {"robustness": {"gain_6_db": before}}]
    results.save(opened, document() | {"representations": items})
    (report,) = results.reports(opened)
    assert report.changed_copies("vgg_mel").empty
    assert len(report.table()) == 1
