"""Names of dimensions: the words and measured properties that go with them, checked on held-out tracks.

The library is divided into two halves with no artist in both. On one half a dimension is correlated with
the score of every word and with every descriptor, and the strongest are chosen. A name is shown only if
its correlation holds on the other half. "High for" names the tracks with high values, "low for" the ones
with low values.

The words are the output of the two networks that tag sound, so they say more of those networks'
dimensions than of others'. The descriptors are measured from the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.features import track_descriptors
from soundalike.words import vocabulary

LEAST = 0.3
"""Minimum correlation, both where a name is chosen and where it is checked."""
ERRORS = 2.576
"""Minimum correlation in standard errors (a 99 % interval), with one observation per artist."""
MOST = 2
"""Maximum number of names for high values, and for low ones."""
ALIKE = 0.7
"""Names that correlate this strongly with each other say the same."""
_SEED = 0


@dataclass(frozen=True, eq=False)
class Properties:
    """What dimensions can be named after: words and descriptors of the same tracks.

    Attributes
    ----------
    names : of the tracks with high values
    values : [shape=(n, k)]; NaN where unknown. A descriptor has two columns, one for its high values and
        one for its low ones.
    are_words : which of them are words [shape=(k,)]
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    are_words: NDArray[np.bool_]


@dataclass(frozen=True)
class Name:
    """A property that goes with a dimension.

    Attributes
    ----------
    text : the word, or an adjective for the descriptor
    is_high : whether it goes with high values of the dimension
    chosen : correlation on the half of the library where it was chosen
    held_out : correlation on the other half
    """

    text: str
    is_high: bool
    chosen: float
    held_out: float

    @property
    def holds(self) -> bool:
        """Whether the other half confirms it."""
        return abs(self.held_out) >= LEAST and self.held_out * self.chosen > 0


def properties(
    scores: NDArray[np.floating] | None,
    descriptors: NDArray[np.float32] | None,
    cell: tuple[int, int] | None = None,
) -> Properties | None:
    """The properties of a library's tracks; None if there are none.

    Parameters
    ----------
    scores : score of each word [shape=(n, words)], or None
    descriptors : of the tracks [shape=(n, 108)], or None
    cell : band and time of a dimension that covers one cell of the picture only
    """
    names: list[str] = []
    columns = []
    if scores is not None:
        known = [place for place, word in enumerate(vocabulary.words()) if word.kind != "other"]
        names += [vocabulary.words()[place].name for place in known]
        columns.append(np.asarray(scores[:, known], np.float64))
    n_words = len(names)
    if descriptors is not None:
        described, measured = track_descriptors.of_dimension(descriptors, cell)
        names += [descriptor.more for descriptor in described]
        names += [descriptor.less for descriptor in described]
        columns += [measured, -measured]
    if not columns:
        return None
    return Properties(tuple(names), np.concatenate(columns, axis=1), np.arange(len(names)) < n_words)


def halves(artists: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of two halves of a library with no artist in both; always the same for the same artists.

    A track without an artist counts as an artist's only one.
    """
    named = np.array([artist or f"\0{row}" for row, artist in enumerate(artists)])
    different, of_row, sizes = np.unique(named, return_inverse=True, return_counts=True)
    order = np.random.default_rng(_SEED).permutation(len(different))
    ends = np.cumsum(sizes[order])
    in_first = np.zeros(len(different), bool)
    in_first[order[ends <= len(named) // 2]] = True
    chosen = in_first[of_row]
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def find(
    values: NDArray[np.floating], known: Properties, artists: Sequence[str]
) -> tuple[tuple[Name, ...], ...]:
    """The names chosen for each of some dimensions, strongest first, those that don't hold among them.

    Parameters
    ----------
    values : of the dimensions [shape=(n, d)]
    known : properties of the same tracks
    artists : of the same tracks
    """
    first, second = halves(artists)
    chosen = correlations(values[first], known.values[first])
    held_out = correlations(values[second], known.values[second])
    independent = len({artists[row] or row for row in first})
    between = correlations(known.values[first], known.values[first])
    least = max(LEAST, float(np.tanh(ERRORS / np.sqrt(max(independent - 3, 1)))))
    return tuple(
        tuple(
            Name(known.names[place], is_high, float(on_first[place]), float(on_second[place]))
            for is_high, strengths in (
                (True, on_first),
                # The opposite of a descriptor is among the names for high values.
                (False, np.where(known.are_words, -on_first, 0.0)),
            )
            for place in _strongest(strengths, between, least)
        )
        for on_first, on_second in zip(chosen, held_out, strict=True)
    )


def _strongest(strengths: NDArray[np.float64], between: NDArray[np.float64], least: float) -> list[int]:
    """Places of the strongest properties that are strong enough and don't say the same."""
    kept: list[int] = []
    for place in np.argsort(-strengths, kind="stable"):
        if len(kept) == MOST or strengths[place] < least:
            break
        if all(abs(between[place, other]) < ALIKE for other in kept):
            kept.append(int(place))
    return kept


def label(names: Sequence[Name]) -> str:
    """The names that hold, as "High: piano and calm. Low: metal."; "" if there are none."""
    high = [name.text for name in names if name.holds and name.is_high]
    low = [name.text for name in names if name.holds and not name.is_high]
    poles = (("High", high), ("Low", low))
    return " ".join(f"{pole}: {' and '.join(texts)}." for pole, texts in poles if texts)


def correlations(values: NDArray[np.floating], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of each dimension with each property [shape=(d, k)]; 0 if one is constant.

    Unknown values of a property count as its mean.
    """
    a = _standardised(np.asarray(values, np.float64))
    b = _standardised(known)
    return np.asarray(np.clip(a.T @ b / max(len(a), 1), -1.0, 1.0))


def _standardised(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(columns):
        return columns
    filled = np.where(np.isfinite(columns), columns, np.nan)
    counts = np.isfinite(filled).sum(axis=0)
    mean = np.where(counts > 0, np.nansum(filled, axis=0) / np.maximum(counts, 1), 0.0)
    centred = np.where(np.isfinite(filled), filled - mean, 0.0)
    deviation = np.sqrt(np.square(centred).mean(axis=0))
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)
    return np.asarray(scaled)
