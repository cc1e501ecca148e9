"""Tests of genre groups."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import synthetic_index

from soundalike import paths
from soundalike.analysis import genre_groups
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.models import ModelStore
from soundalike.ui import palette


def library(genres: list[str], predicted: tuple[str, ...] = ()) -> Index:
    return Index(Path(), {"genres": list(predicted)}, TrackTable.of(pd.DataFrame({"genre": genres})))


def test_few_genres_are_all_named() -> None:
    opened = library(["b", "a", "", "a"], ("c",))
    assert genre_groups.named(opened) == ("a", "b", "c")
    assert genre_groups.of_tracks(opened) == ["b", "a", "", "a"]


def test_the_most_common_and_the_predicted_of_many_genres_are_named() -> None:
    tags = [f"tag {i:03}" for i in range(100)]
    opened = library(tags + tags[50:60], ("predicted",))
    named = genre_groups.named(opened)
    assert len(named) == genre_groups.MOST - 1
    assert {*tags[50:60], "predicted"} <= set(named)
    assert genre_groups.of_tracks(opened).count(genre_groups.OTHER) == 110 - 20 - 12


def test_all_pages_agree(tmp_path: Path) -> None:
    opened = index.load(synthetic_index.write(tmp_path, 300, messy=True))
    assert opened.tracks["genre"].nunique() > 100
    named = genre_groups.named(opened)
    assert set(palette.of(opened)) == set(named)
    assert set(FeatureStore(opened, ModelStore()).groups.genres) <= set(named)
    styles = {(style.colour, style.marker) for style in palette.of(opened).values()}
    assert len(styles) == len(named)


def test_the_bundled_library_names_all_its_genres() -> None:
    opened = index.load(paths.BUNDLED_INDEX)
    assert set(opened.tracks["genre"]) <= set(genre_groups.named(opened))
