"""Measure the clip that a visitor is on before they open Anatomy.

The session holds one measurement, of its current clip, and the queue only refers to it. So a
measurement is dropped when the clip changes or the session ends. One at a time is computed, the newest
first, and only while no page is drawn. A page that needs it sooner computes it, or waits for the
computation that has begun.

The thread has the usual priority: it often holds the interpreter's lock, which visitors' pages need.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

import streamlit as st

from soundalike import system
from soundalike.analysis import clip_analysis
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio import sandbox
from soundalike.errors import BusyError, SoundalikeError
from soundalike.fair_queue import LOOK_S, OnPlace
from soundalike.index.index import Index
from soundalike.ui import current_clip, session
from soundalike.ui.anatomy import clip_words, component
from soundalike.ui.anatomy.clip_words import ClipWords
from soundalike.ui.current_clip import OwnClip

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
QUIET_S = 0.5
"""Seconds without any page being drawn before a measurement begins."""
LONGEST = 64
"""Number of measurements that may wait; the oldest is dropped."""
_STEP_S = 0.1
_PAGE_THREAD = "ScriptRunner.scriptThread"
"""Name of the threads in which Streamlit draws pages."""
_OF_TRACK = "clip_ahead"
"""Session key of the measurement of the library's track."""

Of = tuple[object, ...]
Measured = tuple[Anatomy | str, ClipWords | None]
"""The measurements of a visitor's clip or an error message, and its words."""


class Measurement(Generic[T]):
    """Something computed once, by whoever needs it first.

    Parameters
    ----------
    of : what tells it from others
    compute : called with a function to report the place in the queue to

    Attributes
    ----------
    further : the optional panels of a visitor's clip that were switched on
    """

    def __init__(self, of: Of, compute: Callable[[OnPlace], T]) -> None:
        self.of = of
        self.further: dict[str, Panel] = {}
        self._compute: Callable[[OnPlace], T] | None = compute
        self._found: T | None = None
        self._lock = threading.Lock()

    def result(self, on_place: OnPlace = lambda ahead: None) -> T:
        """Compute it, or wait while another thread does; `on_place` is as in `FairQueue.acquire`."""
        while not self._lock.acquire(timeout=LOOK_S):
            on_place(0)
        try:
            if self._compute is not None:
                self._found = self._compute(on_place)
                # It may refer to a large file.
                self._compute = None
            return cast(T, self._found)
        finally:
            self._lock.release()


class Ahead:
    """The measurements that wait, and the thread that computes them while the server is idle."""

    def __init__(self) -> None:
        self._waiting: deque[weakref.ref[Measurement[Any]]] = deque(maxlen=LONGEST)
        self._lock = threading.Lock()
        self._works = False

    def want(self, measurement: Measurement[Any]) -> None:
        """Compute a measurement when the server is idle, if it still exists then."""
        with self._lock:
            self._waiting.append(weakref.ref(measurement))
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name="measure-ahead", daemon=True).start()

    def _work(self) -> None:
        _wait_for_quiet()
        while (newest := self._newest()) is not None:
            try:
                newest.result()
            except Exception as error:  # noqa: BLE001
                # The page that needs it tries again, and says what is wrong.
                _LOG.debug("A clip could not be measured ahead: %s", error)
            del newest
            _wait_for_quiet()

    def _newest(self) -> Measurement[Any] | None:
        with self._lock:
            while self._waiting:
                if (found := self._waiting.pop()()) is not None:
                    return found
            self._works = False
            return None


def start() -> None:
    """Have the session's clip measured once this page is shown.

    Skipped as `server.warm_up` is.
    """
    if os.environ.get("SOUNDALIKE_WARM_UP") == "0" or system.is_small_host():
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
    kept: Measurement[None] | None = state.get(_OF_TRACK)
    if not index.has(track_id) or (kept is not None and kept.of == of):
        return

    def compute(_: OnPlace) -> None:
        """Fill the caches that all sessions share."""
        anatomy = component.of_library(index, track_id)
        others = [component.front_end_of_library(index, track_id, name) for name in shown]
        clip_words.of_library(index, track_id)
        component.prepare(anatomy, others)

    state[_OF_TRACK] = wanted = Measurement(of, compute)
    _queue().want(wanted)


def of_own_clip(index: Index, own: OwnClip, *, ahead: bool = False) -> Measurement[Measured]:
    """The measurement of the visitor's clip, or of the half minute that they chose.

    The session holds it. `ahead` has a new one computed before anybody asks for its result, which
    raises a `BusyError` if too many files are waiting already.
    """
    moment = current_clip.moment_of(own.id)
    of = own.id, moment, index.identity
    kept: Measurement[Measured] | None = st.session_state.get(current_clip.MEASURED)
    if kept is not None and kept.of == of:
        return kept
    content, known = own.content, current_clip.analysed(own)
    decode, turns = session.in_turn(sandbox.decode_stereo, _take_no_notice), session.turns()

    def compute(on_place: OnPlace) -> Measured:
        try:
            heard = clip_analysis.choose(*decode(content, on_place=on_place), moment)
            shown = clip_analysis.measure(heard)
            # The networks have run on the half minute that a playlist was made for.
            words = clip_words.of_upload(index, known or heard.window, shown, turns(on_place))
        except BusyError:
            raise
        except SoundalikeError as error:
            return str(error), None
        component.prepare(shown, [])
        return shown, words

    st.session_state[current_clip.MEASURED] = wanted = Measurement(of, compute)
    if ahead:
        _queue().want(wanted)
    return wanted


@st.cache_resource(max_entries=1, show_spinner=False)
def _queue() -> Ahead:
    return Ahead()


def _take_no_notice(ahead: int) -> None:
    """Nobody waits for it."""


def _wait_for_quiet() -> None:
    """Wait until no page has been drawn for `QUIET_S`."""
    since = time.monotonic()
    while time.monotonic() - since < QUIET_S:
        time.sleep(_STEP_S)
        if any(thread.name == _PAGE_THREAD for thread in threading.enumerate()):
            since = time.monotonic()
