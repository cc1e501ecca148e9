"""Words on the map."""

from __future__ import annotations

from pathlib import Path

import clustered_index
import numpy as np
import pytest

from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui.map import charts, map_words
from soundalike.words import filters


def test_a_flat_map_has_names_and_a_deep_one_has_none(bundled) -> None:
    flat = layout.array_name("soundalike", layout.DEFAULT)
    deep = layout.array_name("soundalike", Setting(3, "cosine", 15, 0.1))
    found = map_words.regions(bundled, flat)
    assert len(found) > 5
    assert map_words.regions(bundled, deep) == []
    assert map_words.regions(bundled, flat) is found
    positions = bundled.array(flat)
    low, high = positions.min(axis=0), positions.max(axis=0)
    assert all(
        (np.array(region.at) > low).all() and (np.array(region.at) < high).all() for region in found
    )


def test_names_as_data_are_small_and_large_regions_come_first(bundled) -> None:
    found = map_words.regions(bundled, layout.array_name("soundalike", layout.DEFAULT))
    data = map_words.data("a map", found)
    assert data["map"] == "a map"
    levels = [region["level"] for region in data["regions"]]
    assert levels == sorted(levels)
    assert len(str(data)) < 6_000


def test_an_index_without_words_has_no_names_and_no_colour(tmp_path: Path) -> None:
    index = clustered_index.write(tmp_path / "index")
    assert charts.WORD not in charts.colour_titles(index)
    np.save(index.folder / "map_x.npy", np.zeros((len(index), 2), np.float32))
    assert map_words.regions(index, "map_x") == []


def test_a_word_colours_by_its_share_of_the_library(bundled) -> None:
    found = map_words.colouring(bundled, "metal")
    assert found.numbers is not None
    assert 0 <= found.numbers.min() < found.numbers.max() <= 100
    metal = bundled.tracks["genre"].to_numpy() == "Metal"
    assert np.median(found.numbers[metal]) > 85 > np.median(found.numbers[~metal])


def test_a_dimension_colours_by_its_values_and_has_its_name(bundled, models) -> None:
    store = FeatureStore(bundled, models)
    labels = store.labels("musicnn")
    named, nameless = next(i for i, name in enumerate(labels) if name), labels.index("")
    found = map_words.colouring_by_dimension(bundled, f"musicnn:{named}")
    assert np.array_equal(found.numbers, bundled.array("musicnn")[:, named])
    assert found.title == f"Number {named} of “Music tagger”. {labels[named]}"
    assert map_words.colouring_by_dimension(bundled, f"musicnn:{nameless}").title == (
        f"Number {nameless} of “Music tagger”"
    )


def test_no_filter_keeps_everything(bundled) -> None:
    found = map_words.only(bundled, "  ")
    assert (found.kept, found.notes) == (None, ())


def test_a_filter_keeps_what_meets_it(bundled, models) -> None:
    found = map_words.only(bundled, "piano, no vocals")
    wanted = filters.keep(bundled, models, filters.read("piano, no vocals"))
    assert found.kept is not None
    assert np.array_equal(found.kept, wanted)
    assert 0 < wanted.sum() < len(bundled)
    assert any(f"{wanted.sum()} of {len(bundled)} tracks" in note for note in found.notes)


@pytest.mark.parametrize("text", ["zzzqqq", "genre: No such genre", "🎹" * 300, "'; drop table"])
def test_a_filter_that_makes_no_sense_is_answered_in_sentences(bundled, text: str) -> None:
    found = map_words.only(bundled, text)
    assert all(note.endswith(".") for note in found.notes)
    assert found.kept is None or len(found.kept) == len(bundled)
