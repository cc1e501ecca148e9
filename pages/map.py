"""Map: the whole library laid out by how it sounds."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from soundalike import representations
from soundalike.audio import decoding
from soundalike.index import genre_groups, text_search
from soundalike.index.index import Index
from soundalike.playlist import playlist, query, selection
from soundalike.playlist.playlist import Playlist
from soundalike.playlist.query import Query
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import components, palette, state
from soundalike.ui.map import charts, component

LINKS = 10
TABLE_ROWS = 1_000
LONGEST_SEARCH = 80
LONGEST_VIEW = 60
METRICS = {"cosine": "Cosine", "euclidean": "Euclidean"}
DEFAULTS = {
    "map_dims": "dims",
    "map_metric": "metric",
    "map_near": "n_neighbors",
    "map_apart": "min_dist",
}


@dataclass(frozen=True)
class Sight:
    """What is looked at: a track of the library or a visitor's clip, and where it is on the map."""

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
    sight = look_at(index, by, setting, clip)
    found = playlist.recommend(index, sight.asked, by, LINKS)
    with left:
        draw(index, by, setting, sight, found)
    with top:
        describe(index, sight, found)
    if sight.mark["id"] is not None:
        actions.button(
            "Recommend from this",
            icon=":material/queue_music:",
            key="map_to_recommend",
            on_click=leave_for_recommend,
            args=[sight.mark["id"]],
        )
    with right:
        panel(index, by, found)
    share(index, setting)
    if wanted := st.session_state.pop("map_recommend", None):
        state.go("recommend", wanted)


def prepare(index: Index) -> None:
    """Set the widgets, the selection and the search from the URL on the first run."""
    first = st.session_state.get("map_ready") is None
    state.track_from_url(index, "map_track")
    if not index.has(st.session_state.map_track):
        st.session_state.map_track = index.ids[0]
    mapped = mapped_representations(index)
    state.from_url("map_by", "by", mapped, mapped[0])
    titles = charts.colour_titles(index)
    state.from_url("map_colour", "colour", list(titles), "genre")
    default = layout.DEFAULT
    settings = layout.settings_of(index, st.session_state.map_by)
    state.from_url("map_dims", "dims", sorted({s.dims for s in settings}), default.dims)
    state.from_url("map_metric", "metric", list(METRICS), default.metric)
    state.from_url("map_near", "near", sorted({s.n_neighbors for s in settings}), default.n_neighbors)
    state.from_url("map_apart", "apart", sorted({s.min_dist for s in settings}), default.min_dist)
    if first:
        st.session_state.map_ready = True
        st.session_state.map_find = st.query_params.get("find", "")[:LONGEST_SEARCH]
        st.session_state.map_view = st.query_params.get("view", "")[:LONGEST_VIEW]
        st.session_state.map_hidden = list(filter(None, st.query_params.get("hide", "").split("|")))
        st.session_state.map_area = selection.decode(index, st.query_params.get("area", ""))
    state.from_url("map_panel", "show", list(panels()), "neighbours")
    if st.session_state.map_panel not in panels():
        st.session_state.map_panel = "neighbours"


def mapped_representations(index: Index) -> list[str]:
    """The representations that there are maps of, the default first."""
    mapped = {facts["representation"] for facts in index.maps.values()}
    return [name for name in index.names if name in mapped]


def panels() -> dict[str, str]:
    """What can be shown beside the map."""
    shown = {"neighbours": "Neighbours", "tracks": "All tracks"}
    if area := st.session_state.get("map_area"):
        shown["selection"] = f"Selection ({len(area):,})"
    return shown


def controls(index: Index) -> Setting:
    """The search, the colours, and which of the precomputed maps is drawn, which it returns."""
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
        dims = one_of("Dimensions", "map_dims", {s.dims: f"{s.dims}-D" for s in settings})
        settings = [s for s in settings if s.dims == dims]
        with st.popover("Layout", icon=":material/tune:"):
            return choose_layout(settings)


