"""The Recommend page's playlist: its settings, saving a file, and its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike import representations
from soundalike.analysis import shared_traits
from soundalike.audio.clip import clock
from soundalike.index.index import Index
from soundalike.playlist import aspects, file_writer, playlist
from soundalike.playlist.blend import Seed
from soundalike.playlist.journey import Journey
from soundalike.playlist.playlist import Playlist, Recipe
from soundalike.playlist.query import Query
from soundalike.ui import components, palette, session, track_picker
from soundalike.ui.playlist import filter_controls, history, opened_list, playlist_state
from soundalike.words import vocabulary
from soundalike.words.search import Matches

STEERS = {"more": "More like this", "less": "Less like this"}
"""Edits that blend a track in; a description has no clip to blend with."""
EDITS = {"why": "Why this track", "pin": "Keep in the playlist", "remove": "Remove"}
MOST_LISTED = 200
"""Number of tracks of an opened list that are shown."""
MOST_NAMED = 3
"""Number of blended tracks that are named."""
REASONS = {
    shared_traits.NOTHING: "Alike as a whole; no single trait stands out.",
    shared_traits.UNMEASURED: "",
}
"""What a row says where there is no sentence about it."""

Act = Callable[[str, str], None]


def undo() -> None:
    """Offer to undo the last change, and say what it was."""
    # Always there, if empty: what comes after it would be drawn anew if it came and went.
    with st.container(key="recommend_undoing", width="content"):
        if change := history.last_change():
            st.button(
                components.plain(f"Undo: {change}"),
                icon=":material/undo:",
                on_click=history.undo,
                key="recommend_undone",
                type="tertiary",
            )


def controls(index: Index, asked: Query | None, described: bool) -> DeltaGenerator:
    """Show the playlist's settings. Returns the "Save" popover, to fill once the playlist is known.

    A description has no clip to travel from or to blend with.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="recommend_tools"):
        if not described:
            st.segmented_control(
                "Kind",
                playlist_state.kinds(),
                format_func=lambda kind: playlist_state.KINDS[kind],
                key="recommend_kind",
                persist_state="session",
                required=True,
                label_visibility="collapsed",
                width="content",
            )
        is_made = described or st.session_state.recommend_kind != playlist_state.LISTED
        if is_made:
            with st.popover("Options", icon=":material/tune:", key="recommend_options"):
                options(index, described)
        if st.session_state.recommend_kind == "playlist" and not described:
            blended = len(st.session_state.recommend_blend)
            name = f"Blend ({blended})" if blended else "Blend"
            with st.popover(name, icon=":material/blender:", key="recommend_blending"):
                blend(index)
        save = st.popover("Save", icon=":material/download:", key="recommend_saving")
        with st.popover("Open", icon=":material/folder_open:", key="recommend_opening"):
            opened_list.choose(index)
    opened_list.show_messages()
    if st.session_state.recommend_kind == "journey" and not described:
        destination(index, asked)
    elif is_made and not described and (said := steered(index)):
        st.caption(components.plain(said))
    return save


def options(index: Index, described: bool) -> None:
    """Length, limits, variety, order, filter and dials; of a journey only what applies to it."""
    st.slider(
        "Tracks",
        playlist.MIN_LENGTH,
        playlist.MAX_LENGTH,
        **history.bound("length"),
    )
    if st.session_state.recommend_kind == "journey" and not described:
        cap(st, "Limit per artist", "artist")
        filter_controls.show(index)
        return
    left, right = st.columns(2)
    cap(left, "Limit per artist", "artist")
    cap(right, "Limit per album", "album")
    st.slider(
        "Variety",
        0,
        100,
        step=10,
        format="%d %%",
        **history.bound("variety"),
        help="0 picks the closest matches; higher values make the tracks more different from each "
        "other.",
    )
    st.selectbox(
        "Order",
        format_func=lambda order: playlist_state.ORDERS[order],
        **history.bound_choice("order", list(playlist_state.orders(index))),
    )
    if st.session_state.recommend_order == playlist_state.DIMENSION:
        order_dimension(index)
    if st.session_state.recommend_order == playlist_state.WORD:
        order_word()
    if st.session_state.recommend_order == "shuffled":
        st.button(
            "Shuffle again",
            icon=":material/shuffle:",
            key="recommend_again",
            on_click=playlist_state.shuffle,
        )
    filter_controls.show(index)
    if not described and aspects.available(index):
        dials()
    if not described:
        st.toggle(
            "Prefer compatible keys",
            **history.bound("harmonic"),
        )
    st.toggle(
        "Reverse: least similar first",
        **history.bound("farthest"),
        help="Just for fun.",
    )


