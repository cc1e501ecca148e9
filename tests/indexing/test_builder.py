"""Building the index of a small real library."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_library import IDS, copy_library

from soundalike import paths, representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import library
from soundalike.datasets.library import Skipped
from soundalike.errors import (
    DestinationError,
    IndexFolderError,
    LibraryError,
    UnknownRepresentationError,
)
from soundalike.index import index, storage
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.ingest import Event, ignored
from soundalike.indexing.previous_index import Earlier
from soundalike.models import ModelStore
from soundalike.models.heldout import Heldout

pytest_plugins = ["library_fixtures"]

STORED = ("vgg_mel", "genre_head")
ALL = ("vgg_genre", *STORED)
N = len(IDS)


def build(source, out, models, names=ALL, on_file=ignored, **plan):
    """With the representations that share one pass of VGG16 unless told otherwise."""
    return builder.build(source, out, models, BuildPlan(names, **plan), on_file=on_file)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return copy_library(tmp_path / "library", IDS[:3])


@pytest.fixture
def existing(tmp_path: Path, small_index: Index) -> Path:
    return Path(shutil.copytree(small_index.folder, tmp_path / "index"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_shapes_and_dtypes(small_index: Index) -> None:
    genres = len(small_index.genres)
    expected = {"genre_probabilities": ((N, genres), "float32")}
    for name in STORED:
        dim = representations.get(name).dim
        expected[name] = ((N, dim), "float16")
        expected[f"{name}_norms"] = ((N,), "float32")
        expected[f"{name}_top_tracks"] = ((dim, 5), "int32")
    for name in ALL:
        expected[f"{name}_neighbours"] = ((N, N - 1), "int32")
        expected[f"{name}_similarities"] = ((N, N - 1), "float32")
    arrays = {path.stem: np.load(path) for path in small_index.folder.glob("*.npy")}
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == expected
    assert all(np.isfinite(array).all() for array in arrays.values())
    others = {path.name for path in small_index.folder.iterdir()} - {f"{name}.npy" for name in arrays}
    assert others == {index.MANIFEST, index.TRACKS}


def test_manifest(small_index: Index, small_folder: Path, small_models: ModelStore) -> None:
    manifest = small_index.manifest
    assert manifest["schema"] == index.SCHEMA
    assert manifest["tracks"] == N
    assert manifest["library"]["fingerprint"] == library.fingerprint(small_index.tracks)
    assert small_index.library_folder == small_folder.resolve()
    assert manifest["models"] == {name: small_models.checksum(name) for name in ("genre_head", "vgg16")}
    assert set(manifest["representations"]) == set(ALL)
    assert manifest["representations"]["vgg_genre"]["parts"] == {"vgg_mel": 1.0, "genre_head": 80.0}
    assert tuple(manifest["genres"]) == small_models.genre_head.genres
    index.load(small_index.folder, checksums=True)


def test_table_keeps_columns_and_adds_checksums(small_index: Index, small_folder: Path) -> None:
    original = library.load(small_folder).tracks
    pd.testing.assert_frame_equal(small_index.tracks[original.columns], original)
    assert small_index.tracks["track_id"].tolist() == list(IDS)
    sums = [paths.sha256_of(small_index.path(row)) for row in range(N)]
    assert small_index.tracks["sha256"].tolist() == sums


@pytest.mark.parametrize("name", STORED)
def test_norms_and_top_tracks(small_index: Index, name: str) -> None:
    matrix = small_index.array(name).astype(np.float64)
    np.testing.assert_allclose(
        small_index.array(f"{name}_norms"), np.sqrt((matrix**2).sum(axis=1)), rtol=1e-5
    )
    top = np.argsort(-matrix, axis=0, kind="stable")[: index.TOP_TRACKS].T
    np.testing.assert_array_equal(small_index.array(f"{name}_top_tracks"), top)


def test_norms_of_the_parts_are_reported(small_index: Index) -> None:
    norms = small_index.manifest["representations"]["vgg_genre"]["norms"]
    for part, weight in (("vgg_mel", 1.0), ("genre_head", 80.0)):
        values = weight * small_index.array(f"{part}_norms").astype(np.float64)
        assert norms[part]["mean"] == pytest.approx(values.mean(), abs=0.01)
        assert norms[part]["sd"] == pytest.approx(values.std(), abs=0.01)


@pytest.mark.parametrize("name", ALL)
def test_neighbours_nearest_first(small_index: Index, name: str) -> None:
    for row in range(N):
        neighbours, similarities = small_index.neighbours(name, row)
        assert sorted(neighbours.tolist()) == [other for other in range(N) if other != row]
        assert (np.diff(similarities) <= 0).all()
        live = small_index.similarities(name, small_index.embeddings(row))
        np.testing.assert_allclose(similarities, live[neighbours], atol=1e-6)


@pytest.mark.sweep
def test_embeddings_match_clips(small_index: Index) -> None:
    models = ModelStore()
    clip = analysis_window(decoding.decode(small_index.path(1)))
    for name, stored in small_index.embeddings(1).items():
        direct = representations.get(name).embed(clip, models)
        np.testing.assert_allclose(stored, direct, rtol=2e-3, atol=2e-3 * np.abs(direct).max())
    predicted = representations.genre_head.genre_probabilities(clip, models)
    assert small_index.genre_probabilities(1) == pytest.approx(predicted, abs=2e-3)


@pytest.mark.sweep
def test_build_is_deterministic(three: Path, small_models: ModelStore) -> None:
    first = build(library.load(three), three.parent / "first", small_models)
    others = ModelStore(feature_cache=three.parent / "features")
    second = build(library.load(three), three.parent / "second", others)
    once, twice = contents(first.index.folder), contents(second.index.folder)
    assert once.keys() == twice.keys()
    assert [name for name in once if once[name] != twice[name]] == []


def test_broken_audio_is_skipped_and_reported(
    three: Path, small_models: ModelStore, small_index: Index
) -> None:
    (three / "clips" / f"{IDS[1]}.opus").write_text("no audio at all")
    seen: list[Event] = []
    built = build(library.load(three), three.parent / "index", small_models, on_file=seen.append)
    assert [item.file for item in built.skipped] == [f"clips/{IDS[1]}.opus"]
    assert "read this as audio" in built.skipped[0].reason
    assert [event.file for event in seen] == [f"clips/{track_id}.opus" for track_id in IDS[:3]]
    assert [event.kind for event in seen] == ["taken", "skipped", "taken"]
    assert built.index.tracks["track_id"].tolist() == [IDS[0], IDS[2]]
    for name in ("vgg_mel", "genre_head", "genre_probabilities"):
        np.testing.assert_array_equal(built.index.array(name), small_index.array(name)[[0, 2]])


def test_missing_files_are_reported_too(three: Path, small_models: ModelStore) -> None:
    (three / "clips" / f"{IDS[0]}.opus").unlink()
    built = build(library.load(three), three.parent / "index", small_models)
    assert [item.file for item in built.skipped] == [f"clips/{IDS[0]}.opus"]
    assert len(built.index) == 2


def test_library_without_readable_files(three: Path, small_models: ModelStore) -> None:
    for path in (three / "clips").iterdir():
        path.write_text("no audio at all")
    with pytest.raises(LibraryError, match="Not one file"):
        build(library.load(three), three.parent / "index", small_models)
    assert list(three.parent.iterdir()) == [three]


def test_library_of_one_track(tmp_path: Path, small_models: ModelStore) -> None:
    folder = copy_library(tmp_path / "library", IDS[:1])
    built = build(library.load(folder), tmp_path / "index", small_models)
    assert built.index.neighbours("vgg_genre", 0)[0].tolist() == []


def test_requested_representations_only(three: Path, small_models: ModelStore) -> None:
    built = build(library.load(three), three.parent / "a", small_models, ["vgg_mel"])
    assert built.index.names == ["vgg_mel"]
    assert built.index.genres == []
    assert list(built.index.manifest["models"]) == ["vgg16"]
    assert not list(built.index.folder.glob("genre_head*"))
    joined = build(library.load(three), three.parent / "b", small_models, ["vgg_genre"])
    assert joined.index.names == ["vgg_genre"]
    assert list(joined.index.embeddings(0)) == ["vgg_mel", "genre_head"]


def test_unknown_representation(three: Path, small_models: ModelStore) -> None:
    with pytest.raises(UnknownRepresentationError):
        build(library.load(three), three.parent / "index", small_models, ["vgg19"])
    assert list(three.parent.iterdir()) == [three]


def test_destination_with_other_files(three: Path, small_models: ModelStore) -> None:
    out = three.parent / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"dear")
    with pytest.raises(DestinationError, match="is not an index"):
        build(library.load(three), out, small_models)
    assert contents(out) == {"holiday.jpg": b"dear"}
    assert sorted(path.name for path in three.parent.iterdir()) == ["library", "photos"]


def test_destination_with_foreign_manifest(three: Path, small_models: ModelStore) -> None:
    out = three.parent / "website"
    out.mkdir()
    (out / "manifest.json").write_text('{"name": "My web app", "start_url": "/"}')
    (out / "index.html").write_bytes(b"dear")
    before = contents(out)
    with pytest.raises(DestinationError, match="is not an index"):
        build(library.load(three), out, small_models)
    assert contents(out) == before


def test_destination_is_a_file(three: Path, small_models: ModelStore) -> None:
    out = three.parent / "index"
    out.write_text("dear")
    with pytest.raises(DestinationError, match="is not an index"):
        build(library.load(three), out, small_models)
    assert out.read_text() == "dear"


def test_destination_is_the_library(three: Path, small_models: ModelStore) -> None:
    with pytest.raises(DestinationError, match="is not an index"):
        build(library.load(three), three, small_models)
    assert len(library.load(three).tracks) == 3


def test_destination_is_empty_folder(three: Path, small_models: ModelStore) -> None:
    out = three.parent / "index"
    out.mkdir()
    build(library.load(three), out, small_models)
    assert len(index.load(out, checksums=True)) == 3


def test_parent_folders_are_created(three: Path, small_models: ModelStore) -> None:
    out = three.parent / "a" / "b"
    built = build(library.load(three), out, small_models)
    assert built.index.path(0).is_file()


def test_existing_index_is_replaced(existing: Path, three: Path, small_models: ModelStore) -> None:
    assert (existing / "genre_head.npy").is_file()
    build(library.load(three), existing, small_models, ["vgg_mel"])
    opened = index.load(existing, checksums=True)
    assert len(opened) == 3
    assert opened.names == ["vgg_mel"]
    assert not (existing / "genre_head.npy").exists()
    assert sorted(path.name for path in existing.parent.iterdir()) == ["index", "library"]


def test_interrupted_build_keeps_old_index(
    existing: Path, three: Path, small_models: ModelStore
) -> None:
    before = contents(existing)
    with pytest.raises(KeyboardInterrupt):
        build(library.load(three), existing, small_models, on_file=interrupt_at(2))
    assert contents(existing) == before
    assert len(index.load(existing, checksums=True)) == N
    assert sorted(path.name for path in existing.parent.iterdir()) == [".index.work", "index", "library"]


def interrupt_at(count: int) -> Callable[[Event], None]:
    """Ctrl-C as the n-th file is done."""
    seen: list[Event] = []

    def on_file(event: Event) -> None:
        seen.append(event)
        if len(seen) == count:
            raise KeyboardInterrupt

    return on_file


def test_interrupted_first_build_leaves_partial_index(
    three: Path, small_models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build(library.load(three), three.parent / "whole", small_models)
    out = three.parent / "index"
    built = build(library.load(three), out, small_models, on_file=interrupt_at(2))
    assert built.index.partial == (2, 3)
    opened = index.load(out, checksums=True)
    assert opened.tracks["track_id"].tolist() == list(IDS[:2])
    assert len(opened.neighbours("vgg_genre", 0)[0]) == 1
    decoded = spied_decoding(monkeypatch)
    again = build(library.load(three), out, small_models)
    assert decoded == [three / "clips" / f"{IDS[2]}.opus"]
    assert again.index.partial is None
    assert contents(out) == contents(whole.index.folder)
    assert sorted(path.name for path in three.parent.iterdir()) == ["index", "library", "whole"]


def test_interrupted_before_anything_was_done(three: Path, small_models: ModelStore) -> None:
    (three / "clips" / f"{IDS[0]}.opus").write_text("no audio at all")
    with pytest.raises(KeyboardInterrupt):
        build(library.load(three), three.parent / "index", small_models, on_file=interrupt_at(1))
    assert not (three.parent / "index").exists()


def spied_decoding(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are decoded from now on."""
    decoded: list[Path] = []
    real = decoding.decode
    monkeypatch.setattr(decoding, "decode", lambda path: decoded.append(path) or real(path))
    return decoded


