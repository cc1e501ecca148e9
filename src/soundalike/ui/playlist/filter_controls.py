"""Controls of a playlist's filter."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike.index.index import Index
from soundalike.ui import components
from soundalike.ui.playlist import filter_state, history, playlist_state
from soundalike.words import description


def show(index: Index) -> None:
    """Choose which tracks a playlist may have, in a fold that says how many conditions there are."""
    wanted = filter_state.wanted(index)
    count = len(wanted.labels)
    title = f"Only some tracks ({count} set)" if count else "Only some tracks"
    with st.expander(title, key="recommend_filter"):
        st.text_input(
            "Only with …",
            **history.bound("only"),
            max_chars=description.LONGEST_TEXT,
            placeholder="piano, no drums, 100 to 130 BPM",
        )
        for note in description.notes(wanted.understood):
            st.caption(components.plain(note))
        _voice_and_tempo(index)
        _key_and_length(index)
        _genres(index)
        st.button(
            "Clear", on_click=playlist_state.reset_filter, args=[index], key="recommend_filter_reset"
        )


def _voice_and_tempo(index: Index) -> None:
    if filter_state.choices(index).words:
        st.segmented_control(
            "Voice",
            list(filter_state.VOICES),
            format_func=lambda voice: filter_state.VOICES[voice],
            required=True,
            **history.bound("voice", default="default"),
        )
    if (tempo := filter_state.choices(index).tempo) is not None:
        st.slider(
            "Tempo",
            *tempo,
            format="%d BPM",
            **history.bound("tempo"),
        )


def _key_and_length(index: Index) -> None:
    if filter_state.choices(index).keys:
        st.selectbox(
            "Key",
            placeholder="Any key",
            **history.bound_choice("key", list(filter_state.KEYS)),
        )
        st.toggle(
            "Compatible keys too",
            **history.bound("compatible"),
            disabled=st.session_state.recommend_key is None,
        )
    if filter_state.choices(index).lengths:
        left, right = st.columns(2)
        _limit(left, "At least this long", "shortest")
        _limit(right, "At most this long", "longest")


def _limit(place: DeltaGenerator, label: str, name: str) -> None:
    place.selectbox(
        label,
        format_func=lambda seconds: filter_state.LENGTHS[seconds],
        **history.bound_choice(name, list(filter_state.LENGTHS)),
    )


def _genres(index: Index) -> None:
    if genres := filter_state.choices(index).genres:
        st.multiselect(
            "Genres",
            genres,
            **history.bound("genre", default="default"),
            placeholder="Any genre",
        )
