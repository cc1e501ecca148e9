"""The map's Streamlit side: it mounts two components of `map.js`, one for points and one for marks.

There are two, so a click does not resend the points: Streamlit replaces an unchanged message by a
reference to the browser's copy. The marks find their map by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from soundalike.ui import frontend

_SCRIPTS = ("map_scene.js", "map_overlay.js", "map_controls.js", "map.js")


def draw(
    points: Mapping[str, Any],
    label: str,
    key: str,
    on_choose: Callable[[str], None],
    on_area: Callable[[list[str]], None],
    on_hidden: Callable[[list[str]], None],
    on_view: Callable[[str], None],
) -> None:
    """Draw a map.

    Parameters
    ----------
    points : from `charts.points`
    label : text description for screen readers
    key : of the component
    on_choose : gets the clicked track
    on_area : gets the tracks in the selected area; empty if the selection was cleared
    on_hidden : gets the groups that the legend hides
    on_view : gets the visible part of the map in the format of `charts.marks`, "" for all of it
    """

    def chosen() -> None:
        on_choose(str(st.session_state[key].chosen))

    def area() -> None:
        on_area([str(track_id) for track_id in st.session_state[key].area["ids"]])

    def hidden() -> None:
        on_hidden([str(name) for name in st.session_state[key].hidden["names"]])

    def view() -> None:
        on_view(str(st.session_state[key].view))

    _register()[0](
        key=key,
        data={"key": key, "label": label, "points": points},
        on_chosen_change=chosen,
        on_area_change=area,
        on_hidden_change=hidden,
        on_view_change=view,
    )


def draw_marks(marks: Mapping[str, Any], key: str) -> None:
    """Draw marks on the map of that key, replacing earlier marks."""
    _register()[1](key=f"{key}_marks", data={"key": key, "marks": marks})


def script() -> str:
    """The map's JavaScript, joined into one module."""
    return frontend.read(*_SCRIPTS)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> tuple[Callable[..., Any], Callable[..., Any]]:
    points = st.components.v2.component(
        "soundalike_map",
        html='<div class="root"></div>',
        css=frontend.read("map.css"),
        js=script(),
    )
    marks = st.components.v2.component("soundalike_map_marks", js=frontend.read("map_marks.js"))
    return points, marks
