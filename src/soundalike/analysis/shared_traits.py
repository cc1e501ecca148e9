"""Shared traits of two clips, in one plain sentence based on measurements.

A clip has a few traits (quantities of `track_descriptors` that can be checked by ear) and its predicted
genres. A trait of a pair is mentioned only if it passes two rules, both relative to the library:

- it is close: at most a fifth (`CLOSE`) of random pairs of tracks are as close in it;
- it is telling: at most a tenth (`TELLING`) of the library's tracks are as close to the query in it.
  This avoids remarks on sharing the commonest tempo or an average brightness.

The wording of a trait follows from the query alone, so that the reasons in one list never contradict
each other. If the query is among the library's fifth with the highest or lowest values (`OUTER`), the
trait is named, as in "bright", and the other track has to be in the same half of the library. Otherwise
the wording says only that the two are similar.

Predicted genres are close if the most likely genre is the same. They are telling by the probability that
two genres drawn from the predictions agree. Some traits measure nearly the same thing; of traits that
share a family only the most telling is mentioned, and at most `MOST` in all. Unknown values are NaN,
which passes no rule.

Tempo is compared in octaves (log2). The estimate can be half or twice the perceived tempo. Tempos that
are an octave apart, to within the limit for close, are therefore a trait of their own, with its own
wording.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import receptive_fields
from soundalike.features import track_descriptors
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query

CLOSE = 0.20
"""Maximum share of random pairs that are as close."""
TELLING = 0.10
"""Maximum share of the library's tracks that are as close to the query."""
OUTER = 0.20
"""A query is "bright" if it is in this brightest share of the library."""
MOST = 3
"""Maximum number of facts in a sentence."""
PULSE = 1.0
"""Minimum onsets per second; below, the tempo estimate is unreliable and isn't mentioned."""
PAIRS = 20_000
_ROUNDING = 1e-9
"""Distances that differ by less are equal."""

NOTHING = "No measured property stands out; what they share is harder to put into words."
UNMEASURED = "We have no measurements of what they share."


@dataclass(frozen=True)
class Trait:
    """A quantity in which two clips can be close.

    Attributes
    ----------
    families : groups of traits that measure nearly the same, or would seem to contradict each other
    more, less : wording if the query is in the library's upper or lower fifth
    alike : wording otherwise; "{:.1f}" is replaced by the mean of the two
    """

    families: tuple[str, ...]
    more: str = ""
    less: str = ""
    alike: str = ""


TRAITS = (
    Trait(("tempo",)),
    Trait(
        ("pace",),
        "are busy (about {:.1f} notes or beats a second)",
        "are sparse (about {:.1f} notes or beats a second)",
        "play about {:.1f} notes or beats a second",
    ),
    Trait(("tone",), "sound bright", "sound dark", "are similar in brightness"),
    Trait(("tone",), "sound rough and noisy", "have a clear tone", "have a similar texture"),
    Trait(("tone", "bass"), "are rich in bass", "are light on bass", "have a similar amount of bass"),
    Trait(("level",), "vary a lot in level", "keep an even level", "vary similarly in level"),
    Trait(("attack",), "have punchy attacks", "have soft attacks", "have similar attacks"),
    Trait(("attack", "bass"), "have restless bass", "have steady bass", "have similarly moving bass"),
)
"""In the order of `traits`. Loudness is left out: it reflects how a track was mastered."""
_TEMPO, _PACE = 0, 1
_OCTAVE, _GENRE = len(TRAITS), len(TRAITS) + 1
_FAMILIES = (*(trait.families for trait in TRAITS), ("tempo",), ("genre",))
"""Families of each column of `_distances`, which has two more columns after the traits."""


@dataclass(frozen=True, eq=False)
class Traits:
    """Traits of one clip or several.

    Attributes
    ----------
    values : in the order of `TRAITS`, NaN if unknown [shape=(..., 8)]
    genres : predicted probabilities [shape=(..., genres)]
    """

    values: NDArray[np.float64]
    genres: NDArray[np.float64]

    def __getitem__(self, rows: int | NDArray[np.intp]) -> Traits:
        return Traits(self.values[rows], self.genres[rows])


