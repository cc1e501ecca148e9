"""Undo: earlier states of a playlist, and widgets that show the state after it.

A setting is kept in the session as `recommend_<name>`, apart from the value of its widget. A browser
doesn't draw what a closed popover holds, and sends what was last entered there again and again. So the
widgets get new keys whenever their settings are changed by anything else.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from soundalike.playlist import aspects
from soundalike.ui.playlist import filter_state

MOST_UNDONE = 30
_UNDOABLE = (
    *(
        "source",
        "track",
        "kind",
        "to",
        "via",
        "blend",
        "pinned",
        "removed",
        "listed",
        *filter_state.NAMES,
    ),
    *("artist", "album", "variety", "harmonic", "farthest", "shuffle"),
    *("order", "along", "dimension", "word", "falls"),
    *(f"dial_{name}" for name in aspects.ASPECTS),
)
"""Settings that "Undo" restores."""
_VERSION = "widgets_version"
"""Session key of a number in the widgets' keys; a change of library keeps it."""


def start() -> None:
    """Begin with nothing to undo."""
    st.session_state.recommend_undo = []
    renew()


def take_snapshot() -> None:
    """Record the current state, which "Undo" restores after the next change."""
    state = st.session_state
    state.recommend_before = {name: state.get(f"recommend_{name}") for name in _UNDOABLE}


def remember() -> None:
    """Add the recorded state to the undo history."""
    state = st.session_state
    if "recommend_before" in state:
        state.recommend_undo = [*state.recommend_undo, state.recommend_before][-MOST_UNDONE:]


def undo() -> None:
    """Restore the state before the last change."""
    *earlier, last = st.session_state.recommend_undo
    for name, value in last.items():
        st.session_state[f"recommend_{name}"] = value
    st.session_state.recommend_undo = earlier
    renew()


def renew() -> None:
    """Draw the widgets anew, with the values of their settings."""
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1


def key(name: str) -> str:
    """The key of a setting's widget."""
    return f"recommend_{name}_{st.session_state[_VERSION]}"


def bound(name: str, part: str = "") -> dict[str, Any]:
    """The arguments that connect a widget with a setting; changes can be undone.

    Parameters
    ----------
    name : of the setting
    part : what else the widget depends on, if its options change
    """
    widget = key(f"{name}{part}")
    st.session_state.setdefault(widget, st.session_state[f"recommend_{name}"])
    return {"key": widget, "on_change": _take, "args": [name, widget]}


def _take(name: str, widget: str) -> None:
    remember()
    st.session_state[f"recommend_{name}"] = st.session_state[widget]
