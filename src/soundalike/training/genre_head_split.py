"""Training the genre head on a table that says what each track is for, however large it is.

A column `split` names each track `training`, `validation` or `test`, as FMA's does (Defferrard et al.,
2017, section 3.4). The head is trained on the first, stopped by the log loss of the second (patience
and batches as in `training`), and scored on the third alone, which decides nothing. A library without
such a column that is too large for cross-validation gets one from `assign`.

No artist stands on two sides: tracks for training whose artist is among the validation or test tracks
are left out of training, and tracks for validation whose artist is among the test tracks are left out
of the stopping; how many is said. A genre is told if at least `MIN_CLIPS` tracks of it are then left for
training and one to test. Genres are weighted by the inverse of their size.

The head's inputs may be a memory-mapped array of any length: they are read batch by batch, so that
memory holds a few megabytes of them. Everything is seeded, and TensorFlow's deterministic kernels are
asked for: the same inputs give the same weights on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.datasets import library
from soundalike.datasets.fma import SPLITS
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError
from soundalike.evaluation import metrics
from soundalike.models import ModelStore
from soundalike.models import genre_head as head
from soundalike.models.heldout import HEARD, Heldout
from soundalike.training import genre_head
from soundalike.training.clips import TrainingClips
from soundalike.training.genre_head import HeadScores

if TYPE_CHECKING:
    import keras

MIN_CLIPS = 20
MAX_EPOCHS = 200
PATIENCE = 15
BATCH = 32
_PREDICTED_AT_ONCE = 256
FILE = "head_inputs.npy"

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Inputs:
    """What the head is trained on.

    Attributes
    ----------
    tracks : one row a track, with a `sha256` column
    array : head inputs, float16, memory-mapped [shape=(n, 7, 10, 512)]
    skipped : files of the library that could not be decoded
    """

    tracks: pd.DataFrame
    array: NDArray[np.float16]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Parts:
    """Which tracks do what.

    Attributes
    ----------
    genres : that are told, in alphabetical order
    left_out : the other genres, and why
    fit, stop, test : rows of the table, in order
    shared : how many tracks are left out of training or stopping for their artist's sake
    """

    genres: list[str]
    left_out: dict[str, str]
    fit: NDArray[np.intp]
    stop: NDArray[np.intp]
    test: NDArray[np.intp]
    shared: int


@dataclass(frozen=True)
class SplitTrained:
    """A trained head, what it says of every track, and its figures on the test tracks.

    Attributes
    ----------
    head : the head
    parts : what it was trained, stopped and scored on
    tracks : the table
    heldout : of the test tracks (fold 0), and of those that it heard (`HEARD`)
    scores : on the test tracks, beside the majority class of training
    epoch : whose weights were kept, from 1
    """

    head: head.GenreHead
    parts: Parts
    tracks: pd.DataFrame
    heldout: Heldout
    scores: tuple[HeadScores, ...]
    epoch: int


def extract(
    source: Library, models: ModelStore, folder: Path, on_track: OnStep = lambda file: None
) -> Inputs:
    """Run VGG16 over a library, and keep what the head needs in a file.

    Parameters
    ----------
    source : the library
    models : the networks; with a feature cache, clips seen before cost next to nothing
    folder : where the array is written, 72 kB a track
    on_track : called after each track with its file name

    Raises
    ------
    LibraryError
        If not one track could be decoded.
    """
    shape = (len(source.tracks), *head.INPUT_SHAPE)
    array = np.lib.format.open_memmap(folder / FILE, mode="w+", dtype=np.float16, shape=shape)
    clips = TrainingClips(source, on_track)
    for count, clip in enumerate(clips):
        array[count] = genre_head.clip_input(clip, models)
    tracks = clips.tracks(checksums=True)
    array.flush()
    return Inputs(tracks, array[: len(tracks)], clips.skipped)


def assign(tracks: pd.DataFrame, seed: int = 0) -> pd.Series[str]:
    """A split for a table that has none: of each genre about 80 % training, 10 % validation, 10 % test.

    Artists stay together, and albums where no artist is named.

    Raises
    ------
    LibraryError
        If there are fewer than ten artists.
    """
    folds = genre_head.folds_by(
        genre_head.artists_or_albums(tracks), tracks["genre"], 10, seed, "artists"
    )
    return pd.Series(["test", "validation", *["training"] * 8])[folds].reset_index(drop=True)


def parts_of(tracks: pd.DataFrame) -> Parts:
    """Who does what in a table with a column `split`.

    Raises
    ------
    LibraryError
        If a value of the column is another, or fewer than two genres can be told, with the reasons.
    """
    split = tracks["split"].to_numpy()
    unknown = ~np.isin(split, SPLITS)
    if unknown.any():
        raise LibraryError(
            f"The table's column split has {split[unknown][0]!r} for {tracks['file'][unknown].iloc[0]}; "
            f"it takes {', '.join(SPLITS)}."
        )
    artists = np.array(library.artist_keys(tracks), dtype=object)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS}
    fit = _without(artists, rows["training"], np.concatenate([rows["validation"], rows["test"]]))
    stop = _without(artists, rows["validation"], rows["test"])
    shared = len(rows["training"]) - len(fit) + len(rows["validation"]) - len(stop)
    genres, left_out = _told(tracks["genre"], fit, rows["test"])
    if len(genres) < 2:
        raise LibraryError(
            f"Training needs two genres with {MIN_CLIPS} tracks for training and one to test, and this "
            f"table has {len(genres)}{genre_head.reasons(left_out)}"
        )
    known = tracks["genre"].isin(genres).to_numpy()
    fit, stop, test = (part[known[part]] for part in (fit, stop, rows["test"]))
    if not len(stop):
        raise LibraryError(
            "No track of these genres is for validation, by which training is stopped; name some so in "
            "the table's column split, by artists that are not among the test tracks."
        )
    return Parts(genres, left_out, fit, stop, test, shared)


def train(
    inputs: NDArray[np.float16],
    tracks: pd.DataFrame,
    seed: int = 0,
    on_epoch: OnStep = lambda label: None,
) -> SplitTrained:
    """Train on the split, and score on its test tracks.

    Parameters
    ----------
    inputs : a row a track, memory-mapped or not [shape=(n, 7, 10, 512)]
    tracks : with the columns `split`, `genre`, `artist`, `album`, `file` and `sha256`
    on_epoch : called after each epoch with the validation tracks' log loss

    Raises
    ------
    LibraryError
        As `parts_of`.
    """
    parts = parts_of(tracks)
    network, epoch = _fit(inputs, tracks, parts, seed, on_epoch)
    trained = head.GenreHead(network.get_weights(), parts.genres)
    features, probabilities = predict(trained, inputs)
    heldout = _heldout(tracks, parts, features, probabilities)
    scores = _scores(tracks, parts, probabilities)
    return SplitTrained(trained, parts, tracks, heldout, scores, epoch)


def predict(
    trained: head.GenreHead, inputs: NDArray[np.float16]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features [shape=(n, 32)] and genre probabilities [shape=(n, genres)], some tracks at a time."""
    features = np.zeros((len(inputs), head.DIM), np.float32)
    probabilities = np.zeros((len(inputs), len(trained.genres)), np.float32)
    for start in range(0, len(inputs), _PREDICTED_AT_ONCE):
        rows = slice(start, start + _PREDICTED_AT_ONCE)
        features[rows], probabilities[rows] = trained(np.asarray(inputs[rows], np.float32))
    return features, probabilities


