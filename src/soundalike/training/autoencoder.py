"""Train the MFCC autoencoder on a library, and measure its reconstruction of held-out music.

The loss is the mean squared error of the reconstruction. It is first measured on held-out tracks: a
quarter of the library by album, whose artists are also removed from the training part. The network for
this measurement is trained on neither. Two baselines use the same tracks: predicting zero, which is each
row's mean, and principal components, the best linear code of the same size. The final autoencoder is
then trained on all tracks in the same way.

Everything is seeded and uses TensorFlow's deterministic kernels: the same clips give the same weights on
the same machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError
from soundalike.features import spectral
from soundalike.models import autoencoder
from soundalike.models.autoencoder import Autoencoder
from soundalike.training import genre_head
from soundalike.training.clips import OnProgress, TrainingClips

EPOCHS = 30
BATCH = 8
LEARNING_RATE = 3e-3
FOLDS = 4


@dataclass(frozen=True)
class Errors:
    """Mean squared errors of reconstruction, relative to the variance of a row, lower is better.

    Attributes
    ----------
    autoencoder : error of the network not trained on these tracks
    linear : error of as many principal components, fitted to the same training tracks
    zero : error of predicting zero
    training : error of the network on its training tracks
    tracks, albums : number held out
    trained_on : number of training tracks
    """

    autoencoder: float
    linear: float
    zero: float
    training: float
    tracks: int
    albums: int
    trained_on: int


@dataclass(frozen=True)
class TrainedAutoencoder:
    """An autoencoder trained on all tracks, and the errors of one trained without the held-out ones."""

    autoencoder: Autoencoder
    errors: Errors


def extract(
    source: Library, on_track: OnProgress = lambda file: None
) -> tuple[NDArray[np.float32], pd.DataFrame, tuple[Skipped, ...]]:
    """Compute the standardised MFCC of a library.

    Returns
    -------
    matrices : float32 [shape=(n, 20, 1293)]
    tracks : rows of the table for the matrices
    skipped : files that could not be decoded

    Raises
    ------
    LibraryError
        If no track could be decoded.
    """
    clips = TrainingClips(source, on_track)
    matrices = [spectral.standardise(spectral.mfcc(clip)) for clip in clips]
    tracks = clips.tracks()
    return np.stack(matrices), tracks, clips.skipped


def train(
    matrices: NDArray[np.float32],
    tracks: pd.DataFrame,
    seed: int = 0,
    on_epoch: OnProgress = lambda name: None,
) -> TrainedAutoencoder:
    """Measure on held-out tracks, then train the final autoencoder.

    Parameters
    ----------
    matrices : standardised MFCC [shape=(n, 20, 1293)]
    tracks : rows of the table, with the columns `album` and `artist`
    seed : seed of the split, the initial weights and the order of examples
    on_epoch : called after each of the `2 * EPOCHS` passes

    Raises
    ------
    LibraryError
        As `split`.
    """
    held_out, training = split(tracks, seed)
    tested = fit(matrices[training], seed, lambda epoch: on_epoch(f"held out, {epoch}"))
    errors = Errors(
        mean_squared_error(matrices[held_out], tested),
        linear_error(matrices[training], matrices[held_out]),
        float(np.mean(np.square(matrices[held_out], dtype=np.float64))),
        mean_squared_error(matrices[training], tested),
        len(held_out),
        int(tracks["album"].iloc[held_out].nunique()),
        len(training),
    )
    return TrainedAutoencoder(fit(matrices, seed, lambda epoch: on_epoch(f"all, {epoch}")), errors)


def split(tracks: pd.DataFrame, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to hold out, about a quarter, and rows that share no album or artist with them.

    Raises
    ------
    LibraryError
        If there are too few albums or artists to hold any out.
    """
    held_out = np.flatnonzero(genre_head.fold_of_each(tracks.assign(genre=""), seed, FOLDS) == 0)
    training = genre_head.training_rows(tracks, held_out)
    if not len(training):
        raise LibraryError(
            "Every track shares an album or artist with the others, so that none can be held out; "
            "training needs a library of several."
        )
    return held_out, training


