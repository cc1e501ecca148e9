"""The sets of dimensions that can be explored: the words, and the numbers of some embeddings.

A set has one value per track and dimension. For the words it is the word's score, for an embedding the
number itself. A joined embedding's dimensions are those of its stored parts, one part after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.analysis.dimension_stats import Matrix
from soundalike.audio.clip import Clip
from soundalike.errors import ModelError
from soundalike.index import storage, track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore, stretches
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.words import library, over_time, strengths, vocabulary
from soundalike.words.library import LibraryWords

WORDS = "words"
TITLES = {
    WORDS: "Words",
    "soundalike": "Best match",
    "vgg_mel": "Picture",
    "genre_head": "Genre",
    "musicnn": "Tagger",
}
"""Names of the sets, and their titles for visitors, in the order of the page."""
LARGEST = 512 * 2**20
"""Bytes of a matrix that can be read in some seconds: 10,000 tracks of `vgg_mel`."""
SAMPLE = 4_096
"""Number of randomly sampled tracks over which dimensions are correlated in a larger library."""
_SAMPLE_BYTES = 128 * 2**20
"""Maximum size of their values in float32; fewer tracks are sampled for very many dimensions."""


@dataclass(frozen=True, eq=False)
class DimensionSets:
    """The sets of dimensions of an index.

    Parameters
    ----------
    index : the library
    models : the networks; they only run on a visitor's clip
    """

    index: Index
    models: ModelStore

    @property
    def names(self) -> list[str]:
        """The sets that the index has and that can be read quickly enough."""
        return [name for name in self._present if name not in self.too_large]

    @property
    def too_large(self) -> list[str]:
        """The sets whose values take too long to read while a visitor waits."""
        return [
            name
            for name in self._present
            if name != WORDS and sum(matrix.nbytes for matrix in self.matrices(name)) > LARGEST
        ]

    @property
    def words(self) -> LibraryWords | None:
        """The library's words; None if the index has none, or YAMNet's table of classes is missing."""
        try:
            return library.of(self.index, self.models)
        except ModelError:
            return None

    def size(self, name: str) -> int:
        """Number of dimensions of a set."""
        return sum(int(matrix.shape[1]) for matrix in self.matrices(name))

    def matrices(self, name: str) -> list[Matrix]:
        """The set's values, by stored part [shape=(n, dim) each]."""
        if name == WORDS:
            assert self.words is not None
            return [self.words.scores]
        return [self.index.array(part) for part in self.parts(name)]

    def whole(self, name: str) -> list[Matrix]:
        """As `matrices`, for reading all values: their pages leave the process's memory afterwards."""
        if name == WORDS:
            return self.matrices(name)
        return [storage.open_array(self.index.folder / f"{part}.npy") for part in self.parts(name)]

    def sample(self, name: str) -> NDArray[np.intp]:
        """Rows of the tracks over which a set's dimensions are correlated; all of a small library."""
        if name not in self._samples:
            n = len(self.index)
            count = min(SAMPLE, _SAMPLE_BYTES // (4 * self.size(name)))
            rows = (
                np.random.default_rng(0).choice(n, count, replace=False) if n > count else np.arange(n)
            )
            self._samples[name] = np.sort(rows)
        return self._samples[name]

    def parts(self, name: str) -> Sequence[str]:
        """The stored representations that an embedding consists of."""
        return [name] if name in self.index.stored else list(self.index.parts(name))

    def column(self, name: str, dimension: int) -> NDArray[np.float32]:
        """One dimension's value for every track [shape=(n,)]."""
        if name == WORDS:
            return np.array(self.matrices(name)[0][:, dimension], np.float32)
        return self.index.column(name, dimension)

    def of_track(self, name: str, row: int) -> NDArray[np.float32]:
        """A track's value in every dimension [shape=(dim,)]."""
        return np.concatenate([matrix[row] for matrix in self.matrices(name)]).astype(np.float32)

    def of_query(self, name: str, asked: Query) -> NDArray[np.float32]:
        """A query's value in every dimension [shape=(dim,)]; may run a network on a visitor's clip.

        Raises
        ------
        ModelError
            If the network that is needed is missing.
        """
        if asked.in_library and asked.row is not None:
            return self.of_track(name, asked.row)
        if name != WORDS:
            return np.concatenate([asked.embeddings[part] for part in self.parts(name)])
        assert self.words is not None
        found = library.of_clip(_clip(asked), self.models)
        return strengths.scores(found, self.words.usual, self.words.names)

    def moments(self, name: str, row: int) -> NDArray[np.float32] | None:
        """A track's values in its ten stretches of 3 s [shape=(10, dim)].

        None for a set whose values aren't means over stretches, or if the index doesn't have them.
        """
        if name == WORDS:
            found = over_time.of_track(self.index, row, self.models)
            return None if found is None else self._scores(found)
        stored = [
            track_arrays.moments(self.index, part) if _has_moments(part) else None
            for part in self.parts(name)
        ]
        return _joined([None if part is None else part[row] for part in stored])

    def moments_of_query(self, name: str, asked: Query) -> NDArray[np.float32] | None:
        """As `moments`, for a query.

        Raises
        ------
        ModelError
            If the network that is needed is missing.
        """
        if asked.in_library and asked.row is not None:
            return self.moments(name, asked.row)
        if name == WORDS:
            return self._scores(over_time.of_clip(_clip(asked), self.models))
        embeddings = asked.embeddings
        assert isinstance(embeddings, ClipEmbeddings)
        return _joined([embeddings.moments(part) for part in self.parts(name)])

    def _scores(self, found: strengths.Probabilities) -> NDArray[np.float32]:
        assert self.words is not None
        return strengths.scores(found, self.words.usual, self.words.names)

    @cached_property
    def _samples(self) -> dict[str, NDArray[np.intp]]:
        return {}

    @property
    def _present(self) -> list[str]:
        return [
            name
            for name in TITLES
            if (self.words is not None if name == WORDS else self._has_vectors(name))
        ]

    def _has_vectors(self, name: str) -> bool:
        stored = self.index.stored
        return name in stored or (name in self.index.names and self.index.has_vectors(name))


def word(dimension: int) -> vocabulary.Word:
    """The word of a dimension of `WORDS`."""
    return vocabulary.words()[dimension]


def start(moment: int) -> float:
    """The second of a 30 s clip at which one of its ten stretches begins."""
    return moment * stretches.SECONDS


def _clip(asked: Query) -> Clip:
    assert isinstance(asked.embeddings, ClipEmbeddings)
    return asked.embeddings.clip


def _has_moments(part: str) -> bool:
    return representations.get(part).moments is not None


def _joined(parts: Sequence[NDArray[np.floating] | None]) -> NDArray[np.float32] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return np.concatenate(known, axis=1).astype(np.float32)
