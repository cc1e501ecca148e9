"""The panel beside the map: the selected track's neighbours, all tracks, or the selected area."""

from __future__ import annotations

import streamlit as st

from soundalike.index import text_search
from soundalike.index.index import Index
from soundalike.playlist import playlist, selection
from soundalike.playlist.playlist import Playlist
from soundalike.ui import components, incoming, palette
from soundalike.ui.map import state

TABLE_ROWS = 1_000


def show(index: Index, by: str, found: Playlist) -> None:
    """Show the panel beside the map: neighbours, all tracks, or the selection."""
    shown = state.panels()
    st.segmented_control(
        "Beside the map",
        list(shown),
        format_func=lambda name: shown[name],
        key="map_panel",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    styles = palette.of(index)
    if st.session_state.map_panel == "tracks":
        all_tracks(index)
    elif st.session_state.map_panel == "selection":
        ranked = selection.rank(index, by, st.session_state.map_area, playlist.MAX_LENGTH)
        st.caption("Sorted by similarity to the selection's mean, most typical first.")
        components.show_notes(ranked.notes)
        components.playlist_table(index, ranked, styles, "map_selection", state.leave_for_recommend)
        st.button(
            "Clear the selection", icon=":material/close:", on_click=state.select, args=[index, []]
        )
    else:
        components.playlist_table(index, found, styles, "map_neighbours", state.leave_for_recommend)
        components.show_notes(found.notes)


def all_tracks(index: Index) -> None:
    """Show all tracks or the search results as a table; selecting a row selects its point."""
    text = st.session_state.map_find.strip()
    rows = text_search.find(index, text) if text else range(len(index))
    shown = list(rows[:TABLE_ROWS])
    table = index.tracks[["title", "artist", "album", "genre"]].iloc[shown]
    ids = [index.ids[row] for row in shown]
    key = f"map_table_{text}"

    def chosen() -> None:
        if (track_id := incoming.row(st.session_state.get(key), ids)) is not None:
            state.choose(track_id)

    st.dataframe(
        table.rename(columns=str.capitalize),
        hide_index=True,
        height=560,
        key=key,
        on_select=chosen,
        selection_mode="single-row",
        alt="The tracks on the map; select one to show and play it",
    )
    more = len(rows) > TABLE_ROWS
    many = f"Showing {TABLE_ROWS:,} of {len(rows):,} tracks; search to find others. " if more else ""
    st.caption(f"{many}Select a row to see it on the map and hear it.")
