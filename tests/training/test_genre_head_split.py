"""Training on a split, on synthetic inputs with separable genres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import IDS, copy_library

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists, fma, library
from soundalike.errors import LibraryError
from soundalike.models import ModelStore, heldout
from soundalike.models import genre_head as head
from soundalike.training import genre_head, genre_head_split, model_card
from soundalike.training.genre_head_split import SplitTrained

pytest_plugins = ["library_fixtures"]

GENRES = ("Folk", "Jazz", "Metal")
SHAPE = (7, 10, 16)
SIZES = {"training": 24, "validation": 8, "test": 10}


def table(sizes: dict[str, int] = SIZES, genres: tuple[str, ...] = GENRES) -> pd.DataFrame:
    """Two tracks an artist, all artists on one side."""
    rows = [
        {"genre": genre, "split": split, "artist": f"{genre} {split} {i // 2}", "album": f"Album {i}"}
        for genre in genres
        for split, size in sizes.items()
        for i in range(size)
    ]
    n = len(rows)
    return pd.DataFrame(rows).assign(
        file=[f"{i}.mp3" for i in range(n)], sha256=[f"{i:064x}" for i in range(n)]
    )


def separable(tracks: pd.DataFrame) -> np.ndarray:
    """Inputs in which each genre has channels of its own, under noise."""
    array = np.random.default_rng(0).normal(size=(len(tracks), *SHAPE))
    for row, genre in enumerate(tracks["genre"]):
        at = 4 * GENRES.index(genre) if genre in GENRES else 12
        array[row, :, :, at : at + 4] += 3
    return array.astype(np.float16)


@contextmanager
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head_split, "MAX_EPOCHS", 12)
        patch.setattr(genre_head, "PATIENCE", 4)
        patch.setattr(head, "INPUT_SHAPE", SHAPE)
        yield


class Watched:
    """An array that notes how many rows each reading takes."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape = array.shape
        self.most = 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: object) -> np.ndarray:
        taken = self.array[rows]
        self.most = max(self.most, len(taken))
        return taken


@pytest.fixture(scope="module")
def tracks() -> pd.DataFrame:
    polka = table({"training": 5, "test": 3}, ("Polka",)).assign(genre=["Polka"] * 8)
    shared = table({"training": 2}, ("Folk",)).assign(artist="Jazz test 0")
    return (
        pd.concat([table(), polka, shared])
        .reset_index(drop=True)
        .assign(sha256=lambda t: [f"{i:064x}" for i in range(len(t))])
    )


