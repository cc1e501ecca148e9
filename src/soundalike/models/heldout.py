"""Held-out predictions: cross-validated genre predictions for a genre head's training tracks.

Predictions for training tracks are overoptimistic. The file `<name>_heldout.npz` beside a trained head
therefore has features and genre probabilities of each training track, computed in the fold whose head
was trained without the track, its album and its artist. Features of different folds are in different
spaces and can be compared only within a fold.

A head trained on a fixed split has one fold, its test tracks. Its training tracks have only
overoptimistic predictions, marked `TRAINED_ON` in place of a fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import DAMAGED_ARRAYS, ModelError

TRAINED_ON = -2
"""Value in place of a fold for training tracks; -1 marks tracks that were never in training."""
_NAMES = ("sha256", "folds", "features", "probabilities")


@dataclass(frozen=True)
class Heldout:
    """Cross-validated predictions by audio file.

    Attributes
    ----------
    sha256 : checksums of the audio files [shape=(n,)]
    folds : the fold in which each track was held out, or `TRAINED_ON` [shape=(n,)]
    features : [shape=(n, 32)]
    probabilities : [shape=(n, genres)]
    """

    sha256: NDArray[np.str_]
    folds: NDArray[np.int8]
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def position(self, sha256: str) -> int | None:
        """Row of a file's prediction, or None for a file outside the training data."""
        return self._positions.get(sha256)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {str(sha256): i for i, sha256 in enumerate(self.sha256)}

    def save(self, head: Path) -> None:
        """Write to the file beside the given head."""
        with path_beside(head).open("wb") as file:
            np.savez(file, allow_pickle=False, **{name: getattr(self, name) for name in _NAMES})


def path_beside(head: Path) -> Path:
    """Path of the held-out predictions of a head's file."""
    return head.with_name(f"{head.stem}_heldout.npz")


def load(head: Path) -> Heldout | None:
    """Read the predictions beside a head; None if there are none.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    path = path_beside(head)
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Heldout(*(arrays[name] for name in _NAMES))
    except DAMAGED_ARRAYS as error:
        raise ModelError(f"The file {path} is damaged; please restore it.") from error
