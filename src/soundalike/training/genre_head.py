"""Train the genre head on a library's own genres, and measure it by cross-validation.

Features are extracted once: VGG16's feature map of every clip, and of its two 15-second halves if they
are used as additional examples (the article's idea for more data). Then

- genres need at least 20 clips from at least as many albums as there are folds (a track without an
  album name counts by its artist, and without either by its folder);
- cross-validation is by album (scikit-learn's StratifiedGroupKFold), and tracks by a held-out artist
  are also removed from the training part: no fold is trained on its test tracks' albums or artists;
- a fifth of each training part, again by album, is used for early stopping (log loss, patience 15);
- classes are weighted by the inverse of their size;
- the final head is trained on all tracks of those genres for the median of the folds' epochs.

Everything is seeded and uses TensorFlow's deterministic kernels: the same features give the same weights
on the same machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.datasets import artists as artist_rule
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError
from soundalike.evaluation import metrics
from soundalike.evaluation.metrics import Classification
from soundalike.models import ModelStore, vgg_features
from soundalike.models import genre_head as head
from soundalike.models.heldout import Heldout
from soundalike.representations import vgg_mel
from soundalike.training.clips import OnProgress, TrainingClips

if TYPE_CHECKING:
    import keras

FOLDS = 4
MIN_CLIPS = 20
MAX_EPOCHS = 200
PATIENCE = 15
BATCH = 32
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Features:
    """Training data of the head.

    Attributes
    ----------
    tracks : one row per track, with a `sha256` column
    whole : head inputs of whole clips, float16 [shape=(n, 7, 10, 512)]
    halves : of their two halves, float16 [shape=(n, 2, 7, 10, 512)], or None
    vgg_mel : embeddings for the nearest-neighbour baseline, float16 [shape=(n, 25600)]
    """

    tracks: pd.DataFrame
    whole: NDArray[np.float16]
    halves: NDArray[np.float16] | None
    vgg_mel: NDArray[np.float16]


@dataclass(frozen=True)
class HeadScores:
    """Scores of one system, on all held-out tracks and on those whose labels aren't from a tagger."""

    name: str
    all: Classification
    untagged: Classification | None


@dataclass(frozen=True)
class CrossValidation:
    """Held-out predictions of every fold, and each fold's number of epochs."""

    folds: NDArray[np.int8]
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    epochs: list[int]


@dataclass(frozen=True)
class TrainedHead:
    """A trained head, its held-out predictions, and its scores next to the baselines'."""

    head: head.GenreHead
    heldout: Heldout
    scores: tuple[HeadScores, ...]
    epochs: list[int]
    tracks: pd.DataFrame
    left_out: dict[str, str]


def extract(
    source: Library,
    models: ModelStore,
    halves: bool,
    on_track: OnProgress = lambda file: None,
) -> tuple[Features, tuple[Skipped, ...]]:
    """Run VGG16 over a library.

    Parameters
    ----------
    source : the library
    models : the networks; with a feature cache, clips processed before cost next to nothing
    halves : whether to process each clip's two 15 s halves too
    on_track : called after each track with its file name

    Raises
    ------
    LibraryError
        If no track could be decoded.
    """
    clips = TrainingClips(source, on_track)
    whole, half, mel = [], [], []
    for clip in clips:
        whole.append(clip_input(clip, models))
        mel.append(vgg_mel.embed(clip, models).astype(np.float16))
        if halves:
            half.append(np.stack([clip_input(part, models) for part in split(clip)]))
    tracks = clips.tracks(checksums=True)
    features = Features(tracks, np.stack(whole), np.stack(half) if halves else None, np.stack(mel))
    return features, clips.skipped


def split(clip: Clip) -> tuple[Clip, Clip]:
    """The two halves of a clip."""
    middle = len(clip.samples) // 2
    return (
        replace(clip, samples=clip.samples[:middle]),
        replace(clip, samples=clip.samples[middle:], start=clip.start + clip.duration / 2),
    )


def trainable_genres(tracks: pd.DataFrame, folds: int = FOLDS) -> tuple[list[str], dict[str, str]]:
    """Genres with enough clips and albums, in alphabetical order, and why others are excluded."""
    genres, left_out = [], {}
    for genre, group in tracks.assign(album=album_keys(tracks)).groupby("genre"):
        albums = group["album"].nunique()
        if not genre:
            left_out["(no genre)"] = f"{len(group)} clips without a label"
        elif len(group) < MIN_CLIPS or albums < folds:
            left_out[str(genre)] = f"{len(group)} clips from {albums} albums"
        else:
            genres.append(str(genre))
    return genres, left_out


