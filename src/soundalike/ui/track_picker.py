"""Choosing a library track: from a list, or by searching if the list would be too long.

A list is sent to the browser in full. Libraries of more than `MOST_LISTED` tracks are therefore searched
on the server, which returns up to `MOST_OFFERED` tracks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from soundalike import foreign_text
from soundalike.index import text_search
from soundalike.index.index import Index
from soundalike.ui import server

MOST_LISTED = 1_000
MOST_OFFERED = 50
HELP = "Type part of a title, an artist or a genre."
_LONGEST = 120


def choose_track(
    index: Index,
    label: str,
    key: str,
    none: str | None = None,
    on_change: Callable[[], None] | None = None,
    *,
    labelled: bool = True,
) -> None:
    """Choose a library track by typing.

    Parameters
    ----------
    index : the library
    label : what is chosen
    key : session key of the chosen track's id
    none : the placeholder if the choice may be empty
    on_change : called after another track has been chosen
    labelled : whether the label is seen; screen readers say it in any case
    """
    if len(index) > MOST_LISTED:
        _search_one(index, label, key, none, on_change)
        return
    labels = track_labels(index)
    st.selectbox(
        label,
        list(labels),
        index=0 if none is None else None,
        format_func=lambda track_id: labels[track_id],
        key=key,
        persist_state="session",
        on_change=on_change,
        placeholder=none,
        help=HELP if labelled else None,
        label_visibility="visible" if labelled else "collapsed",
    )


def choose_tracks(index: Index, label: str, key: str, most: int, none: str) -> None:
    """Choose several library tracks; their order is kept."""
    if len(index) > MOST_LISTED:
        _search_several(index, label, key, most, none)
        return
    labels = track_labels(index)
    _several(label, labels, key, most, none)


def label_of(index: Index, row: int) -> str:
    """A track's label in a list of choices."""
    texts = [index.fact(column, row) for column in ("title", "artist", "genre")]
    return _shortened(" · ".join(filter(None, texts)))


def track_labels(index: Index) -> dict[str, str]:
    """Unique labels of all tracks by id, in the table's order."""
    return _labels(index)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Index: server.identity})
def _labels(index: Index) -> dict[str, str]:
    return _unique_labels(index, range(len(index)))


@st.fragment
def _search_one(
    index: Index, label: str, key: str, none: str | None, on_change: Callable[[], None] | None
) -> None:
    """Search for one track. Typing reruns only this fragment; choosing a track reruns the page."""
    typed, hit, changed = f"{key}_typed", f"{key}_hit", f"{key}_changed"
    chosen = st.session_state.get(key)

    def choose(track_id: str | None) -> None:
        st.session_state[key] = track_id
        st.session_state[typed] = ""
        st.session_state[changed] = True
        if on_change is not None:
            on_change()

    def take_hit() -> None:
        if (found := st.session_state[hit]) is not None:
            choose(found)

    now = (none or label) if chosen is None else label_of(index, index.row(chosen))
    _search_field(index, label, typed, now)
    if labels := _hits(index, typed):
        st.session_state[hit] = None
        st.selectbox(
            f"{label}: results",
            list(labels),
            index=None,
            format_func=lambda track_id: labels[track_id],
            key=hit,
            on_change=take_hit,
            placeholder="Choose a track",
            label_visibility="collapsed",
        )
    if none is not None and chosen is not None:
        st.button(
            "Clear",
            icon=":material/close:",
            type="tertiary",
            key=f"{key}_none",
            on_click=choose,
            args=[None],
        )
    if st.session_state.pop(changed, False):
        st.rerun()


@st.fragment
def _search_several(index: Index, label: str, key: str, most: int, none: str) -> None:
    typed, changed = f"{key}_typed", f"{key}_changed"
    _search_field(index, label, typed, none)
    rows = [index.row(track_id) for track_id in st.session_state[key]]
    labels = _unique_labels(index, rows) | _hits(index, typed)

    def note() -> None:
        st.session_state[changed] = True

    if labels:
        _several(f"{label}: chosen", labels, key, most, "Choose tracks", note)
    if st.session_state.pop(changed, False):
        st.rerun()


def _several(
    label: str,
    labels: dict[str, str],
    key: str,
    most: int,
    none: str,
    on_change: Callable[[], None] | None = None,
) -> None:
    st.multiselect(
        label,
        list(labels),
        format_func=lambda track_id: labels[track_id],
        key=key,
        persist_state="session",
        max_selections=most,
        placeholder=none,
        on_change=on_change,
        label_visibility="visible" if on_change is None else "collapsed",
    )


def _search_field(index: Index, label: str, key: str, now: str) -> None:
    st.text_input(
        label,
        key=key,
        type="search",
        live=True,
        max_chars=100,
        placeholder=now,
        icon=":material/search:",
        help=f"{HELP} Searches {len(index):,} tracks.",
    )


def _hits(index: Index, typed: str) -> dict[str, str]:
    """Labels of the tracks that match the typed words. Shows their number as a caption."""
    text = st.session_state.get(typed) or ""
    if not text.strip():
        return {}
    rows, found = text_search.best(index, text, MOST_OFFERED)
    if not found:
        st.caption("No track matches all these words.")
    elif found > len(rows):
        st.caption(f"{found:,} tracks found; showing {len(rows)}. Add words to narrow the search.")
    else:
        st.caption(f"{found:,} {'track' if found == 1 else 'tracks'} found.")
    return _unique_labels(index, rows)


def _unique_labels(index: Index, rows: Iterable[int]) -> dict[str, str]:
    """Labels by id; the id is appended to labels that occur twice."""
    labels = {index.ids[row]: label_of(index, row) for row in rows}
    counts = Counter(labels.values())
    twice: Sequence[str] = [track_id for track_id, text in labels.items() if counts[text] > 1]
    return labels | {track_id: f"{labels[track_id]} ({track_id})" for track_id in twice}


def _shortened(text: str) -> str:
    return foreign_text.shortened(text, _LONGEST)
