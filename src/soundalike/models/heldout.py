"""Held-out predictions: what cross-validation says of the tracks a genre head was trained on.

A head knows its training tracks, so what it says of them flatters it. Beside a trained head lies
`<name>_heldout.npz` with, for each of its training tracks, the features and genre probabilities from
the fold whose head saw neither the track nor its album nor its artist. Features of different folds
live in different spaces: compare them within one fold only.

A head that was trained on a split of its own has one fold, its test tracks, and what it says of the
tracks that it heard is marked `HEARD` in place of a fold: it flatters, and there is nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import DAMAGED_ARRAYS, ModelError

HEARD = -2
"""In place of a fold, for tracks that the head heard in training; -1 means that it never did."""


@dataclass(frozen=True)
class Heldout:
    """Cross-validated predictions by audio file.

    Attributes
    ----------
    sha256 : checksums of the audio files [shape=(n,)]
    folds : the fold each track was held out in, or `HEARD` [shape=(n,)]
    features : [shape=(n, 32)]
    probabilities : [shape=(n, genres)]
    """

    sha256: NDArray[np.str_]
    folds: NDArray[np.int8]
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def position(self, sha256: str) -> int | None:
        """Where a file's prediction is, or None for a file that the head was not trained on."""
        return self._positions.get(sha256)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {str(sha256): i for i, sha256 in enumerate(self.sha256)}

    def save(self, head: Path) -> None:
        """Write beside the head of that path."""
        with path_beside(head).open("wb") as file:
            np.savez(
                file,
                sha256=self.sha256,
                folds=self.folds,
                features=self.features,
                probabilities=self.probabilities,
            )


def path_beside(head: Path) -> Path:
    """The file of held-out predictions that belongs to a head's file."""
    return head.with_name(f"{head.stem}_heldout.npz")


def load(head: Path) -> Heldout | None:
    """Read the predictions beside a head; None where there are none.

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
            names = ("sha256", "folds", "features", "probabilities")
            return Heldout(*(arrays[name] for name in names))
    except DAMAGED_ARRAYS as error:
        raise ModelError(f"The file {path} is damaged; please restore it.") from error
