"""The words of an index's tracks, computed once per index from what its networks said of each track."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.audio.clip import Clip
from soundalike.index.index import Index
from soundalike.models import ModelStore, musicnn_features, yamnet_features
from soundalike.words import strengths
from soundalike.words.strengths import Probabilities, Usual

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
        sums = [
            np.sum(logs, axis=0, dtype=np.float64) for logs in zip(*self._sums_of_logs(), strict=True)
        ]
        tags, classes = (np.asarray(total / len(self.tracks.tags), np.float32) for total in sums)
        return Usual(tags, classes)

    @cached_property
    def evidence(self) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Evidence for each word in the two networks for each track [shape=(n, words) each]."""
        parts = [strengths.evidence(block, self.usual, self.names) for block in self._blocks()]
        tags, classes = (np.concatenate(part).astype(np.float16) for part in zip(*parts, strict=True))
        return tags, classes

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """Score of each word for each track [shape=(n, words)]."""
        return np.asarray(np.nanmean(np.stack(self.evidence), axis=0, dtype=np.float32))

    @cached_property
    def clear(self) -> NDArray[np.bool_]:
        """Whether each track has a probability of a word that counts as evidence [shape=(n, words)]."""
        return np.concatenate([strengths.is_clear(block, self.names) for block in self._blocks()])

    @property
    def clear_counts(self) -> NDArray[np.intp]:
        """Number of tracks with such a probability, for each word [shape=(words,)]."""
        return np.asarray(self.clear.sum(axis=0))

    @cached_property
    def likely(self) -> NDArray[np.bool_]:
        """Whether a network finds each word more likely than not in each track [shape=(n, words)]."""
        return np.concatenate([strengths.is_likely(block, self.names) for block in self._blocks()])

    def shares(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Share of the library that has a lower score, for each word [shape=(words,), range 0 to 1]."""
        return _shares(self._ordered_scores, scores)

    def shares_of_evidence(
        self, evidence: tuple[NDArray[np.float32], NDArray[np.float32]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same for the evidence in each network; of no meaning where that is NaN."""
        tags, classes = map(_shares, self._ordered_evidence, evidence)
        return tags, classes

    def of_track(self, row: int) -> Probabilities:
        """A track's probabilities."""
        return Probabilities(self.tracks.tags[row], self.tracks.classes[row])

    @cached_property
    def _ordered_scores(self) -> NDArray[np.float32]:
        return np.sort(self.scores.T, axis=1)

    @cached_property
    def _ordered_evidence(self) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        tags, classes = (np.sort(part.T, axis=1) for part in self.evidence)
        return tags, classes

    def _blocks(self) -> Iterator[Probabilities]:
        """The tracks in blocks: a large library's probabilities stay on disk."""
        for start in range(0, len(self.tracks.tags), _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield Probabilities(self.tracks.tags[rows], self.tracks.classes[rows])

    def _sums_of_logs(self) -> Iterator[tuple[NDArray[np.float64], ...]]:
        for block in self._blocks():
            yield tuple(logs.sum(axis=0, dtype=np.float64) for logs in block.logs())


def _shares(ordered: NDArray[np.floating], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share of each ordered row [shape=(words, n)] below its value [shape=(words,)]."""
    pairs = zip(ordered, values.astype(ordered.dtype), strict=True)
    below = np.array([row.searchsorted(value) for row, value in pairs])
    return np.asarray(below / ordered.shape[1])


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
    return (
        set(representations.WORDS) <= set(index.stored)
        and (index.folder / "yamnet_classes_raw.npy").is_file()
    )


def of_clip(clip: Clip, models: ModelStore) -> Probabilities:
    """Probabilities of a new clip; the networks run only if they haven't yet."""
    tags = musicnn_features.output(clip, models).tags.mean(axis=0)
    classes = yamnet_features.output(clip, models).probabilities.mean(axis=0)
    return Probabilities(np.asarray(tags), np.asarray(classes))
