"""The article's genre figures on FMA-small, as published and as worked out from what it published.

Its author published the 32 features that its genre head gives for 7,997 of FMA-small's 8,000 clips, in
the order of its own split: 6,397 clips for training and 1,600 to test, drawn at random, so that artists
and albums stand on both sides. The head's last layer, a softmax over these features, was not published.
It is a logistic regression, so that fitting one to the features of the training clips puts it back.

Genre precision at 10 is without an artist filter, as in the article. Among the test clips alone it says
what the features are worth; over all clips it is flattered, since the head was trained on four fifths
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.evaluation import metrics

K = 10
_BLOCK = 512


@dataclass(frozen=True)
class Figures:
    """Shares from 0 to 1.

    Attributes
    ----------
    accuracy : of the genre head on the test clips
    precision_test : genre precision at 10 among the test clips
    precision_all : over all clips
    chance : of a random ranking among the test clips
    """

    accuracy: float
    precision_test: float
    precision_all: float
    chance: float


CLAIMED_ACCURACY = 0.56
"""What the article says of its head."""
CHECKED = Figures(0.554, 0.426, 0.570, 0.124)
"""What `figures` gives for the published features (`benchmarks/article.py`, and a reference test)."""


def figures(features: NDArray[np.float32], labels: Sequence[str], n_train: int) -> Figures:
    """Work the article's figures out of its features.

    Parameters
    ----------
    features : of the training clips, then of the test clips [shape=(n, 32)]
    labels : genres, in the same order
    n_train : how many are for training
    """
    from sklearn.linear_model import LogisticRegression

    genres = np.asarray(labels)
    softmax = LogisticRegression(max_iter=5_000).fit(features[:n_train], genres[:n_train])
    test, chance = _precision(features[n_train:], genres[n_train:])
    everything, _ = _precision(features, genres)
    return Figures(float(softmax.score(features[n_train:], genres[n_train:])), test, everything, chance)


def _precision(features: NDArray[np.float32], genres: NDArray[np.str_]) -> tuple[float, float]:
    """Precision at 10 and chance, each track asked about all others, some queries at a time."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, norms, out=np.zeros_like(features), where=norms > 0)
    numbers = np.arange(len(unit))
    hits, chances = [], []
    for start in range(0, len(unit), _BLOCK):
        asked = numbers[start : start + _BLOCK, np.newaxis]
        scored = metrics.precision_of_nearest(
            unit[start : start + _BLOCK] @ unit.T, genres[asked] == genres, asked != numbers, K
        )
        hits.append(scored[0])
        chances.append(scored[1])
    return float(np.concatenate(hits).mean()), float(np.concatenate(chances).mean())
