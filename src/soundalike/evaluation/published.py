"""The article's genre figures on FMA-small: as published, and recomputed from its published data.

Its author published the genre head's 32 features for 7,997 of FMA-small's 8,000 clips, in the order of
the article's own split: 6,397 training clips and 1,600 test clips, drawn at random, with artists and
albums on both sides. The head's last layer, a softmax over these features, was not published. It is a
logistic regression, so we fit one to the features of the training clips.

Genre precision at 10 is without an artist filter, as in the article. The figure among the test clips
alone measures the features; the one over all clips is inflated, because the head was trained on four
fifths of them.
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
    accuracy : accuracy of the genre head on the test clips
    precision_test : genre precision at 10 among the test clips
    precision_all : genre precision at 10 over all clips
    chance : precision of a random ranking among the test clips
    """

    accuracy: float
    precision_test: float
    precision_all: float
    chance: float


CLAIMED_ACCURACY = 0.56
"""Figures stated in the article for its head."""
CHECKED = Figures(0.554, 0.426, 0.570, 0.124)
"""Result of `figures` for the published features, which a reference test computes again."""


def figures(features: NDArray[np.float32], labels: Sequence[str], n_train: int) -> Figures:
    """Recompute the article's figures from its features.

    Parameters
    ----------
    features : features of the training clips, then of the test clips [shape=(n, 32)]
    labels : genres, in the same order
    n_train : number of training clips
    """
    from sklearn.linear_model import LogisticRegression

    genres = np.asarray(labels)
    softmax = LogisticRegression(max_iter=5_000).fit(features[:n_train], genres[:n_train])
    test, chance = _precision(features[n_train:], genres[n_train:])
    everything, _ = _precision(features, genres)
    return Figures(float(softmax.score(features[n_train:], genres[n_train:])), test, everything, chance)


def _precision(features: NDArray[np.float32], genres: NDArray[np.str_]) -> tuple[float, float]:
    """Precision at 10 and chance with every track as a query, in blocks of queries."""
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
