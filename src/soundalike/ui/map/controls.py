"""Controls of the Map page: search, colours, layout, and a clip of the visitor's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from soundalike import representations
from soundalike.index.index import Index
from soundalike.playlist.query import Query
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import current_clip
from soundalike.ui.map import charts, map_words, state
from soundalike.words import description

DEFAULTS = {
    "map_dims": "dims",
    "map_metric": "metric",
    "map_near": "n_neighbors",
    "map_apart": "min_dist",
}


def show(index: Index) -> Setting:
    """Show the search, colour and layout controls. Returns the chosen precomputed layout."""
    titles = state.colours(index)
    named = {name: representations.get(name).title for name in state.mapped_representations(index)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="map_controls"):
        st.text_input(
            "Find",
            key="map_find",
            persist_state="session",
            max_chars=state.LONGEST_SEARCH,
            placeholder="Title, artist, album or genre",
            icon=":material/search:",
            live=True,
            width=230,
        )
        st.text_input(
            "Only show",
            key="map_only",
            persist_state="session",
            max_chars=description.LONGEST_TEXT,
            placeholder="piano, no vocals, under 100 BPM",
            icon=":material/filter_alt:",
            help="Dims all other tracks. Words for genres, instruments, voices and moods; fast or slow; "
            "a range of BPM, a length, a key; or a genre of the library, as in “genre: Rock or Metal”.",
            width=270,
        )
        st.selectbox(
            "Colour by",
            list(titles),
            format_func=lambda key: titles[key],
            key="map_colour",
            persist_state="session",
            on_change=state.show_groups,
            width=210,
        )
        if st.session_state.map_colour == charts.WORD:
            st.selectbox("Word", map_words.COLOURS, key="map_word", persist_state="session", width=170)
        by = one_of("Compare by", "map_by", named)
        settings = layout.settings_of(index, by)
        dims = one_of("Dimensions", "map_dims", {s.dims: f"{s.dims:d}-D" for s in settings})
        settings = [s for s in settings if s.dims == dims]
        with st.popover("Layout", icon=":material/tune:", key="map_layout"):
            return choose_layout(settings)


def choose_layout(settings: list[Setting]) -> Setting:
    """Choose one of the precomputed layouts; each choice narrows the next."""
    near = one_of("Neighbours", "map_near", {s.n_neighbors: f"{s.n_neighbors:d}" for s in settings})
    st.caption("Number of neighbours per track. Few show detail, many show the overall structure.")
    settings = [s for s in settings if s.n_neighbors == near]
    metric = one_of("Distance", "map_metric", {s.metric: state.METRICS[s.metric] for s in settings})
    if len({s.metric for s in settings}) > 1:
        st.caption("Playlists use cosine distance. Euclidean distance also counts the vectors' lengths.")
    settings = [s for s in settings if s.metric == metric]
    apart = one_of("Minimum distance", "map_apart", {s.min_dist: f"{s.min_dist:g}" for s in settings})
    if len(settings) > 1:
        st.caption("Minimum distance between points. 0 packs groups tightly, 0.5 spreads them out.")
    else:
        st.caption(f"The minimum distance between points is {apart:g}, the only option for this layout.")
    return next(s for s in settings if s.min_dist == apart)


def one_of(label: str, key: str, options: dict[Any, str]) -> Any:
    """Choose one option; hidden if there is only one. Unavailable values revert to the default."""
    if st.session_state[key] not in options:
        default = getattr(layout.DEFAULT, DEFAULTS.get(key, ""), None)
        st.session_state[key] = default if default in options else next(iter(options))
    if len(options) == 1:
        return st.session_state[key]
    return st.segmented_control(
        label,
        list(options),
        format_func=lambda option: options[option],
        key=key,
        persist_state="session",
        required=True,
    )


def choose_clip(index: Index) -> Query | None:
    """Upload or record a clip. Returns its query; None while the map shows a track of the library."""
    kept = current_clip.kept_clip()
    st.session_state.setdefault(
        "map_kind", current_clip.RECORD if kept is not None and kept.recorded else current_clip.UPLOAD
    )
    kind = current_clip.choose_source("map_kind", (current_clip.UPLOAD, current_clip.RECORD))
    own = current_clip.give("map", recorded=kind == current_clip.RECORD)
    is_new = own is not None and not current_clip.is_asked(index, own)
    if own is not None and is_new:
        state.show_clip(own)
    if own is not None and not state.on_clip():
        st.button(
            "Show it again",
            icon=":material/my_location:",
            key="map_again",
            on_click=state.show_clip,
            args=[own],
        )
    shown = current_clip.kept_clip()
    asked = current_clip.ask(index, shown) if shown is not None and state.on_clip() else None
    if is_new and asked is not None:
        st.session_state.map_placed = True
        st.rerun()
    return asked