@pytest.fixture(scope="module")
def trained(tracks: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> SplitTrained:
    path = tmp_path_factory.mktemp("inputs") / "inputs.npy"
    np.save(path, separable(tracks))
    with quick():
        return genre_head_split.train(np.load(path, mmap_mode="r"), tracks, seed=1)


def test_parts_of_a_table(tracks: pd.DataFrame) -> None:
    parts = genre_head_split.parts_of(tracks)
    assert parts.genres == list(GENRES)
    assert parts.left_out == {"Polka": "5 tracks for training, 3 to test"}
    assert parts.shared == 2
    assert [len(rows) for rows in (parts.fit, parts.stop, parts.test)] == [72, 24, 30]
    for rows, split in ((parts.fit, "training"), (parts.stop, "validation"), (parts.test, "test")):
        assert set(tracks["split"].iloc[rows]) == {split}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Folk", "Jazz", ""]),
            st.sampled_from(fma.SPLITS),
            st.sampled_from(["", "Unknown artist", "Ann", "Ben", "Cy", "Dee"]),
            st.sampled_from(["", "A", "B"]),
        ),
        min_size=8,
        max_size=60,
    )
)
def test_artists_are_on_one_side(rows: list[tuple[str, str, str, str]]) -> None:
    made = pd.DataFrame(rows, columns=["genre", "split", "artist", "album"]).assign(file="a.mp3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head_split, "MIN_CLIPS", 1)
        try:
            parts = genre_head_split.parts_of(made)
        except LibraryError:
            return
    keys = np.array(artists.keys(made), dtype=object)
    fit, stop, test = (set(keys[part]) - {""} for part in (parts.fit, parts.stop, parts.test))
    assert not fit & (stop | test)
    assert not stop & test
    told = made["genre"].isin(parts.genres) & (made["split"] == "test")
    assert parts.test.tolist() == np.flatnonzero(told).tolist()


def test_invalid_tables(tracks: pd.DataFrame) -> None:
    def complaint(made: pd.DataFrame) -> str:
        with pytest.raises(LibraryError) as caught:
            genre_head_split.parts_of(made)
        return str(caught.value)

    assert "'train'" in complaint(tracks.assign(split=["train", *tracks["split"][1:]]))
    few = complaint(tracks[tracks["genre"].isin(["Folk", "Polka"])])
    assert "this table has 1. Left out: Polka (5 tracks for training, 3 to test)." in few
    assert "for validation" in complaint(tracks[tracks["split"] != "validation"])
    assert "has 0" in complaint(tracks[tracks["split"] != "test"])
    assert "without a label" in complaint(tracks.assign(genre=""))


@pytest.mark.sweep
def test_easy_genres_are_learnt(trained: SplitTrained) -> None:
    ours, majority = trained.scores
    assert (ours.name, majority.name) == ("genre head", "majority class")
    assert ours.all.n == majority.all.n == 30
    assert majority.all.accuracy == pytest.approx(1 / 3)
    assert ours.all.accuracy > 0.7
    assert ours.all.log_loss < majority.all.log_loss
    assert trained.head.genres == GENRES
    assert 1 <= trained.epoch <= 12


@pytest.mark.sweep
def test_held_out_and_training_predictions(trained: SplitTrained, tracks: pd.DataFrame) -> None:
    parts, found = trained.parts, trained.heldout
    sums = tracks["sha256"].to_numpy()
    assert set(found.sha256[found.folds == 0]) == set(sums[parts.test])
    assert set(found.sha256[found.folds == heldout.TRAINED_ON]) == set(sums[[*parts.fit, *parts.stop]])
    assert len(found.sha256) == len(parts.fit) + len(parts.stop) + len(parts.test)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    told = np.array(GENRES)[found.probabilities[found.folds == 0].argmax(axis=1)]
    accuracy = np.mean(told == tracks["genre"].to_numpy()[parts.test])
    assert accuracy == pytest.approx(trained.scores[0].all.accuracy)


def test_training_file_is_not_held_out(tracks: pd.DataFrame) -> None:
    copy = tracks.copy()
    parts = genre_head_split.parts_of(copy)
    copy.loc[parts.test[0], "sha256"] = copy.loc[parts.fit[0], "sha256"]
    features, shares = np.zeros((len(copy), 32), np.float32), np.zeros((len(copy), 3), np.float32)
    found = genre_head_split._heldout(copy, parts, features, shares)
    assert found.folds[found.position(copy.loc[parts.test[0], "sha256"])] == heldout.TRAINED_ON


@pytest.mark.sweep
def test_reads_batches_and_ignores_test_tracks(trained: SplitTrained, tracks: pd.DataFrame) -> None:
    inputs = separable(tracks)
    inputs[genre_head_split.parts_of(tracks).test] = 0
    watched = Watched(inputs)
    epochs: list[str] = []
    with quick(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head_split, "_PREDICTED_AT_ONCE", 40)
        again = genre_head_split.train(watched, tracks, seed=1, on_epoch=epochs.append)
    assert 32 <= watched.most <= 40
    assert len(epochs) >= again.epoch == trained.epoch
    for ours, theirs in zip(again.head.layers, trained.head.layers, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.sweep
def test_batches_are_reshuffled_each_epoch() -> None:
    inputs = np.arange(70, dtype=np.float16)
    rows = np.arange(0, 70, 2)

    def epochs(seed: int | None) -> list[list[float]]:
        made = genre_head_split._batches(inputs, np.arange(70), np.linspace(1, 2, 70), rows, seed)
        found = []
        for _ in range(2):
            batches = [made[i] for i in range(len(made))]
            assert [len(x) for x, _, _ in batches] == [32, 3]
            x, y, w = (np.concatenate(part) for part in zip(*batches, strict=True))
            np.testing.assert_array_equal(x, y)
            np.testing.assert_allclose(w, np.linspace(1, 2, 70)[y])
            found.append(x.tolist())
            made.on_epoch_end()
        return found

    first, second = epochs(3)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert first != second
    assert [first, second] == epochs(3) != epochs(4)
    assert epochs(None) == [rows.tolist()] * 2


def test_a_split_keeps_artists_together() -> None:
    rng = np.random.default_rng(0)
    n = 600
    made = pd.DataFrame(
        {
            "genre": rng.choice(GENRES, n),
            "artist": [f"Artist {i}" if i < 60 else "" for i in rng.integers(80, size=n)],
            "album": [f"Album {i}" for i in rng.integers(30, size=n)],
        }
    )
    split = genre_head_split.assign(made, seed=2)
    keys = pd.Series(genre_head.artists_or_albums(made))
    assert split.groupby(keys).nunique().max() == 1
    shares = split.value_counts(normalize=True)
    assert shares["training"] == pytest.approx(0.8, abs=0.06)
    assert shares[["validation", "test"]].min() > 0.05
    assert set(made["genre"][split == "test"]) == set(GENRES)
    pd.testing.assert_series_equal(split, genre_head_split.assign(made, seed=2))
    with pytest.raises(LibraryError, match="too few artists"):
        genre_head_split.assign(made.assign(artist="Ann"))


def test_extracted_inputs(tmp_path: Path, small_models: ModelStore) -> None:
    folder = copy_library(tmp_path / "library", IDS[:3])
    (folder / "clips" / f"{IDS[1]}.opus").write_text("no audio at all")
    seen: list[str] = []
    found = genre_head_split.extract(library.load(folder), small_models, tmp_path, seen.append)
    assert len(seen) == 3
    assert [item.file for item in found.skipped] == [f"clips/{IDS[1]}.opus"]
    assert found.tracks["track_id"].tolist() == [IDS[0], IDS[2]]
    assert found.array.shape == (2, *head.INPUT_SHAPE)
    assert (found.array.dtype, isinstance(found.array, np.memmap)) == (np.float16, True)
    path = folder / "clips" / f"{IDS[2]}.opus"
    assert found.tracks["sha256"][1] == paths.sha256_of(path)
    clip = analysis_window(decoding.decode(path))
    np.testing.assert_array_equal(found.array[1], genre_head.clip_input(clip, small_models))


def test_nothing_to_extract(tmp_path: Path, small_models: ModelStore) -> None:
    folder = copy_library(tmp_path / "library", IDS[:1])
    (folder / "clips" / f"{IDS[0]}.opus").write_text("no audio at all")
    with pytest.raises(LibraryError, match="Not one file"):
        genre_head_split.extract(library.load(folder), small_models, tmp_path)


@pytest.mark.sweep
def test_the_card(trained: SplitTrained) -> None:
    document = model_card.split_document(trained, seed=1)
    assert (document["training"], document["validation"], document["test"]) == (72, 24, 30)
    assert document["genres"] == dict.fromkeys(GENRES, 24)
    card = model_card.render_split(document, trained.scores)
    assert "72 tracks for training: Folk 24, Jazz 24, Metal 24." in card
    assert f"epoch {trained.epoch}" in card
    assert "2 tracks are left out" in card
    assert "Polka (5 tracks for training, 3 to test)" in card
    assert "| 30 tracks | accuracy |" in card
    assert f"| genre head | {trained.scores[0].all.accuracy:.1%} |" in card
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert headings == ["# Genre head", "## Data and split", "## Figures", "## Limits"]
