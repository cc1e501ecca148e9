"""State of a playlist: its blend, pinned and removed tracks, and settings.

The state lives in the session and in the URL, where a blend is written `0102:1,0235:-0.5`. `history`
keeps earlier states for "Undo" as long as the session lasts.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from soundalike.index.index import Index
from soundalike.playlist import aspects, blend, ordering, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import DEFAULT_LENGTH, MAX_LENGTH, MIN_LENGTH, PER_ARTIST, Recipe
from soundalike.playlist.query import Query
from soundalike.ui import incoming, session
from soundalike.ui.playlist import filter_state, history
from soundalike.words import library, vocabulary

MORE, LESS = 1.0, -0.5
"""Weights of a blended track: more like it, less like it."""
LISTED = "list"
KINDS = {"playlist": "Playlist", "journey": "Journey", LISTED: "As it is"}
"""What the page shows; the last is an opened list itself."""
CAPS = {0: "No limit", 1: "1", 2: "2", 3: "3", 5: "5"}
DIMENSION, WORD = "dimension", "word"
ORDERS = {
    ordering.SIMILARITY: "Most similar first",
    ordering.WALK: "Smooth transitions",
    "tempo": "Slow to fast",
    "-tempo": "Fast to slow",
    "loudness": "Quiet to loud",
    "-loudness": "Loud to quiet",
    "brightness": "Dark to bright",
    "-brightness": "Bright to dark",
    WORD: "By one word",
    DIMENSION: "By one dimension",
    ordering.SHUFFLED: "Shuffled",
}
DIALS = (0.0, 0.5, 1.0, 1.5, 2.0)
MOST_STOPS = 3
SHUFFLES = 1_000


def prepare(index: Index) -> None:
    """Set everything from the URL on the first run."""
    state = st.session_state
    lengths = range(MIN_LENGTH, MAX_LENGTH + 1)
    session.from_url("recommend_length", "length", lengths, DEFAULT_LENGTH)
    session.from_url("recommend_kind", "kind", [kind for kind in KINDS if kind != LISTED], "playlist")
    session.from_url("recommend_artist", "artist", list(CAPS), PER_ARTIST)
    session.from_url("recommend_album", "album", list(CAPS), 0)
    session.from_url("recommend_variety", "variety", range(0, 101, 10), 0)
    session.from_url("recommend_harmonic", "keys", [True], False)
    session.from_url("recommend_farthest", "farthest", [True], False)
    session.from_url("recommend_shuffle", "shuffle", range(SHUFFLES), 0)
    for name in aspects.ASPECTS:
        session.from_url(f"recommend_dial_{name}", name, DIALS, aspects.NEUTRAL)
    session.track_from_url(index, "recommend_to", "to", optional=True)
    filter_state.prepare(index)
    if "recommend_blend" not in state:
        state.recommend_blend = _weights(index, incoming.parameter("blend"))
        state.recommend_pinned = pinned = incoming.tracks(index, incoming.parameter("pin"))
        removed = incoming.tracks(index, incoming.parameter("without"))
        state.recommend_removed = [track_id for track_id in removed if track_id not in pinned]
    if "recommend_via" not in state:
        state.recommend_via = incoming.tracks(index, incoming.parameter("via"))[:MOST_STOPS]
        # A list of thousands has no room in an address, so it lasts as long as the session.
        state.recommend_listed = []
        history.start()
    if "recommend_order" not in state:
        order_by(index, incoming.parameter("order"))


def order_by(index: Index, order: str) -> None:
    """Choose an order as `ordering` names it; one that doesn't exist means the usual one."""
    state = st.session_state
    name, _, detail = order.removeprefix("-").partition(":")
    by_word = name == ordering.WORDS and detail in vocabulary.positions() and WORD in orders(index)
    size = dimensions(index, name) if name in index.stored else 0
    dimension = incoming.number(detail, range(size))
    along = dimension is not None
    named = order in ORDERS and order not in (DIMENSION, WORD)
    kind = WORD if by_word else DIMENSION if along else ordering.SIMILARITY
    state.recommend_order = order if named else kind
    state.recommend_word = detail if by_word else vocabulary.words()[0].name
    state.recommend_along = name if along else next(iter(index.stored), None)
    state.recommend_dimension = dimension or 0
    state.recommend_falls = order.startswith("-") and (along or by_word)
    history.renew()


def kinds() -> list[str]:
    """The kinds on offer: an opened list itself only once there is one."""
    return [kind for kind in KINDS if kind != LISTED or st.session_state.recommend_listed]


def orders(index: Index) -> dict[str, str]:
    """The orders on offer; some need stored vectors, or words."""
    missing = {DIMENSION: not index.stored, WORD: not library.has_words(index)}
    return {name: title for name, title in ORDERS.items() if not missing.get(name)}


def dimensions(index: Index, name: str) -> int:
    """Number of dimensions of a stored representation."""
    return int(index.array(name).shape[1])


def url_parameters(index: Index) -> dict[str, object]:
    """The state as URL parameters; defaults are left out."""
    state = st.session_state
    kept = {
        "kind": ("playlist" if state.recommend_kind == LISTED else state.recommend_kind, "playlist"),
        "artist": (state.recommend_artist, PER_ARTIST),
        "album": (state.recommend_album, 0),
        "variety": (state.recommend_variety, 0),
        "keys": (state.recommend_harmonic, False),
        "farthest": (state.recommend_farthest, False),
        "shuffle": (state.recommend_shuffle, 0),
        "order": (order(), ordering.SIMILARITY),
        "blend": (_written(state.recommend_blend), ""),
        "pin": (",".join(state.recommend_pinned), ""),
        "without": (",".join(state.recommend_removed), ""),
    }
    kept |= {name: (dial, aspects.NEUTRAL) for name, dial in dials().items()}
    if state.recommend_kind == "journey":
        kept |= {
            "to": (state.recommend_to, None),
            "via": (",".join(state.recommend_via), ""),
        }
    written = {name: None if value == first else value for name, (value, first) in kept.items()}
    return written | filter_state.url_parameters(index)


