"""Compute what a visitor may want next while the server is idle.

Whoever wants a result holds it, such as a session; the queue only refers to it. So it is dropped once
nobody wants it any more. One at a time is computed, the newest first, and only while no page is drawn. A
page that needs a result sooner computes it, or waits for the computation that has begun.

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
from typing import Any, Generic, TypeVar, cast

import streamlit as st

from soundalike import system
from soundalike.fair_queue import LOOK_S, OnPlace

T = TypeVar("T")
Of = tuple[object, ...]

_LOG = logging.getLogger(__name__)
QUIET_S = 0.5
"""Seconds without any page being drawn after which the server is idle."""
LONGEST = 64
"""Number of results that may wait; the oldest is dropped."""
BACKGROUND = threading.Lock()
"""Held by what no visitor waits for, one at a time. Threads that import one library at once may fail."""
THREAD = "idle"
_STEP_S = 0.1
_PAGE_THREAD = "ScriptRunner.scriptThread"
"""Name of the threads in which Streamlit draws pages."""


class Result(Generic[T]):
    """Something computed once, by whoever needs it first.

    Parameters
    ----------
    of : what tells it from others
    compute : called with a function to report the place in the queue to
    """

    def __init__(self, of: Of, compute: Callable[[OnPlace], T]) -> None:
        self.of = of
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


class Idle:
    """The results that wait, and the thread that computes them while the server is idle."""

    def __init__(self) -> None:
        self._waiting: deque[weakref.ref[Result[Any]]] = deque(maxlen=LONGEST)
        self._lock = threading.Lock()
        self._works = False

    def want(self, result: Result[Any]) -> None:
        """Compute a result when the server is idle, if it still exists then."""
        with self._lock:
            self._waiting.append(weakref.ref(result))
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name=THREAD, daemon=True).start()

    def _work(self) -> None:
        wait_for_quiet()
        while (newest := self._newest()) is not None:
            try:
                with BACKGROUND:
                    newest.result()
            except Exception as error:  # noqa: BLE001
                # The page that needs it tries again, and says what is wrong.
                _LOG.debug("Nothing was computed ahead: %s", error)
            del newest
            wait_for_quiet()

    def _newest(self) -> Result[Any] | None:
        with self._lock:
            while self._waiting:
                if (found := self._waiting.pop()()) is not None:
                    return found
            self._works = False
            return None


def want(result: Result[Any]) -> None:
    """Compute a result when the server is idle, unless `is_off`."""
    if not is_off():
        _queue().want(result)


def is_off() -> bool:
    """Whether nothing is computed ahead: `$SOUNDALIKE_WARM_UP` is 0, or the host has little memory."""
    return os.environ.get("SOUNDALIKE_WARM_UP") == "0" or system.is_small_host()


@st.cache_resource(max_entries=1, show_spinner=False)
def _queue() -> Idle:
    return Idle()


def wait_for_quiet(at_most: float = float("inf")) -> None:
    """Wait until no page has been drawn for `QUIET_S`, or as many seconds as given."""
    began = quiet_since = time.monotonic()
    while (now := time.monotonic()) - quiet_since < QUIET_S and now - began < at_most:
        time.sleep(_STEP_S)
        if any(thread.name == _PAGE_THREAD for thread in threading.enumerate()):
            quiet_since = time.monotonic()
