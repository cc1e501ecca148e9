"""Train the genre head on a table with a predefined split, of any size.

A column `split` assigns each track to `training`, `validation` or `test`, as in FMA (Defferrard et al.,
2017, section 3.4). The head is trained on the first, stopped by the log loss of the second (patience and
batches as in `genre_head`), and scored on the third, which influences nothing. `assign` adds the column
to a library without one that is too large for cross-validation.

No artist is on two sides: training tracks by artists of validation or test tracks are excluded, and so
are validation tracks by artists of test tracks; the number of exclusions is reported. A genre is used if
at least `MIN_CLIPS` training tracks and one test track of it remain. Genres are weighted by the inverse
of their size.

The head's inputs may be a memory-mapped array of any length. They are read batch by batch, which takes a
few megabytes of memory. Everything is seeded and uses TensorFlow's deterministic kernels: the same
inputs give the same weights on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.datasets import artists as artist_rule
from soundalike.datasets.fma import SPLITS
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError
from soundalike.evaluation import metrics
from soundalike.models import ModelStore
from soundalike.models import genre_head as head
from soundalike.models.heldout import TRAINED_ON, Heldout
from soundalike.training import genre_head
from soundalike.training.clips import OnProgress, TrainingClips
from soundalike.training.genre_head import HeadScores

if TYPE_CHECKING:
    import keras

MIN_CLIPS = 20
MAX_EPOCHS = 200
BATCH = 32
_PREDICTED_AT_ONCE = 256
FILE = "head_inputs.npy"


@dataclass(frozen=True)
class Inputs:
    """Training data of the head.

    Attributes
    ----------
    tracks : one row per track, with a `sha256` column
    array : head inputs, float16, memory-mapped [shape=(n, 7, 10, 512)]
    skipped : files of the library that could not be decoded
    """

    tracks: pd.DataFrame
    array: NDArray[np.float16]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Parts:
    """Roles of the tracks.

    Attributes
    ----------
    genres : genres used, in alphabetical order
    left_out : excluded genres with reasons
    fit, stop, test : rows for training, early stopping and test, in order
    shared : number of tracks excluded because of their artist
    """

    genres: list[str]
    left_out: dict[str, str]
    fit: NDArray[np.intp]
    stop: NDArray[np.intp]
    test: NDArray[np.intp]
    shared: int


@dataclass(frozen=True)
class SplitTrained:
    """A trained head, its predictions for every track, and its scores on the test tracks.

    Attributes
    ----------
    head : the head
    parts : tracks for training, early stopping and test
    tracks : the table
    heldout : predictions for the test tracks (fold 0), and for the training tracks (`TRAINED_ON`)
    scores : scores on the test tracks, including the majority class of training
    epoch : epoch of the final weights, from 1
    """

    head: head.GenreHead
    parts: Parts
    tracks: pd.DataFrame
    heldout: Heldout
    scores: tuple[HeadScores, ...]
    epoch: int


def extract(
    source: Library, models: ModelStore, folder: Path, on_track: OnProgress = lambda file: None
) -> Inputs:
    """Run VGG16 over a library, and store the head's inputs in a file.

    Parameters
    ----------
    source : the library
    models : the networks; with a feature cache, clips processed before cost next to nothing
    folder : folder for the array, 72 kB per track
    on_track : called after each track with its file name

    Raises
    ------
    LibraryError
        If no track could be decoded.
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
    """Make a split: about 80 % training, 10 % validation and 10 % test of each genre.

    Artists stay together, or albums for tracks without an artist.

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
    """Assign roles to the tracks of a table with a column `split`.

    Raises
    ------
    LibraryError
        If the column has another value, or fewer than two genres can be used, with the reasons.
    """
    split = tracks["split"].to_numpy()
    unknown = ~np.isin(split, SPLITS)
    if unknown.any():
        raise LibraryError(
            f"The table's column split has {split[unknown][0]!r} for {tracks['file'][unknown].iloc[0]}; "
            f"it takes {', '.join(SPLITS)}."
        )
    artists = np.array(artist_rule.keys(tracks), dtype=object)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS}
    fit = _without(artists, rows["training"], np.concatenate([rows["validation"], rows["test"]]))
    stop = _without(artists, rows["validation"], rows["test"])
    shared = len(rows["training"]) - len(fit) + len(rows["validation"]) - len(stop)
    genres, left_out = _usable_genres(tracks["genre"], fit, rows["test"])
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
    on_epoch: OnProgress = lambda label: None,
) -> SplitTrained:
    """Train on the split, and score on its test tracks.

    Parameters
    ----------
    inputs : one row per track, memory-mapped or not [shape=(n, 7, 10, 512)]
    tracks : table with the columns `split`, `genre`, `artist`, `album`, `file` and `sha256`
    on_epoch : called after each epoch with the validation log loss

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
    """Features [shape=(n, 32)] and genre probabilities [shape=(n, genres)], in blocks of tracks."""
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
    """The head's predictions for the test tracks and for its training tracks.

    The latter come last and take precedence if two tracks are the same file.
    """
    training = np.sort(np.concatenate([parts.fit, parts.stop]))
    rows = np.concatenate([parts.test, training])
    return Heldout(
        np.array(tracks["sha256"], dtype=str)[rows],
        np.repeat(np.array([0, TRAINED_ON], np.int8), [len(parts.test), len(training)]),
        features[rows],
        probabilities[rows],
    )


def _without(
    artists: NDArray[np.object_], rows: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Rows whose artist is not among the others' artists."""
    known = set(artists[others]) - {""}
    return rows[[artist not in known for artist in artists[rows]]] if len(rows) else rows


def _usable_genres(
    genre: pd.Series[str], fit: NDArray[np.intp], test: NDArray[np.intp]
) -> tuple[list[str], dict[str, str]]:
    """Genres that can be used, and reasons why others cannot."""
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
    inputs: NDArray[np.float16], tracks: pd.DataFrame, parts: Parts, seed: int, on_epoch: OnProgress
) -> tuple[keras.Model, int]:
    """Train until the validation log loss no longer falls. Returns the epoch of the final weights."""
    import keras

    number = {genre: i for i, genre in enumerate(parts.genres)}
    targets = np.array([number.get(genre, 0) for genre in tracks["genre"]])
    weights = genre_head.class_weights(targets[parts.fit], len(parts.genres))
    network, classifier, stopping = genre_head.untrained(len(parts.genres), seed)
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
    """Examples for Keras, read on demand; with a seed, reshuffled each epoch."""
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Inputs, targets and weights in batches."""

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
    """Number of tracks per genre among some rows, largest first."""
    counts = tracks["genre"].iloc[rows].value_counts()
    return {str(genre): int(n) for genre, n in counts.items()}
