"""Filtering a library by words, ranges, keys and genres, as in "voice, 100 to 130 BPM, over 2 minutes".

A search ranks all tracks (`search`). A filter keeps those that meet every condition:

- A word, such as "piano": a network gives it a probability that counts as evidence, and its score is
  positive, as `naming` requires, or a network finds it more likely than not. A track with another word
  for voices has "singing".
- "No piano": no network gives the word such a probability, and the track is below `search.CLEAR` of the
  library. So a track in between is neither with nor without piano.
- A word for a measured quantity, such as "fast": the track is above `search.CLEAR` of the library; "not
  fast": below 1 - `search.CLEAR`.
- A tempo: within `TEMPO_TOLERANCE`. Ranges of tempo and length include their ends.
- A key, or one of several; a genre of the library's table, or one of several.

What is unknown of a track doesn't meet a condition. `gaps` says what the whole index has no data on.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import clock
from soundalike.errors import ModelError
from soundalike.features.key import Key
from soundalike.index import text_search, track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.representations import metadata
from soundalike.words import description, library, measures, naming, ranges, search, vocabulary
from soundalike.words.description import Description, Term
from soundalike.words.library import LibraryWords
from soundalike.words.ranges import ANY, Span

TEMPO_TOLERANCE = 0.04
"""Relative difference up to which two tempos count as the same (Gouyon et al., 2006)."""
VOICE = "singing"
VOICES = (VOICE, "female voice", "male voice", "choir", "rapping", "child singing")
"""Words that mean that somebody sings or raps."""
MODES = ("major", "minor")
NOTHING = Description(())
LENGTH = "length"

Kept = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True)
class Filter:
    """Conditions that a track has to meet.

    Attributes
    ----------
    terms : words and measured properties, each wanted or not
    tempo : range in BPM
    length : range in seconds
    keys : tonics and modes of which one is wanted; None for any
    genres : genres of the library's table of which one is wanted; None for any
    understood : the rest of the text, with the words that aren't known
    """

    terms: tuple[Term, ...] = ()
    tempo: Span = ANY
    length: Span = ANY
    keys: tuple[Key, ...] | None = None
    genres: tuple[str, ...] | None = None
    understood: Description = NOTHING

    @property
    def is_empty(self) -> bool:
        """Whether every track meets it."""
        return not self.labels

    @property
    def labels(self) -> tuple[str, ...]:
        """Each condition as it is shown: "no singing", "100 to 130 BPM"."""
        found = [term.label for term in self.terms]
        if self.tempo != ANY:
            found.append(f"{self.tempo.described(lambda bpm: f'{bpm:.0f}')} BPM")
        if self.length != ANY:
            found.append(f"{self.length.described(clock)} long")
        if self.keys is not None:
            names = [measures.key_name(*key) for key in self.keys]
            found.append(" or ".join(names) or "no common key")
        if self.genres is not None:
            found.append(f"genre {' or '.join(self.genres)}" if self.genres else "no common genre")
        return tuple(found)

    def __and__(self, other: Filter) -> Filter:
        """The conditions of both; `understood` is the first one's."""
        return Filter(
            tuple(dict.fromkeys([*self.terms, *other.terms])),
            self.tempo & other.tempo,
            self.length & other.length,
            _common(self.keys, other.keys, lambda key: key),
            _common(self.genres, other.genres, text_search.folded),
            self.understood,
        )


def read(text: str) -> Filter:
    """Read a filter of any length and content.

    Conditions can be words (`description.read`), ranges ("100 to 130 BPM", "under 90 bpm", "longer than
    1:30"), keys ("C minor") and, with a colon, genres of the library's table ("genre: Rock or Metal").
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    rest, genres = _take_genres(plain[: description.LONGEST_TEXT])
    rest, tempo = ranges.take_tempos(rest)
    rest, length = ranges.take_lengths(rest)
    understood = description.read(rest)
    terms: list[Term] = []
    keys: list[Key] = []
    for term in understood.terms:
        key, bpm = description.key_of(term.name), description.tempo_of(term.name)
        if key is not None and key[1] is not None and term.wanted:
            keys.append((key[0], key[1]))
        elif bpm is not None and term.wanted:
            tempo &= Span(bpm * (1 - TEMPO_TOLERANCE), bpm * (1 + TEMPO_TOLERANCE))
        else:
            terms.append(term)
    understood = replace(understood, cut=len(plain) > description.LONGEST_TEXT)
    return Filter(tuple(terms), tempo, length, tuple(keys) or None, genres, understood)


def keep(index: Index, models: ModelStore, wanted: Filter) -> Kept:
    """Which tracks of a library meet a filter [shape=(n,)].

    Parameters
    ----------
    index : the library
    models : the networks; only the table of YAMNet's classes is read
    wanted : the conditions
    """
    kept = np.ones(len(index), bool)
    for _, met in _conditions(index, models, wanted):
        kept &= False if met is None else met
    return kept


def apply(index: Index, models: ModelStore, wanted: Filter) -> tuple[Kept, list[str]]:
    """The tracks that meet a filter, as `keep`, and what to say; why, if none is left."""
    kept = keep(index, models, wanted)
    return kept, [*notes(wanted, kept), *(gaps(index, models, wanted) if not kept.any() else [])]


def gaps(index: Index, models: ModelStore, wanted: Filter) -> list[str]:
    """What no track can meet, because the library lacks the data or the genre, in sentences."""
    missing = [name for name, met in _conditions(index, models, wanted) if met is None]
    sentences = []
    if LENGTH in missing:
        missing.remove(LENGTH)
        sentences.append(
            "This library's table doesn't say how long its tracks are. Add a column track_duration_s "
            "with seconds, and build the index again."
        )
    if missing:
        sentences.append(search.no_data(missing))
    unknown = [name for name in wanted.genres or () if not _of_genres(index, [name]).any()]
    if unknown:
        sentences.append(f"No track has the genre {' or '.join(f'“{name}”' for name in unknown)}.")
    return sentences


def notes(wanted: Filter, kept: Kept) -> list[str]:
    """What was understood, and how many tracks are kept, in sentences.

    Parameters
    ----------
    wanted : the conditions
    kept : from `keep` [shape=(n,)]
    """
    sentences = description.notes(wanted.understood)
    if wanted.is_empty:
        return sentences
    labels = ", ".join(wanted.labels)
    if kept.any():
        count = int(kept.sum())
        return [*sentences, f"Filter: {count:,} of {len(kept):,} tracks meet this: {labels}."]
    return [
        *sentences,
        f"No track meets your filter: {labels}. Widen a range or leave out a condition.",
    ]


def tempos(index: Index) -> NDArray[np.float64] | None:
    """Tempo of each track in BPM [shape=(n,)]; None if the index has none."""
    return measures.quantity(index, measures.TEMPO)


def lengths(index: Index) -> NDArray[np.float64] | None:
    """Length of each track in seconds, where the library's table has it [shape=(n,)]; None without."""
    names = [name for name in metadata.NUMERIC["duration"] if name in index.table]
    if not names:
        return None
    values = np.array([_number(value) for value in index.table[names[0]]])
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _number(value: object) -> float:
    text = str(value)
    try:
        return float(text) if text.isascii() and "_" not in text else np.nan
    except ValueError:
        return np.nan


