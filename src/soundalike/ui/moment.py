"""Your moment: the half minute of a longer clip that a playlist is made from.

By default that is the loudest one. The visitor can choose another on the clip's outline. All pages use
the same half minute of the visitor's own clip. For a library track, the choice counts on Recommend: the
track is compared by its audio there, and not by what is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike.audio import decoding, outline
from soundalike.audio.outline import Outline
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import file_writer, query
from soundalike.playlist.query import Query
from soundalike.ui import current_clip, frontend, incoming, server, session
from soundalike.ui.components import Track
from soundalike.ui.current_clip import MOMENTS, OwnClip

KEY = "recommend_moment"
HEIGHT = 100
"""Pixels; kept free from the start, because the outline of a library track comes after the playlist."""
_PLACE, _FROM_ADDRESS = "recommend_moment_place", "recommend_at"


def prepare(index: Index) -> None:
    """Set the shown clip's moment from the URL on the first run."""
    state = st.session_state
    # Left over where the last run was interrupted.
    state.pop(_PLACE, None)
    if MOMENTS in state:
        return
    own = _own()
    by_library = state.recommend_source == current_clip.LIBRARY
    clip_id = str(state.recommend_track) if own is None else own.id
    state.pop(_FROM_ADDRESS, None)
    session.from_url(_FROM_ADDRESS, "at", _starts(index, clip_id, own), None)
    start = state.pop(_FROM_ADDRESS)
    is_there = start is not None and (by_library or own is not None)
    state[MOMENTS] = {clip_id: start} if is_there else {}


def of_library(index: Index, track_id: str) -> Query | None:
    """The query for a track: from what is stored, or by its audio if a moment of it was chosen.

    None if that half minute can't be used; an error says why.
    """
    # Always there, if empty: what comes after it would be drawn anew if it came and went.
    place = st.container()
    start = current_clip.moment_of(track_id)
    if start is None:
        return query.from_library(index, track_id)
    quiet = st.session_state.get("recommend_of") == track_id
    with place:
        return current_clip.ask_about_track(index, track_id, start, quiet=quiet)


def reserve(index: Index, track: Track) -> None:
    """Keep a place for the outline here, if the clip has more than one half minute."""
    own = _own()
    is_there = bool(track.url) if own is None else current_clip.outline_of(own) is not None
    if is_there and _starts(index, track.id, own):
        # Of a fixed height: what is below stays where it is when the outline comes.
        place = st.container(height=HEIGHT, border=False, gap=None, key="recommend_moment_box")
        st.session_state[_PLACE] = track, place


def fill(index: Index) -> None:
    """Show the outline with its band in the place that is kept for it."""
    kept: tuple[Track, DeltaGenerator] | None = st.session_state.pop(_PLACE, None)
    if kept is None:
        return
    track, place = kept
    own = _own()
    drawn = _of_track(index, track.id) if own is None else current_clip.outline_of(own)
    if drawn is not None and drawn.last > 0:
        with place:
            _show(track, drawn)


def data_of(track: Track, drawn: Outline, start: int | None) -> dict[str, Any]:
    """Data for the component: the outline, and where the half minute starts."""
    return {
        "track": vars(track),
        "peaks": list(drawn.peaks),
        "largest": outline.LARGEST,
        "duration": round(drawn.duration, 3),
        "last": drawn.last,
        "start": drawn.loudest if start is None else min(start, drawn.last),
    }


def take(told: object, clip_id: str, drawn: Outline) -> None:
    """Take a moment of a clip that the component has sent; the loudest is no choice to remember.

    Parameters
    ----------
    told : what came from the browser: the clip's id as `track`, and the start as `at`
    clip_id : the clip that was shown
    drawn : its outline
    """
    start = incoming.number(incoming.member(told, "at"), range(drawn.last + 1))
    if start is None or incoming.member(told, "track") != clip_id:
        return
    kept: dict[str, int] = st.session_state[MOMENTS]
    moments = {name: at for name, at in kept.items() if name != clip_id}
    st.session_state[MOMENTS] = moments if start == drawn.loudest else moments | {clip_id: start}


def _show(track: Track, drawn: Outline) -> None:
    _register()(
        key=KEY,
        data=data_of(track, drawn, current_clip.moment_of(track.id)),
        on_moved_change=lambda: take(incoming.triggered(KEY, "moved"), track.id, drawn),
    )


def _own() -> OwnClip | None:
    """The visitor's own clip, if the playlist starts from one."""
    is_own = st.session_state.recommend_source in (current_clip.UPLOAD, current_clip.RECORD)
    return current_clip.kept_clip() if is_own else None


def _starts(index: Index, clip_id: str, own: OwnClip | None) -> range:
    """The seconds at which a half minute of the shown clip can start; none if there is no choice."""
    source, last = st.session_state.recommend_source, 0
    if source == current_clip.LIBRARY:
        last = outline.last_start(_length(index, clip_id))
    elif source in current_clip.SOURCES:
        known = None if own is None else current_clip.outline_of(own)
        last = int(decoding.MAX_SECONDS) if known is None else known.last
    return range(last + 1 if last > 0 else 0)


def _length(index: Index, track_id: str) -> float:
    """Seconds of a library track that are read; 0 if the index doesn't say."""
    seconds = file_writer.seconds_of(index, index.row(track_id))
    return min(seconds or 0.0, decoding.MAX_SECONDS)


@st.cache_resource(max_entries=200, show_spinner=False, hash_funcs={Index: server.identity})
def _of_track(index: Index, track_id: str) -> Outline | None:
    """The outline of a library track; None if it can't be read."""
    try:
        return outline.of(decoding.decode(index.file(index.row(track_id))))
    except (SoundalikeError, OSError):
        return None


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_moment",
        html='<div class="root"></div>',
        css=frontend.read("moment.css"),
        js=frontend.player("clock.js", "player.js", "moment.js"),
    )
