"""State of the Map page in the session and the URL: the selected track, the visible part, the panel."""

from __future__ import annotations

import streamlit as st

from soundalike.errors import PlaylistError
from soundalike.index.index import Index
from soundalike.playlist import ordering, playlist, selection
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import current_clip, incoming, session
from soundalike.ui.current_clip import OwnClip
from soundalike.ui.map import charts, component, map_words
from soundalike.words import description

LONGEST_SEARCH = 80
METRICS = {"cosine": "Cosine", "euclidean": "Euclidean"}


def prepare(index: Index) -> None:
    """Set the widgets, the selection and the search from the URL on the first run."""
    current_clip.enter(index, "map")
    first = st.session_state.get("map_ready") is None
    if not on_clip():
        st.session_state.map_source = current_clip.LIBRARY
    if not index.has(st.session_state.map_track):
        st.session_state.map_track = index.ids[0]
    mapped = mapped_representations(index)
    session.from_url("map_by", "by", mapped, mapped[0])
    prepare_colour(index)
    default = layout.DEFAULT
    settings = layout.settings_of(index, st.session_state.map_by)
    session.from_url("map_dims", "dims", sorted({s.dims for s in settings}), default.dims)
    session.from_url("map_metric", "metric", list(METRICS), default.metric)
    session.from_url("map_near", "near", sorted({s.n_neighbors for s in settings}), default.n_neighbors)
    session.from_url("map_apart", "apart", sorted({s.min_dist for s in settings}), default.min_dist)
    if first:
        st.session_state.map_ready = True
        hidden = incoming.parameter("hide").split("|")
        st.session_state.map_find = incoming.text(incoming.parameter("find"), LONGEST_SEARCH)
        st.session_state.map_view = incoming.text(incoming.parameter("view"), component.LONGEST_VIEW)
        st.session_state.map_hidden = incoming.texts(hidden, component.LONGEST_GROUP, len(hidden))
        st.session_state.map_area = selection.decode(index, incoming.parameter("area"))
        st.session_state.map_only = incoming.text(incoming.parameter("only"), description.LONGEST_TEXT)
        path = incoming.tracks(index, incoming.parameter("path"))
        # Another page may have opened the map with a path.
        st.session_state.setdefault("map_path", path[: playlist.MAX_LENGTH])
    first_panel = "path" if st.session_state.map_path else "neighbours"
    session.from_url("map_panel", "show", list(panels()), first_panel)
    if st.session_state.map_panel not in panels():
        st.session_state.map_panel = "neighbours"


def prepare_colour(index: Index) -> None:
    """Set the colour from the URL on the first run.

    It is "genre", a word such as "word:piano", or a dimension such as "dimension:musicnn:17".
    """
    kind, _, detail = incoming.parameter("colour").partition(":")
    st.session_state.setdefault("map_dimension", None)
    if "map_colour" not in st.session_state:
        if kind == charts.WORD and detail in map_words.COLOURS and kind in colours(index):
            st.session_state.map_colour, st.session_state.map_word = charts.WORD, detail
        if kind == charts.DIMENSION and _has_dimension(index, detail):
            st.session_state.map_colour, st.session_state.map_dimension = charts.DIMENSION, detail
    session.from_url("map_colour", "colour", list(colours(index)), "genre")
    st.session_state.setdefault("map_word", map_words.COLOURS[0])


def colours(index: Index) -> dict[str, str]:
    """The colours on offer; a dimension only once one was chosen on the Features page."""
    titles = charts.colour_titles(index)
    if dimension := st.session_state.map_dimension:
        return titles | {charts.DIMENSION: map_words.dimension_title(dimension)}
    return titles


def colour() -> str:
    """The chosen colour, as the URL names it."""
    chosen = str(st.session_state.map_colour)
    details = {charts.WORD: st.session_state.map_word, charts.DIMENSION: st.session_state.map_dimension}
    return f"{chosen}:{details[chosen]}" if chosen in details else chosen


