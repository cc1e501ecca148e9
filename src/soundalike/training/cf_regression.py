"""Train the network that predicts collaborative-filtering factors from audio.

Each pass over the tracks takes one random 3 s segment per track. The loss is the mean squared error to
the track's unit-length factors (Dieleman, 2014). As with the autoencoder, a quarter of the tracks by
album is held out first, and their artists are also removed from the training part. A network trained on
neither predicts the held-out tracks for the figures below. The final network is trained on all tracks.

Held-out figures, for the predicted against the true factors:

`cosine`
    mean cosine similarity of a track's two vectors, -1 to 1. `mean_cosine` is the same for predicting
    the training tracks' mean for every track.
`order`
    mean over tracks of Kendall's rank correlation between the similarities to the other held-out tracks
    by predicted and by true factors, -1 to 1, chance 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError
from soundalike.evaluation import metrics
from soundalike.features import spectral
from soundalike.models import factor_cnn
from soundalike.models.factor_cnn import FactorCNN
from soundalike.representations import cf_regression
from soundalike.training.autoencoder import split
from soundalike.training.clips import OnProgress, TrainingClips
from soundalike.training.matrix_factorization import TrackFactors

PASSES = 150
BATCH = 32
LEARNING_RATE = 1e-3
MIN_TRACKS = 40
"""Minimum number of tracks: with fewer tracks than factors, nothing can be learned about a factor."""


@dataclass(frozen=True)
class Examples:
    """Training data of the network.

    Attributes
    ----------
    tracks : rows of the library's table that are in the listening data
    mels : `spectral.log_mel`, float16 [shape=(n, 128, 1293)]
    factors : [shape=(n, 40)], each row of unit length
    """

    tracks: pd.DataFrame
    mels: NDArray[np.float16]
    factors: NDArray[np.float32]


@dataclass(frozen=True)
class FactorScores:
    """Held-out figures as defined in the module docstring, and the number of tracks."""

    cosine: float
    mean_cosine: float
    order: float
    tracks: int
    trained_on: int


@dataclass(frozen=True)
class TrainedFactors:
    """A network trained on all tracks, and scores of one trained without the held-out tracks."""

    network: FactorCNN
    scores: FactorScores


def extract(
    source: Library, listening: TrackFactors, on_track: OnProgress = lambda file: None
) -> tuple[Examples, tuple[Skipped, ...]]:
    """Compute the spectrograms of the library's tracks that have plays.

    Raises
    ------
    LibraryError
        If fewer than 40 tracks of the library are in the listening data and can be decoded.
    """
    place = {track: i for i, track in enumerate(listening.tracks)}
    played = source.tracks[source.tracks["track_id"].isin(place)].reset_index(drop=True)
    clips = TrainingClips(replace(source, tracks=played), on_track)
    mels = [spectral.log_mel(cf_regression.at_one_level(clip)).astype(np.float16) for clip in clips]
    if len(mels) < MIN_TRACKS:
        raise LibraryError(
            f"Only {len(mels)} of the library's tracks are in the table of plays; training needs "
            f"{MIN_TRACKS}. The column track must hold the library's track_id."
        )
    tracks = clips.tracks()
    targets = [place[track_id] for track_id in tracks["track_id"]]
    return Examples(tracks, np.stack(mels), listening.factors[targets]), clips.skipped


def train(examples: Examples, seed: int = 0, on_pass: OnProgress = lambda name: None) -> TrainedFactors:
    """Measure on held-out tracks, then train the final network.

    Parameters
    ----------
    examples : from `extract`
    seed : seed of the split, the initial weights and the segments drawn
    on_pass : called after each of the `2 * PASSES` passes

    Raises
    ------
    LibraryError
        If there are too few albums or artists to hold any out.
    """
    held_out, training = split(examples.tracks, seed)
    tested = fit(examples, training, seed, lambda name: on_pass(f"held out, {name}"))
    scores = score(tested, examples, held_out, training)
    everything = np.arange(len(examples.tracks))
    return TrainedFactors(fit(examples, everything, seed, lambda name: on_pass(f"all, {name}")), scores)


def fit(examples: Examples, rows: NDArray[np.intp], seed: int, on_pass: OnProgress) -> FactorCNN:
    """Train on a subset of the examples."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    mean, deviation = _scale(examples.mels, rows)
    network = factor_cnn.build(seed)
    steps = PASSES * -(-len(rows) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    network.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    rng = np.random.default_rng(seed)
    for number in range(PASSES):
        shuffled = rng.permutation(rows)
        for start in range(0, len(rows), BATCH):
            batch = shuffled[start : start + BATCH]
            levels = (_stretches(examples.mels, batch, rng) - mean) / deviation
            network.train_on_batch(levels, examples.factors[batch])
        on_pass(f"pass {number + 1} of {PASSES}")
    return FactorCNN(network.get_weights(), mean, deviation)


def score(
    network: FactorCNN, examples: Examples, held_out: NDArray[np.intp], training: NDArray[np.intp]
) -> FactorScores:
    """Score on the held-out tracks; `training` are the training tracks."""
    from scipy.stats import kendalltau

    true = examples.factors[held_out]
    predicted = np.stack([network(mel) for mel in examples.mels[held_out]])
    average = examples.factors[training].mean(axis=0)
    similar, really = metrics.cosine_matrix(predicted), metrics.cosine_matrix(true)
    n = len(held_out)
    others = [np.arange(n) != row for row in range(n)]
    orders = [
        kendalltau(similar[row, rest], really[row, rest]).statistic for row, rest in enumerate(others)
    ]
    return FactorScores(
        _mean_cosine(predicted, true),
        _mean_cosine(np.broadcast_to(average, true.shape), true),
        float(np.mean(np.nan_to_num(orders))),
        n,
        len(training),
    )


def _scale(
    mels: NDArray[np.float16], rows: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    means = np.stack([mels[row].mean(axis=1, dtype=np.float64) for row in rows])
    squares = np.stack([np.square(mels[row], dtype=np.float64).mean(axis=1) for row in rows])
    mean = means.mean(axis=0)
    deviation = np.sqrt(np.maximum(squares.mean(axis=0) - mean**2, 1e-6))
    return mean.astype(np.float32), deviation.astype(np.float32)


def _stretches(
    mels: NDArray[np.float16], rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A random 3 s segment of each row [shape=(len(rows), 129, 128)]."""
    starts = rng.integers(mels.shape[2] - factor_cnn.WINDOW + 1, size=len(rows))
    cut = [
        mels[row, :, start : start + factor_cnn.WINDOW].T
        for row, start in zip(rows, starts, strict=True)
    ]
    return np.stack(cut).astype(np.float32)


def _mean_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = np.einsum("ij,ij->i", one, other)
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return float(cosines.mean(dtype=np.float64))


def as_document(
    trained: TrainedFactors, examples: Examples, listening: TrackFactors, seed: int
) -> dict[str, Any]:
    """Contents of the model card, ready for JSON."""
    return {
        "tracks": len(examples.tracks),
        "albums": int(examples.tracks["album"].nunique()),
        "users": listening.users,
        "plays": listening.plays,
        "tracks_played": len(listening.tracks),
        "factors": factor_cnn.FACTORS,
        "passes": PASSES,
        "seed": seed,
        "held_out": asdict(trained.scores),
    }


def model_card(document: dict[str, Any]) -> str:
    """The model card in Markdown (Mitchell et al., 2019); every figure comes from the training run."""
    scores = document["held_out"]
    return f"""# Factors of listening, from sound

A convolutional network over time that predicts, from a mel spectrogram, the
{document["factors"]} factors that collaborative filtering gives a track. They are the `cf_regression`
representation.

## Data and split

- {document["plays"]:,.0f} plays of {document["tracks_played"]:,} tracks
  by {document["users"]:,} listeners.
- {document["tracks"]:,} of the tracks, from {document["albums"]:,} albums, are in the library.
- Factors have length 1, so that popularity is left out.
- {document["passes"]} passes, seed {document["seed"]}.

For the figures, {scores["tracks"]} tracks were held out and a network was trained on
the {scores["trained_on"]} that share neither album nor artist with them. Their factors come from all
of the plays. The stored weights are trained on all tracks in the same way.

## Figures, held out

| | network | the training tracks' mean |
|---|---:|---:|
| cosine similarity to the true factors | {scores["cosine"]:.3f} | {scores["mean_cosine"]:.3f} |
| agreement in how similar tracks are (Kendall) | {scores["order"]:.3f} | 0 |

## Limits

- It knows these listeners and the kinds of music that they played.
- What does not sound, such as fame, language or who is friends with whom, cannot be heard.
"""
