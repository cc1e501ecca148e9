"""The clip whose dimensions are shown: a track of the library, or one of the visitor's own."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_sets import WORDS
from soundalike.audio import decoding
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, palette, track_picker

SOURCES = {"library": "Library", "upload": "Upload", "record": "Record"}
KEPT = "features_asked"


@dataclass(frozen=True, eq=False)
class Shown:
    """A clip, and where its analysed 30 s begin in its file, in seconds."""

    asked: Query
    track: components.Track
    offset: float

    def is_missing(self, store: FeatureStore, name: str) -> bool:
        """Whether the clip's values in a set of dimensions can't be computed on this server."""
        if self.asked.in_library or name == WORDS:
            return False
        return any(part not in self.asked.embeddings for part in store.sets.parts(name))


def choose(store: FeatureStore) -> Shown | None:
    """Choose a clip and show its player; None while there is none."""
    index = store.index
    source = st.segmented_control(
        "Clip from",
        list(SOURCES),
        format_func=lambda source: SOURCES[source],
        key="features_source",
        persist_state="session",
        required=True,
    )
    if source == "library":
        track_picker.choose_track(index, "Track", "features_track")
        shown = _of_library(store, st.session_state.features_track)
    else:
        own = _own(index, recorded=source == "record")
        if own is None:
            return None
        shown = own
    components.card(shown.track, palette.of(index).get(shown.track.genre), "features_card")
    if shown.asked.row is not None:
        components.navigation_buttons(index.ids[shown.asked.row], "features", "features_onward")
    components.show_notes(shown.asked.notes)
    return shown


def _of_library(store: FeatureStore, track_id: str) -> Shown:
    row = store.index.row(track_id)
    picture = store.picture(row) or store.draw(row)
    asked = query.from_library(store.index, track_id)
    return Shown(asked, components.track_of(store.index, row), picture.offset)


def _own(index: Index, *, recorded: bool) -> Shown | None:
    """The visitor's clip, analysed once; shows an error and returns None if that fails."""
    if recorded:
        given = st.audio_input("Record at least 3 seconds", sample_rate=48_000, key="features_record")
    else:
        given = st.file_uploader(
            "Audio file",
            type=list(decoding.EXTENSIONS),
            max_upload_size=decoding.MAX_BYTES // 2**20,
            key="features_upload",
            help=f"Up to {decoding.MAX_BYTES // 2**20} MB and {decoding.MAX_SECONDS / 60:.0f} minutes.",
        )
    st.caption("Your clip stays in this session's memory and is gone when you close the page.")
    if given is None:
        return None
    kept: tuple[str, Query | str] | None = st.session_state.get(KEPT)
    if kept is None or kept[0] != given.file_id:
        kept = given.file_id, components.analyse(index, given.getvalue(), recorded)
        st.session_state[KEPT] = kept
    if isinstance(kept[1], str):
        components.show_error(kept[1])
        return None
    asked = kept[1]
    offset = asked.embeddings.clip.start if isinstance(asked.embeddings, ClipEmbeddings) else 0.0
    url = components.audio_url(given.getvalue(), given.name)
    name = "Your recording" if recorded else given.name
    return Shown(asked, components.Track(given.file_id, name, "", "", "", "", url), offset)
