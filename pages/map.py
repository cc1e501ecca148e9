"""Map: the whole library, laid out by similarity of sound."""

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike import representations
from soundalike.analysis import genre_groups
from soundalike.index import text_search
from soundalike.index.index import Index
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Playlist, Recipe
from soundalike.playlist.query import Query
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import components, current_clip, palette, server, session, words
from soundalike.ui.map import charts, component, controls, hear, map_words, panel, state

LINKS = 10
KEY = "map_points"


@dataclass(frozen=True)
class Focus:
    """The selected library track or visitor's clip, and its place on the map."""

    asked: Query
    mark: dict[str, Any]
    positions: Any
    track: components.Track


def show(index: Index) -> None:
    """Draw the page."""
    if not index.maps:
        components.show_error(charts.why_no_maps(index))
        return
    state.prepare(index)
    setting = controls.show(index)
    by = st.session_state.map_by
    left, right = st.columns([8, 6], gap="large")
    with right:
        top = st.container()
        actions = st.container(horizontal=True)
    if st.session_state.pop("map_placed", False):
        st.session_state.map_placing = False  # closes it: the result lies below
    with actions.popover(
        "Place a clip", icon=":material/add_location:", key="map_placing", on_change="rerun"
    ):
        own = controls.choose_clip(index)
    focus = find_focus(index, by, setting, own)
    found = playlist.make_playlist(index, [Seed(focus.asked)], Recipe(by, LINKS, per_artist=None))
    only = map_words.only(index, st.session_state.map_only)
    with left:
        stage = draw(index, by, setting, focus, found, only)
    with top:
        describe(index, focus, found)
    if state.on_clip():
        with actions:
            current_clip.navigation_buttons("map", "map_onward")
    elif focus.mark["id"] is not None:
        actions.button(
            "Recommend from this",
            icon=":material/queue_music:",
            key="map_to_recommend",
            on_click=state.leave_for_recommend,
            args=[focus.mark["id"]],
        )
    with right:
        panel.show(index, by, found, only.kept)
    # Last: the names of a large library's first map take seconds, and the map comes first.
    with stage:
        draw_names(index, by, setting)
    state.share(index, setting)
    if wanted := st.session_state.pop("map_recommend", None):
        session.go("recommend", wanted)


def find_focus(index: Index, by: str, setting: Setting, own: Query | None) -> Focus:
    """The selected track or the visitor's own clip, and its place on the map."""
    positions = index.array(layout.array_name(by, setting))
    kept = current_clip.kept_clip()
    if own is None or kept is None:
        row = index.row(st.session_state.map_track)
        asked = query.from_library(index, st.session_state.map_track)
        mark = charts.mark(index, positions, row)
        return Focus(asked, mark, positions, components.track_of(index, row))
    if own.row is not None:
        return Focus(own, charts.mark(index, positions, own.row), positions, kept.track)
    distances = layout.distances(index, by, setting.metric, own.embeddings)
    mark = charts.clip_mark(kept.shown_name, layout.place(distances, positions))
    return Focus(own, mark, positions, kept.track)


def draw(
    index: Index, by: str, setting: Setting, focus: Focus, found: Playlist, only: map_words.Only
) -> DeltaGenerator:
    """Draw the map with its marks and captions; returns what holds the map."""
    name = layout.array_name(by, setting)
    points = points_of(
        index, name, by, setting.dims, state.colour(), has_words=words.of_library(index) is not None
    )
    stage = st.container(key="map_stage")  # of a height that the style sheet keeps from the start
    with stage:
        component.draw(
            index,
            points,
            KEY,
            state.choose_point,
            lambda track_ids: state.select(index, track_ids),
            state.hide,
            state.store_view,
        )
        hear.show(index, KEY)
    text = st.session_state.map_find.strip()
    hits = text_search.find(index, text) if text else None
    marks = charts.marks(
        map_name(index, name),
        index,
        focus.positions,
        focus.mark,
        [] if st.session_state.map_path else [entry.row for entry in found.entries],
        hits,
        st.session_state.map_area,
        st.session_state.map_hidden,
        st.session_state.map_view,
        [index.row(track_id) for track_id in st.session_state.map_path],
        only.kept,
    )
    with stage:
        component.draw_marks(marks, KEY)
    if count := len(st.session_state.map_path):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"The line leads through a path of {count} tracks, in order.", width="content")
            st.button(
                "Clear the path",
                icon=":material/close:",
                key="map_clear_path",
                type="tertiary",
                on_click=state.clear_path,
            )
    components.show_notes(only.notes)
    if hits is not None:
        st.caption(charts.found_in_words(components.plain(text), len(hits)))
    if points.of > points.shown:
        st.caption(
            f"The map shows {points.shown:,} of {points.of:,} tracks, chosen at random; only "
            "these can be selected. The search and the table cover all tracks."
        )
    st.caption(charts.trust_in_words(index.maps[name]))
    return stage


def draw_names(index: Index, by: str, setting: Setting) -> None:
    """Draw the names of the map's regions."""
    name = layout.array_name(by, setting)
    named = map_words.regions(index, name)
    component.draw_names(map_words.data(map_name(index, name), named), KEY)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={Index: server.identity})
def points_of(
    index: Index, name: str, by: str, dims: int, colour: str, *, has_words: bool
) -> component.Content:
    """The map's points; they change only with the map or the colours.

    `has_words` keeps points whose colours were named without the words apart: a network may be missing
    only once.
    """
    positions = index.array(name)
    kind, _, detail = colour.partition(":")
    if kind == charts.WORD:
        colours = map_words.colouring(index, detail)
    elif kind == charts.DIMENSION:
        colours = map_words.colouring_by_dimension(index, detail)
    else:
        colours = charts.colouring(index, colour, by, positions)
    genres = genre_groups.named(index) if colour in ("genre", "predicted") else ()
    points = charts.points(map_name(index, name), index.tracks, positions, colours, genres)
    title = representations.get(by).title
    label = (
        f"Map of {len(index):,} tracks by “{title}”, {dims}-D. Arrow keys move between points, Enter "
        "plays. The table of all tracks beside the map gives access to every point."
    )
    return component.content(points, label, KEY)


def map_name(index: Index, name: str) -> str:
    """A map's name, unique across libraries."""
    return f"{name}@{index.identity[:12]}"


def describe(index: Index, focus: Focus, found: Playlist) -> None:
    """Show the selected track's player, and how well the map preserves its neighbours."""
    styles = palette.of(index)
    started = st.session_state.get("map_start")
    start = None if started is None else f"{started}-{focus.track.id}"
    components.card(focus.track, styles.get(focus.track.genre), "map_card", start)
    rows = [entry.row for entry in found.entries]
    near = charts.near_on_map(focus.positions, focus.mark["at"], rows, focus.asked.row)
    if state.on_clip() and focus.asked.row is not None:
        st.caption("This recording is in the library, so the map shows it in its own place.")
    elif focus.mark["id"] is None:
        st.caption(
            f"Placed among its {layout.PLACE_NEIGHBOURS} closest matches, weighted by similarity. The "
            "map itself is not recomputed."
        )
        components.show_notes(focus.asked.notes)
    lines = f" Lines lead to all {len(rows)}, numbered from closest."
    st.caption(
        f"{near} of its {len(rows)} true nearest neighbours {'is' if near == 1 else 'are'} also nearest "
        f"on the map.{'' if st.session_state.map_path else lines}"
    )


components.page(
    "Walk through the music",
    "Every point is a track, and tracks that sound alike are close together. Directions have no "
    "meaning, and neither do the distances between far-apart groups.",
    show,
)