def order() -> str:
    """The chosen order, as `ordering` names it."""
    state = st.session_state
    sign = "-" if state.recommend_falls else ""
    if state.recommend_order == WORD:
        return f"{sign}{ordering.WORDS}:{state.recommend_word}"
    if state.recommend_order != DIMENSION:
        return str(state.recommend_order)
    return f"{sign}{state.recommend_along}:{state.recommend_dimension}"


def seeds(index: Index, asked: Query) -> list[Seed]:
    """The starting clip and the blended tracks."""
    blended = [
        Seed(query.from_library(index, track_id), weight)
        for track_id, weight in st.session_state.recommend_blend.items()
        if index.row(track_id) != asked.row
    ]
    return [Seed(asked), *blended]


def blend_match(index: Index, asked: Query, row: int) -> float | None:
    """How well a track matches the blend, as the list shows it; None if nothing is blended in."""
    blended = seeds(index, asked)
    if len(blended) == 1:
        return None
    return float(blend.scores(index, blended, st.session_state.recommend_by)[row])


def recipe(index: Index) -> Recipe:
    """The current settings as a recipe."""
    state = st.session_state
    return Recipe(
        state.recommend_by,
        max(state.recommend_length, len(state.recommend_pinned)),
        state.recommend_artist or None,
        state.recommend_album or None,
        state.recommend_variety / 100,
        order(),
        state.recommend_harmonic,
        state.recommend_farthest,
        tuple(index.row(track_id) for track_id in state.recommend_pinned),
        tuple(index.row(track_id) for track_id in state.recommend_removed),
        state.recommend_shuffle,
        dials=dials(),
        only=filter_state.wanted(index),
    )


def dials() -> dict[str, float]:
    """How much each aspect counts."""
    return {name: float(st.session_state[f"recommend_dial_{name}"]) for name in aspects.ASPECTS}


def reset_dials() -> None:
    """Let every aspect count as usual."""
    for name in aspects.ASPECTS:
        st.session_state[f"recommend_dial_{name}"] = aspects.NEUTRAL
    history.renew()


def reset_filter(index: Index) -> None:
    """Let a playlist have any track."""
    filter_state.reset(index)
    history.renew()


def act(action: str, track_id: str) -> None:
    """Handle a click on a row's button."""
    state = st.session_state
    if action == "why":
        state.recommend_why = track_id
        return
    if action == "pin":
        state.recommend_pinned = _toggled(state.recommend_pinned, track_id)
    elif action == "remove":
        state.recommend_removed = [*state.recommend_removed, track_id]
        state.recommend_pinned = [other for other in state.recommend_pinned if other != track_id]
        state.recommend_via = [other for other in state.recommend_via if other != track_id]
        state.recommend_listed = [other for other in state.recommend_listed if other != track_id]
        if not state.recommend_listed and state.recommend_kind == LISTED:
            state.recommend_kind = "playlist"
    elif action in ("more", "less"):
        weight = MORE if action == "more" else LESS
        state.recommend_blend = state.recommend_blend | {track_id: weight}


def weigh(track_id: str, key: str) -> None:
    """Set a blended track's weight from its slider; 0 removes the track."""
    state = st.session_state
    weight = state[key] / 100
    state.recommend_blend = {
        other: weight if other == track_id else kept
        for other, kept in state.recommend_blend.items()
        if other != track_id or weight != 0
    }


def add(key: str) -> None:
    """Blend in the track chosen in a field."""
    state = st.session_state
    if state[key] is not None:
        act("more", state[key])
        state[key] = None


def start_from(index: Index, rows: list[int]) -> None:
    """Start from the first of an opened list's tracks, blend in the others, and keep the list itself."""
    state = st.session_state
    first, *others = state.recommend_listed = [index.fact("track_id", row) for row in rows]
    state.recommend_source, state.recommend_track = "library", first
    state.recommend_kind = "playlist"
    state.recommend_blend = dict.fromkeys(others, MORE)
    state.recommend_pinned, state.recommend_removed = [], []


def reset() -> None:
    """Clear the blend and the pinned and removed tracks, for a new starting clip."""
    state = st.session_state
    state.recommend_blend, state.recommend_pinned, state.recommend_removed = {}, [], []
    if state.recommend_kind == LISTED:
        state.recommend_kind = "playlist"


def shuffle() -> None:
    """Shuffle the tracks again."""
    st.session_state.recommend_shuffle = (st.session_state.recommend_shuffle + 1) % SHUFFLES


def _toggled(ids: list[str], track_id: str) -> list[str]:
    return [other for other in ids if other != track_id] if track_id in ids else [*ids, track_id]


def _weights(index: Index, text: str) -> dict[str, float]:
    found = {}
    for entry in text.split(","):
        track_id, _, weight = entry.rpartition(":")
        share = incoming.share(weight)
        if index.has(track_id) and share is not None:
            found[track_id] = share
    return found


def _written(weights: Mapping[str, float]) -> str:
    return ",".join(f"{track_id}:{weight:g}" for track_id, weight in weights.items())