def dials() -> None:
    """Choose how much each aspect of the sound counts."""
    turned = sum(dial != aspects.NEUTRAL for dial in playlist_state.dials().values())
    with st.expander(f"What counts ({turned} changed)" if turned else "What counts"):
        for name, title in aspects.TITLES.items():
            st.select_slider(
                components.plain(title),
                playlist_state.DIALS,
                format_func=lambda dial: f"{dial:g} ×",
                **history.bound(f"dial_{name}"),
            )
        st.caption("1 × is the plain comparison; at 2 × an aspect counts as much as all the rest.")
        st.button("Reset", on_click=playlist_state.reset_dials, key="recommend_dials_reset")


def cap(place: Any, label: str, name: str) -> None:
    """Choose how many tracks of one artist or album are allowed."""
    place.selectbox(
        label,
        format_func=lambda most: playlist_state.CAPS[most],
        **history.bound_choice(name, list(playlist_state.CAPS)),
    )


def order_dimension(index: Index) -> None:
    """Choose the dimension of an embedding to order by."""
    left, right = st.columns(2)
    left.selectbox(
        "Embedding",
        format_func=lambda name: representations.get(name).title,
        **history.bound_choice("along", list(index.stored)),
    )
    last = playlist_state.dimensions(index, st.session_state.recommend_along) - 1
    st.session_state.recommend_dimension = min(st.session_state.recommend_dimension, last)
    right.number_input(
        f"Dimension, 0 to {last:,}",
        0,
        last,
        step=1,
        **history.bound("dimension", f"_{st.session_state.recommend_along}"),
    )
    st.toggle("High to low", **history.bound("falls"))


def order_word() -> None:
    """Choose the word to order by."""
    st.selectbox(
        "Word",
        format_func=components.plain,
        **history.bound_choice("word", [word.name for word in vocabulary.words()]),
    )
    st.toggle("High to low", **history.bound("falls"))


def blend(index: Index) -> None:
    """Add tracks to the blend and weight them."""
    st.caption(
        "Add tracks to steer the playlist towards or away from them. Your starting clip always counts "
        "fully."
    )
    track_picker.choose_track(
        index,
        "Add a track",
        "recommend_add",
        "Choose a track",
        partial(playlist_state.add, "recommend_add"),
    )
    for track_id, weight in st.session_state.recommend_blend.items():
        key = history.key(f"weight_{track_id}")
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
            help="Above 0: more like this track. Below 0: less like it. 0 removes it.",
        )


def steered(index: Index) -> str:
    """Say which tracks steer the playlist; "" if none do."""
    weights = st.session_state.recommend_blend
    sides = {
        "More": [track_id for track_id, weight in weights.items() if weight > 0],
        "Less": [track_id for track_id, weight in weights.items() if weight < 0],
    }
    return " ".join(
        f"{side} like {_titles(index, track_ids)}." for side, track_ids in sides.items() if track_ids
    )


def _titles(index: Index, track_ids: Sequence[str]) -> str:
    titles = [f"“{index.fact('title', index.row(track_id))}”" for track_id in track_ids[:MOST_NAMED]]
    others = len(track_ids) - MOST_NAMED
    return ", ".join(titles) + (f" and {others} more" if others > 0 else "")


def destination(index: Index, asked: Query | None) -> None:
    """Choose a journey's destination and its stops."""
    left, right = st.columns(2)
    with left:
        track_picker.choose_track(index, "To", "recommend_to", "Choose a track")
    with right:
        track_picker.choose_tracks(
            index,
            f"Stops along the way (up to {playlist_state.MOST_STOPS})",
            "recommend_via",
            playlist_state.MOST_STOPS,
            "No stops",
        )


def stops(index: Index, asked: Query) -> tuple[list[int], list[str]]:
    """A journey's start, stops and destination as rows, and notes about its start.

    Both are empty without a destination.
    """
    session = st.session_state
    if session.recommend_to is None:
        return [], []
    start, notes = asked.recording if asked.row is None else asked.row, []
    if start is None:
        start = (
            playlist.make_playlist(index, [Seed(asked)], Recipe(session.recommend_by, 1)).entries[0].row
        )
        title = index.fact("title", start)
        notes.append(
            f"Your clip is not in the library, so we start from the most similar track, “{title}”."
        )
    end = index.row(session.recommend_to)
    between = [index.row(track_id) for track_id in session.recommend_via]
    return [start, *(row for row in between if row not in (start, end)), end], notes


def steps_in_words(steps: Sequence[float]) -> str:
    """Describe a journey's chart in a sentence."""
    return (
        f"How different each track is from the previous one: {sum(steps) / len(steps):.0f}° on average, "
        f"{max(steps):.0f}° at most (0° = identical)."
    )


