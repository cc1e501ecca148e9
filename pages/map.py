"""Map: the whole library, laid out by similarity of sound."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from soundalike import representations
from soundalike.audio import decoding
from soundalike.index import genre_groups, text_search
from soundalike.index.index import Index
from soundalike.playlist import playlist, query, selection
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Playlist, Recipe
from soundalike.playlist.query import Query
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import components, incoming, palette, server, session
from soundalike.ui.map import charts, component

LINKS = 10
TABLE_ROWS = 1_000
LONGEST_SEARCH = 80
METRICS = {"cosine": "Cosine", "euclidean": "Euclidean"}
DEFAULTS = {
    "map_dims": "dims",
    "map_metric": "metric",
    "map_near": "n_neighbors",
    "map_apart": "min_dist",
}


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
    prepare(index)
    setting = controls(index)
    by = st.session_state.map_by
    left, right = st.columns([8, 6], gap="large")
    with right:
        top = st.container()
        actions = st.container(horizontal=True)
    with actions.popover("Place a clip", icon=":material/add_location:"):
        clip = choose_clip(index)
    focus = find_focus(index, by, setting, clip)
    found = playlist.make_playlist(index, [Seed(focus.asked)], Recipe(by, LINKS, per_artist=None))
    with left:
        draw(index, by, setting, focus, found)
    with top:
        describe(index, focus, found)
    if focus.mark["id"] is not None:
        actions.button(
            "Recommend from this",
            icon=":material/queue_music:",
            key="map_to_recommend",
            on_click=leave_for_recommend,
            args=[focus.mark["id"]],
        )
    with right:
        panel(index, by, found)
    share(index, setting)
    if wanted := st.session_state.pop("map_recommend", None):
        session.go("recommend", wanted)


def prepare(index: Index) -> None:
    """Set the widgets, the selection and the search from the URL on the first run."""
    first = st.session_state.get("map_ready") is None
    session.track_from_url(index, "map_track")
    if not index.has(st.session_state.map_track):
        st.session_state.map_track = index.ids[0]
    mapped = mapped_representations(index)
    session.from_url("map_by", "by", mapped, mapped[0])
    titles = charts.colour_titles(index)
    session.from_url("map_colour", "colour", list(titles), "genre")
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
    session.from_url("map_panel", "show", list(panels()), "neighbours")
    if st.session_state.map_panel not in panels():
        st.session_state.map_panel = "neighbours"


def mapped_representations(index: Index) -> list[str]:
    """The representations that have maps, the default first."""
    mapped = {facts["representation"] for facts in index.maps.values()}
    return [name for name in index.names if name in mapped]


def panels() -> dict[str, str]:
    """The panels on offer beside the map."""
    shown = {"neighbours": "Neighbours", "tracks": "All tracks"}
    if area := st.session_state.get("map_area"):
        shown["selection"] = f"Selection ({len(area):,})"
    return shown


def controls(index: Index) -> Setting:
    """Show the search, colour and layout controls. Returns the chosen precomputed layout."""
    titles = charts.colour_titles(index)
    named = {name: representations.get(name).title for name in mapped_representations(index)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Find",
            key="map_find",
            persist_state="session",
            max_chars=LONGEST_SEARCH,
            placeholder="Title, artist, album or genre",
            icon=":material/search:",
            live=True,
            width=230,
        )
        st.selectbox(
            "Colour by",
            list(titles),
            format_func=lambda key: titles[key],
            key="map_colour",
            persist_state="session",
            on_change=show_groups,
            width=210,
        )
        by = one_of("Compare by", "map_by", named)
        settings = layout.settings_of(index, by)
        dims = one_of("Dimensions", "map_dims", {s.dims: f"{s.dims:d}-D" for s in settings})
        settings = [s for s in settings if s.dims == dims]
        with st.popover("Layout", icon=":material/tune:"):
            return choose_layout(settings)


def choose_layout(settings: list[Setting]) -> Setting:
    """Choose one of the precomputed layouts; each choice narrows the next."""
    near = one_of("Neighbours", "map_near", {s.n_neighbors: f"{s.n_neighbors:d}" for s in settings})
    st.caption("Number of neighbours per track. Few show detail, many show the overall structure.")
    settings = [s for s in settings if s.n_neighbors == near]
    metric = one_of("Distance", "map_metric", {s.metric: METRICS[s.metric] for s in settings})
    if len({s.metric for s in settings}) > 1:
        st.caption("Playlists use cosine distance. Euclidean distance also counts the vectors' lengths.")
    settings = [s for s in settings if s.metric == metric]
    apart = one_of("Minimum distance", "map_apart", {s.min_dist: f"{s.min_dist:g}" for s in settings})
    if len(settings) > 1:
        st.caption("Minimum distance between points. 0 packs groups tightly, 0.5 spreads them out.")
    else:
        st.caption(f"The minimum distance between points is {apart:g}, the only option for this layout.")
    return next(s for s in settings if s.min_dist == apart)


def one_of(label: str, key: str, options: dict[Any, str]) -> Any:
    """Choose one option; hidden if there is only one. Unavailable values revert to the default."""
    if st.session_state[key] not in options:
        default = getattr(layout.DEFAULT, DEFAULTS.get(key, ""), None)
        st.session_state[key] = default if default in options else next(iter(options))
    if len(options) == 1:
        return st.session_state[key]
    return st.segmented_control(
        label,
        list(options),
        format_func=lambda option: options[option],
        key=key,
        persist_state="session",
        required=True,
    )


def choose_clip(index: Index) -> tuple[str, Query] | None:
    """Upload a clip, which is analysed once. A clip in the library is shown as the library's track."""
    given = st.file_uploader(
        "Audio file",
        type=list(decoding.EXTENSIONS),
        max_upload_size=decoding.MAX_BYTES // 2**20,
        key="map_upload",
    )
    st.caption("Your clip stays in this session's memory and is gone when you close the page.")
    if given is None:
        st.session_state.pop("map_clip", None)
        return None
    kept: tuple[str, Query | str] | None = st.session_state.get("map_clip")
    if kept is None or kept[0] != given.file_id:
        kept = given.file_id, components.analyse(index, given.getvalue())
        st.session_state.map_clip = kept
        if isinstance(kept[1], Query) and kept[1].row is not None:
            choose(index.ids[kept[1].row])
        else:
            show_clip()
    if isinstance(kept[1], str):
        components.show_error(kept[1])
        return None
    if kept[1].row is not None:
        st.caption("This recording is in the library, so the map shows it in its own place.")
        return None
    if not on_clip():
        st.button("Show it again", icon=":material/my_location:", key="map_again", on_click=show_clip)
    return given.file_id, kept[1]