def choose_layout(settings: list[Setting]) -> Setting:
    """One of the precomputed layouts; each choice leaves those that the next can have."""
    near = one_of("Neighbours", "map_near", {s.n_neighbors: str(s.n_neighbors) for s in settings})
    st.caption("How many nearest tracks each one is tied to: few bring out detail, many the whole.")
    settings = [s for s in settings if s.n_neighbors == near]
    metric = one_of("Distance", "map_metric", {s.metric: METRICS[s.metric] for s in settings})
    if len({s.metric for s in settings}) > 1:
        st.caption("Cosine is what playlists compare by. Euclidean lets the vectors' lengths count too.")
    settings = [s for s in settings if s.metric == metric]
    apart = one_of("Least distance", "map_apart", {s.min_dist: f"{s.min_dist:g}" for s in settings})
    if len(settings) > 1:
        st.caption("How close two points may be put: 0 packs groups tight, 0.5 spreads them out.")
    else:
        st.caption(
            f"Points are put no closer than {apart:g}; there is one such layout for these choices."
        )
    return next(s for s in settings if s.min_dist == apart)


def one_of(label: str, key: str, options: dict[Any, str]) -> Any:
    """A choice of one, drawn where there is something to choose; a value there is not gives way."""
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
    """A visitor's own clip, analysed once; one that the library has is shown as the library's."""
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
        st.caption("The library has this recording, so the map shows it where it is.")
        return None
    if not on_clip():
        st.button("Show it again", icon=":material/my_location:", key="map_again", on_click=show_clip)
    return given.file_id, kept[1]


def choose(track_id: str) -> None:
    """Look at a track of the library, and play it."""
    st.session_state.map_track = str(track_id)
    st.session_state.map_on_clip = None
    play()


def choose_point(track_id: str) -> None:
    """Look at a point that was clicked, and at its neighbours rather than at a selection."""
    choose(track_id)
    if st.session_state.map_panel == "selection":
        st.session_state.map_panel = "neighbours"


def show_clip() -> None:
    """Look at the visitor's clip, and play it."""
    st.session_state.map_on_clip = st.session_state.map_track
    play()


def on_clip() -> bool:
    """Whether the visitor's clip is looked at: it was shown, and no other track was chosen since."""
    return bool(st.session_state.get("map_on_clip") == st.session_state.map_track)


def play() -> None:
    """Have the player start, since a visitor has just chosen what it plays."""
    st.session_state.map_start = st.session_state.get("map_start", 0) + 1


def select(index: Index, track_ids: list[str]) -> None:
    """Keep what a line was drawn around, and show it."""
    st.session_state.map_area = [index.row(track_id) for track_id in track_ids]
    st.session_state.map_panel = "selection" if track_ids else "neighbours"


def hide(names: list[str]) -> None:
    """Keep which groups the legend hides."""
    st.session_state.map_hidden = names


def look(view: str) -> None:
    """Keep which part of the map is seen."""
    st.session_state.map_view = view


def show_groups() -> None:
    """Hide nothing: the colours have come to mean something else."""
    st.session_state.map_hidden = []


def look_at(index: Index, by: str, setting: Setting, clip: tuple[str, Query] | None) -> Sight:
    """The track or the clip that is looked at, and where it is."""
    positions = index.array(layout.array_name(by, setting))
    if clip is None or not on_clip():
        row = index.row(st.session_state.map_track)
        asked = query.from_library(index, st.session_state.map_track)
        mark = charts.mark(index, positions, row)
        return Sight(asked, mark, positions, components.track_of(index, row))
    file_id, asked = clip
    given = st.session_state.map_upload
    away = layout.distances(index, by, setting.metric, asked.embeddings)
    mark = charts.clip_mark(given.name, layout.place(away, positions))
    url = components.audio_url(given.getvalue(), given.name)
    track = components.Track(file_id, given.name, "Your clip", "", "", "", url)
    return Sight(asked, mark, positions, track)


def draw(index: Index, by: str, setting: Setting, sight: Sight, found: Playlist) -> None:
    """The map, what is marked on it, and what it says, in words."""
    name = layout.array_name(by, setting)
    colour = st.session_state.map_colour
    points = points_of(index, name, by, colour)
    title = representations.get(by).title.lower()
    component.draw(
        points,
        f"Map of {len(index):,} tracks by {title}, {setting.dims}-D. Arrow keys walk from point to "
        "point, Enter plays. The table of all tracks beside the map leads to every point.",
        "map_points",
        choose_point,
        lambda track_ids: select(index, track_ids),
        hide,
        look,
    )
    text = st.session_state.map_find.strip()
    hits = text_search.find(index, text) if text else None
    marks = charts.marks(
        map_name(index, name),
        index,
        sight.positions,
        sight.mark,
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
            f"{len(points['ids']):,} of the {points['of']:,} tracks are drawn, chosen at random, and "
            "only those can be selected; the search and the table find them all."
        )
    st.caption(charts.trust_in_words(index.maps[name]))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={Index: state.identity})
