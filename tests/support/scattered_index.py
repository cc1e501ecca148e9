"""An index whose sound part is searched in two passes, with a spectrum like real ones': for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_library import write_index

from soundalike.index import pca_prefilter, similarity
from soundalike.index.index import Index

NAMES = ("vgg_genre", "vgg_mel", "genre_head")
N, DIM = 800, 300


def scattered(seed: int = 0, n: int = N) -> dict[str, np.ndarray]:
    """Dense vectors around a mean, whose variances fall as the bundled library's do."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
    deviations = np.arange(1, DIM + 1) ** -0.5
    sound = (rng.normal(size=(n, DIM)) * deviations + 2 * deviations) @ turn.T
    return {"vgg_mel": 20 * sound, "genre_head": rng.normal(size=(n, 8))}


def two_passes(folder: Path, monkeypatch: pytest.MonkeyPatch, vectors: dict[str, np.ndarray]) -> Index:
    """The index with a first pass, of which few tracks are compared again."""
    monkeypatch.setattr(pca_prefilter, "LONG", 100)
    monkeypatch.setattr(pca_prefilter, "MANY", 0)
    monkeypatch.setattr(pca_prefilter, "DIMENSIONS", 64)
    monkeypatch.setattr(pca_prefilter, "SAMPLE", 500)
    monkeypatch.setattr(similarity, "BEST", 130)
    return write_index(folder, vectors, NAMES)
