"""Undo: earlier states of a playlist, and widgets that show the state after it.

A setting is kept in the session as `recommend_<name>`, apart from the value of its widget. A browser
doesn't draw what a closed popover holds, and sends what was last entered there again and again. So the
widgets get new keys whenever their settings are changed by anything else. Their values are given as
defaults: a value from the session is sent once only, and would be gone when a popover is opened later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from soundalike.playlist import aspects
from soundalike.ui.playlist import filter_state

MOST_UNDONE = 30
_CHANGES = {
    **dict.fromkeys(("track", "source"), "starting clip"),
    "moments": "half minute",
    **{"kind": "playlist or journey", "to": "destination", "via": "stops", "blend": "blend"},
    **{"pinned": "kept tracks", "removed": "removed tracks", "listed": "opened list"},
    **{"by": "comparison", "length": "length", "variety": "variety", "description": "description"},
    **{"artist": "limit per artist", "album": "limit per album", "harmonic": "compatible keys"},
    **{"farthest": "reversal", "shuffle": "shuffling"},
    **dict.fromkeys(("order", "along", "dimension", "word", "falls"), "order"),
    **dict.fromkeys(filter_state.NAMES, "filter"),
    **{f"dial_{name}": "what counts" for name in aspects.ASPECTS},
}
"""Settings that "Undo" restores, the main ones first, and what it calls a change of them."""
_WITH_VALUE = ("length", "variety")
_State = dict[str, Any]
_VERSION = "widgets_version"
"""Session key of a number in the widgets' keys; a change of library keeps it."""


def start() -> None:
    """Begin with nothing to undo."""
    st.session_state.recommend_undo = []
    st.session_state.pop("recommend_before", None)
    renew()


def note_change() -> None:
    """Keep the state at the end of the last run if the visitor has changed it since."""
    state, now = st.session_state, _now()
    before: _State = state.get("recommend_before", now)
    if before != now:
        state.recommend_undo = [*state.recommend_undo, before][-MOST_UNDONE:]
    state.recommend_before = now


def take_snapshot() -> None:
    """Record the state at the end of a run; the page itself may have adjusted it."""
    st.session_state.recommend_before = _now()


def last_change() -> str:
    """What "Undo" will undo, as in "length 20"; "" if there is nothing."""
    earlier: list[_State] = st.session_state.recommend_undo
    if not earlier:
        return ""
    now = _now()
    changed = [name for name in _CHANGES if earlier[-1][name] != now[name]]
    if not changed:
        return "last change"
    name = changed[0]
    return f"{_CHANGES[name]} {now[name]}" if name in _WITH_VALUE else _CHANGES[name]


def undo() -> None:
    """Restore the state before the last change."""
    *earlier, last = st.session_state.recommend_undo
    for name, value in last.items():
        st.session_state[f"recommend_{name}"] = value
    st.session_state.recommend_undo = earlier
    st.session_state.recommend_before = _now()
    renew()


def _now() -> _State:
    return {name: st.session_state.get(f"recommend_{name}") for name in _CHANGES}


def renew() -> None:
    """Draw the widgets anew, with the values of their settings."""
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1


def key(name: str) -> str:
    """The key of a setting's widget."""
    return f"recommend_{name}_{st.session_state[_VERSION]}"


def bound(name: str, part: str = "", default: str = "value") -> dict[str, Any]:
    """The arguments that connect a widget with a setting; changes can be undone.

    Parameters
    ----------
    name : of the setting
    part : what else the widget depends on, if its options change
    default : what the widget calls its first value
    """
    widget = key(f"{name}{part}")
    value = {default: st.session_state[f"recommend_{name}"]}
    return {"key": widget, "on_change": _take, "args": [name, widget], **value}


def bound_choice(name: str, options: Sequence[Any]) -> dict[str, Any]:
    """The same for a list of options; none is chosen if the setting isn't among them."""
    value = st.session_state[f"recommend_{name}"]
    arguments = bound(name, default="index")
    return arguments | {"options": options, "index": options.index(value) if value in options else None}


def _take(name: str, widget: str) -> None:
    st.session_state[f"recommend_{name}"] = st.session_state[widget]