def points_of(index: Index, name: str, by: str, colour: str) -> dict[str, Any]:
    """What the map draws of itself; it stays the same until another map or colour is asked for."""
    positions = index.array(name)
    colours = charts.colouring(index, colour, by, positions)
    genres = genre_groups.named(index) if colour in ("genre", "predicted") else ()
    return charts.points(map_name(index, name), index.tracks, positions, colours, genres)


def map_name(index: Index, name: str) -> str:
    """A map's name, which no map of another library has."""
    return f"{name}@{index.identity[:12]}"


def describe(index: Index, sight: Sight, found: Playlist) -> None:
    """What is looked at, with its player, and how far the map is right about it."""
    styles = palette.of(index)
    started = st.session_state.get("map_start")
    start = None if started is None else f"{started}-{sight.track.id}"
    components.card(sight.track, styles.get(sight.track.genre), "map_card", start)
    rows = [entry.row for entry in found.entries]
    near = charts.near_on_map(sight.positions, sight.mark["at"], rows, sight.asked.row)
    if sight.mark["id"] is None:
        st.caption(
            f"Placed in the middle of the {layout.PLACE_NEIGHBOURS} tracks that sound most like it, "
            "the more alike counting more. The map itself is not computed again for it."
        )
        components.show_notes(sight.asked.notes)
    st.caption(
        f"Of its {len(rows)} nearest in the full space, {near} {'is' if near == 1 else 'are'} among its "
        f"{len(rows)} nearest on this map. The links lead to them, 1 being the nearest."
    )


def leave_for_recommend(track_id: str) -> None:
    """Go to the Recommend page once this run is over."""
    st.session_state.map_recommend = track_id


def panel(index: Index, by: str, found: Playlist) -> None:
    """Beside the map: the neighbours, every track, or what was selected."""
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
        st.caption("Ordered by similarity to the mean of the selection, the most typical first.")
        components.show_notes(ranked.notes)
        components.playlist_table(index, ranked, styles, "map_selection", leave_for_recommend)
        st.button("Clear the selection", icon=":material/close:", on_click=select, args=[index, []])
    else:
        components.playlist_table(index, found, styles, "map_neighbours", leave_for_recommend)
        components.show_notes(found.notes)


def all_tracks(index: Index) -> None:
    """Every track, or what was searched for, as a table; choosing a row is clicking its point."""
    text = st.session_state.map_find.strip()
    rows = text_search.find(index, text) if text else range(len(index))
    shown = list(rows[:TABLE_ROWS])
    table = index.tracks[["title", "artist", "album", "genre"]].iloc[shown]
    ids = [index.ids[row] for row in shown]
    key = f"map_table_{text}"

    def chosen() -> None:
        if places := st.session_state[key].selection.rows:
            choose(ids[places[0]])

    st.dataframe(
        table.rename(columns=str.capitalize),
        hide_index=True,
        height=560,
        key=key,
        on_select=chosen,
        selection_mode="single-row",
        alt="The tracks on the map; selecting one shows and plays it",
    )
    more = len(rows) > TABLE_ROWS
    many = f"The first {TABLE_ROWS:,} of {len(rows):,} tracks; search for others. " if more else ""
    st.caption(f"{many}Select a row to see it on the map and hear it.")


def share(index: Index, setting: Setting) -> None:
    """Put what is on screen into the URL."""
    session = st.session_state
    state.to_url(
        {
            "track": session.map_track,
            "by": session.map_by,
            "dims": setting.dims,
            "near": setting.n_neighbors,
            "apart": f"{setting.min_dist:g}",
            "metric": setting.metric,
            "colour": session.map_colour,
            "show": session.map_panel,
            "find": session.map_find.strip() or None,
            "view": session.map_view or None,
            "hide": "|".join(session.map_hidden) or None,
            "area": selection.encode(index, session.map_area),
        }
    )


components.page(
    "Walk through the music",
    "Every point is a track, and tracks that sound alike lie close together. Near means alike; "
    "left, right, up and down mean nothing, and neither does how far apart distant groups are.",
    show,
)
