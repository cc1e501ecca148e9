"""The guided tour: six steps, what each says, and the page and state that each opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import streamlit as st

from soundalike.index.index import Index
from soundalike.ui import current_clip, session
from soundalike.ui.map import state as map_state

STEP = "present_step"
"""Session key of the step that is shown, from 0."""
_EXPLAINS = "present_explains"


def _start_from_clip() -> None:
    """Let Recommend show the playlist of the current clip."""
    state = st.session_state
    if state.get("recommend_source") not in current_clip.SOURCES or (
        state.recommend_source != current_clip.LIBRARY and current_clip.kept_clip() is None
    ):
        state.recommend_source = current_clip.LIBRARY
    state.recommend_kind = "playlist"
    state[_EXPLAINS] = True


def _show_neighbours() -> None:
    """Let the map show the clip's neighbours, and all of its tracks."""
    if "map_ready" in st.session_state:
        map_state.clear_path()
        map_state.show_groups()
        st.session_state.map_find = st.session_state.map_only = ""
        st.session_state.map_view = ""


def _show_words() -> None:
    """Let Features begin with the words."""
    for name in ("features_by", "features_dimension"):
        st.session_state.pop(name, None)


def _show_limits() -> None:
    st.session_state.about_section = "limits"


class Step(NamedTuple):
    """A step of the tour.

    Attributes
    ----------
    title : its name
    words : what the presenter can say
    page : the page that it opens
    prepare : sets the page's state
    """

    title: str
    words: str
    page: str
    prepare: Callable[[], None] = lambda: None


STEPS = (
    Step(
        "Drop a clip",
        "Give it any song: a file, a recording, or a track of the library. It compares nothing but the "
        "sound.",
        "recommend",
    ),
    Step(
        "Why this track?",
        "Every track has its reasons: what the two clips share, and the moments that are most alike.",
        "recommend",
        _start_from_clip,
    ),
    Step(
        "The map",
        "Every point is a track, and tracks that sound alike are close together. Lines lead from our "
        "clip to its nearest neighbours.",
        "map",
        _show_neighbours,
    ),
    Step(
        "What stands out",
        "These are the words and numbers that describe our clip. Press one to hear the moments where it "
        "is highest.",
        "features",
        _show_words,
    ),
    Step(
        "The blind vote",
        "Two methods made a playlist for the same track. Listen to both, then vote for the one that "
        "sounds more like it.",
        "compare",
    ),
    Step(
        "The limits",
        "It can't hear everything, and a score is no proof of taste. This is where it goes wrong.",
        "about",
        _show_limits,
    ),
)
BLIND = 4
"""The step with the blind vote."""
WHY = 1
"""The step that opens a dialog."""


def step_of(page: str) -> int:
    """The first step that shows a page; the first of all if none does."""
    return next((place for place, step in enumerate(STEPS) if step.page == page), 0)


def may_go(to: object) -> bool:
    """Whether a step is next to the one that is shown."""
    return isinstance(to, int) and abs(to - st.session_state.get(STEP, 0)) <= 1


def open_step(place: int) -> NoReturn:
    """Open a step's page, with the session's clip."""
    st.session_state.pop(_EXPLAINS, None)
    step = STEPS[place]
    st.session_state[STEP] = place
    step.prepare()
    session.switch(step.page)


def explain_first(index: Index, rows: Sequence[int]) -> None:
    """Open the explanation of a playlist's first track, once, if the tour has come to it."""
    if st.session_state.pop(_EXPLAINS, False) and rows:
        st.session_state.recommend_why = index.ids[rows[0]]
