"""Measure the clip that a visitor is on before they open Anatomy (`ui.idle`).

The session holds the result: for its own clip the measurements, for a track of the library nothing, as
they are in the caches that all sessions share.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from soundalike.analysis import clip_analysis
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio import sandbox
from soundalike.errors import BusyError, SoundalikeError
from soundalike.fair_queue import OnPlace
from soundalike.index.index import Index
from soundalike.ui import current_clip, idle, session
from soundalike.ui.anatomy import clip_words, component
from soundalike.ui.anatomy.clip_words import ClipWords
from soundalike.ui.current_clip import OwnClip
from soundalike.ui.idle import Of, Result

_OF_TRACK = "clip_ahead"
"""Session key of the result for the library's track."""

Measured = tuple[Anatomy | str, ClipWords | None]
"""The measurements of a visitor's clip or an error message, and its words."""


class OwnClipResult(Result[Measured]):
    """What Anatomy measures of a visitor's clip.

    Attributes
    ----------
    further : the optional panels that were switched on
    """

    def __init__(self, of: Of, compute: Callable[[OnPlace], Measured]) -> None:
        super().__init__(of, compute)
        self.further: dict[str, Panel] = {}


def start() -> None:
    """Have the session's clip measured once this page is shown, unless `idle.is_off`."""
    if idle.is_off():
        return
    with suppress(SoundalikeError):  # The page has said what is wrong with the library.
        index, own = session.chosen_index(), current_clip.kept_clip()
        if own is None or current_clip.chosen_source() == current_clip.LIBRARY:
            _start_of_track(index)
            return
        st.session_state.pop(_OF_TRACK, None)
        if current_clip.analysed(own) is not None:
            of_own_clip(index, own, ahead=True)


def _start_of_track(index: Index) -> None:
    state = st.session_state
    track_id = state.get(session.CURRENT_TRACK, "")
    shown = [name for name in component.FURTHER if name in state.get("anatomy_also", ())]
    of = index.identity, track_id, *shown
    kept: Result[None] | None = state.get(_OF_TRACK)
    if not index.has(track_id) or (kept is not None and kept.of == of):
        return

    def compute(_: OnPlace) -> None:
        """Fill the caches that all sessions share."""
        anatomy = component.of_library(index, track_id)
        others = [component.front_end_of_library(index, track_id, name) for name in shown]
        clip_words.of_library(index, track_id)
        component.prepare(anatomy, others)

    state[_OF_TRACK] = wanted = Result(of, compute)
    idle.want(wanted)


def of_own_clip(index: Index, own: OwnClip, *, ahead: bool = False) -> OwnClipResult:
    """The measurement of the visitor's clip, or of the half minute that they chose.

    The session holds it. `ahead` has a new one computed before anybody asks for its result, which
    raises a `BusyError` if too many files are waiting already.
    """
    moment = current_clip.moment_of(own.id)
    of = own.id, moment, index.identity
    kept: OwnClipResult | None = st.session_state.get(current_clip.MEASURED)
    if kept is not None and kept.of == of:
        return kept
    content, known = own.content, current_clip.analysed(own)
    decode, turns = session.in_turn(sandbox.decode_stereo, _ignore_place), session.turns()

    def compute(on_place: OnPlace) -> Measured:
        try:
            decoded = clip_analysis.part_shown(*decode(content, on_place=on_place), moment)
            shown = clip_analysis.measure(decoded)
            # The networks have run on the half minute that a playlist was made for.
            words = clip_words.of_upload(index, known or decoded.window, shown, turns(on_place))
        except BusyError:
            raise
        except SoundalikeError as error:
            return str(error), None
        component.prepare(shown, [])
        return shown, words

    st.session_state[current_clip.MEASURED] = wanted = OwnClipResult(of, compute)
    if ahead:
        idle.want(wanted)
    return wanted


def _ignore_place(ahead: int) -> None:
    """Nobody waits for it."""