def choose(track_id: str) -> None:
    """Select a library track and play it."""
    st.session_state.map_track = str(track_id)
    st.session_state.map_on_clip = None
    play()


def choose_point(track_id: str) -> None:
    """Select a clicked point, and show its neighbours instead of the area selection."""
    choose(track_id)
    if st.session_state.map_panel == "selection":
        st.session_state.map_panel = "neighbours"


def show_clip() -> None:
    """Select the visitor's clip and play it."""
    st.session_state.map_on_clip = st.session_state.map_track
    play()


def on_clip() -> bool:
    """Whether the visitor's clip is selected: it was shown, and no track was chosen since."""
    return bool(st.session_state.get("map_on_clip") == st.session_state.map_track)


def play() -> None:
    """Start the player: the visitor has just chosen this track."""
    st.session_state.map_start = st.session_state.get("map_start", 0) + 1


def select(index: Index, track_ids: list[str]) -> None:
    """Store the area selection and show it."""
    st.session_state.map_area = [index.row(track_id) for track_id in track_ids]
    st.session_state.map_panel = "selection" if track_ids else "neighbours"


def hide(names: list[str]) -> None:
    """Store the groups that the legend hides."""
    st.session_state.map_hidden = names


def store_view(view: str) -> None:
    """Store the visible part of the map."""
    st.session_state.map_view = view


def show_groups() -> None:
    """Show all groups, because the colours have a new meaning."""
    st.session_state.map_hidden = []


def find_focus(index: Index, by: str, setting: Setting, clip: tuple[str, Query] | None) -> Focus:
    """The selected track or clip, and its place on the map."""
    positions = index.array(layout.array_name(by, setting))
    if clip is None or not on_clip():
        row = index.row(st.session_state.map_track)
        asked = query.from_library(index, st.session_state.map_track)
        mark = charts.mark(index, positions, row)
        return Focus(asked, mark, positions, components.track_of(index, row))
    file_id, asked = clip
    given = st.session_state.map_upload
    distances = layout.distances(index, by, setting.metric, asked.embeddings)
    mark = charts.clip_mark(given.name, layout.place(distances, positions))
    url = components.audio_url(given.getvalue(), given.name)
    track = components.Track(file_id, given.name, "Your clip", "", "", "", url)
    return Focus(asked, mark, positions, track)


