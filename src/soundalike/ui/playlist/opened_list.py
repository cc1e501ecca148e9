"""Opening a playlist file on the Recommend page."""

from __future__ import annotations

import streamlit as st

from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import entry_matching, file_reader, sandboxed_reader
from soundalike.ui import components, session
from soundalike.ui.playlist import playlist_state


def choose(index: Index) -> None:
    """Upload a playlist file to start from."""
    st.file_uploader(
        "Playlist file",
        type=[suffix.removeprefix(".") for suffix in file_reader.SUFFIXES],
        key="recommend_list",
        on_change=_read,
        args=[index],
        help="We start from its first track and blend in the others; “As it is” shows the list itself.",
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
    given = st.session_state.recommend_list
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