def test_held_out_predictions_replace_own_predictions(
    three: Path, small_models: ModelStore, small_index: Index
) -> None:
    genres = len(small_index.genres)
    heard = small_index.tracks["sha256"][2]
    elsewhere = "0" * 64
    probabilities = np.eye(2, genres, dtype=np.float32)
    features = np.arange(64, dtype=np.float32).reshape(2, 32)
    heldout = Heldout(np.array([elsewhere, heard]), np.array([1, 3], np.int8), features, probabilities)
    built = build(library.load(three), three.parent / "index", small_models, heldout=heldout).index
    np.testing.assert_array_equal(built.array("genre_probabilities")[2], probabilities[1])
    np.testing.assert_array_equal(
        built.array("genre_probabilities")[:2], small_index.array("genre_probabilities")[:2]
    )
    np.testing.assert_array_equal(built.array("genre_head_heldout")[2], features[1])
    assert not built.array("genre_head_heldout")[:2].any()
    assert built.tracks["genre_fold"].tolist() == [-1, -1, 3]
    np.testing.assert_array_equal(built.array("genre_head"), small_index.array("genre_head")[:3])


def test_standardised_representation_is_stored_scaled(three: Path, small_models: ModelStore) -> None:
    opened = build(library.load(three), three.parent / "index", small_models, ["fma518"]).index
    stored = opened.array("fma518").astype(np.float64)
    mean, deviation = opened.array("fma518_scale").astype(np.float64)
    np.testing.assert_allclose(stored.mean(axis=0), 0.0, atol=2e-3)
    moving = np.isfinite(deviation)
    np.testing.assert_allclose(stored.std(axis=0)[moving], 1.0, atol=2e-3)
    assert not stored[:, ~moving].any()
    clip = analysis_window(decoding.decode(opened.path(1)))
    raw = representations.get("fma518").embed(clip, small_models)
    np.testing.assert_allclose(opened.prepare("fma518", raw), stored[1], atol=2e-3)
    np.testing.assert_allclose(
        raw[moving], stored[1][moving] * deviation[moving] + mean[moving], rtol=1e-2, atol=1e-2
    )