def draw(index: Index, by: str, setting: Setting, focus: Focus, found: Playlist) -> None:
    """Draw the map with its marks and captions."""
    name = layout.array_name(by, setting)
    colour = st.session_state.map_colour
    points = points_of(index, name, by, colour)
    title = representations.get(by).title
    component.draw(
        index,
        points,
        f"Map of {len(index):,} tracks by “{title}”, {setting.dims}-D. Arrow keys move between points, "
        "Enter plays. The table of all tracks beside the map gives access to every point.",
        "map_points",
        choose_point,
        lambda track_ids: select(index, track_ids),
        hide,
        store_view,
    )
    text = st.session_state.map_find.strip()
    hits = text_search.find(index, text) if text else None
    marks = charts.marks(
        map_name(index, name),
        index,
        focus.positions,
        focus.mark,
        [entry.row for entry in found.entries],
        hits,
        st.session_state.map_area,
        st.session_state.map_hidden,
        st.session_state.map_view,
    )
    component.draw_marks(marks, "map_points")
    if hits is not None:
        st.caption(charts.found_in_words(components.plain(text), len(hits)))
    if points["of"] > len(points["ids"]):
        st.caption(
            f"The map shows {len(points['ids']):,} of {points['of']:,} tracks, chosen at random; only "
            "these can be selected. The search and the table cover all tracks."
        )
    st.caption(charts.trust_in_words(index.maps[name]))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={Index: server.identity})
def points_of(index: Index, name: str, by: str, colour: str) -> dict[str, Any]:
    """The map's points; they change only with the map or the colours."""
    positions = index.array(name)
    colours = charts.colouring(index, colour, by, positions)
    genres = genre_groups.named(index) if colour in ("genre", "predicted") else ()
    return charts.points(map_name(index, name), index.tracks, positions, colours, genres)


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
    if focus.mark["id"] is None:
        st.caption(
            f"Placed among its {layout.PLACE_NEIGHBOURS} closest matches, weighted by similarity. The "
            "map itself is not recomputed."
        )
        components.show_notes(focus.asked.notes)
    st.caption(
        f"{near} of its {len(rows)} true nearest neighbours {'is' if near == 1 else 'are'} also nearest "
        f"on the map. Lines lead to all {len(rows)}, numbered from closest."
    )


def leave_for_recommend(track_id: str) -> None:
    """Switch to the Recommend page at the end of this run."""
    st.session_state.map_recommend = track_id


def panel(index: Index, by: str, found: Playlist) -> None:
    """Show the panel beside the map: neighbours, all tracks, or the selection."""
    shown = panels()
    st.segmented_control(
        "Beside the map",
        list(shown),
        format_func=lambda name: shown[name],
        key="map_panel",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    styles = palette.of(index)
    if st.session_state.map_panel == "tracks":
        all_tracks(index)
    elif st.session_state.map_panel == "selection":
        ranked = selection.rank(index, by, st.session_state.map_area, playlist.MAX_LENGTH)
        st.caption("Sorted by similarity to the selection's mean, most typical first.")
        components.show_notes(ranked.notes)
        components.playlist_table(index, ranked, styles, "map_selection", leave_for_recommend)
        st.button("Clear the selection", icon=":material/close:", on_click=select, args=[index, []])
    else:
        components.playlist_table(index, found, styles, "map_neighbours", leave_for_recommend)
        components.show_notes(found.notes)


def all_tracks(index: Index) -> None:
    """Show all tracks or the search results as a table; selecting a row selects its point."""
    text = st.session_state.map_find.strip()
    rows = text_search.find(index, text) if text else range(len(index))
    shown = list(rows[:TABLE_ROWS])
    table = index.tracks[["title", "artist", "album", "genre"]].iloc[shown]
    ids = [index.ids[row] for row in shown]
    key = f"map_table_{text}"

    def chosen() -> None:
        if (track_id := incoming.row(st.session_state.get(key), ids)) is not None:
            choose(track_id)

    st.dataframe(
        table.rename(columns=str.capitalize),
        hide_index=True,
        height=560,
        key=key,
        on_select=chosen,
        selection_mode="single-row",
        alt="The tracks on the map; select one to show and play it",
    )
    more = len(rows) > TABLE_ROWS
    many = f"Showing {TABLE_ROWS:,} of {len(rows):,} tracks; search to find others. " if more else ""
    st.caption(f"{many}Select a row to see it on the map and hear it.")


def share(index: Index, setting: Setting) -> None:
    """Write the page's settings into the URL."""
    state = st.session_state
    session.to_url(
        {
            "track": state.map_track,
            "by": state.map_by,
            "dims": setting.dims,
            "near": setting.n_neighbors,
            "apart": f"{setting.min_dist:g}",
            "metric": setting.metric,
            "colour": state.map_colour,
            "show": state.map_panel,
            "find": state.map_find.strip() or None,
            "view": state.map_view or None,
            "hide": "|".join(state.map_hidden) or None,
            "area": selection.encode(index, state.map_area),
        }
    )


components.page(
    "Walk through the music",
    "Every point is a track, and tracks that sound alike are close together. Directions have no "
    "meaning, and neither do the distances between far-apart groups.",
    show,
)
