"""Training the genre head, on synthetic features with separable genres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_library import IDS, copy_library

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip
from soundalike.datasets import artists, library
from soundalike.errors import LibraryError
from soundalike.models import ModelStore
from soundalike.models import genre_head as head
from soundalike.representations import vgg_mel
from soundalike.training import genre_head
from soundalike.training.genre_head import Features, TrainedHead

pytest_plugins = ["library_fixtures"]

GENRES = ("Folk", "Jazz", "Metal")
ALBUMS = 8
CLIPS = 3
SHAPE = (7, 10, 16)
EPOCHS = 12


def tracks_of(*groups: tuple[str, int, int]) -> pd.DataFrame:
    """Tracks of genres with so many albums of so many clips each, an artist an album."""
    rows = [
        {"genre": genre, "album": f"{genre} {album}", "artist": f"{genre} artist {album}"}
        for genre, albums, clips in groups
        for album in range(albums)
        for _ in range(clips)
    ]
    return pd.DataFrame(rows).assign(sha256=[f"{i:064x}" for i in range(len(rows))])


def separable(tracks: pd.DataFrame, seed: int = 0) -> Features:
    """Features in which each genre has channels of its own, under noise."""
    rng = np.random.default_rng(seed)
    number = tracks["genre"].map({genre: i for i, genre in enumerate(tracks["genre"].unique())})
    whole = rng.normal(size=(len(tracks), *SHAPE))
    for row, genre in enumerate(number):
        whole[row, :, :, 4 * genre : 4 * genre + 4] += 3
    mel = rng.normal(size=(len(tracks), 40))
    mel[np.arange(len(tracks)), number] += 6
    return Features(tracks, whole.astype(np.float16), None, mel.astype(np.float16))


@contextmanager
def quick() -> Iterator[None]:
    """A smaller network, trained for less long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head, "MAX_EPOCHS", EPOCHS)
        patch.setattr(genre_head, "PATIENCE", 4)
        patch.setattr(head, "INPUT_SHAPE", SHAPE)
        yield


