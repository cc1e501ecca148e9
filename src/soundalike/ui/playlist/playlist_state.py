"""State of a playlist: its blend, pinned and removed tracks, settings, and "Undo".

The state lives in the session and in the URL, where a blend is written `0102:1,0235:-0.5`. Earlier
states are kept for "Undo" as long as the session lasts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from soundalike.index.index import Index
from soundalike.playlist import ordering, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.composer import PER_ARTIST, Recipe
from soundalike.playlist.playlist import DEFAULT_LENGTH, MAX_LENGTH, MIN_LENGTH
from soundalike.playlist.query import Query
from soundalike.ui import state

MORE, LESS = 1.0, -0.5
"""Weights of a blended track: more like it, less like it."""
KINDS = {"playlist": "Playlist", "journey": "Journey"}
CAPS = {0: "No limit", 1: "1", 2: "2", 3: "3", 5: "5"}
DIMENSION = "dimension"
ORDERS = {
    ordering.SIMILARITY: "Most similar first",
    ordering.WALK: "Smooth transitions",
    "tempo": "Slow to fast",
    "-tempo": "Fast to slow",
    "loudness": "Quiet to loud",
    "-loudness": "Loud to quiet",
    "brightness": "Dark to bright",
    "-brightness": "Bright to dark",
    DIMENSION: "By one dimension",
    ordering.SHUFFLED: "Shuffled",
}
MOST_UNDONE = 30
MOST_STOPS = 3
SHUFFLES = 1_000
_UNDOABLE = ("source", "track", "kind", "to", "via", "blend", "pinned", "removed")
"""Settings that "Undo" restores."""


def prepare(index: Index) -> None:
    """Set everything from the URL on the first run."""
    session, asked = st.session_state, st.query_params
    lengths = range(MIN_LENGTH, MAX_LENGTH + 1)
    state.from_url("recommend_length", "length", lengths, DEFAULT_LENGTH)
    state.from_url("recommend_kind", "kind", list(KINDS), "playlist")
    state.from_url("recommend_artist", "artist", list(CAPS), PER_ARTIST)
    state.from_url("recommend_album", "album", list(CAPS), 0)
    state.from_url("recommend_variety", "variety", range(0, 101, 10), 0)
    state.from_url("recommend_harmonic", "keys", [True], False)
    state.from_url("recommend_farthest", "farthest", [True], False)
    state.from_url("recommend_shuffle", "shuffle", range(SHUFFLES), 0)
    state.track_from_url(index, "recommend_to", "to", optional=True)
    if "recommend_blend" not in session:
        session.recommend_blend = _weights(index, asked.get("blend", ""))
        session.recommend_pinned = pinned = _ids(index, asked.get("pin", ""))
        removed = _ids(index, asked.get("without", ""))
        session.recommend_removed = [track_id for track_id in removed if track_id not in pinned]
    if "recommend_via" not in session:
        session.recommend_via = _ids(index, asked.get("via", ""))[:MOST_STOPS]
        session.recommend_undo = []
        _prepare_order(index, asked.get("order", ordering.SIMILARITY))


def _prepare_order(index: Index, order: str) -> None:
    session = st.session_state
    named = order in ORDERS and order != DIMENSION
    name, _, number = order.removeprefix("-").partition(":")
    along = name in index.stored and number.isdecimal() and int(number) < dimensions(index, name)
    session.recommend_order = order if named else DIMENSION if along else ordering.SIMILARITY
    session.recommend_along = name if along else next(iter(index.stored), None)
    session.recommend_dimension = int(number) if along else 0
    session.recommend_falls = order.startswith("-") and along


def orders(index: Index) -> dict[str, str]:
    """The orders on offer; ordering by one dimension needs stored vectors."""
    return {name: title for name, title in ORDERS.items() if index.stored or name != DIMENSION}


def dimensions(index: Index, name: str) -> int:
    """Number of dimensions of a stored representation."""
    return int(index.array(name).shape[1])


def url_parameters() -> dict[str, object]:
    """The state as URL parameters; defaults are left out."""
    session = st.session_state
    kept = {
        "kind": (session.recommend_kind, "playlist"),
        "artist": (session.recommend_artist, PER_ARTIST),
        "album": (session.recommend_album, 0),
        "variety": (session.recommend_variety, 0),
        "keys": (session.recommend_harmonic, False),
        "farthest": (session.recommend_farthest, False),
        "shuffle": (session.recommend_shuffle, 0),
        "order": (order(), ordering.SIMILARITY),
        "blend": (_written(session.recommend_blend), ""),
        "pin": (",".join(session.recommend_pinned), ""),
        "without": (",".join(session.recommend_removed), ""),
    }
    if session.recommend_kind == "journey":
        kept |= {
            "to": (session.recommend_to, None),
            "via": (",".join(session.recommend_via), ""),
        }
    return {name: None if value == first else value for name, (value, first) in kept.items()}


def order() -> str:
    """The chosen order, as `ordering` names it."""
    session = st.session_state
    if session.recommend_order != DIMENSION:
        return str(session.recommend_order)
    sign = "-" if session.recommend_falls else ""
    return f"{sign}{session.recommend_along}:{session.recommend_dimension}"


def seeds(index: Index, asked: Query) -> list[Seed]:
    """The starting clip and the blended tracks."""
    blended = [
        Seed(query.from_library(index, track_id), weight)
        for track_id, weight in st.session_state.recommend_blend.items()
        if index.row(track_id) != asked.row
    ]
    return [Seed(asked), *blended]


def recipe(index: Index) -> Recipe:
    """The current settings as a recipe."""
    session = st.session_state
    return Recipe(
        session.recommend_by,
        max(session.recommend_length, len(session.recommend_pinned)),
        session.recommend_artist or None,
        session.recommend_album or None,
        session.recommend_variety / 100,
        order(),
        session.recommend_harmonic,
        session.recommend_farthest,
        tuple(index.row(track_id) for track_id in session.recommend_pinned),
        tuple(index.row(track_id) for track_id in session.recommend_removed),
        session.recommend_shuffle,
    )


def act(action: str, track_id: str) -> None:
    """Handle a click on a row's button."""
    session = st.session_state
    if action == "why":
        session.recommend_why = track_id
        return
    remember()
    if action == "pin":
        session.recommend_pinned = _toggled(session.recommend_pinned, track_id)
    elif action == "remove":
        session.recommend_removed = [*session.recommend_removed, track_id]
        session.recommend_pinned = [other for other in session.recommend_pinned if other != track_id]
        session.recommend_via = [other for other in session.recommend_via if other != track_id]
    elif action in ("more", "less"):
        weight = MORE if action == "more" else LESS
        session.recommend_blend = session.recommend_blend | {track_id: weight}


