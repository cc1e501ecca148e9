"""The player at the foot of every page.

The browser has the player itself: what plays, and from which list. The server keeps a file only while it
is on the page, so the player names the tracks that it is near, and their files are kept when the page
changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from soundalike.errors import SoundalikeError
from soundalike.ui import components, current_clip, frontend, incoming, session

KEY = "player"
NEAR = 3
"""Tracks whose files are kept: the one that plays, the one before and the one after."""
_LONGEST_ID = 200


@st.fragment
def show() -> None:
    """Show the player. When another track plays, only this fragment runs, not the page."""
    data = keep(incoming.triggered(KEY, "near"))
    _register()(key=KEY, data=data, on_near_change=lambda: None)


def keep(said: object) -> dict[str, list[str]]:
    """Keep the files that the player is near.

    Parameters
    ----------
    said : ids of tracks, as the browser sent them

    Returns
    -------
    data for the component: the ids, and the URLs of those that are here
    """
    near = incoming.texts(said, _LONGEST_ID, NEAR)
    urls = [url for place, name in enumerate(near) if (url := _url(name, place))]
    return {"near": near, "urls": urls}


def _url(name: str, place: int) -> str:
    """The URL of a track of the library or of the visitor's own clip; "" if there is none of that id."""
    own = current_clip.kept_clip()
    if own is not None and own.id == name:
        return own.track.url
    try:
        index = session.chosen_index()
        return components.track_url(index, index.row(name), f"{KEY}-{place}") if index.has(name) else ""
    except SoundalikeError:
        return ""


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_player",
        html='<div class="root"></div>',
        css=frontend.read("player_bar.css"),
        js=frontend.player("clock.js", "player.js", "seek_bar.js", "player_bar.js"),
    )
