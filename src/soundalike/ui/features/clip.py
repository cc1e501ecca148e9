"""The clip whose dimensions are shown: a track of the library, or one of the visitor's own."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_sets import WORDS
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, current_clip, palette, track_picker


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
    source = current_clip.choose_source("features_source")
    if source == current_clip.LIBRARY:
        track_picker.choose_track(index, "Track", "features_track")
        shown = _of_library(store, st.session_state.features_track)
    else:
        own = _own(index, recorded=source == current_clip.RECORD)
        if own is None:
            return None
        shown = own
    components.card(shown.track, palette.of(index).get(shown.track.genre), "features_card")
    if shown.asked.in_library and shown.asked.row is not None:
        components.navigation_buttons(index.ids[shown.asked.row], "features", "features_onward")
    else:
        current_clip.navigation_buttons("features", "features_onward")
    components.show_notes(shown.asked.notes)
    return shown


def _of_library(store: FeatureStore, track_id: str) -> Shown:
    row = store.index.row(track_id)
    picture = store.picture(row) or store.draw(row)
    asked = query.from_library(store.index, track_id)
    return Shown(asked, components.track_of(store.index, row), picture.offset)


def _own(index: Index, *, recorded: bool) -> Shown | None:
    """The visitor's clip; shows an error and returns None if it can't be used."""
    own = current_clip.give("features", recorded=recorded)
    asked = None if own is None else current_clip.ask(index, own)
    if own is None or asked is None:
        return None
    offset = asked.embeddings.clip.start if isinstance(asked.embeddings, ClipEmbeddings) else 0.0
    return Shown(asked, own.track, offset)
