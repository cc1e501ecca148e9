"""The map's Streamlit side: a component for the points, and others for what is drawn on them.

They are several, so a click does not resend the points: Streamlit replaces an unchanged message by a
reference to the browser's copy. Marks and names of regions find their map by its key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from soundalike.index.index import Index
from soundalike.ui import frontend, incoming

LONGEST_VIEW, LONGEST_GROUP = 60, 300
"""Characters of a view, and of a group's name."""
MOST_GROUPS = 100

_SCRIPTS = ("map_scene.js", "map_signs.js", "map_links.js", "map_controls.js", "map.js")


@dataclass(frozen=True)
class Content:
    """A map's points as they are sent, which takes longer to encode than a click may take.

    Attributes
    ----------
    encoded : what the component gets, as JSON
    shown, of : number of tracks that are drawn, and of all tracks
    """

    encoded: bytes
    shown: int
    of: int


def content(points: Mapping[str, Any], label: str, key: str) -> Content:
    """Encode a map's points.

    Parameters
    ----------
    points : from `charts.points`
    label : text description for screen readers
    key : of the component
    """
    data = {"key": key, "label": label, "points": points}
    return Content(
        json.dumps(data, ensure_ascii=False).encode(), len(points.get("ids", ())), points.get("of", 0)
    )


def draw(
    index: Index,
    points: Content,
    key: str,
    on_choose: Callable[[str], None],
    on_area: Callable[[list[str]], None],
    on_hidden: Callable[[list[str]], None],
    on_view: Callable[[str], None],
) -> None:
    """Draw a map.

    Parameters
    ----------
    index : the library
    points : from `content`, for the same key
    key : of the component
    on_choose : gets the clicked track
    on_area : gets the tracks in the selected area; empty if the selection was cleared
    on_hidden : gets the groups that the legend hides
    on_view : gets the visible part of the map in the format of `charts.marks`, "" for all of it
    """

    def chosen() -> None:
        if (track_id := incoming.track(index, incoming.triggered(key, "chosen"))) is not None:
            on_choose(track_id)

    def area() -> None:
        on_area(incoming.tracks(index, incoming.member(incoming.triggered(key, "area"), "ids")))

    def hidden() -> None:
        names = incoming.member(incoming.triggered(key, "hidden"), "names")
        on_hidden(incoming.texts(names, LONGEST_GROUP, MOST_GROUPS))

    def view() -> None:
        on_view(incoming.text(incoming.triggered(key, "view"), LONGEST_VIEW))

    _register()[0](
        key=key,
        data=points.encoded,
        on_chosen_change=chosen,
        on_area_change=area,
        on_hidden_change=hidden,
        on_view_change=view,
    )


def draw_marks(marks: Mapping[str, Any], key: str) -> None:
    """Draw marks on the map of that key, replacing earlier marks."""
    _draw_part("marks", marks, key)


def draw_names(names: Mapping[str, Any], key: str) -> None:
    """Draw the names of regions (`regions.data`) on the map of that key, replacing earlier names."""
    _draw_part("names", names, key)


def _draw_part(part: str, content: Mapping[str, Any], key: str) -> None:
    _register()[1](key=f"{key}_{part}", data={"key": key, "part": part, "content": content})


def script() -> str:
    """The map's JavaScript, joined into one module."""
    return frontend.read(*_SCRIPTS)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> tuple[Callable[..., Any], Callable[..., Any]]:
    points = frontend.component(
        "soundalike_map",
        html='<div class="root"></div>',
        css=frontend.read("map.css"),
        js=script(),
    )
    marks = frontend.component("soundalike_map_marks", js=frontend.read("map_marks.js"))
    return points, marks