def test_compact_index_keeps_neighbours_only(three: Path, small_models: ModelStore) -> None:
    names = ["mfcc_flat", "vgg_mel"]
    full = build(library.load(three), three.parent / "full", small_models, names).index
    small = build(library.load(three), three.parent / "compact", small_models, names, compact=True).index
    assert small.names == full.names == names
    assert small.stored == ["vgg_mel"]
    assert small.has_vectors("vgg_mel")
    assert not small.has_vectors("mfcc_flat")
    assert not (small.folder / "mfcc_flat.npy").exists()
    for suffix in ("neighbours", "similarities"):
        name = f"mfcc_flat_{suffix}"
        np.testing.assert_array_equal(small.array(name), full.array(name))
    with pytest.raises(IndexFolderError, match="only the neighbours"):
        small.check_vectors("mfcc_flat")


def test_earlier_index_is_reused(
    three: Path, small_models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = three.parent / "index"
    before = contents(build(library.load(three), out, small_models).index.folder)
    decoded = spied_decoding(monkeypatch)
    again = build(library.load(three), out, small_models)
    assert contents(again.index.folder) == before
    assert decoded == []
    (three / "clips" / f"{IDS[0]}.opus").write_bytes((three / "clips" / f"{IDS[1]}.opus").read_bytes())
    changed = build(library.load(three), out, small_models, [*ALL, "mfcc_flat"])
    assert len(decoded) == 2  # the third holds what another does
    vectors = changed.index.array("vgg_mel")
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_earlier_index_with_other_networks_is_ignored(
    three: Path, small_models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = three.parent / "index"
    build(library.load(three), out, small_models)
    other = ModelStore()
    monkeypatch.setattr(other, "checksum", lambda name: "another")
    sha256 = paths.sha256_of(three / "clips" / f"{IDS[0]}.opus")
    assert Earlier(out, small_models).missing(sha256, ["vgg_mel", "fma518"]) == ["fma518"]
    assert Earlier(out, other).missing(sha256, ["vgg_mel"]) == ["vgg_mel"]
    assert Earlier(three, small_models).missing(sha256, ["vgg_mel"]) == ["vgg_mel"]
    assert Earlier(out, small_models).missing("0", ["vgg_mel"]) == ["vgg_mel"]


def test_a_spreadsheet_computes_no_name_of_a_skipped_file(tmp_path: Path) -> None:
    name = '=HYPERLINK("http://x").mp3'
    builder._write_skipped(tmp_path, [Skipped(name, "We couldn't read this as audio.")])
    assert "\n\"'=HYPERLINK" in (tmp_path / storage.SKIPPED).read_text(encoding="utf-8")
    assert list(storage.read_skipped(tmp_path)["file"]) == [name]
