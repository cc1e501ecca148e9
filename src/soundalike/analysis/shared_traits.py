"""What two clips have in common, in one plain sentence of measured facts.

A clip has a few traits, quantities of `spectral_summary` that can be checked by ear, and its predicted
genres. Of a pair a trait is said only if it passes two rules, both of them read off the library itself:

- it is close: of random pairs of tracks at most a fifth (`CLOSE`) are as close in it;
- it is telling: at most a tenth (`TELLING`) of the library's tracks are as close to the query in it, so
  that sharing the commonest tempo, or a middling brightness, is not made much of.

Predicted genres are close where the likeliest is the same one, and telling by the chance that two genres
drawn as predicted agree. Some traits measure nearly the same thing; of such a family only the most
telling one is said, and of all of them at most `MOST`. What is not known of a clip is NaN, which passes
no rule.

Tempo is compared in octaves (log2). The estimate can be half or twice what a person taps, so that tempos
an octave apart, to within what is close, are a fact of their own, and said as what they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import receptive_fields
from soundalike.features import track_descriptors
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query

CLOSE = 0.20
"""Of random pairs, the share that may be as close."""
TELLING = 0.10
"""Of the library's tracks, the share that may be as close to the query."""
OUTER = 0.20
"""Both clips are "bright" if they are among this share of the library that is brightest."""
MOST = 3
"""Facts in a sentence."""
PULSE = 1.0
"""Onsets per second; where there are fewer, a tempo is a guess and is not said."""
PAIRS = 20_000

NOTHING = "No measured property stands out; what they share is harder to put into words."
UNMEASURED = "We have no measurements of what they share."


@dataclass(frozen=True)
class Trait:
    """A quantity that two clips can be close in.

    Attributes
    ----------
    family : of traits that measure nearly the same
    more, less : what both clips are if both are in the library's upper or lower fifth
    alike : what they are otherwise; "{:.0f}" stands for the mean of the two
    """

    family: str
    more: str = ""
    less: str = ""
    alike: str = ""


TRAITS = (
    Trait("tempo"),
    Trait(
        "pace",
        "are busy (about {:.0f} notes or beats a second)",
        "are sparse (about {:.0f} notes or beats a second)",
        "are equally busy (about {:.0f} notes or beats a second)",
    ),
    Trait("tone", "sound bright", "sound dark", "sound equally bright"),
    Trait("tone", "sound rough and noisy", "have a clear tone", "sound equally noisy"),
    Trait("tone", "are rich in bass", "are light on bass", "are equally rich in bass"),
    Trait("level", "vary a lot in level", "keep an even level", "vary equally in level"),
    Trait("attack", "have punchy attacks", "have soft attacks", "have similarly punchy attacks"),
    Trait("attack", "have restless bass", "have steady bass", "have similarly steady bass"),
)
"""In the order of `traits`. Loudness is not among them: it tells how a track was mastered."""
_TEMPO, _PACE = 0, 1
_OCTAVE, _GENRE = len(TRAITS), len(TRAITS) + 1
_FAMILIES = (*(trait.family for trait in TRAITS), "tempo", "genre")
"""Of each column of `_distances`, where two more follow the traits."""


@dataclass(frozen=True, eq=False)
class Traits:
    """What is compared of one clip or several.

    Attributes
    ----------
    values : in the order of `TRAITS`, NaN where not known [shape=(..., 8)]
    genres : predicted probabilities [shape=(..., genres)]
    """

    values: NDArray[np.float64]
    genres: NDArray[np.float64]

    def __getitem__(self, rows: int | NDArray[np.intp]) -> Traits:
        return Traits(self.values[rows], self.genres[rows])


@dataclass(frozen=True, eq=False)
class _Library:
    """An index's traits, and what counts as close, as little and as much in it."""

    tracks: Traits
    genres: list[str]
    close: NDArray[np.float64]
    less: NDArray[np.float64]
    more: NDArray[np.float64]


_libraries: WeakKeyDictionary[Index, _Library] = WeakKeyDictionary()


def sentence(index: Index, query: Query, row: int) -> str:
    """What a query and a track of the library have in common; `sentences` for one row."""
    return sentences(index, query, [row])[0]


def sentences(index: Index, query: Query, rows: Sequence[int]) -> list[str]:
    """What a query has in common with each of some tracks, a sentence each; no network runs.

    Parameters
    ----------
    index : the library; without `descriptors` only predicted genres can be said
    query : a track of the library, or a new clip, which takes 70 ms to measure the first time
    rows : of the tracks

    Returns
    -------
    `NOTHING` where no fact passes the rules, `UNMEASURED` where there was none to compare

    Raises
    ------
    IndexFolderError
        If the index's descriptors are damaged.
    """
    library = _library(index)
    asked = _of_query(index, query, library)
    apart = _distances(asked, library.tracks)
    found = apart[np.asarray(rows, np.intp)]
    telling = _shares(found, apart)
    passed = (found <= library.close) & (telling <= TELLING)
    said = []
    for place, row in enumerate(rows):
        order = np.argsort(telling[place], kind="stable")
        columns = [int(column) for column in order if passed[place, column]]
        facts = _facts(library, asked, library.tracks[row], columns)
        said.append(_said(facts) or (UNMEASURED if np.isnan(found[place, _TEMPO]) else NOTHING))
    return said


