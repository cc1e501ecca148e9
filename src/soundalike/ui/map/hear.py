"""A switch that plays tracks of the map while the pointer rests on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from soundalike.index.index import Index
from soundalike.ui import components, frontend, incoming

_KEY = "map_hear_player"


@st.fragment
def show(index: Index, map_key: str) -> None:
    """Show the switch. Hovering runs this fragment only, not the page.

    Parameters
    ----------
    index : the library
    map_key : key of the map's component
    """

    def asked() -> None:
        st.session_state.map_heard = incoming.track(index, incoming.triggered(_KEY, "hear"))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        on = st.toggle(
            "Hear on hover",
            key="map_hear",
            persist_state="session",
            help="Plays a track while the pointer rests on its point, or when the arrow keys reach it.",
        )
        heard = st.session_state.get("map_heard") if on else None
        track = None
        if heard is not None:
            track = {"id": heard, "url": components.track_url(index, index.row(heard), _KEY)}
        _register()(key=_KEY, data={"key": map_key, "on": on, "track": track}, on_hear_change=asked)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_map_hear",
        html='<div class="note" role="status"></div>',
        css=".note { font-family: var(--st-font); font-size: 0.875rem; color: var(--st-text-color); }",
        js=frontend.player("map_hear.js"),
    )