@dataclass(frozen=True, eq=False)
class _Library:
    """An index's traits, and its thresholds for close, low, middle and high values."""

    tracks: Traits
    genres: list[str]
    close: NDArray[np.float64]
    less: NDArray[np.float64]
    middle: NDArray[np.float64]
    more: NDArray[np.float64]

    @cached_property
    def ordered(self) -> NDArray[np.float64]:
        """Each trait's values in ascending order, unknown ones last [shape=(8, n)]."""
        return np.sort(self.tracks.values.T, axis=1)


_libraries: WeakKeyDictionary[Index, _Library] = WeakKeyDictionary()


def sentence(index: Index, query: Query, row: int) -> str:
    """Describe what a query and one library track have in common; see `sentences`."""
    return sentences(index, query, [row])[0]


def sentences(index: Index, query: Query, rows: Sequence[int]) -> list[str]:
    """Describe what a query has in common with each track, a sentence each; no network runs.

    Parameters
    ----------
    index : the library; without `descriptors`, only predicted genres can be mentioned
    query : a track of the library, or a new clip, which takes 70 ms to measure the first time
    rows : rows of the tracks

    Returns
    -------
    `NOTHING` if no fact passes the rules, `UNMEASURED` if there was none to compare

    Raises
    ------
    IndexFolderError
        If the index's descriptors are damaged.
    """
    library = _library(index)
    asked = _of_query(index, query, library)
    found = _distances(asked, library.tracks[np.asarray(rows, np.intp)])
    telling = _shares(library, asked, found)
    passed = (found <= library.close) & (telling <= TELLING)
    said = []
    for place, row in enumerate(rows):
        order = np.argsort(telling[place], kind="stable")
        columns = [int(column) for column in order if passed[place, column]]
        facts = _facts(library, asked, library.tracks[row], columns)
        unmeasured = np.isnan(found[place, : len(TRAITS)]).all()
        said.append(_sentence(facts) or (UNMEASURED if unmeasured else NOTHING))
    return said