@pytest.fixture(scope="module")
def features() -> Features:
    tracks = tracks_of(*((genre, ALBUMS, CLIPS) for genre in GENRES), ("Polka", 2, 2))
    return separable(tracks.assign(genre_source=["tagger", "title"] * (len(tracks) // 2)))


@pytest.fixture(scope="module")
def trained(features: Features) -> TrainedHead:
    with quick():
        return genre_head.train(features, seed=1)


def test_trainable_genres() -> None:
    tracks = tracks_of(
        ("Rock", 4, 5), ("Ambient", 20, 1), ("Few clips", 19, 1), ("Few albums", 3, 20), ("", 5, 5)
    )
    genres, left_out = genre_head.trainable_genres(tracks)
    assert genres == ["Ambient", "Rock"]
    assert left_out == {
        "Few clips": "19 clips from 19 albums",
        "Few albums": "60 clips from 3 albums",
        "(no genre)": "25 clips without a label",
    }


@pytest.mark.parametrize("groups", [[("Folk", 8, 3)], [("Folk", 8, 3), ("Jazz", 8, 2)], [("", 8, 9)]])
def test_too_few_genres(groups: list[tuple[str, int, int]]) -> None:
    with pytest.raises(LibraryError, match="two genres with at least 20 clips from 4 albums"):
        genre_head.train(separable(tracks_of(*groups)))


def test_error_lists_missing_clips() -> None:
    with pytest.raises(LibraryError) as caught:
        genre_head.check(tracks_of(("Folk", 8, 3), ("Jazz", 2, 30), ("Rock", 4, 1), ("", 2, 2)))
    message = str(caught.value)
    assert message.endswith(
        "this library has 1. Left out: (no genre) (4 clips without a label), Jazz (60 clips from 2 "
        "albums), Rock (4 clips from 4 albums)."
    )
    many = genre_head.reasons({f"Genre {i}": "1 clip" for i in range(9)})
    assert many.endswith("Genre 5 (1 clip) and 3 more.")
    assert genre_head.reasons({}) == "."


def test_album_fallback_to_artist_and_folder() -> None:
    tracks = pd.DataFrame(
        {
            "album": ["First", "", "", "", "", ""],
            "artist": ["Ann", "Ann", "Ben", "Unknown artist", "", ""],
            "file": ["a/1.mp3", "a/2.mp3", "b/1.mp3", "c/1.mp3", "c/2.mp3", "3.mp3"],
        }
    )
    keys = genre_head.album_keys(tracks)
    assert len(set(keys)) == 5
    assert keys[3] == keys[4]
    assert genre_head.artists_or_albums(tracks)[:3] == ["ann", "ann", "ben"]
    few = tracks.assign(genre="Folk", album="", artist="").iloc[[0, 1]]
    assert genre_head.trainable_genres(few)[1] == {"Folk": "2 clips from 1 albums"}


def test_genres_without_albums_use_artists() -> None:
    tracks = tracks_of(("Folk", 8, 3), ("Jazz", 8, 3)).assign(album="")
    assert genre_head.trainable_genres(tracks) == (["Folk", "Jazz"], {})
    folds = genre_head.fold_of_each(tracks, seed=0)
    assert tracks.assign(fold=folds).groupby("artist")["fold"].nunique().max() == 1
    rows = genre_head.training_rows(tracks, np.flatnonzero(folds == 0))
    assert set(rows) == set(np.flatnonzero(folds != 0))


def test_no_training_rows_left() -> None:
    tracks = tracks_of(("Folk", 8, 3), ("Jazz", 8, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head, "training_rows", lambda made, test: _all_but_a_few(len(made), test))
        with pytest.raises(LibraryError, match="more artists"):
            genre_head.cross_validate(separable(tracks), ["Folk", "Jazz"], seed=0)


def _all_but_a_few(n: int, test: np.ndarray) -> np.ndarray:
    """Rows enough to stop by, and none once those are held out as well."""
    return np.setdiff1d(np.arange(n), test) if len(test) <= n // 4 else np.zeros(0, int)


def test_library_by_one_artist() -> None:
    tracks = tracks_of(("Folk", 8, 3), ("Jazz", 8, 3)).assign(artist="Ann")
    with quick(), pytest.raises(LibraryError):
        genre_head.train(separable(tracks))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(GENRES), st.integers(0, 9)), min_size=30, max_size=90))
def test_folds_keep_albums_together(pairs: list[tuple[str, int]]) -> None:
    tracks = pd.DataFrame(pairs, columns=["genre", "album"]).astype(str).assign(artist="")
    assume(tracks["genre"].value_counts().min() >= genre_head.FOLDS)
    assume(tracks["album"].nunique() >= genre_head.FOLDS)
    folds = genre_head.fold_of_each(tracks, seed=0)
    assert set(folds.tolist()) <= set(range(genre_head.FOLDS))
    assert (tracks.assign(fold=folds).groupby("album")["fold"].nunique() == 1).all()


def test_folds_are_seeded_and_stratified() -> None:
    tracks = tracks_of(*((genre, ALBUMS, CLIPS) for genre in GENRES))
    folds = genre_head.fold_of_each(tracks, seed=3)
    np.testing.assert_array_equal(folds, genre_head.fold_of_each(tracks, seed=3))
    assert (folds != genre_head.fold_of_each(tracks, seed=4)).any()
    counts = pd.crosstab(tracks["genre"], folds)
    assert counts.shape == (3, genre_head.FOLDS)
    assert counts.to_numpy().min() >= CLIPS


names = st.sampled_from(["", "Unknown artist", "Ann", "Ben", "Cy", "Dee"])


@settings(max_examples=100)
@given(
    st.lists(st.tuples(names, st.sampled_from("ABCDEFGH")), min_size=2, max_size=30),
    st.data(),
)
def test_training_rows_are_disjoint_by_album_and_artist(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    tracks = pd.DataFrame(pairs, columns=["artist", "album"])
    chosen = data.draw(st.sets(st.integers(0, len(pairs) - 1), min_size=1))
    test = np.array(sorted(chosen))
    rows = genre_head.training_rows(tracks, test)
    assert not set(rows) & set(test)
    assert not set(tracks["album"].iloc[rows]) & set(tracks["album"].iloc[test])
    keys = np.array(artists.keys(tracks))
    assert not set(keys[rows]) & set(keys[test])
    left = set(range(len(pairs))) - set(rows)
    reasons = set(keys[test]) | set(tracks["album"].iloc[test])
    assert all({keys[row], tracks["album"].iloc[row]} & reasons for row in left)


@pytest.mark.sweep
def test_easy_genres_are_learnt(trained: TrainedHead) -> None:
    ours, neighbour, majority = trained.scores
    assert [scores.name for scores in trained.scores] == [
        "genre head",
        "nearest neighbour",
        "majority class",
    ]
    assert majority.all.accuracy <= 0.4
    assert ours.all.accuracy > majority.all.accuracy + 0.3
    assert ours.all.log_loss < majority.all.log_loss
    assert neighbour.all.accuracy > 0.9
    assert neighbour.all.log_loss is None


@pytest.mark.sweep
def test_figures_cover_all_trained_genres(trained: TrainedHead) -> None:
    n = len(GENRES) * ALBUMS * CLIPS
    assert trained.head.genres == GENRES
    assert trained.left_out == {"Polka": "4 clips from 2 albums"}
    assert len(trained.tracks) == n
    assert {scores.all.n for scores in trained.scores} == {n}
    assert {scores.untagged.n for scores in trained.scores} == {n // 2}
    assert np.sum(trained.scores[0].all.confusion) == n
    assert len(trained.epochs) == genre_head.FOLDS
    assert all(1 <= epochs <= EPOCHS for epochs in trained.epochs)


@pytest.mark.sweep
def test_held_out_predictions_match_scores(trained: TrainedHead) -> None:
    heldout = trained.heldout
    n = len(trained.tracks)
    assert heldout.sha256.tolist() == trained.tracks["sha256"].tolist()
    assert heldout.features.shape == (n, head.DIM)
    assert heldout.probabilities.shape == (n, len(GENRES))
    np.testing.assert_allclose(heldout.probabilities.sum(axis=1), 1, atol=1e-5)
    predicted = np.array(GENRES)[heldout.probabilities.argmax(axis=1)]
    accuracy = np.mean(predicted == trained.tracks["genre"].to_numpy())
    assert accuracy == pytest.approx(trained.scores[0].all.accuracy)
    assert set(heldout.folds.tolist()) == set(range(genre_head.FOLDS))
    assert trained.tracks.assign(fold=heldout.folds).groupby("album")["fold"].nunique().max() == 1


@pytest.mark.sweep
def test_the_same_seed_gives_the_same_weights(features: Features) -> None:
    rows = np.arange(48)
    some = Features(features.tracks[:48], features.whole[:48], None, features.vgg_mel[:48])

    def weights(seed: int) -> list[np.ndarray]:
        network, _ = genre_head._fit(some, GENRES, rows[::2], rows[1::2], seed, epochs=2)
        return network.get_weights()

    with quick():
        first, again, other = weights(5), weights(5), weights(6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_no_second_scores_without_label_source(features: Features) -> None:
    tracks = features.tracks.iloc[:48].drop(columns="genre_source")
    folds = genre_head.fold_of_each(tracks, seed=0)
    shares = np.full((48, 2), 0.5, np.float32)
    validated = genre_head.CrossValidation(folds, np.zeros((48, 32), np.float32), shares, [1])
    some = Features(tracks, features.whole[:48], None, features.vgg_mel[:48])
    scores = genre_head.compare(some, GENRES[:2], validated)
    assert [score.untagged for score in scores] == [None] * 3
    assert scores[0].all.log_loss == pytest.approx(np.log(2))


def test_halves_of_a_clip() -> None:
    samples = np.arange(ANALYSIS_SAMPLES, dtype=np.float32)
    clip = Clip(samples, notes=("note",), start=10.0, source_duration=60.0)
    first, second = genre_head.split(clip)
    np.testing.assert_array_equal(np.concatenate([first.samples, second.samples]), samples)
    assert len(first.samples) == len(second.samples)
    assert (first.start, second.start) == (10.0, pytest.approx(25.0, abs=0.01))
    assert first.source_duration == second.source_duration == 60.0


@pytest.mark.sweep
def test_extracted_features(small_models: ModelStore, tmp_path: Path) -> None:
    folder = copy_library(tmp_path / "library", IDS[:3])
    (folder / "clips" / f"{IDS[1]}.opus").write_text("no audio at all")
    seen: list[str] = []
    features, skipped = genre_head.extract(library.load(folder), small_models, False, seen.append)
    assert len(seen) == 3
    assert [item.file for item in skipped] == [f"clips/{IDS[1]}.opus"]
    assert features.halves is None
    assert features.whole.shape == (2, 7, 10, 512)
    assert features.whole.dtype == features.vgg_mel.dtype == np.float16
    assert features.tracks["track_id"].tolist() == [IDS[0], IDS[2]]
    assert features.tracks["sha256"][1] == paths.sha256_of(folder / "clips" / f"{IDS[2]}.opus")
    clip = analysis_window(decoding.decode(folder / "clips" / f"{IDS[2]}.opus"))
    np.testing.assert_array_equal(features.vgg_mel[1], vgg_mel.embed(clip, small_models).astype("f2"))


@pytest.mark.sweep
def test_extracted_halves(tmp_path: Path, small_models: ModelStore) -> None:
    folder = copy_library(tmp_path / "library", IDS[:1])
    features, _ = genre_head.extract(library.load(folder), small_models, halves=True)
    assert features.halves.shape == (1, 2, 7, 10, 512)
    assert not np.array_equal(features.halves[0, 0], features.halves[0, 1])


def test_nothing_to_extract(tmp_path: Path, small_models: ModelStore) -> None:
    folder = copy_library(tmp_path / "library", IDS[:1])
    (folder / "clips" / f"{IDS[0]}.opus").write_text("no audio at all")
    with pytest.raises(LibraryError, match="Not one file"):
        genre_head.extract(library.load(folder), small_models, halves=False)
