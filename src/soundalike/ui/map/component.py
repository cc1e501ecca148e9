"""The map's Streamlit side: two mounts of `map.js`'s components, one for points and one for marks.

They are two so that a click does not send the points again: Streamlit sends a message that has not
changed as a reference to the browser's copy. The marks find their map by its key.
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
    points : from `map_figures.points`
    label : what it shows, for those who cannot see it
    key : of the component
    on_choose : gets the track that was clicked
    on_area : gets the tracks that a line was drawn around, none where it was taken away
    on_hidden : gets the groups that the legend hides
    on_view : gets the part of the map that is seen, as `marks` takes it, "" for all of it
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
    """Draw on top of the map of that key, instead of what was drawn there before."""
    _register()[1](key=f"{key}_marks", data={"key": key, "marks": marks})


def script() -> str:
    """The map's JavaScript, its files joined to one module."""
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