def _conditions(index: Index, models: ModelStore, wanted: Filter) -> Iterator[tuple[str, Kept | None]]:
    """What each condition is about, and which tracks meet it; None if the index has no data on it."""
    words = _words(index, models) if wanted.terms else None
    for term in wanted.terms:
        yield term.name, _meets(index, words, term)
    if wanted.tempo != ANY:
        yield measures.TEMPO, _within(tempos(index), wanted.tempo)
    if wanted.length != ANY:
        yield LENGTH, _within(lengths(index), wanted.length)
    if wanted.keys is not None:
        yield "key", _in_keys(index, wanted.keys)
    if wanted.genres is not None:
        yield "genre", _of_genres(index, wanted.genres)


def _meets(index: Index, words: LibraryWords | None, term: Term) -> Kept | None:
    """Which tracks clearly have a property, or clearly lack an unwanted one."""
    if term.name in vocabulary.positions():
        judged = None if words is None else has_word(words, term.name)
    else:
        judged = _measured(index, term.name)
    return None if judged is None else judged[0 if term.wanted else 1]


def has_word(words: LibraryWords, name: str) -> tuple[Kept, Kept]:
    """Which tracks have a word, and which lack it [shape=(n,) each]."""
    place = vocabulary.positions()[name]
    places = [vocabulary.positions()[other] for other in (VOICES if name == VOICE else (name,))]
    clear = words.clear[:, places]
    fitting = (words.scores[:, places] >= naming.LEAST_SCORE) | words.likely[:, places]
    lacking = search.shares_of(words.scores[:, place]) < search.CLEAR
    return np.any(clear & fitting, axis=1), np.asarray(lacking & ~np.any(clear, axis=1))


def _measured(index: Index, name: str) -> tuple[Kept, Kept] | None:
    """Which tracks clearly have a measured property, and which clearly lack it."""
    values = search.values_of(index, None, name)
    if values is None:
        return None
    if description.tempo_of(name) is not None:
        near = values >= -math.log2(1 + TEMPO_TOLERANCE)
        return near, np.isfinite(values) & ~near
    if description.key_of(name) is not None or name in MODES:
        return values == 1, values == 0
    shares = search.shares_of(values)
    return shares >= search.CLEAR, shares <= 1 - search.CLEAR


def _words(index: Index, models: ModelStore) -> LibraryWords | None:
    with suppress(ModelError):
        return library.of(index, models)
    return None


def _take_genres(text: str) -> tuple[str, tuple[str, ...] | None]:
    """Take the genres after "genre:" out of a text: what is left, and the genres."""
    pattern = r"(?<!\w)genres?\s*:\s*([^,;]+)"
    named = [name.strip() for part in re.findall(pattern, text) for name in re.split(r"\sor\s", part)]
    genres = tuple(dict.fromkeys(filter(None, named)))
    return (re.sub(pattern, " , ", text), genres) if genres else (text, None)


def _within(values: NDArray[np.float64] | None, span: Span) -> Kept | None:
    return None if values is None else (values >= span.low) & (values <= span.high)


def _of_genres(index: Index, genres: Sequence[str]) -> Kept:
    named = {text_search.folded(genre) for genre in genres}
    return np.array([text_search.folded(genre) in named for genre in index.table["genre"]], bool)


def _in_keys(index: Index, chosen: Sequence[Key]) -> Kept | None:
    keys = track_arrays.keys(index)
    if keys is None:
        return None
    return np.isin(keys[:, 0] + 12 * keys[:, 1], [tonic + 12 * mode for tonic, mode in chosen])


def _common(
    one: tuple[T, ...] | None, other: tuple[T, ...] | None, key: Callable[[T], object]
) -> tuple[T, ...] | None:
    """What two lists have in common; None stands for everything."""
    if one is None or other is None:
        return one if other is None else other
    known = {key(item) for item in other}
    return tuple(item for item in one if key(item) in known)
