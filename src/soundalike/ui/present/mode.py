"""The mode for showing the app to a room: whether it is on, and how it begins, starts over and ends.

It changes the looks and what the page begins with. What only a presenter may do needs the key, in this
mode as well (`ui.compare.voting`).
"""

from __future__ import annotations

import streamlit as st

from soundalike.ui import current_clip, session
from soundalike.ui.present import tour

OPENS = "present_opens"
"""Session key of a step of the tour that is to be opened."""
_STARTS_OVER = ("recommend_", "anatomy_", "map_", "features_", "compare_", "about_", "clip_", "words_")
"""Beginnings of the session's keys that belong to the pages, and to the clip that they share."""


def is_on() -> bool:
    """Whether the app is shown to a room."""
    return bool(st.session_state.get(session.PRESENT))


def prepare(page: str) -> None:
    """Read the mode from the address on the session's first run; the tour is at the page's step."""
    session.from_url(session.PRESENT, session.PRESENT, [1], 0)
    st.session_state.setdefault(tour.STEP, tour.step_of(page))


def button(key: str, step: int) -> None:
    """Show the button that turns the mode on, at a step of the tour."""
    if not is_on() and st.button("Present", icon=":material/co_present:", key=key):
        start(step)
        st.rerun()


def start(step: int) -> None:
    """Turn the mode on, at a step of the tour."""
    st.session_state[session.PRESENT] = 1
    st.session_state[OPENS] = step


def start_over() -> None:
    """Begin again for the next audience. Votes, rooms, the library and the key that was given stay."""
    current_clip.discard()
    for key in map(str, list(st.session_state)):
        if key.startswith(_STARTS_OVER):
            del st.session_state[key]
    st.session_state[OPENS] = 0


def leave() -> None:
    """Turn the mode off; the page stays."""
    st.session_state[session.PRESENT] = 0
