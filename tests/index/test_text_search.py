"""Tests of text search."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.index import text_search
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable

TRACKS = pd.DataFrame(
    {
        "title": ["Hoppípolla", "Night Train", "The night", "Straße", "夜"],
        "artist": ["Sigur Rós", "Nightingale", "Ann", "Ann", ""],
        "album": ["Takk...", "Rails", "", "", ""],
        "genre": ["Rock", "Jazz", "Jazz", "Folk", ""],
    }
)
INDEX = Index(Path(), {}, TrackTable.of(TRACKS))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sigur ros", [0]),
        ("HOPPÍPOLLA rock", [0]),
        ("night", [1, 2]),
        ("jazz ann", [2]),
        ("strasse", [3]),
        ("夜", [4]),
        ("no such", []),
        (".*", []),
        ("  ", []),
        ("", []),
    ],
)
def test_every_word_must_occur_in_any_case_and_without_accents(text: str, rows: list[int]) -> None:
    assert text_search.find(INDEX, text) == rows


def test_only_the_given_columns_are_searched() -> None:
    assert text_search.find(INDEX, "rails", ("title", "artist")) == []
    assert text_search.find(INDEX, "rails", ("album", "licence")) == [1]


def test_titles_and_artists_that_begin_with_the_text_come_first() -> None:
    assert text_search.best(INDEX, "night", 5) == ([1, 2], 2)
    assert text_search.best(INDEX, "ann", 1) == ([2], 2)
    assert text_search.best(INDEX, "n", 1) == ([1], 3)
    assert text_search.best(INDEX, " ", 5) == ([], 0)


@given(st.text(max_size=20))
def test_what_is_found_holds_every_word(text: str) -> None:
    words = text_search.folded(text).split()
    for row in text_search.find(INDEX, text):
        whole = text_search.folded("\n".join(TRACKS.iloc[row]))
        assert all(word in whole for word in words)