def traits(descriptors: NDArray[np.float32]) -> NDArray[np.float64]:
    """`spectral_summary`'s descriptors [shape=(n, 108)] as `TRAITS` [shape=(n, 8)].

    Tempo and brightness are in octaves; bass is the lowest band's level above the mean of all five.
    """
    _, values = track_descriptors.of_dimension(descriptors, None)
    _, uneven, bright, _, noisy, attack, pace, tempo = values.T
    by_cell = descriptors[:, len(track_descriptors.CLIP) :].astype(np.float64)
    level, change = (
        by_cell.reshape(-1, 2, receptive_fields.BANDS, receptive_fields.TIMES)
        .mean(axis=3)
        .swapaxes(0, 1)
    )
    bass = level[:, -1] - level.mean(axis=1)
    return np.column_stack([tempo, pace, bright, noisy, bass, uneven, attack, change[:, -1]])


def _library(index: Index) -> _Library:
    if index not in _libraries:
        _libraries[index] = _read(index)
    return _libraries[index]


def _read(index: Index) -> _Library:
    n = len(index)
    descriptors = track_descriptors.load(index)
    values = np.full((n, len(TRAITS)), np.nan) if descriptors is None else traits(descriptors)
    genres = index.array("genre_probabilities") if index.genres else np.zeros((n, 0))
    tracks = Traits(values, np.asarray(genres, np.float64))
    random = np.random.default_rng(0)
    one: NDArray[np.intp] = random.integers(n, size=PAIRS, dtype=np.intp)
    other = (one + random.integers(1, max(n, 2), size=PAIRS)) % n
    close = np.quantile(_distances(tracks[one], tracks[other]), CLOSE, axis=0)
    # Few pairs are an octave apart by chance, so that a fifth of all pairs would reach far beyond it.
    close[_OCTAVE] = close[_TEMPO]
    close[_GENRE] = 0.0
    less, more = np.quantile(values, [OUTER, 1 - OUTER], axis=0)
    return _Library(tracks, index.genres, close, less, more)


def _of_query(index: Index, query: Query, library: _Library) -> Traits:
    genres = np.array([query.genres.get(genre, 0.0) for genre in library.genres])
    if isinstance(query.embeddings, ClipEmbeddings) and track_descriptors.load(index) is not None:
        return Traits(traits(query.embeddings.descriptors[np.newaxis])[0], genres)
    if query.row is not None:
        return Traits(library.tracks.values[query.row], genres)
    return Traits(np.full(len(TRAITS), np.nan), genres)


def _distances(one: Traits, other: Traits) -> NDArray[np.float64]:
    """How far apart clips are in each trait, from an octave in tempo, and in genre [shape=(..., 10)].

    In genre it is below zero: the chance, negated, that genres drawn as predicted are the same.
    """
    apart = np.abs(other.values - one.values)
    octave = np.abs(apart[..., _TEMPO] - 1)
    genre = -(other.genres * one.genres).sum(axis=-1)
    return np.concatenate([apart, octave[..., np.newaxis], genre[..., np.newaxis]], axis=-1)


def _shares(found: NDArray[np.float64], apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of all tracks (`apart`) that are no farther from the query than those found."""
    ranked = np.sort(apart, axis=0)
    counts = [
        np.searchsorted(ranked[:, column], found[:, column], side="right")
        for column in range(apart.shape[1])
    ]
    return np.stack(counts, axis=1) / len(apart)


def _facts(library: _Library, asked: Traits, track: Traits, columns: Sequence[int]) -> dict[str, str]:
    """The first few that have words, by family."""
    facts: dict[str, str] = {}
    for column in columns:
        if _FAMILIES[column] in facts or len(facts) == MOST:
            continue
        if words := _words(library, asked, track, column):
            facts[_FAMILIES[column]] = words
    return facts


def _words(library: _Library, asked: Traits, track: Traits, column: int) -> str:
    """What two clips are or have that are close in a column; "" where it cannot be said after all."""
    if column == _GENRE:
        one, other = int(np.argmax(asked.genres)), int(np.argmax(track.genres))
        return f"lean towards {library.genres[one]}" if one == other else ""
    if column in (_TEMPO, _OCTAVE):
        return _tempo(asked.values, track.values, column == _OCTAVE)
    pair = asked.values[column], track.values[column]
    trait = TRAITS[column]
    if min(pair) >= library.more[column]:
        words = trait.more
    elif max(pair) <= library.less[column]:
        words = trait.less
    else:
        words = trait.alike
    return words.format(sum(pair) / 2)


def _tempo(one: NDArray[np.float64], other: NDArray[np.float64], octave: bool) -> str:
    if min(one[_PACE], other[_PACE]) < PULSE:
        return ""
    slow, fast = sorted(2.0 ** np.array([one[_TEMPO], other[_TEMPO]]))
    if octave:
        return f"run at about {slow:.0f} and {fast:.0f} BPM, one about twice as fast as the other"
    same = f"share a tempo of about {(slow + fast) / 2:.0f} BPM"
    return same if slow == fast else f"{same} (within {math.ceil(fast - slow)})"


def _said(facts: Mapping[str, str]) -> str:
    """One sentence, or "" where there are no facts."""
    clauses = []
    if are := [words for family, words in facts.items() if family != "tempo"]:
        clauses.append(f"{_listed(are)}")
    if "tempo" in facts:
        clauses.append(f"{facts['tempo']}")
    return f"Both {', and '.join(clauses)}." if clauses else ""


def _listed(words: Sequence[str]) -> str:
    """The words as "a", "a and b", or "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
