"""The Recommend page's controls: what a playlist is made of, saving and opening one, and its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike import representations
from soundalike.analysis import shared_traits
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import file_reader, file_writer, playlist
from soundalike.playlist.journey import Journey
from soundalike.playlist.playlist import Playlist
from soundalike.playlist.query import Query
from soundalike.ui import components, palette, track_picker
from soundalike.ui.playlist import playlist_state

EDITS = {"why": "Why this track", "pin": "Keep in the playlist", "remove": "Take out"}
BLENDS = {"more": "More like this", "less": "Less like this"}
UNSAID = (shared_traits.NOTHING, shared_traits.UNMEASURED)

Place = DeltaGenerator
Act = Callable[[str, str], None]


def controls(index: Index, asked: Query | None) -> Place:
    """What a playlist is made of; the place where it can be saved is filled when it is there."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.segmented_control(
            "Kind",
            list(playlist_state.KINDS),
            format_func=lambda kind: playlist_state.KINDS[kind],
            key="recommend_kind",
            persist_state="session",
            required=True,
            label_visibility="collapsed",
            width="content",
        )
        with st.popover("Options", icon=":material/tune:", key="recommend_options"):
            options(index)
        if st.session_state.recommend_kind == "playlist":
            blended = len(st.session_state.recommend_blend)
            name = f"Blend ({blended})" if blended else "Blend"
            with st.popover(name, icon=":material/blender:", key="recommend_blending"):
                blend(index)
        save = st.popover("Save", icon=":material/download:", key="recommend_saving")
        with st.popover("Open", icon=":material/folder_open:", key="recommend_opening"):
            open_list(index)
        if st.session_state.recommend_undo:
            st.button(
                "Undo",
                icon=":material/undo:",
                on_click=playlist_state.undo,
                key="recommend_undone",
                type="tertiary",
            )
    opened()
    if st.session_state.recommend_kind == "journey":
        destination(index, asked)
    return save


def options(index: Index) -> None:
    """Caps, variety and order; on a journey the way itself decides all but the first."""
    if st.session_state.recommend_kind == "journey":
        cap(st, "Most by one artist", "recommend_artist")
        return
    left, right = st.columns(2)
    cap(left, "Most by one artist", "recommend_artist")
    cap(right, "Most from one album", "recommend_album")
    st.slider(
        "Variety",
        0,
        100,
        step=10,
        format="%d %%",
        key="recommend_variety",
        persist_state="session",
        help="At 0 the most alike come in; the more of it, the less the tracks are alike each other.",
    )
    st.selectbox(
        "Order",
        list(playlist_state.orders(index)),
        format_func=lambda order: playlist_state.ORDERS[order],
        key="recommend_order",
        persist_state="session",
    )
    if st.session_state.recommend_order == playlist_state.DIMENSION:
        along(index)
    if st.session_state.recommend_order == "shuffled":
        st.button(
            "Shuffle again",
            icon=":material/shuffle:",
            key="recommend_again",
            on_click=playlist_state.shuffle,
        )
    st.toggle("Prefer keys that go together", key="recommend_harmonic", persist_state="session")
    st.toggle(
        "Turn it around: the least alike",
        key="recommend_farthest",
        persist_state="session",
        help="For the fun of it.",
    )


def cap(place: Any, label: str, key: str) -> None:
    """How many tracks of one artist or album there may be."""
    place.selectbox(
        label,
        list(playlist_state.CAPS),
        format_func=lambda most: playlist_state.CAPS[most],
        key=key,
        persist_state="session",
    )


def along(index: Index) -> None:
    """One number of an embedding to order by."""
    left, right = st.columns(2)
    left.selectbox(
        "Embedding",
        index.stored,
        format_func=lambda name: representations.get(name).title,
        key="recommend_along",
        persist_state="session",
    )
    last = playlist_state.dimensions(index, st.session_state.recommend_along) - 1
    st.session_state.recommend_dimension = min(st.session_state.recommend_dimension, last)
    right.number_input(
        f"Dimension, 0 to {last:,}", 0, last, step=1, key="recommend_dimension", persist_state="session"
    )
    st.toggle("From high to low", key="recommend_falls", persist_state="session")


def blend(index: Index) -> None:
    """More like these, less like those."""
    st.caption(
        "Blend tracks in: more like one, less like another. The clip on the left always counts in full."
    )
    track_picker.choose_track(
        index,
        "Add a track",
        "recommend_add",
        "Choose a track",
        partial(playlist_state.add, "recommend_add"),
    )
    for track_id, weight in st.session_state.recommend_blend.items():
        key = f"recommend_weight_{track_id}"
        st.session_state[key] = round(weight * 100)
        st.slider(
            components.plain(index.fact("title", index.row(track_id))),
            -100,
            100,
            step=10,
            format="%d %%",
            key=key,
            on_change=playlist_state.weigh,
            args=[track_id, key],
            help="Above 0 for more like it, below for less; 0 takes it out.",
        )


def destination(index: Index, asked: Query | None) -> None:
    """Where a journey goes to, and by which way."""
    left, right = st.columns(2)
    with left:
        track_picker.choose_track(index, "To", "recommend_to", "Choose a track")
    with right:
        track_picker.choose_tracks(
            index,
            f"By way of, {playlist_state.MOST_STOPS} at most",
            "recommend_via",
            playlist_state.MOST_STOPS,
            "No stops",
        )


