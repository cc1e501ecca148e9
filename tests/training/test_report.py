from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundalike import paths
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.models import ModelStore
from soundalike.training import report

TEXT = """# A model

What it is, see [tracks.csv](tracks.csv) and [a licence](https://example.org/licence).

## Data

Few.

## Figures

| 4 tracks | accuracy | log loss |
|---|---:|---:|
| the head | 75.0% | 1.00 |
| majority class | 50.0% |  |

Rows are labels:

| | Folk | Jazz |
|---|---:|---:|
| Folk | 2 | 0 |
| Jazz | 1 | 1 |

## Limits

- Some.
"""
CARD = report.Card("a", "A model", TEXT)
TRACKS = pd.DataFrame(
    {
        "title": ["Night Train", "Morning (live)", "Café"],
        "artist": ["Ann", "Bob", "Ann"],
        "album": ["Rails", "Rails", "Beans"],
        "genre": ["Folk", "Jazz", "Jazz"],
        "licence": ["CC0-1.0", "MIT", "MIT"],
        "file": ["a.ogg", "b.ogg", "c.ogg"],
    }
)


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.ASSETS / "index")


def test_section_boundaries() -> None:
    assert CARD.section("Data") == "Few."
    assert CARD.section("Limits") == "- Some."
    assert CARD.section("Nothing") == ""


def test_figures_are_read_from_the_card() -> None:
    assert report.accuracies(CARD) == {"4 tracks": {"the head": 0.75, "majority class": 0.5}}
    assert report.confusion(CARD) == (["Folk", "Jazz"], [[2, 0], [1, 1]])


def test_a_card_without_figures_has_none() -> None:
    bare = report.Card("b", "B", "# B\n\nNothing measured.\n")
    assert report.accuracies(bare) == {}
    assert report.confusion(bare) is None


def test_the_shipped_cards_are_found_and_read() -> None:
    names = [card.name for card in report.cards()]
    assert {"genre_head", "musicnn_msd", "vgg16_notop_fp16"} <= set(names)
    assert names == sorted(names)
    card = report.card("genre_head")
    assert card is not None
    figures = report.accuracies(card)
    assert len(figures) == 2
    assert all(0 < score < 1 for scores in figures.values() for score in scores.values())
    matrix = report.confusion(card)
    assert matrix is not None
    every = next(iter(figures))
    counts = np.array(matrix[1])
    assert f"{counts.sum()} tracks" == every
    assert counts.trace() / counts.sum() == pytest.approx(figures[every]["genre head"], abs=5e-4)


def test_missing_card(tmp_path: Path) -> None:
    assert report.card("genre_head", tmp_path) is None
    assert report.cards(tmp_path) == []


def test_head_card_matches_index(bundled: Index, tmp_path: Path) -> None:
    base = ModelStore()
    card = report.head_card(bundled, bundled.models(base))
    assert card == report.card("genre_head")
    assert report.head_accuracy(card) == pytest.approx(0.335, abs=0.1)
    made_with = {"representations": bundled.manifest["representations"], "genres": ["Folk"]}
    other = Index(tmp_path, made_with | {"models": {"genre_head": "0" * 64}}, bundled.table)
    assert report.head_card(other, other.models(base)) is None
    assert report.head_accuracy(None) is None


def test_index_with_its_own_head(bundled: Index, tmp_path: Path) -> None:
    head = tmp_path / "model_genre_head.npz"
    head.write_bytes(b"weights")
    manifest = {
        "models": {"genre_head": paths.sha256_of(head)},
        "own_models": {"genre_head": head.name},
    }
    own = Index(tmp_path, manifest, bundled.table)
    assert report.head_card(own, own.models(ModelStore())) is None
    text = TEXT.replace("the head", "genre head")
    head.with_suffix(".md").write_text(text, encoding="utf-8")
    card = report.head_card(own, own.models(ModelStore()))
    assert card is not None
    assert card.text == text
    assert report.head_accuracy(card) == 0.75
    names = [found.name for found in report.model_cards(own)]
    assert names[0] == "model_genre_head"
    assert "genre_head" not in names
    assert {"musicnn_msd", "vgg16_notop_fp16"} <= set(names)


