"""The Anatomy page's words: what a clip sounds like, as a whole and over time."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from soundalike.analysis import taggram
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio import sandbox
from soundalike.audio.analysis_window import analysis_window
from soundalike.index.index import Index
from soundalike.ui import server, session
from soundalike.ui.anatomy import component
from soundalike.words import library, naming, over_time
from soundalike.words.naming import Naming
from soundalike.words.strengths import Probabilities


@dataclass(frozen=True, eq=False)
class ClipWords:
    """A clip's words; `panel` is None if no word applies to any of its stretches."""

    naming: Naming
    panel: Panel | None


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Index: server.identity})
def of_library(index: Index, track_id: str) -> ClipWords | None:
    """A library track's words; None if the index was built without them."""
    if not library.has_words(index):
        return None
    moments = over_time.of_track(index, index.row(track_id), server.models_of(index))
    shown = component.of_library(index, track_id)
    return None if moments is None else _words(index, moments, shown)


def of_upload(index: Index, content: bytes, shown: Anatomy) -> ClipWords | None:
    """The words of a visitor's clip.

    Raises
    ------
    AudioError, ModelError
        If the clip is unusable, or a network is missing.
    """
    if not library.has_words(index):
        return None
    clip = analysis_window(sandbox.decode(content))
    with session.turn(lambda place: None)():
        moments = over_time.of_clip(clip, server.models_of(index))
    return _words(index, moments, shown)


def _words(index: Index, moments: Probabilities, shown: Anatomy) -> ClipWords:
    known = library.of(index, server.models_of(index))
    assert known is not None
    frames = int(shown.panels["mel"].values.shape[1])
    return ClipWords(
        naming.sounds_like(known, over_time.mean(moments)), taggram.panel(known, moments, frames)
    )