def fit(matrices: NDArray[np.float32], seed: int, on_epoch: OnProgress) -> Autoencoder:
    """Train on all matrices [shape=(n, 20, 1293)]."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    network = autoencoder.build(seed)
    drawing = keras.Model(network.inputs, network.outputs[1])
    steps = EPOCHS * -(-len(matrices) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    drawing.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: on_epoch(f"epoch {epoch + 1} of {EPOCHS}")
    )
    examples = matrices[..., np.newaxis]
    drawing.fit(examples, examples, batch_size=BATCH, epochs=EPOCHS, callbacks=[report], verbose=0)
    return Autoencoder(network.get_weights())


def mean_squared_error(matrices: NDArray[np.float32], trained: Autoencoder) -> float:
    """Mean over matrices [shape=(n, 20, 1293)] of the squared error of their reconstruction."""
    errors = [np.square(matrix - trained.reconstruct(matrix)).mean() for matrix in matrices]
    return float(np.mean(errors, dtype=np.float64))


def linear_error(training: NDArray[np.float32], held_out: NDArray[np.float32]) -> float:
    """Mean squared error of a linear code of the autoencoder's size.

    Each of the 16 segments of a matrix is projected onto the 32 directions that explain most of the
    training tracks' segments (principal components, not centred: the mean is already zero).
    """
    stretches = _stretches(training)
    _, directions = np.linalg.eigh(stretches.T @ stretches)
    kept = directions[:, -autoencoder.CHANNELS :]
    tested = _stretches(held_out)
    missed = np.square(tested - tested @ kept @ kept.T).sum(dtype=np.float64)
    return float(missed / held_out.size)


def _stretches(matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, frames = autoencoder.INPUT_SHAPE
    width = -(-frames // autoencoder.POSITIONS)
    padded = np.pad(matrices, ((0, 0), (0, 0), (0, width * autoencoder.POSITIONS - frames)))
    cut = padded.reshape(len(matrices), rows, autoencoder.POSITIONS, width)
    return cut.transpose(0, 2, 1, 3).reshape(-1, rows * width)


def as_document(trained: TrainedAutoencoder, tracks: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Contents of the model card, ready for JSON."""
    return {
        "tracks": len(tracks),
        "albums": int(tracks["album"].nunique()),
        "dimensions": autoencoder.DIM,
        "weights": sum(array.size for array in trained.autoencoder.layers),
        "epochs": EPOCHS,
        "seed": seed,
        "held_out": asdict(trained.errors),
    }


def model_card(document: dict[str, Any]) -> str:
    """The model card in Markdown (Mitchell et al., 2019); every figure comes from the training run."""
    errors = document["held_out"]
    rows = (
        ("autoencoder", errors["autoencoder"]),
        ("principal components, as many numbers", errors["linear"]),
        ("predicting zero", errors["zero"]),
        ("autoencoder, on the tracks it was trained on", errors["training"]),
    )
    table = "\n".join(f"| {name} | {error:.3f} | {1 - error:.1%} |" for name, error in rows)
    return f"""# MFCC autoencoder

A convolutional autoencoder: the standardised 20 x 1,293 MFCC matrix of a clip to
{document["dimensions"]} numbers ({autoencoder.CHANNELS} for each of {autoencoder.POSITIONS} stretches
of 1.9 s) and back. The numbers are the `mfcc_autoencoder` representation.

## Data and split

{document["tracks"]} clips from {document["albums"]} albums, no labels.
{document["weights"]:,} weights, stored as float16; Adam,
{document["epochs"]} epochs, seed {document["seed"]}.

For the figures, {errors["tracks"]} clips from {errors["albums"]} albums were held out and a network was
trained on the {errors["trained_on"]} that share neither album nor artist with them. The stored weights
are trained on all clips in the same way.

## Figures

Mean squared error of the reconstruction, where 1 is the variance of a row, and the share of the
variance that is kept; of held-out clips unless said otherwise:

| | error | kept |
|---|---:|---:|
{table}

## Limits

- It is trained to draw the matrix again, not to tell what sounds alike: what takes the most room in
  the matrix takes the most room in the code.
- The code keeps when things happen, to a fraction of a second: a shifted copy has another code.
- Each coefficient is standardised over the clip, so that loudness and overall colour are gone before
  it starts.
"""