def stops(index: Index, asked: Query) -> tuple[list[int], list[str]]:
    """The rows that a journey leads over, if it has a destination; and what to say about its start."""
    session = st.session_state
    if session.recommend_to is None:
        return [], []
    start, notes = asked.row, []
    if start is None:
        start = playlist.recommend(index, asked, session.recommend_by, 1).entries[0].row
        title = index.fact("title", start)
        notes.append(f"Your clip is not in the library; the nearest track, “{title}”, stands for it.")
    end = index.row(session.recommend_to)
    between = [index.row(track_id) for track_id in session.recommend_via]
    return [start, *(row for row in between if row not in (start, end)), end], notes


def steps_in_words(steps: Sequence[float]) -> str:
    """What a journey's chart says."""
    return (
        f"How far each track is from the one before it, as an angle between their embeddings: "
        f"{sum(steps) / len(steps):.0f}° on average, {max(steps):.0f}° at most."
    )


def playlist_table(index: Index, asked: Query, found: Playlist, key: str, act: Act) -> None:
    """A playlist that can be worked on, with what each track has in common with the clip."""
    measured = [(max(entry.similarity, 0.0), f"{entry.similarity:.3f}") for entry in found.entries]
    rows = [entry.row for entry in found.entries]
    edits = [{"name": name, "label": label} for name, label in EDITS.items()]
    actions = [{"name": name, "label": label} for name, label in BLENDS.items()]
    reasons = ["" if said in UNSAID else said for said in shared_traits.sentences(index, asked, rows)]
    data = {"measure": "Similarity", "edits": edits, "actions": [*actions, *components.actions()]}
    _table(index, rows, measured, reasons, data, key, act)


def journey_table(index: Index, found: Journey, key: str, act: Act) -> None:
    """A journey's tracks with the steps between them."""
    most = max(found.steps)
    measured = [(0.0, ""), *((step / most if most else 0.0, f"{step:.0f}°") for step in found.steps)]
    edits = [{"name": "remove", "label": "Lead around it"}]
    data = {"measure": "Step", "edits": edits, "actions": components.actions()}
    ends = (found.rows[0], found.rows[-1])
    _table(index, found.rows, measured, [""] * len(found.rows), data, key, act, ends)


def _table(
    index: Index,
    rows: Sequence[int],
    measured: Sequence[tuple[float, str]],
    reasons: Sequence[str],
    data: dict[str, Any],
    key: str,
    act: Act,
    fixed: Sequence[int] = (),
) -> None:
    styles = palette.of(index)
    pinned = set(st.session_state.recommend_pinned)
    tracks = [
        components.track_data(index, row, styles)
        | {"rank": rank, "share": round(share, 4), "measured": text, "reason": reason}
        | {"pinned": index.fact("track_id", row) in pinned, "fixed": row in fixed}
        for rank, (row, (share, text), reason) in enumerate(
            zip(rows, measured, reasons, strict=True), start=1
        )
    ]
    label = f"Playlist with {data['measure'].lower()}"
    components.editable_table(data | {"label": label, "ranked": True, "tracks": tracks}, key, act)


def save(index: Index, rows: Sequence[int], similarities: Sequence[float] | None, place: Place) -> None:
    """The playlist as a file, in one of several formats."""
    made = {"representation": st.session_state.recommend_by, "order": playlist_state.order()}
    listing = file_writer.of_rows(index, rows, similarities, recipe=made)
    with place:
        for kind, described in file_writer.FORMATS.items():
            st.download_button(
                described.title,
                partial(file_writer.write, listing, kind, index.library_folder),
                f"soundalike{described.suffix}",
                described.mime,
                key=f"recommend_save_{kind}",
                on_click="ignore",
                type="tertiary",
            )
        st.caption("The paths in a list are relative to the library's folder; a ZIP brings the clips.")


def open_list(index: Index) -> None:
    """A playlist file to go on from."""
    st.file_uploader(
        "Playlist file",
        type=["m3u8", "m3u", "xspf", "jspf", "json", "csv", "zip"],
        key="recommend_list",
        on_change=_read,
        args=[index],
        help="Finds more like its tracks: the first is asked about, the others are blended in.",
    )


def opened() -> None:
    """What came of opening a playlist file, said once."""
    for kind, message in st.session_state.pop("recommend_opened", []):
        components.show_error(message) if kind == "error" else st.info(components.plain(message))


def _read(index: Index) -> None:
    given = st.session_state.recommend_list
    st.session_state.recommend_opened = []
    if given is None:
        return
    try:
        rows, notes = file_reader.resolve(index, file_reader.read(given.getvalue(), given.name))
    except SoundalikeError as error:
        st.session_state.recommend_opened = [("error", str(error))]
        return
    if rows:
        playlist_state.start_from(index, rows)
        told = f"More like the {len(rows)} tracks of {given.name}, which are blended together."
        notes = [told, *notes]
    else:
        notes = ["None of its tracks is in this library.", *notes]
    st.session_state.recommend_opened = [("note", note) for note in notes]
