"""The Anatomy page's words: what a clip sounds like, as a whole and over time."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import streamlit as st

from soundalike.analysis import taggram
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio.clip import Clip
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import Turn
from soundalike.ui import server, words
from soundalike.ui.anatomy import component
from soundalike.words import library, naming, over_time
from soundalike.words.library import LibraryWords
from soundalike.words.naming import Naming
from soundalike.words.strengths import Probabilities


@dataclass(frozen=True, eq=False)
class ClipWords:
    """A clip's words; `panel` is None if no word applies to any of its stretches."""

    naming: Naming
    panel: Panel | None


def of_library(index: Index, track_id: str) -> ClipWords | None:
    """A library track's words; None if the index or the server doesn't have what they need."""
    known = words.of_library(index)
    return None if known is None else _of_library(index, track_id, known)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Index: server.identity})
def _of_library(index: Index, track_id: str, _known: LibraryWords) -> ClipWords | None:
    row = index.row(track_id)
    moments = over_time.of_track(index, row, server.models_of(index))
    if moments is None:
        return None
    return _words(_known, _known.of_track(row), moments, component.of_library(index, track_id))


def of_upload(index: Index, clip: Clip, shown: Anatomy, turn: Turn) -> ClipWords | None:
    """The words of the 30 s of a visitor's clip; `turn` waits for the networks if they have to run.

    Raises
    ------
    ModelError
        If a network is missing.
    """
    models, known = server.models_of(index), words.of_library(index)
    if known is None:
        return None
    with nullcontext() if models.has_run(clip, ("musicnn", "yamnet")) else turn():
        whole, moments = library.of_clip(clip, models), over_time.of_clip(clip, models)
    return _words(known, whole, moments, shown)


def _words(
    known: LibraryWords, whole: Probabilities, moments: Probabilities, shown: Anatomy
) -> ClipWords:
    frames = int(shown.panels["mel"].values.shape[1])
    return ClipWords(naming.sounds_like(known, whole), taggram.panel(known, moments, frames))