def weigh(track_id: str, key: str) -> None:
    """Set a blended track's weight from its slider; 0 removes the track."""
    remember()
    session = st.session_state
    weight = session[key] / 100
    session.recommend_blend = {
        other: weight if other == track_id else kept
        for other, kept in session.recommend_blend.items()
        if other != track_id or weight != 0
    }


def add(key: str) -> None:
    """Blend in the track chosen in a field."""
    session = st.session_state
    if session[key] is not None:
        act("more", session[key])
        session[key] = None


def start_from(index: Index, rows: list[int]) -> None:
    """Start from the first of several tracks, and blend in the others."""
    remember()
    session = st.session_state
    first, *others = (index.fact("track_id", row) for row in rows)
    session.recommend_source, session.recommend_track = "library", first
    session.recommend_kind = "playlist"
    session.recommend_blend = dict.fromkeys(others, MORE)
    session.recommend_pinned, session.recommend_removed = [], []


def reset() -> None:
    """Clear the blend and the pinned and removed tracks, for a new starting clip."""
    remember()
    session = st.session_state
    session.recommend_blend, session.recommend_pinned, session.recommend_removed = {}, [], []


def shuffle() -> None:
    """Shuffle the tracks again."""
    st.session_state.recommend_shuffle = (st.session_state.recommend_shuffle + 1) % SHUFFLES


def take_snapshot() -> None:
    """Record the current state, which "Undo" restores after the next change."""
    st.session_state.recommend_before = _snapshot()


def remember() -> None:
    """Add the recorded state to the undo history."""
    session = st.session_state
    if "recommend_before" in session:
        session.recommend_undo = [*session.recommend_undo, session.recommend_before][-MOST_UNDONE:]


def undo() -> None:
    """Restore the state before the last change."""
    *earlier, last = st.session_state.recommend_undo
    for name, value in last.items():
        st.session_state[f"recommend_{name}"] = value
    st.session_state.recommend_undo = earlier


def _snapshot() -> dict[str, Any]:
    return {name: st.session_state.get(f"recommend_{name}") for name in _UNDOABLE}


def _toggled(ids: list[str], track_id: str) -> list[str]:
    return [other for other in ids if other != track_id] if track_id in ids else [*ids, track_id]


def _ids(index: Index, text: str) -> list[str]:
    return list(dict.fromkeys(track_id for track_id in text.split(",") if index.has(track_id)))


def _weights(index: Index, text: str) -> dict[str, float]:
    found = {}
    for entry in text.split(","):
        track_id, _, weight = entry.rpartition(":")
        try:
            number = float(weight)
        except ValueError:
            continue
        if index.has(track_id) and math.isfinite(number) and 0 < abs(number) <= 1:
            found[track_id] = number
    return found


def _written(blend: Mapping[str, float]) -> str:
    return ",".join(f"{track_id}:{weight:g}" for track_id, weight in blend.items())