def colour_by(order: str) -> None:
    """Colour the map by the word or the dimension that an order names (`ordering`)."""
    kind, _, detail = order.removeprefix("-").partition(":")
    state = st.session_state
    if kind == ordering.WORDS:
        state.map_colour, state.map_word = charts.WORD, detail
    else:
        state.map_colour, state.map_dimension = charts.DIMENSION, f"{kind}:{detail}"
    show_groups()


def _has_dimension(index: Index, dimension: str) -> bool:
    try:
        ordering.quantity(index, dimension)
    except PlaylistError:
        return False
    return dimension.partition(":")[0] != ordering.WORDS


def mapped_representations(index: Index) -> list[str]:
    """The representations that have maps, the default first."""
    mapped = {facts["representation"] for facts in index.maps.values()}
    return [name for name in index.names if name in mapped]


def panels() -> dict[str, str]:
    """The panels on offer beside the map."""
    shown = {"neighbours": "Neighbours", "tracks": "All tracks"}
    if area := st.session_state.get("map_area"):
        shown["selection"] = f"Selection ({len(area):,})"
    if path := st.session_state.get("map_path"):
        shown["path"] = f"Path ({len(path):,})"
    return shown


def choose(track_id: str) -> None:
    """Select a library track and play it."""
    st.session_state.map_track = str(track_id)
    st.session_state.map_source = current_clip.LIBRARY
    play()


def choose_point(track_id: str) -> None:
    """Select a clicked point, and show its neighbours instead of the area selection."""
    choose(track_id)
    if st.session_state.map_panel == "selection":
        st.session_state.map_panel = "neighbours"


def show_clip(own: OwnClip) -> None:
    """Select the visitor's clip and play it."""
    st.session_state.map_source = own.source
    play()


def on_clip() -> bool:
    """Whether the visitor's clip is selected."""
    is_own = st.session_state.map_source != current_clip.LIBRARY
    return is_own and current_clip.kept_clip() is not None


def play() -> None:
    """Start the player: the visitor has just chosen this track."""
    st.session_state.map_start = st.session_state.get("map_start", 0) + 1


def select(index: Index, track_ids: list[str]) -> None:
    """Store the area selection and show it."""
    st.session_state.map_area = [index.row(track_id) for track_id in track_ids]
    st.session_state.map_panel = "selection" if track_ids else "neighbours"


def clear_path() -> None:
    """Remove the path."""
    st.session_state.map_path = []
    if st.session_state.map_panel == "path":
        st.session_state.map_panel = "neighbours"


def hide(names: list[str]) -> None:
    """Store the groups that the legend hides."""
    st.session_state.map_hidden = names


def store_view(view: str) -> None:
    """Store the visible part of the map."""
    st.session_state.map_view = view


def show_groups() -> None:
    """Show all groups, because the colours have a new meaning."""
    st.session_state.map_hidden = []


def leave_for_recommend(track_id: str) -> None:
    """Switch to the Recommend page at the end of this run."""
    st.session_state.map_recommend = track_id


def share(index: Index, setting: Setting) -> None:
    """Write the page's settings into the URL."""
    state = st.session_state
    session.to_url(
        {
            "from": state.map_source if on_clip() else None,
            "track": None if on_clip() else state.map_track,
            "by": state.map_by,
            "dims": setting.dims,
            "near": setting.n_neighbors,
            "apart": f"{setting.min_dist:g}",
            "metric": setting.metric,
            "colour": colour(),
            "show": state.map_panel,
            "find": state.map_find.strip() or None,
            "only": state.map_only.strip() or None,
            "view": state.map_view or None,
            "hide": "|".join(state.map_hidden) or None,
            "area": selection.encode(index, state.map_area),
            "path": ",".join(state.map_path) or None,
        }
    )
    current_clip.leave("map")
