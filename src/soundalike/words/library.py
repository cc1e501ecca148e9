"""The words of an index's tracks, computed once per index from what its networks said of each track."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.index.index import Index
from soundalike.models import ModelStore, musicnn_features, yamnet_features
from soundalike.words import strengths, vocabulary
from soundalike.words.strengths import Probabilities, Usual

NEEDED = ("musicnn_tags", "yamnet_classes")
"""Representations that an index must have."""
_BLOCK = 8_192
"""Number of tracks per block."""


@dataclass(frozen=True, eq=False)
class LibraryWords:
    """What the networks said of a library's tracks.

    Attributes
    ----------
    tracks : probabilities of every track
    names : names of YAMNet's classes
    """

    tracks: Probabilities
    names: tuple[str, ...]

    @cached_property
    def usual(self) -> Usual:
        """Mean log-probability of each tag and class."""
        return strengths.usual(self.tracks)

    @cached_property
    def evidence(self) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Evidence for each word in the two networks for each track [shape=(n, words) each]."""
        n = len(self.tracks.tags)
        found = tuple(np.empty((n, len(vocabulary.words())), np.float16) for _ in range(2))
        for start in range(0, n, _BLOCK):
            rows = slice(start, start + _BLOCK)
            block = Probabilities(self.tracks.tags[rows], self.tracks.classes[rows])
            for whole, part in zip(
                found, strengths.evidence(block, self.usual, self.names), strict=True
            ):
                whole[rows] = part
        return found[0], found[1]

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """Score of each word for each track [shape=(n, words)]."""
        return np.asarray(np.nanmean(np.stack(self.evidence), axis=0, dtype=np.float32))

    @cached_property
    def ordered(self) -> NDArray[np.float32]:
        """Each word's scores in ascending order [shape=(words, n)]."""
        return np.sort(self.scores.T, axis=1)

    def shares(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Share of the library that has a lower score, for each word [shape=(words,), range 0 to 1]."""
        pairs = zip(self.ordered, scores, strict=True)
        return np.array([np.searchsorted(row, score) for row, score in pairs]) / len(self.scores)

    def of_track(self, row: int) -> Probabilities:
        """A track's probabilities."""
        return Probabilities(self.tracks.tags[row], self.tracks.classes[row])


_libraries: WeakKeyDictionary[Index, LibraryWords] = WeakKeyDictionary()


def of(index: Index, models: ModelStore) -> LibraryWords | None:
    """An index's words; None if it was built without the representations that they need."""
    if not has_words(index):
        return None
    if index not in _libraries:
        tags = np.asarray(index.array("musicnn_tags"), np.float32)
        classes = np.asarray(index.array("yamnet_classes_raw"), np.float32)
        names = strengths.class_names(models.file("yamnet"))
        _libraries[index] = LibraryWords(strengths.from_embeddings(tags, classes), names)
    return _libraries[index]


def has_words(index: Index) -> bool:
    """Whether an index has what words need."""
    return set(NEEDED) <= set(index.stored) and (index.folder / "yamnet_classes_raw.npy").is_file()


def of_clip(clip: Clip, models: ModelStore) -> Probabilities:
    """Probabilities of a new clip; the networks run only if they haven't yet."""
    tags = musicnn_features.output(clip, models).tags.mean(axis=0)
    classes = yamnet_features.output(clip, models).probabilities.mean(axis=0)
    return Probabilities(np.asarray(tags), np.asarray(classes))
