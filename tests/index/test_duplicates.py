"""Tests that the duplicate search among neighbours equals a full comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_library import write_index

from soundalike.features import fingerprint
from soundalike.index import duplicates
from soundalike.index.index import Index

NAMES = ("vgg_genre", "vgg_mel", "genre_head")


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Index, np.ndarray]:
    """Forty tracks, of which 3 and 30 have one fingerprint, and 5 and 6 one embedding."""
    rng = np.random.default_rng(0)
    vectors = {"vgg_mel": rng.normal(size=(40, 12)), "genre_head": rng.normal(size=(40, 4))}
    vectors["vgg_mel"][6] = 1.1 * vectors["vgg_mel"][5]
    vectors["genre_head"][30] = vectors["genre_head"][3]
    prints = rng.integers(1, 2**32, (40, fingerprint.N_FRAMES), dtype=np.uint32)
    prints[30] = prints[3]
    return write_index(tmp_path / "index", vectors, NAMES), prints


def one_by_one(index: Index, prints: np.ndarray) -> list[list[int]]:
    found = set()
    for row in range(len(index)):
        near = np.unique(np.concatenate([index.neighbours(name, row)[0][:20] for name in NAMES]))
        same = near[fingerprint.distances(prints[row], prints[near]) <= fingerprint.SAME]
        rows, similarities = index.neighbours("vgg_mel", row)
        for other in (*same, *rows[similarities >= duplicates.SIMILARITY]):
            found.add((min(row, int(other)), max(row, int(other))))
    return [list(pair) for pair in sorted(found)]


def test_pairs_by_either_check(copied: tuple[Index, np.ndarray]) -> None:
    found = duplicates.find(*copied)
    assert found.dtype == np.int32
    assert found.tolist() == one_by_one(*copied)
    assert [3, 30] in found.tolist()
    assert [5, 6] in found.tolist()


def test_a_library_without_pairs(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": np.eye(3, 5)})
    prints = np.random.default_rng(0).integers(1, 2**32, (3, fingerprint.N_FRAMES), dtype=np.uint32)
    assert duplicates.find(opened, prints).shape == (0, 2)
