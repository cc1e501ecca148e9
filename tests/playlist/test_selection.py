"""Selections: ranking by typicality, and encoding for URLs."""

from __future__ import annotations

from pathlib import Path

import clustered_index
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import IndexFolderError, UnknownRepresentationError
from soundalike.index.index import Index
from soundalike.playlist import selection


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return clustered_index.write(tmp_path_factory.mktemp("clusters") / "index")


def test_most_typical_first(clusters: Index) -> None:
    rows = [*range(9), 25]
    ranked = selection.rank(clusters, "genre_head", [*rows, 25], 50)
    assert sorted(entry.row for entry in ranked.entries) == rows
    assert ranked.entries[-1].row == 25
    assert [entry.rank for entry in ranked.entries] == list(range(1, 11))
    vectors = clusters.array("genre_head")[rows].astype(np.float64)
    mean = vectors.mean(axis=0)
    expected = vectors @ mean / np.linalg.norm(vectors, axis=1) / np.linalg.norm(mean)
    by_row = {entry.row: entry.similarity for entry in ranked.entries}
    np.testing.assert_allclose([by_row[row] for row in rows], expected, atol=1e-6)
    assert ranked.notes == ()


def test_long_and_empty_selections(clusters: Index) -> None:
    ranked = selection.rank(clusters, "genre_head", range(40), 10)
    assert len(ranked.entries) == 10
    assert ranked.notes == ("Showing the 10 most typical of the 40 selected tracks.",)
    assert selection.rank(clusters, "genre_head", [], 10).entries == ()
    with pytest.raises((IndexFolderError, UnknownRepresentationError)):
        selection.rank(clusters, "vgg_mel", [1], 10)


@given(rows=st.sets(st.integers(0, 59)))
def test_encoding_round_trip(clusters: Index, rows: set[int]) -> None:
    text = selection.encode(clusters, rows)
    if not rows:
        assert text is None
        return
    assert text is not None
    assert selection.decode(clusters, text) == sorted(rows)


@given(text=st.text(max_size=40))
def test_decode_accepts_any_text(clusters: Index, text: str) -> None:
    assert selection.decode(clusters, text) == []
    rows = selection.decode(clusters, "abcdef" + text)
    assert all(0 <= row < len(clusters) for row in rows)


def test_decode_rejects_other_library(clusters: Index, tmp_path: Path) -> None:
    text = selection.encode(clusters, [1, 2])
    assert text is not None
    assert selection.decode(clusters, "123456" + text[6:]) == []