def traits(descriptors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Convert descriptors of `track_descriptors` [shape=(n, 108)] to `TRAITS` [shape=(n, 8)].

    Tempo and brightness are in octaves. Bass is the lowest band's level above the mean of all five.
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
    descriptors = track_arrays.descriptors(index)
    values = np.full((n, len(TRAITS)), np.nan) if descriptors is None else traits(descriptors)
    genres = index.array("genre_probabilities") if index.genres else np.zeros((n, 0))
    tracks = Traits(values, np.asarray(genres, np.float64))
    random = np.random.default_rng(0)
    one: NDArray[np.intp] = random.integers(n, size=PAIRS, dtype=np.intp)
    other = (one + random.integers(1, max(n, 2), size=PAIRS)) % n
    close = np.quantile(_distances(tracks[one], tracks[other]), CLOSE, axis=0)
    # Few pairs are an octave apart by chance, so a fifth of all pairs would be far too lenient.
    close[_OCTAVE] = close[_TEMPO]
    close[_GENRE] = 0.0
    less, middle, more = np.quantile(values, [OUTER, 0.5, 1 - OUTER], axis=0)
    return _Library(tracks, index.genres, close, less, middle, more)


def _of_query(index: Index, query: Query, library: _Library) -> Traits:
    genres = np.array([query.genres.get(genre, 0.0) for genre in library.genres])
    if isinstance(query.embeddings, ClipEmbeddings) and track_arrays.descriptors(index) is not None:
        return Traits(traits(query.embeddings.descriptors[np.newaxis])[0], genres)
    if query.row is not None:
        return Traits(library.tracks.values[query.row], genres)
    return Traits(np.full(len(TRAITS), np.nan), genres)


def _distances(one: Traits, other: Traits) -> NDArray[np.float64]:
    """Distances in each trait, from an octave in tempo, and in genre [shape=(..., 10)].

    The genre distance is negative: minus the probability that genres drawn from the predictions agree.
    """
    apart = np.abs(other.values - one.values)
    octave = np.abs(apart[..., _TEMPO] - 1)
    genre = -(other.genres * one.genres).sum(axis=-1)
    return np.concatenate([apart, octave[..., np.newaxis], genre[..., np.newaxis]], axis=-1)


def _shares(library: _Library, asked: Traits, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of all tracks that are no farther from the query than those found [shape=(m, 10)]."""
    counts = np.empty(found.shape)
    for column, ordered in enumerate(library.ordered):
        counts[:, column] = _within(ordered, asked.values[column], found[:, column])
    tempos, tempo, apart = library.ordered[_TEMPO], asked.values[_TEMPO], found[:, _OCTAVE]
    octave = sum(_within(tempos, tempo + step, apart) for step in (-1.0, 1.0))
    # Where the distance is over an octave, the two ranges overlap.
    counts[:, _OCTAVE] = octave - _within(tempos, tempo, apart - 1)
    genre = -(library.tracks.genres @ asked.genres)
    counts[:, _GENRE] = [np.count_nonzero(genre <= most + _ROUNDING) for most in found[:, _GENRE]]
    return np.where(np.isnan(found), 1.0, counts / len(genre))


def _within(ordered: NDArray[np.float64], centre: float, reach: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of values within some distances of a centre; none for a distance below 0."""
    last = np.searchsorted(ordered, centre + reach + _ROUNDING, side="right")
    first = np.searchsorted(ordered, centre - reach - _ROUNDING)
    return np.asarray(np.where(reach >= 0, last - first, 0))


def _facts(library: _Library, asked: Traits, track: Traits, columns: Sequence[int]) -> dict[str, str]:
    """The first few facts that have a wording, by their first family."""
    facts: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        families = _FAMILIES[column]
        if taken & set(families) or len(facts) == MOST:
            continue
        if words := _words(library, asked, track, column):
            facts[families[0]] = words
            taken |= set(families)
    return facts


def _words(library: _Library, asked: Traits, track: Traits, column: int) -> str:
    """Wording for two clips that are close in a column; "" if there is none after all."""
    if column == _GENRE:
        one, other = int(np.argmax(asked.genres)), int(np.argmax(track.genres))
        return f"lean towards {library.genres[one]}" if one == other else ""
    if column in (_TEMPO, _OCTAVE):
        return _tempo(asked.values, track.values, column == _OCTAVE)
    own, found = float(asked.values[column]), float(track.values[column])
    trait = TRAITS[column]
    words = trait.alike
    if own >= library.more[column]:
        words = trait.more if found >= library.middle[column] else ""
    elif own <= library.less[column]:
        words = trait.less if found <= library.middle[column] else ""
    return words.format((own + found) / 2)


def _tempo(one: NDArray[np.float64], other: NDArray[np.float64], octave: bool) -> str:
    if min(one[_PACE], other[_PACE]) < PULSE:
        return ""
    slow, fast = sorted(2.0 ** np.array([one[_TEMPO], other[_TEMPO]]))
    if octave:
        return f"run at about {slow:.0f} and {fast:.0f} BPM, one about twice as fast as the other"
    same = f"share a tempo of about {(slow + fast) / 2:.0f} BPM"
    return same if slow == fast else f"{same} (within {math.ceil(fast - slow)})"


def _sentence(facts: Mapping[str, str]) -> str:
    """One sentence, or "" without facts."""
    clauses = []
    if are := [words for family, words in facts.items() if family != "tempo"]:
        clauses.append(f"{_listed(are)}")
    if "tempo" in facts:
        clauses.append(f"{facts['tempo']}")
    return f"Both {', and '.join(clauses)}." if clauses else ""


def _listed(words: Sequence[str]) -> str:
    """Join words as "a", "a and b", or "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