def playlist_table(index: Index, asked: Query, found: Playlist, key: str, act: Act) -> None:
    """An editable playlist; each track shows what it has in common with the clip."""
    measured = [(max(entry.similarity, 0.0), f"{entry.similarity:.0%}") for entry in found.entries]
    rows = [entry.row for entry in found.entries]
    edits = [{"name": name, "label": label} for name, label in (STEERS | EDITS).items()]
    sentences = shared_traits.sentences(index, asked, rows)
    reasons = [REASONS.get(sentence, sentence) for sentence in sentences]
    # The similarity to the clip alone, which "Why" shows, would not be in the order of a blend.
    measure = "Blend match" if st.session_state.recommend_blend else "Similarity"
    data = {"measure": measure, "edits": edits, "actions": components.actions()}
    _table(index, rows, measured, reasons, data, key, act)


def described_table(index: Index, described: Matches, found: Playlist, key: str, act: Act) -> None:
    """An editable playlist for a description; each track shows which terms it clearly meets."""
    rows = [entry.row for entry in found.entries]
    measured = [(entry.similarity, f"{entry.similarity:.0%}") for entry in found.entries]
    reasons = []
    for row in rows:
        pairs = zip(described.terms, described.met(row), strict=True)
        met = [term.label for term, clear in pairs if clear]
        reasons.append(f"Clearly: {', '.join(met)}" if met else "")
    edits = [{"name": name, "label": label} for name, label in EDITS.items() if name != "why"]
    data = {"measure": "Match", "edits": edits, "actions": components.actions()}
    _table(index, rows, measured, reasons, data, key, act)


def journey_table(index: Index, found: Journey, key: str, act: Act) -> None:
    """A journey's tracks with the size of each step."""
    most = max(found.steps)
    measured = [
        (None, "Start"),
        *((step / most if most else 0.0, f"{step:.0f}°") for step in found.steps),
    ]
    edits = [{"name": "remove", "label": "Avoid this track"}]
    data = {"measure": "Step", "edits": edits, "actions": components.actions()}
    ends = (found.rows[0], found.rows[-1])
    _table(index, found.rows, measured, [""] * len(found.rows), data, key, act, ends)


def opened_table(index: Index, rows: Sequence[int], key: str, act: Act) -> None:
    """An opened list as it is, with the length of each track."""
    shown = rows[:MOST_LISTED]
    lengths = [file_writer.seconds_of(index, row) for row in shown]
    measured = [(None, "" if seconds is None else clock(seconds)) for seconds in lengths]
    edits = [{"name": "remove", "label": EDITS["remove"]}]
    data = {"measure": "Length", "edits": edits, "actions": components.actions()}
    _table(index, shown, measured, [""] * len(shown), data, key, act)
    if len(rows) > len(shown):
        st.caption(
            f"These are the first {len(shown)} of {len(rows):,} tracks. A saved list has them all."
        )


def _table(
    index: Index,
    rows: Sequence[int],
    measured: Sequence[tuple[float | None, str]],
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
        | {"rank": rank, "share": share and round(share, 4), "measured": text, "reason": reason}
        | {"pinned": index.fact("track_id", row) in pinned, "fixed": row in fixed}
        for rank, (row, (share, text), reason) in enumerate(
            zip(rows, measured, reasons, strict=True), start=1
        )
    ]
    label = f"Playlist with {data['measure'].lower()}"
    components.editable_table(index, data | {"label": label, "ranked": True, "tracks": tracks}, key, act)


def save(
    index: Index, rows: Sequence[int], similarities: Sequence[float] | None, place: DeltaGenerator
) -> None:
    """Offer the playlist as a path on the map, and as a file in several formats."""
    made = {"representation": st.session_state.recommend_by, "order": playlist_state.order()}
    is_made = st.session_state.recommend_kind != playlist_state.LISTED
    listing = file_writer.of_rows(index, rows, similarities, recipe=made if is_made else None)
    write = partial(file_writer.write, clip=file_writer.checked_clips(index))
    with place:
        show_on_map(index, rows)
        for kind, described in file_writer.FORMATS.items():
            st.download_button(
                described.title,
                partial(write, listing, kind, index.library_folder),
                f"soundalike{described.suffix}",
                described.mime,
                key=f"recommend_save_{kind}",
                on_click="ignore",
                type="tertiary",
            )
        st.caption("Playlists use paths relative to the library folder. The ZIP includes the audio.")


def show_on_map(index: Index, rows: Sequence[int]) -> None:
    """Offer the playlist as a path on the map."""
    if not rows or not index.maps:
        return
    path = [index.ids[row] for row in rows[: playlist.MAX_LENGTH]]
    if st.button(
        "Show path on map",
        icon=":material/conversion_path:",
        key="recommend_to_path",
        type="tertiary",
    ):
        session.go("map", path[0], path)
