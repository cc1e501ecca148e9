"""Opening a playlist file on the Recommend page."""

from __future__ import annotations

from functools import partial

import streamlit as st

from soundalike.audio import decoding
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import entry_matching, file_reader, sandboxed_reader
from soundalike.ui import components, session, uploader
from soundalike.ui.playlist import playlist_state

KEY = "recommend_list"


def choose(index: Index) -> None:
    """Upload a playlist file to start from."""
    uploader.choose_file(
        "Playlist file",
        KEY,
        [suffix.removeprefix(".") for suffix in file_reader.SUFFIXES],
        decoding.MAX_BYTES // 2**20,
        "a playlist, such as M3U, XSPF, PLS or CSV",
        partial(_read, index),
        lambda: None,
    )
    st.caption(
        "You can also drop a file there: M3U, XSPF, PLS, CSV and more. We start from its first track "
        "and blend in the others; “As it is” shows the list itself."
    )


def show_messages() -> None:
    """Show the messages about an opened playlist file, once."""
    for kind, message in st.session_state.pop("recommend_opened", []):
        components.show_error(message) if kind == "error" else st.info(components.plain(message))
    if missing := st.session_state.pop("recommend_missing", []):
        with st.expander(f"Not in this library: {len(missing)}", icon=":material/playlist_remove:"):
            st.dataframe(
                {"Entry": missing},
                hide_index=True,
                key="recommend_missing_entries",
                alt="Entries of the list that are not in this library",
            )


def _read(index: Index) -> None:
    given = st.session_state.get(uploader.widget_key(KEY))
    st.session_state.recommend_opened, st.session_state.recommend_missing = [], []
    if given is None:
        return
    try:
        read = session.in_turn(sandboxed_reader.read, components.waiting_line())
        found = entry_matching.resolve(index, read(given.getvalue(), given.name))
    except SoundalikeError as error:
        st.session_state.recommend_opened = [("error", str(error))]
        return
    st.session_state.recommend_missing = found.missing[entry_matching.NAMED :] and found.missing
    if found.rows:
        playlist_state.start_from(index, found.rows)
        tracks = "track" if len(found.rows) == 1 else f"{len(found.rows)} tracks"
        shown = f"Showing music like the {tracks} in {given.name}."
        notes = [f"{shown} Choose “As it is” for the list itself.", *found.notes]
    else:
        notes = ["None of its tracks are in this library.", *found.notes]
    st.session_state.recommend_opened = [("note", note) for note in notes]