def _heldout(
    tracks: pd.DataFrame,
    parts: Parts,
    features: NDArray[np.float32],
    probabilities: NDArray[np.float32],
) -> Heldout:
    """What the head says of the test tracks, and of what it heard.

    The latter comes last, so that it counts where two tracks are the same file.
    """
    heard = np.sort(np.concatenate([parts.fit, parts.stop]))
    rows = np.concatenate([parts.test, heard])
    return Heldout(
        np.array(tracks["sha256"], dtype=str)[rows],
        np.repeat(np.array([0, HEARD], np.int8), [len(parts.test), len(heard)]),
        features[rows],
        probabilities[rows],
    )


def _without(
    artists: NDArray[np.object_], rows: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The rows whose artist is not among the others'."""
    known = set(artists[others]) - {""}
    return rows[[artist not in known for artist in artists[rows]]] if len(rows) else rows


def _told(
    genre: pd.Series[str], fit: NDArray[np.intp], test: NDArray[np.intp]
) -> tuple[list[str], dict[str, str]]:
    """The genres that can be told, and why others cannot."""
    enough, left_out = [], {}
    counts = {part: genre.iloc[rows].value_counts() for part, rows in (("fit", fit), ("test", test))}
    for name, size in genre.value_counts().sort_index().items():
        trained, tested = (int(counts[part].get(name, 0)) for part in ("fit", "test"))
        if not name:
            left_out["(no genre)"] = f"{size} tracks without a label"
        elif trained < MIN_CLIPS or not tested:
            left_out[str(name)] = f"{trained} tracks for training, {tested} to test"
        else:
            enough.append(str(name))
    return enough, left_out


def _scores(
    tracks: pd.DataFrame, parts: Parts, probabilities: NDArray[np.float32]
) -> tuple[HeadScores, ...]:
    labels = list(tracks["genre"].iloc[parts.test])
    told = probabilities[parts.test]
    predicted = [parts.genres[number] for number in told.argmax(axis=1)]
    fit = tracks["genre"].iloc[parts.fit]
    shares = np.array([(fit == genre).mean() for genre in parts.genres])
    majority = [parts.genres[int(shares.argmax())]] * len(labels)
    return (
        HeadScores("genre head", metrics.classification(labels, predicted, parts.genres, told), None),
        HeadScores(
            "majority class",
            metrics.classification(labels, majority, parts.genres, np.tile(shares, (len(labels), 1))),
            None,
        ),
    )


def _fit(
    inputs: NDArray[np.float16], tracks: pd.DataFrame, parts: Parts, seed: int, on_epoch: OnStep
) -> tuple[keras.Model, int]:
    """Train until the log loss of validation no longer falls. Returns the epoch that is kept."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    number = {genre: i for i, genre in enumerate(parts.genres)}
    targets = np.array([number.get(genre, 0) for genre in tracks["genre"]])
    weights = genre_head.class_weights(targets[parts.fit], len(parts.genres))
    network = head.build(len(parts.genres), seed)
    classifier = keras.Model(network.inputs, network.outputs[1])
    classifier.compile(
        keras.optimizers.Adam(genre_head.LEARNING_RATE),
        "sparse_categorical_crossentropy",
        weighted_metrics=[keras.metrics.SparseCategoricalCrossentropy(name="log_loss")],
    )
    stopping = keras.callbacks.EarlyStopping(
        "val_log_loss", mode="min", patience=PATIENCE, restore_best_weights=True
    )
    reporting = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: on_epoch(f"log loss {logs['val_log_loss']:.3f}")
    )
    classifier.fit(
        _batches(inputs, targets, weights, parts.fit, seed),
        validation_data=_batches(inputs, targets, weights, parts.stop, None),
        epochs=MAX_EPOCHS,
        shuffle=False,
        callbacks=[stopping, reporting],
        verbose=0,
    )
    return network, stopping.best_epoch + 1


def _batches(
    inputs: NDArray[np.float16],
    targets: NDArray[np.intp],
    weights: NDArray[np.float64],
    rows: NDArray[np.intp],
    seed: int | None,
) -> Any:
    """Examples for Keras, read as they are wanted; with a seed in another order each epoch."""
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Inputs, targets and weights of one batch after another."""

        def __init__(self) -> None:
            super().__init__()
            self.epoch = 0
            self.order = rows
            self.shuffle()

        def shuffle(self) -> None:
            if seed is not None:
                self.order = np.random.default_rng([seed, self.epoch]).permutation(rows)

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self.shuffle()

        def __len__(self) -> int:
            return -(-len(rows) // BATCH)

        def __getitem__(
            self, batch: int
        ) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float64]]:
            chosen = self.order[batch * BATCH : (batch + 1) * BATCH]
            y = targets[chosen]
            return np.asarray(inputs[chosen], np.float32), y, weights[y]

    return Batches()


def genre_counts(tracks: pd.DataFrame, rows: NDArray[np.intp]) -> dict[str, int]:
    """How many of some tracks are of each genre, most first."""
    counts = tracks["genre"].iloc[rows].value_counts()
    return {str(genre): int(n) for genre, n in counts.items()}
