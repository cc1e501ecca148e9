"""Tests that a subset of an index compares tracks as the whole index does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scattered_index import scattered, two_passes

from soundalike.errors import IndexFolderError
from soundalike.index import subset, vectors


def test_similarities_and_vectors_equal_the_whole_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = two_passes(tmp_path / "index", monkeypatch, scattered(0, 300))
    monkeypatch.setattr(vectors, "IN_MEMORY", 0)
    rows = np.array([7, 3, 250, 19, 100])
    part = subset.of(whole, "vgg_genre", rows)
    assert len(part) == 5
    assert part.tracks["track_id"].tolist() == ["t7", "t3", "t250", "t19", "t100"]
    for stored in ("vgg_mel", "genre_head"):
        np.testing.assert_array_equal(part.vectors(stored, [4, 0]), whole.vectors(stored, [100, 7]))
        np.testing.assert_array_equal(part.column(stored, 2), whole.column(stored, 2)[rows])
        np.testing.assert_array_equal(
            part.array(f"{stored}_norms"), whole.array(f"{stored}_norms")[rows]
        )
    query = whole.embeddings(3)
    everything = whole.similarities_of_parts(whole.parts("vgg_genre"), query, best=300)
    found = part.similarities_of_parts(part.parts("vgg_genre"), query)
    np.testing.assert_allclose(found, everything[rows], atol=1e-6)
    assert part.names == ["vgg_genre"]


def test_other_arrays_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = two_passes(tmp_path / "index", monkeypatch, scattered(0, 60))
    part = subset.of(whole, "vgg_mel", [1, 2])
    with pytest.raises(IndexFolderError, match="vgg_mel_neighbours"):
        part.neighbours("vgg_mel", 0)
    with pytest.raises(IndexFolderError, match="soundalike"):
        subset.of(whole, "soundalike", [1])
