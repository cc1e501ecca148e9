"""State of a playlist's filter: in the session, in the URL, and as a filter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st

from soundalike.audio.clip import clock
from soundalike.features.descriptors import PITCH_CLASSES
from soundalike.features.key import Key
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.playlist import harmonic_mixing
from soundalike.ui import incoming, session
from soundalike.words import description, filters, library, measures
from soundalike.words.description import Term
from soundalike.words.filters import Filter
from soundalike.words.ranges import ANY, Span

VOICES = {"any": "Any", "with": "With voice", "without": "Without"}
KEYS: dict[str, Key] = {
    measures.key_name(tonic, mode): (tonic, mode)
    for tonic in range(len(PITCH_CLASSES))
    for mode in (0, 1)
}
LENGTHS = {
    seconds: clock(seconds) if seconds else "Any"
    for seconds in (0, 30, 60, 90, 120, 150, 180, 240, 300, 360, 480, 600, 900, 1_800, 3_600)
}
"""Limits of a track's length on offer, in seconds; 0 is none."""
NAMES = ("voice", "tempo", "key", "compatible", "shortest", "longest", "genre", "only")
"""Settings of the filter, as they are called in the session and the URL."""
MOST_GENRES = 200
SEPARATOR = "|"


@dataclass(frozen=True)
class Choices:
    """What a library can be filtered by.

    Attributes
    ----------
    tempo : its slowest and fastest tempo in whole BPM; None if unknown or all the same
    words, keys, lengths : whether these are known
    genres : the most common genres of its table, in alphabetical order
    """

    tempo: tuple[int, int] | None
    words: bool
    keys: bool
    lengths: bool
    genres: tuple[str, ...]


_choices: WeakKeyDictionary[Index, Choices] = WeakKeyDictionary()


def choices(index: Index) -> Choices:
    """What a library can be filtered by."""
    if index not in _choices:
        counts = Counter(genre for genre in index.table["genre"] if genre)
        genres = tuple(sorted(genre for genre, _ in counts.most_common(MOST_GENRES)))
        lengths = filters.lengths(index)
        _choices[index] = Choices(
            _tempos(index),
            library.has_words(index),
            track_arrays.keys(index) is not None,
            lengths is not None and bool(np.isfinite(lengths).any()),
            genres if len(genres) > 1 else (),
        )
    return _choices[index]


def prepare(index: Index) -> None:
    """Set the filter from the URL on the first run."""
    state, offered = st.session_state, choices(index)
    session.from_url("recommend_voice", "voice", list(VOICES), "any")
    session.from_url("recommend_key", "key", [*KEYS, None], None)
    session.from_url("recommend_compatible", "compatible", [True], False)
    session.from_url("recommend_shortest", "shortest", list(LENGTHS), 0)
    session.from_url("recommend_longest", "longest", list(LENGTHS), 0)
    if "recommend_only" not in state:
        state.recommend_only = incoming.text(incoming.parameter("only"), description.LONGEST_TEXT)
        named = incoming.parameter("genre")
        state.recommend_genre = incoming.chosen(named, offered.genres, MOST_GENRES, SEPARATOR)
        state.recommend_tempo = offered.tempo
        if offered.tempo is not None:
            low, high = offered.tempo
            asked = incoming.span(incoming.parameter("tempo"), range(low, high + 1))
            state.recommend_tempo = asked or offered.tempo


def wanted(index: Index) -> Filter:
    """The filter: that of the text and that of the other controls, together."""
    state = st.session_state
    voice, key = state.recommend_voice, KEYS.get(state.recommend_key)
    return filters.read(state.recommend_only) & Filter(
        () if voice == "any" else (Term(filters.VOICE, voice == "with"),),
        _narrowed(state.recommend_tempo, choices(index).tempo),
        Span(state.recommend_shortest or 0.0, state.recommend_longest or math.inf),
        None if key is None else _keys(key, state.recommend_compatible),
        tuple(state.recommend_genre) or None,
    )


def url_parameters(index: Index) -> dict[str, object]:
    """The filter as URL parameters; None for defaults."""
    state = st.session_state
    tempo = state.recommend_tempo
    return {
        "voice": None if state.recommend_voice == "any" else state.recommend_voice,
        "tempo": None if tempo == choices(index).tempo else "-".join(map(str, tempo)),
        "key": state.recommend_key,
        "compatible": state.recommend_compatible or None,
        "shortest": state.recommend_shortest or None,
        "longest": state.recommend_longest or None,
        "genre": SEPARATOR.join(state.recommend_genre) or None,
        "only": state.recommend_only.strip() or None,
    }


def reset(index: Index) -> None:
    """Let every track meet the filter."""
    st.session_state.recommend_voice, st.session_state.recommend_key = "any", None
    st.session_state.recommend_compatible = False
    st.session_state.recommend_shortest = st.session_state.recommend_longest = 0
    st.session_state.recommend_tempo = choices(index).tempo
    st.session_state.recommend_genre, st.session_state.recommend_only = [], ""


def _narrowed(chosen: tuple[int, int] | None, whole: tuple[int, int] | None) -> Span:
    """The range chosen on a slider; an end that is left where it was is no limit."""
    if chosen is None or whole is None:
        return ANY
    return Span(
        chosen[0] if chosen[0] > whole[0] else 0.0, chosen[1] if chosen[1] < whole[1] else math.inf
    )


def _keys(key: Key, with_compatible: bool) -> tuple[Key, ...]:
    if not with_compatible:
        return (key,)
    keys = list(KEYS.values())
    return tuple(
        other for other, fits in zip(keys, harmonic_mixing.fit(key, np.array(keys)), strict=True) if fits
    )


def _tempos(index: Index) -> tuple[int, int] | None:
    tempos = filters.tempos(index)
    known: Sequence[float] = [] if tempos is None else tempos[np.isfinite(tempos)].tolist()
    if not known:
        return None
    low, high = math.floor(min(known)), math.ceil(max(known))
    return (low, high) if low < high else None
