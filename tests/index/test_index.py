"""Tests of searching an index and of errors for damaged ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_library import cosines, write_index

from soundalike import paths
from soundalike.errors import IndexFolderError, ModelError, UnknownRepresentationError, UnknownTrackError
from soundalike.index import columns, index, storage, vectors
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.models import FILES, ModelStore

ALL = ("vgg_genre", "vgg_mel", "genre_head")
KEYS = ("schema", "tracks", "library", "representations", "genres", "models", "files")

half_floats = st.floats(width=16, allow_nan=False, allow_infinity=False)
matrices = hnp.arrays(np.float16, st.tuples(st.integers(2, 20), st.integers(1, 8)), elements=half_floats)
weights = st.floats(0.01, 100.0)
seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=40)


def random_vectors(seed: int, n: int = 12) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "vgg_mel": rng.normal(size=(n, 7)).astype(np.float16),
        "genre_head": rng.normal(size=(n, 3)).astype(np.float16),
    }


def in_a_row(vectors: dict[str, np.ndarray], mel: float, head: float) -> np.ndarray:
    parts = (mel * vectors["vgg_mel"].astype(float), head * vectors["genre_head"].astype(float))
    return np.concatenate(parts, axis=-1)


@quick
@given(matrices, st.integers(1, 25))
def test_top_k_is_exact(matrix: np.ndarray, k: int) -> None:
    with TemporaryDirectory() as folder:
        opened = write_index(Path(folder) / "index", {"vgg_mel": matrix})
        query = matrix[0].astype(np.float32)
        found = opened.similarities("vgg_mel", {"vgg_mel": query})
    expected = cosines(query, matrix)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    top = index.nearest(found, k)
    assert len(set(top.tolist())) == len(top) == min(k, len(matrix))
    np.testing.assert_allclose(expected[top], np.sort(expected)[::-1][:k], atol=2e-5)


@quick
@given(seeds, weights, weights)
def test_joined_similarity_equals_that_of_concatenated_weighted_vectors(
    seed: int, mel: float, head: float
) -> None:
    vectors = random_vectors(seed)
    query = {name: matrix[5].astype(np.float32) + 0.3 for name, matrix in vectors.items()}
    with TemporaryDirectory() as folder:
        opened = write_index(Path(folder) / "index", vectors, ALL)
        found = opened.similarities("vgg_genre", query, {"vgg_mel": mel, "genre_head": head})
    expected = cosines(in_a_row(query, mel, head), in_a_row(vectors, mel, head))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_joined_similarity_uses_the_manifest_weights_by_default(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", random_vectors(1), ALL)
    query = opened.embeddings(3)
    assert opened.parts("vgg_genre") == {"vgg_mel": 1.0, "genre_head": 80.0}
    np.testing.assert_array_equal(
        opened.similarities("vgg_genre", query),
        opened.similarities("vgg_genre", query, {"vgg_mel": 1.0, "genre_head": 80.0}),
    )
    assert not np.allclose(
        opened.similarities("vgg_genre", query),
        opened.similarities("vgg_genre", query, {"vgg_mel": 1.0, "genre_head": 0.1}),
    )


def test_weight_zero_leaves_a_part_out(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", random_vectors(2), ALL)
    query = opened.embeddings(0)
    np.testing.assert_array_equal(
        opened.similarities("vgg_genre", query, {"vgg_mel": 1.0, "genre_head": 0.0}),
        opened.similarities("vgg_mel", query),
    )


@pytest.mark.parametrize("name", ALL)
def test_zero_vectors_are_similar_to_nothing(tmp_path: Path, name: str) -> None:
    vectors = random_vectors(3)
    for matrix in vectors.values():
        matrix[4] = 0
    opened = write_index(tmp_path / "index", vectors, ALL)
    assert opened.similarities(name, opened.embeddings(0))[4] == 0
    assert opened.similarities(name, opened.embeddings(4)).tolist() == [0] * 12


@quick
@given(st.lists(st.integers(-3, 3), min_size=1), st.integers(1, 60))
def test_ties_keep_the_order_of_rows(values: list[int], k: int) -> None:
    expected = sorted(range(len(values)), key=lambda row: (-values[row], row))[:k]
    assert index.nearest(np.array(values, np.float32), k).tolist() == expected


def test_equal_tracks_come_in_the_order_of_their_rows(tmp_path: Path) -> None:
    matrix = np.array([[1, 2], [2, 1], [1, 2], [2, 1], [1, 2]])
    opened = write_index(tmp_path / "index", {"vgg_mel": matrix})
    found = opened.similarities("vgg_mel", opened.embeddings(2))
    assert index.nearest(found, 5).tolist() == [0, 2, 4, 1, 3]
    assert opened.neighbours("vgg_mel", 2)[0].tolist() == [0, 4, 1, 3]


@quick
@given(seeds, st.integers(1, 5))
def test_several_queries_at_once_equal_one_by_one(seed: int, m: int) -> None:
    vectors = random_vectors(seed)
    queries = {name: matrix[:m].astype(np.float32) for name, matrix in vectors.items()}
    with TemporaryDirectory() as folder:
        opened = write_index(Path(folder) / "index", vectors, ALL)
        together = opened.similarities("vgg_genre", queries)
        singly = [
            opened.similarities("vgg_genre", {name: rows[i] for name, rows in queries.items()})
            for i in range(m)
        ]
    assert together.shape == (m, 12)
    np.testing.assert_allclose(together, np.stack(singly), atol=1e-6)


def test_search_over_several_blocks_of_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = write_index(tmp_path / "index", random_vectors(4), ALL)
    query = opened.embeddings(1)
    whole = opened.similarities("vgg_genre", query)
    monkeypatch.setattr(vectors, "_BLOCK_IN_MEMORY", 5)
    np.testing.assert_allclose(opened.similarities("vgg_genre", query), whole, atol=1e-6)


@pytest.fixture
def opened(tmp_path: Path) -> Index:
    probabilities = np.array([[0.2, 0.5, 0.3]] * 12)
    return write_index(tmp_path / "index", random_vectors(0), ALL, probabilities)


def test_rows_of_tracks(opened: Index) -> None:
    assert len(opened) == 12
    assert opened.row("t7") == 7
    assert opened.row_of_file(f"{7:064x}") == 7
    assert opened.row_of_file("f" * 64) is None
    assert opened.path(7) == opened.folder.parent / "library" / "7.wav"
    with pytest.raises(UnknownTrackError, match="no track 'x'"):
        opened.row("x")


def test_embeddings_are_the_stored_ones(opened: Index) -> None:
    found = opened.embeddings(2)
    assert list(found) == ["vgg_mel", "genre_head"]
    for name, vector in found.items():
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, random_vectors(0)[name][2])


def test_predicted_genres_are_sorted_by_probability(opened: Index) -> None:
    assert list(opened.genre_probabilities(0)) == ["Genre 1", "Genre 2", "Genre 0"]
    assert list(opened.genre_probabilities(0).values()) == pytest.approx([0.5, 0.3, 0.2])


def test_vectors_stay_on_disk(opened: Index) -> None:
    assert isinstance(opened.array("vgg_mel"), np.memmap)
    assert opened.array("vgg_mel").dtype == np.float16


def test_representation_that_the_index_lacks(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": np.eye(3)})
    with pytest.raises(IndexFolderError, match="--representation genre_head"):
        opened.parts("genre_head")
    with pytest.raises(UnknownRepresentationError, match="choose from soundalike"):
        opened.parts("vgg19")


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_libraries(tmp_path: Path, n: int) -> None:
    opened = write_index(tmp_path / "index", random_vectors(0, n), ALL)
    rows, similarities = opened.neighbours("vgg_genre", 0)
    assert rows.shape == similarities.shape == (n - 1,)
    assert opened.array("vgg_mel_top_tracks").shape == (7, n)


def refusal(folder: Path, **options: bool) -> str:
    with pytest.raises(IndexFolderError) as caught:
        index.load(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert "soundalike index" in message
    assert str(folder) in message
    return message


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / index.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_missing_folder(tmp_path: Path) -> None:
    assert "has no manifest.json" in refusal(tmp_path / "nowhere")


def test_folder_without_a_manifest(opened: Index) -> None:
    (opened.folder / index.MANIFEST).unlink()
    assert "has no manifest.json" in refusal(opened.folder)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b'"text"', b"null", b"{}", b"\xff\xfe\x00"], ids=repr
)
def test_invalid_manifest(opened: Index, content: bytes) -> None:
    (opened.folder / index.MANIFEST).write_bytes(content)
    assert "manifest.json is damaged" in refusal(opened.folder)


@pytest.mark.parametrize("version", [0, 1, 99, "2", None])
def test_manifest_of_another_schema(opened: Index, version: object) -> None:
    edit_manifest(opened.folder, lambda manifest: manifest.update(schema=version))
    assert "schema version" in refusal(opened.folder)


@pytest.mark.parametrize("key", KEYS)
def test_manifest_without_a_key(opened: Index, key: str) -> None:
    edit_manifest(opened.folder, lambda manifest: manifest.pop(key))
    assert "manifest.json is damaged" in refusal(opened.folder)


@pytest.mark.parametrize("files", [[], None, {"vgg_mel.npy": {}}, {"vgg_mel.npy": None}], ids=repr)
def test_manifest_with_malformed_facts_about_files(opened: Index, files: object) -> None:
    edit_manifest(opened.folder, lambda manifest: manifest.update(files=files))
    assert "manifest.json is damaged" in refusal(opened.folder)


@pytest.mark.parametrize("file", ["vgg_mel.npy", "genre_head_neighbours.npy", index.TRACKS])
def test_missing_file(opened: Index, file: str) -> None:
    (opened.folder / file).unlink()
    assert f"{file} is missing" in refusal(opened.folder)


@pytest.mark.parametrize("file", ["vgg_mel.npy", "vgg_genre_similarities.npy", index.TRACKS])
@pytest.mark.parametrize("left", [0, 10, -1])
def test_truncated_file(opened: Index, file: str, left: int) -> None:
    path = opened.folder / file
    path.write_bytes(path.read_bytes()[:left])
    assert f"{file} is damaged" in refusal(opened.folder)


def test_array_cut_short_before_the_manifest_was_written(opened: Index) -> None:
    path = opened.folder / "vgg_mel.npy"
    path.write_bytes(path.read_bytes()[:-20])
    size = path.stat().st_size
    edit_manifest(opened.folder, lambda manifest: manifest["files"][path.name].update(bytes=size))
    assert "vgg_mel.npy is damaged" in refusal(opened.folder)


@pytest.mark.parametrize("file", ["vgg_mel.npy", index.TRACKS])
def test_other_content_of_the_same_size(opened: Index, file: str) -> None:
    path = opened.folder / file
    path.write_bytes(b"x" * path.stat().st_size)
    assert f"{file} is damaged" in refusal(opened.folder)


def test_array_of_another_shape(opened: Index) -> None:
    path = opened.folder / "vgg_mel.npy"
    size = path.stat().st_size
    np.save(path, np.load(path).T.copy())
    assert path.stat().st_size == size
    assert "vgg_mel.npy is damaged" in refusal(opened.folder)


def test_array_of_another_type(opened: Index) -> None:
    path = opened.folder / "vgg_mel.npy"
    size = path.stat().st_size
    np.save(path, np.load(path).view(np.int16))
    assert path.stat().st_size == size
    assert "vgg_mel.npy is damaged" in refusal(opened.folder)


def test_pickled_array_is_never_opened(opened: Index) -> None:
    path = opened.folder / "vgg_mel.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    size = path.stat().st_size
    edit_manifest(opened.folder, lambda manifest: manifest["files"][path.name].update(bytes=size))
    assert "vgg_mel.npy is damaged" in refusal(opened.folder)


def test_one_changed_byte_is_found_by_checksums(opened: Index) -> None:
    index.load(opened.folder, checksums=True)
    path = opened.folder / "genre_head.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    index.load(opened.folder)
    assert "genre_head.npy is damaged" in refusal(opened.folder, checksums=True)


def test_another_number_of_tracks(opened: Index) -> None:
    edit_manifest(opened.folder, lambda manifest: manifest.update(tracks=13))
    assert "tracks.parquet is damaged" in refusal(opened.folder)


def test_table_with_fewer_rows_than_the_arrays(opened: Index) -> None:
    path = opened.folder / index.TRACKS
    pd.read_parquet(path).iloc[:-1].to_parquet(path, index=False)
    size = path.stat().st_size
    edit_manifest(opened.folder, lambda manifest: manifest["files"][path.name].update(bytes=size))
    assert "tracks.parquet is damaged" in refusal(opened.folder)


def store(folder: Path, **contents: bytes) -> ModelStore:
    folder.mkdir()
    for name, content in contents.items():
        (folder / FILES[name]).write_bytes(content)
    return ModelStore(folder)


def test_models_are_those_of_the_index(opened: Index, tmp_path: Path) -> None:
    original = store(tmp_path / "a", vgg16=b"network", genre_head=b"head")
    sums = {name: original.checksum(name) for name in ("vgg16", "genre_head")}
    edit_manifest(opened.folder, lambda manifest: manifest.update(models=sums))
    again = index.load(opened.folder)
    again.check_models(original)
    with pytest.raises(IndexFolderError, match=r"a different genre_head .* `soundalike index`"):
        again.check_models(store(tmp_path / "b", vgg16=b"network", genre_head=b"other"))
    with pytest.raises(IndexFolderError, match="a different vgg16 "):
        again.check_models(store(tmp_path / "c", vgg16=b"other", genre_head=b"head"))
    with pytest.raises(ModelError, match="is missing"):
        again.check_models(store(tmp_path / "d", vgg16=b"network"))


def test_models_that_the_index_does_not_need_are_not_checked(opened: Index, tmp_path: Path) -> None:
    only = store(tmp_path / "a", vgg16=b"network")
    sums = {"vgg16": only.checksum("vgg16")}
    edit_manifest(opened.folder, lambda manifest: manifest.update(models=sums))
    index.load(opened.folder).check_models(only)


def test_clips_drawn_in_another_way_are_not_compared(opened: Index, tmp_path: Path) -> None:
    edit_manifest(opened.folder, lambda manifest: manifest.update(drawing="figure"))
    with pytest.raises(IndexFolderError, match="soundalike index"):
        index.load(opened.folder).check_models(store(tmp_path / "models"))


def test_bundled_index_is_whole_and_fits_the_bundled_models() -> None:
    bundled = index.load(paths.ASSETS / "index", checksums=True)
    bundled.check_models(ModelStore())
    assert all(bundled.path(row).is_file() for row in range(len(bundled)))


def test_a_bias_is_added_to_every_similarity(opened: Index) -> None:
    plain = opened.similarities("vgg_mel", opened.embeddings(2))
    bias = np.linspace(-0.1, 0.1, len(opened), dtype=np.float32)
    np.save(opened.folder / "vgg_mel_bias.npy", bias)
    edit_manifest(
        opened.folder,
        lambda manifest: manifest["files"].update(
            {"vgg_mel_bias.npy": storage.file_facts(opened.folder / "vgg_mel_bias.npy")}
        ),
    )
    again = index.load(opened.folder)
    np.testing.assert_allclose(
        again.similarities("vgg_mel", again.embeddings(2)), plain + bias, atol=1e-6
    )


def test_track_facts(opened: Index) -> None:
    assert opened.fact("title", 3) == opened.tracks["title"].iloc[3]
    assert opened.fact("no such column", 3) == ""


def test_vectors_are_read_on_demand(opened: Index) -> None:
    found = opened.embeddings(1)
    assert len(found) == len(list(found)) == len(opened.stored)
    with pytest.raises(KeyError):
        found["fma518"]


def test_the_search_of_a_track_is_kept_and_read_only(tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", random_vectors(0), ALL)
    found = opened.similarities_of_track("vgg_genre", 3)
    np.testing.assert_array_equal(found, opened.similarities("vgg_genre", opened.embeddings(3)))
    assert opened.similarities_of_track("vgg_genre", 3) is found
    assert opened.similarities_of_track("vgg_mel", 3) is not found
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_artists_albums_and_genres_are_counted_without_the_unnamed(tmp_path: Path) -> None:
    written = write_index(tmp_path / "index", random_vectors(0, 4), ALL)
    names, genres = ["The Ann", "Ann feat. Ben", "", "Ben"], ["Rock", "", "Rock", "Jazz"]
    frame = written.tracks.assign(artist=names, genre=genres)
    opened = replace(written, table=TrackTable.of(frame))
    assert (opened.count("artist"), opened.count("genre")) == (2, 2)
    assert opened.artist_keys[0] is opened.artist_keys[1]
    assert opened.artist_keys[3] == opened.artist_key(3) == "ben"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index of so many tracks that it has its short vectors dimension by dimension too."""
    monkeypatch.setattr(columns, "MANY_TRACKS", 11)
    monkeypatch.setattr(columns, "LONGEST", 6)
    monkeypatch.setattr(columns, "_BLOCK_VALUES", 24)
    return write_index(tmp_path / "index", random_vectors(0), ALL)


def test_the_dimensions_of_many_tracks_are_stored_one_by_one(copied: Index) -> None:
    assert columns.file_name("genre_head") in copied.manifest["files"]
    assert columns.file_name("vgg_mel") not in copied.manifest["files"]
    values = copied.array("genre_head").astype(np.float32)
    np.testing.assert_array_equal(copied.array("genre_head_columns"), values.T)
    # Nothing else is read.
    (copied.folder / "genre_head.npy").write_bytes(b"")
    for dimension in range(3):
        np.testing.assert_array_equal(copied.column("genre_head", dimension), values[:, dimension])


def test_dimensions_of_another_number_of_tracks_are_damaged(copied: Index) -> None:
    np.save(copied.folder / columns.file_name("genre_head"), np.zeros((3, 5), np.float16))
    with pytest.raises(IndexFolderError, match=r"genre_head_columns\.npy is damaged"):
        copied.column("genre_head", 0)
