"""How strongly each word applies to a clip, from the outputs of the tagger and YAMNet.

For a class c with probability p_c, averaged over the clip, the evidence is

    log p_c - 0.7 u_c,    u_c = mean of log p_c over the library.

The second term makes classes comparable: "rock" is likely for nearly everything, "theremin" for nothing.
A factor of 1 would only say how unusual a clip is in its library, and a library of rock would contain no
rock; 0 would say "Music" of everything. A word's evidence in a network is the largest of its classes'.
Its score is the mean over the networks that know it. Nothing is trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models import stretches, tagger, yamnet
from soundalike.words import vocabulary

ADJUSTMENT = 0.7
"""Share of a class's usual log-probability that is subtracted."""
LEAST_TAG, LEAST_CLASS = 0.08, 0.01
"""Smallest mean probabilities over a clip that count as evidence. YAMNet's are small for rare ones."""
LIKELY = 0.5
"""Smallest probability with which a network is rather for than against a word."""
FLOOR = 1e-4
"""Smallest probability that is told from 0."""


@dataclass(frozen=True)
class Probabilities:
    """Mean probabilities over a clip, of one clip or several.

    Attributes
    ----------
    tags : of the tagger's 50 tags [shape=(..., 50), range 0 to 1]
    classes : of YAMNet's 521 classes [shape=(..., 521), range 0 to 1]
    """

    tags: NDArray[np.float32]
    classes: NDArray[np.float32]

    def logs(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Natural logarithms of both, at least log(`FLOOR`)."""
        tags, classes = (
            np.log(np.maximum(p, FLOOR), dtype=np.float32) for p in (self.tags, self.classes)
        )
        return tags, classes


@dataclass(frozen=True)
class Usual:
    """Mean log-probability of each tag [shape=(50,)] and class [shape=(521,)] over a library."""

    tags: NDArray[np.float32]
    classes: NDArray[np.float32]


def from_embeddings(tags: NDArray[np.floating], classes: NDArray[np.floating]) -> Probabilities:
    """Probabilities from `musicnn_tags` (sums over ten stretches) and unscaled `yamnet_classes`."""
    return Probabilities(np.asarray(tags / stretches.COUNT, np.float32), np.asarray(classes, np.float32))


def scores(clips: Probabilities, of: Usual, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Score of each word for each clip [shape=(..., words)].

    Parameters
    ----------
    clips : probabilities of one clip or several
    of : the library's mean log-probabilities
    names : names of YAMNet's classes, in the order of its outputs
    """
    tags, classes = evidence(clips, of, names)
    return np.asarray(np.nanmean(np.stack([tags, classes]), axis=0), np.float32)


def evidence(
    clips: Probabilities, of: Usual, names: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Evidence for each word in the tagger and in YAMNet; NaN if unknown there [shape=(..., words)]."""
    tags, classes = clips.logs()
    return (
        _largest(tags - ADJUSTMENT * of.tags, _outputs(names)[0]),
        _largest(classes - ADJUSTMENT * of.classes, _outputs(names)[1]),
    )


def is_clear(clips: Probabilities, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether a network gives each word a probability that counts as evidence [shape=(..., words)]."""
    return _reaches(clips, names, LEAST_TAG, LEAST_CLASS)


def is_likely(clips: Probabilities, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether a network finds each word more likely than not [shape=(..., words)]."""
    return _reaches(clips, names, LIKELY, LIKELY)


def _reaches(
    clips: Probabilities, names: tuple[str, ...], tag: float, sound: float
) -> NDArray[np.bool_]:
    """Whether a tag or a class of each word has at least this probability [shape=(..., words)]."""
    tags, classes = _outputs(names)
    return np.asarray((_largest(clips.tags, tags) >= tag) | (_largest(clips.classes, classes) >= sound))


def _largest(values: NDArray[np.float32], outputs: _Outputs) -> NDArray[np.float32]:
    """The largest value among each word's outputs [shape=(..., words)]; NaN if it has none."""
    found = np.full((*values.shape[:-1], outputs.words), np.nan, np.float32)
    found[..., outputs.known] = np.maximum.reduceat(values[..., outputs.places], outputs.starts, axis=-1)
    return found


@dataclass(frozen=True, eq=False)
class _Outputs:
    """Positions of each word's tags or classes among a network's outputs.

    Attributes
    ----------
    words : number of words
    known : the words that have any
    places : positions for the first of these, then for the next [shape=(n,)]
    starts : where each of these words begins in `places`
    """

    words: int
    known: NDArray[np.intp]
    places: NDArray[np.intp]
    starts: NDArray[np.intp]


def _grouped(chosen: list[list[int]]) -> _Outputs:
    known = [word for word, places in enumerate(chosen) if places]
    counts = [len(chosen[word]) for word in known]
    places = [place for word in known for place in chosen[word]]
    starts = np.cumsum([0, *counts[:-1]])
    return _Outputs(len(chosen), np.array(known, np.intp), np.array(places, np.intp), starts)


@lru_cache(maxsize=2)
def _outputs(names: tuple[str, ...]) -> tuple[_Outputs, _Outputs]:
    """Those of the two networks."""
    words = vocabulary.words()
    return (
        _grouped([[tagger.TAGS.index(tag) for tag in word.tags] for word in words]),
        _grouped([[names.index(name) for name in word.classes] for word in words]),
    )


@lru_cache(maxsize=2)
def class_names(weights: Path) -> tuple[str, ...]:
    """Names of YAMNet's classes, from the table beside its weights (`yamnet.class_names`)."""
    return tuple(yamnet.class_names(weights))
