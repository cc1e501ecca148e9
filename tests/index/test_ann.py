"""Tests of approximate search: recall against exact search, and errors."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scattered_index import N, scattered, two_passes
from small_library import cosines, write_index

from soundalike.errors import IndexFolderError, MissingPackageError
from soundalike.index import ann, index, similarity
from soundalike.index.index import Index
from soundalike.indexing import ann_builder
from soundalike.playlist import blend, journey, playlist
from soundalike.playlist import query as queries
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

faiss = pytest.importorskip("faiss", reason="the approximate index needs faiss")
VECTORS = {name: matrix.astype(np.float16) for name, matrix in scattered(3).items()}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with pytest.MonkeyPatch.context() as patched:
        written = two_passes(tmp_path_factory.mktemp("approximate") / "index", patched, VECTORS)
        patched.setattr(ann, "PROBED", 2)
        yield ann_builder.add(written.folder, ["vgg_genre"])


def exact(row: int, mel: float = 1.0, head: float = 80.0) -> np.ndarray:
    weights = {"vgg_mel": mel, "genre_head": head}
    joined = np.concatenate([w * VECTORS[name].astype(float) for name, w in weights.items()], axis=1)
    return cosines(joined[row], joined)


def test_it_is_listed_and_used_for_its_representation_alone(opened: Index) -> None:
    index.load(opened.folder, checksums=True)
    assert "vgg_genre_approximate.faiss" in opened.manifest["files"]
    found = opened.similarities("vgg_genre", opened.embeddings(5))
    assert len(np.unique(found)) <= similarity.BEST + similarity.WORST + 1
    assert len(np.unique(opened.similarities("vgg_mel", opened.embeddings(5)))) > N / 2


@pytest.mark.parametrize("weights", [(1.0, 80.0), (1.0, 20.0)])
def test_recall_at_50_with_the_indexs_weights_and_others(
    opened: Index, weights: tuple[float, float]
) -> None:
    given = dict(zip(("vgg_mel", "genre_head"), weights, strict=True))
    hits, rows = 0, range(0, N, 25)
    for row in rows:
        found = opened.similarities("vgg_genre", opened.embeddings(row), given)
        best = index.nearest(found, 50)
        expected = exact(row, *weights)
        np.testing.assert_allclose(found[best], expected[best], atol=1e-5)
        hits += len(np.intersect1d(best, index.nearest(expected, 50)))
    assert hits / (50 * len(rows)) >= 0.95


def test_the_farthest_come_last_and_the_rest_between(opened: Index) -> None:
    found = opened.similarities("vgg_genre", opened.embeddings(9))
    farthest = index.nearest(-found, 10)
    assert len(np.intersect1d(farthest, index.nearest(-exact(9), 10))) >= 8
    middle = np.median(found)
    assert (found == middle).sum() > N / 2
    assert found[farthest].max() < middle < found[index.nearest(found, 50)].min()


def test_playlists_and_journeys_use_it(opened: Index) -> None:
    seeds = [Seed(queries.from_library(opened, "t3")), Seed(queries.from_library(opened, "t8"), -0.5)]
    scores = blend.scores(opened, seeds, "vgg_genre")
    expected = (exact(3) - 0.5 * exact(8)) / 1.5
    best = index.nearest(scores, 10)
    np.testing.assert_allclose(scores[best], expected[best], atol=1e-5)
    recipe = Recipe("vgg_genre", 12, variety=0.3, pinned=(40,))
    made = playlist.make_playlist(opened, seeds, recipe)
    assert len(made.entries) == 12
    assert 40 in {entry.row for entry in made.entries}
    assert len(journey.travel(opened, [3, 600], "vgg_genre", 6).rows) == 8


def test_rebuilding_gives_the_same_bytes(opened: Index) -> None:
    path = opened.folder / ann.file_name("vgg_genre")
    before = path.read_bytes()
    ann_builder.add(opened.folder, ["vgg_genre"])
    assert path.read_bytes() == before
    assert not list(opened.folder.glob(".*"))


def test_few_tracks(tmp_path: Path) -> None:
    vectors = {"vgg_mel": np.random.default_rng(0).normal(size=(3, 8))}
    added = ann_builder.add(write_index(tmp_path / "index", vectors).folder)
    assert index.nearest(added.similarities("vgg_mel", added.embeddings(2)), 1).tolist() == [2]


def test_silence_matches_nothing(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 8))
    vectors[7] = 0
    added = ann_builder.add(write_index(tmp_path / "index", {"vgg_mel": vectors}).folder)
    found = added.similarities("vgg_mel", added.embeddings(7))
    np.testing.assert_allclose(found, 0.0, atol=1e-6)
    assert np.isfinite(added.similarities("vgg_mel", added.embeddings(8))).all()


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    vectors = {"vgg_mel": np.random.default_rng(0).normal(size=(60, 8))}
    added = ann_builder.add(write_index(tmp_path / "index", vectors).folder)
    path = added.folder / ann.file_name("vgg_mel")
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(IndexFolderError, match="--approximate"):
        index.load(added.folder).similarities("vgg_mel", added.embeddings(0))


def test_without_faiss_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = {"vgg_mel": np.random.default_rng(0).normal(size=(60, 8))}
    plain = write_index(tmp_path / "index", vectors)
    added = ann_builder.add(plain.folder)
    real = builtins.__import__

    def without(name: str, *rest: Any, **others: Any) -> Any:
        if name == "faiss":
            raise ImportError(name)
        return real(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    for use in (
        lambda: index.load(added.folder).similarities("vgg_mel", added.embeddings(0)),
        lambda: ann_builder.add(added.folder),
    ):
        with pytest.raises(
            MissingPackageError, match=r"pip install 'soundalike\[approximate\]'"
        ) as caught:
            use()
        assert "\n" not in str(caught.value)


def test_missing_representation(opened: Index) -> None:
    with pytest.raises(IndexFolderError, match="soundalike"):
        ann_builder.add(opened.folder, ["soundalike"])
