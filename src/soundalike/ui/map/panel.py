"""The panel beside the map: the selected track's neighbours, all tracks, the selected area or a path."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from soundalike.index import text_search
from soundalike.index.index import Index
from soundalike.playlist import journey, playlist, selection
from soundalike.playlist.playlist import Playlist
from soundalike.ui import components, incoming, palette
from soundalike.ui.map import state

TABLE_ROWS = 1_000


def show(index: Index, by: str, found: Playlist, kept: NDArray[np.bool_] | None) -> None:
    """Show the panel beside the map: neighbours, all tracks, the selection or the path.

    Parameters
    ----------
    index : the library
    by : the map's representation
    found : the selected track's neighbours
    kept : whether each track meets the filter [shape=(n,)]; None without a filter
    """
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
        all_tracks(index, kept)
    elif st.session_state.map_panel == "selection":
        ranked = selection.rank(index, by, st.session_state.map_area, playlist.MAX_LENGTH)
        st.caption("Sorted by similarity to the selection's mean, most typical first.")
        components.show_notes(ranked.notes)
        components.playlist_table(index, ranked, styles, "map_selection", state.leave_for_recommend)
        st.button(
            "Clear the selection", icon=":material/close:", on_click=state.select, args=[index, []]
        )
    elif st.session_state.map_panel == "path":
        path(index, by)
    else:
        components.playlist_table(index, found, styles, "map_neighbours", state.leave_for_recommend)
        components.show_notes(found.notes)


def path(index: Index, by: str) -> None:
    """Show the path's tracks in order, each with its step from the one before."""
    rows = [index.row(track_id) for track_id in st.session_state.map_path]
    measured = [(0.0, "")] * len(rows)
    if index.has_vectors(by):
        steps = journey.steps(index, by, rows)
        longest = max(steps, default=0.0) or 1.0
        measured[1:] = [(step / longest, f"{step:.0f}°") for step in steps]
    styles = palette.of(index)
    tracks = [
        components.track_data(index, row, styles)
        | {"rank": rank, "share": round(share, 4), "measured": text}
        for rank, (row, (share, text)) in enumerate(zip(rows, measured, strict=True), 1)
    ]
    data = {"label": "Path with steps", "measure": "Step", "ranked": True, "tracks": tracks}
    components.editable_table(
        index,
        data | {"actions": components.actions()},
        "map_path_table",
        lambda _, track_id: state.leave_for_recommend(track_id),
    )


def all_tracks(index: Index, kept: NDArray[np.bool_] | None) -> None:
    """Show all tracks, or those found and kept, as a table; selecting a row selects its point."""
    text = st.session_state.map_find.strip()
    rows = list(text_search.find(index, text) if text else range(len(index)))
    if kept is not None:
        rows = [row for row in rows if kept[row]]
    shown = rows[:TABLE_ROWS]
    table = index.tracks[["title", "artist", "album", "genre"]].iloc[shown]
    ids = [index.ids[row] for row in shown]
    key = f"map_table_{text}_{'' if kept is None else st.session_state.map_only}"

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