def test_confusion_sentence() -> None:
    said = report.confused(["Folk", "Jazz"], [[2, 0], [1, 1]])
    assert "genre is Folk, right 100%" in said
    assert "Jazz classified as Folk, 1 times" in said


def test_demoting_drops_the_title_and_links_to_files() -> None:
    lower = report.demoted(TEXT)
    assert "# A model" not in lower
    assert re.findall(r"^#+ \w+", lower, re.M) == ["### Data", "### Figures", "### Limits"]
    assert "see tracks.csv and [a licence](https://example.org/licence)" in lower


def test_wide_tables_become_frames() -> None:
    wide = (
        "Before\n\n| | a | b | c | d | e | f |\n|---|"
        + "---:|" * 6
        + "\n| x | 1 | 2 | 3 | 4 | 5 | 6 |\n\nAfter"
    )
    before, table, after = report.parts(wide)
    assert (before, after) == ("Before\n\n", "\nAfter")
    assert isinstance(table, pd.DataFrame)
    assert table.loc["x"].tolist() == ["1", "2", "3", "4", "5", "6"]
    assert report.parts(TEXT) == [TEXT]


@pytest.mark.parametrize(
    ("text", "licence", "files"),
    [
        ("", None, ["a.ogg", "b.ogg", "c.ogg"]),
        ("rails", None, ["a.ogg", "b.ogg"]),
        ("  ANN  jazz ", None, ["c.ogg"]),
        ("café", None, ["c.ogg"]),
        ("(live)", None, ["b.ogg"]),
        (".*", None, []),
        ("", "MIT", ["b.ogg", "c.ogg"]),
        ("ann", "MIT", ["c.ogg"]),
        ("ann", "none", []),
    ],
)
def test_search(text: str, licence: str | None, files: list[str]) -> None:
    assert list(report.search(Index(Path(), {}, TrackTable.of(TRACKS)), text, licence)["file"]) == files


def test_a_library_without_licences_has_none() -> None:
    bare = TRACKS.drop(columns="licence")
    assert report.licences(bare) == {}
    assert list(report.search(Index(Path(), {}, TrackTable.of(bare)), "cafe")["file"]) == ["c.ogg"]
    table = report.credits_table(bare)
    assert list(table) == ["Title", "Artist", "Album", "Genre", "Source"]
    assert list(table["Source"]) == ["a.ogg", "b.ogg", "c.ogg"]
    from_elsewhere = bare.assign(url=["https://example.org/a", "", "Ann's archive"])
    assert list(report.credits_table(from_elsewhere)["Source"]) == [
        "https://example.org/a",
        "b.ogg",
        "Ann's archive",
    ]


def test_every_bundled_track_is_credited(bundled: Index) -> None:
    counts = report.licences(bundled.tracks)
    assert sum(counts.values()) == len(bundled)
    table = report.credits_table(bundled.tracks)
    assert len(table) == len(bundled)
    assert (table[["Artist", "Licence", "Source"]] != "").all().all()
    credits = report.library_credits(bundled)
    assert all(artist in credits for artist in table["Artist"])


def test_unlearned_representations(bundled: Index) -> None:
    assert report.unlearned(bundled) == ["vgg_mel"]


def test_neighbour_precision_beats_chance(bundled: Index) -> None:
    precision = report.neighbour_precision(bundled, "vgg_mel")
    assert precision is not None
    assert precision.chance < precision.low < precision.mean < precision.high < 1


def test_a_large_library_is_not_compared(bundled: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_TRACKS_COMPARED", 100)
    assert report.neighbour_precision(bundled, "vgg_mel") is None


def test_a_small_library_has_no_precision(bundled: Index) -> None:
    assert report.neighbour_precision(bundled, "vgg_mel", k=625) is None


def test_likeness_excludes_the_track(bundled: Index) -> None:
    values, nearest = report.likeness(bundled, "vgg_mel", "0102")
    rows, similarities = bundled.neighbours("vgg_mel", bundled.row("0102"))
    assert len(values) < len(bundled)
    assert nearest == rows[0]
    assert values.max() == pytest.approx(similarities[0], abs=1e-3)