def check(tracks: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Like `trainable_genres`, for a table to train on.

    Raises
    ------
    LibraryError
        If fewer than two genres have enough clips and albums; the message says what each lacks.
    """
    genres, left_out = trainable_genres(tracks)
    if len(genres) < 2:
        raise LibraryError(
            f"Training needs two genres with at least {MIN_CLIPS} clips from {FOLDS} albums each; "
            f"this library has {len(genres)}{reasons(left_out)}"
        )
    return genres, left_out


def reasons(left_out: dict[str, str], most: int = 6) -> str:
    """Reasons for excluded genres, as the end of a sentence; the first few."""
    if not left_out:
        return "."
    named = [f"{genre} ({why})" for genre, why in list(left_out.items())[:most]]
    more = f" and {len(left_out) - most} more" if len(left_out) > most else ""
    return f". Left out: {', '.join(named)}{more}."


def album_keys(tracks: pd.DataFrame) -> list[str]:
    """Release of each track: its album, or else its artist, or else its folder."""
    artists = artist_rule.keys(tracks)
    folders = [str(Path(file).parent) for file in tracks["file"]] if "file" in tracks else artists
    return [
        album or (f"artist: {artist}" if artist else f"folder: {folder}")
        for album, artist, folder in zip(tracks["album"], artists, folders, strict=True)
    ]


def artists_or_albums(tracks: pd.DataFrame) -> list[str]:
    """Artist of each track, or else its release."""
    pairs = zip(artist_rule.keys(tracks), album_keys(tracks), strict=True)
    return [artist or album for artist, album in pairs]


def train(features: Features, seed: int = 0, on_fold: OnProgress = lambda name: None) -> TrainedHead:
    """Cross-validate, then train the final head.

    Raises
    ------
    LibraryError
        If fewer than two genres have enough clips and albums.
    """
    genres, left_out = check(features.tracks)
    rows = np.flatnonzero(features.tracks["genre"].isin(genres))
    chosen = Features(
        features.tracks.iloc[rows].reset_index(drop=True),
        features.whole[rows],
        None if features.halves is None else features.halves[rows],
        features.vgg_mel[rows],
    )
    validated = cross_validate(chosen, genres, seed, on_fold)
    on_fold("all tracks")
    epochs = int(statistics.median(validated.epochs))
    network = _fit(chosen, genres, np.arange(len(rows)), None, seed, epochs)[0]
    heldout = Heldout(
        np.array(chosen.tracks["sha256"], dtype=str),
        validated.folds,
        validated.features,
        validated.probabilities,
    )
    scores = compare(chosen, genres, validated)
    return TrainedHead(
        head.GenreHead(network.get_weights(), genres),
        heldout,
        scores,
        validated.epochs,
        chosen.tracks,
        left_out,
    )


def fold_of_each(tracks: pd.DataFrame, seed: int, folds: int = FOLDS) -> NDArray[np.int8]:
    """The fold in which each track is held out; albums stay together, genres are spread evenly."""
    return folds_by(album_keys(tracks), tracks["genre"], folds, seed, "albums by different artists")


def folds_by(
    groups: Sequence[str], genre: pd.Series[str], folds: int, seed: int, what: str
) -> NDArray[np.int8]:
    """Folds in which groups stay together and genres are spread evenly.

    Raises
    ------
    LibraryError
        If there are fewer groups than folds, or no genre has as many clips; `what` names the groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if len(set(groups)) < folds or genre.value_counts().max() < folds:
        raise LibraryError(
            f"The library has too few {what} to hold any out; training needs more of them."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(genre), np.int8)
    for number, (_, test) in enumerate(splitter.split(genre, genre, np.asarray(groups))):
        fold[test] = number
    return fold


def training_rows(tracks: pd.DataFrame, test: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows that share neither album nor artist with the test tracks."""
    artists = np.array(artist_rule.keys(tracks))
    albums = np.array(album_keys(tracks))
    known = np.isin(artists, artists[test]) & (artists != "") | np.isin(albums, albums[test])
    return np.flatnonzero(~known)


def cross_validate(
    features: Features, genres: Sequence[str], seed: int, on_fold: OnProgress = lambda name: None
) -> CrossValidation:
    """Predict each track with a head trained on neither its album nor its artist."""
    folds = fold_of_each(features.tracks, seed)
    n = len(features.tracks)
    hidden = np.zeros((n, head.DIM), np.float32)
    probabilities = np.zeros((n, len(genres)), np.float32)
    epochs = []
    for fold in range(FOLDS):
        on_fold(f"fold {fold + 1} of {FOLDS}")
        test = np.flatnonzero(folds == fold)
        rest = training_rows(features.tracks, test)
        stop = rest[fold_of_each(features.tracks.iloc[rest], seed, folds=5) == 0]
        fit = training_rows(features.tracks, np.concatenate([test, stop]))
        if not len(fit):
            raise LibraryError(
                "Once albums and artists are held out, nothing is left to train on; training needs "
                "music by more artists."
            )
        network, best = _fit(features, genres, fit, stop, seed + fold, MAX_EPOCHS)
        epochs.append(best)
        hidden[test], probabilities[test] = predict(network, features, test)
    return CrossValidation(folds, hidden, probabilities, epochs)


def predict(
    network: keras.Model, features: Features, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features and genre probabilities of whole clips."""
    hidden, probabilities = network(features.whole[rows].astype(np.float32), training=False)
    return np.asarray(hidden), np.asarray(probabilities)


def compare(
    features: Features, genres: Sequence[str], validated: CrossValidation
) -> tuple[HeadScores, ...]:
    """Compare the head's held-out scores with two baselines on the same folds.

    `majority` predicts the most frequent genre of the training part, with that part's genre shares as
    probabilities. `nearest neighbour` predicts the genre of the training track nearest in `vgg_mel`.
    """
    tracks, folds = features.tracks, validated.folds
    labels = np.array(tracks["genre"])
    majority = np.empty(len(tracks), object)
    shares = np.zeros((len(tracks), len(genres)))
    nearest = np.empty(len(tracks), object)
    similarities = metrics.cosine_matrix(features.vgg_mel)
    for fold in range(FOLDS):
        test = np.flatnonzero(folds == fold)
        fit = training_rows(tracks, test)
        counts = np.array([np.sum(labels[fit] == genre) for genre in genres])
        majority[test] = genres[int(np.argmax(counts))]
        shares[test] = counts / counts.sum()
        nearest[test] = labels[fit[np.argmax(similarities[np.ix_(test, fit)], axis=1)]]
    predicted = np.array(genres)[np.argmax(validated.probabilities, axis=1)]
    return (
        _scores("genre head", tracks, genres, predicted, validated.probabilities),
        _scores("nearest neighbour", tracks, genres, nearest, None),
        _scores("majority class", tracks, genres, majority, shares),
    )


def _scores(
    name: str,
    tracks: pd.DataFrame,
    genres: Sequence[str],
    predicted: NDArray[np.object_ | np.str_],
    probabilities: NDArray[np.floating] | None,
) -> HeadScores:
    def score(rows: NDArray[np.intp]) -> Classification:
        return metrics.classification(
            list(tracks["genre"].iloc[rows]),
            [str(genre) for genre in predicted[rows]],
            genres,
            None if probabilities is None else probabilities[rows],
        )

    everything = np.arange(len(tracks))
    if "genre_source" not in tracks.columns:
        return HeadScores(name, score(everything), None)
    untagged = np.flatnonzero(tracks["genre_source"] != "tagger")
    return HeadScores(name, score(everything), score(untagged) if len(untagged) else None)


def _fit(
    features: Features,
    genres: Sequence[str],
    rows: NDArray[np.intp],
    stop: NDArray[np.intp] | None,
    seed: int,
    epochs: int,
) -> tuple[keras.Model, int]:
    """Train on the rows, with `stop` until their log loss no longer falls. Returns the best epoch."""
    number = {genre: i for i, genre in enumerate(genres)}
    targets = np.array([number[genre] for genre in features.tracks["genre"]])
    network, classifier, stopping = untrained(len(genres), seed)
    x, y = features.whole[rows].astype(np.float32), targets[rows]
    if features.halves is not None:
        x = np.concatenate([x, *np.moveaxis(features.halves[rows], 1, 0).astype(np.float32)])
        y = np.tile(y, 3)
    weights = class_weights(y, len(genres))
    classifier.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        sample_weight=weights[y],
        validation_data=None
        if stop is None
        else (features.whole[stop].astype(np.float32), targets[stop], weights[targets[stop]]),
        callbacks=[] if stop is None else [stopping],
        verbose=0,
    )
    return network, epochs if stop is None else stopping.best_epoch + 1


def untrained(
    n_genres: int, seed: int
) -> tuple[keras.Model, keras.Model, keras.callbacks.EarlyStopping]:
    """A head, its classifier ready for training, and what stops it as the log loss no longer falls.

    Seeded and deterministic: the same examples give the same weights on the same machine.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    network = head.build(n_genres, seed)
    classifier = keras.Model(network.inputs, network.outputs[1])
    classifier.compile(
        keras.optimizers.Adam(LEARNING_RATE),
        "sparse_categorical_crossentropy",
        weighted_metrics=[keras.metrics.SparseCategoricalCrossentropy(name="log_loss")],
    )
    stopping = keras.callbacks.EarlyStopping(
        "val_log_loss", mode="min", patience=PATIENCE, restore_best_weights=True
    )
    return network, classifier, stopping


def class_weights(targets: NDArray[np.intp], genres: int) -> NDArray[np.float64]:
    """Weight of each genre, the inverse of its size; 1 on average over the examples."""
    counts = np.bincount(targets, minlength=genres)
    weights: NDArray[np.float64] = len(targets) / (genres * np.maximum(counts, 1))
    return weights


def clip_input(clip: Clip, models: ModelStore) -> NDArray[np.float16]:
    """The head's input for a clip, as stored [shape=(7, 10, 512)]."""
    return head.head_input(vgg_features.feature_map(clip, models)).astype(np.float16)
