"""Run pages with Streamlit's test driver in this process, and measure time and bytes sent.

Streamlit sends only a reference for a message that the browser received in one of the last two runs. The
bytes are counted accordingly.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1.element_tree import Widget

KEPT_RUNS = 2
"""Number of runs for which a browser caches an unused message (`global.maxCachedMessageAge`)."""

_STATE = "streamlit.runtime.state"
"""Where Streamlit has the classes of a session's state."""


def _like_a_server_in_use() -> None:
    """Have the test driver know from the start that `app.py` runs the pages.

    It forgets it before each run. Then the page runs alone first, until `session.through_app` has it
    run again, and by then the click on a button is lost.
    """
    start = PagesManager.__init__

    def start_knowing(manager: PagesManager, *args: Any, **arguments: Any) -> None:
        start(manager, *args, **arguments)
        PagesManager.uses_pages_directory = False

    PagesManager.__init__ = start_knowing  # type: ignore[method-assign, assignment]


_like_a_server_in_use()


class Visit:
    """A session, and its browser's message cache."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._kept: dict[str, int] = {}
        self._runs = 0
        self.worked_ms = 0.0

    def run(self, act: Callable[[], object] = lambda: None) -> tuple[float, float]:
        """Milliseconds of a run, including the action before it, and the kilobytes sent.

        `worked_ms` then has the CPU time of all threads, which is unaffected by other load.

        Raises
        ------
        SystemExit
            If the page fails.
        """
        self._runs += 1
        with self._counted() as sizes:
            start, worked = time.perf_counter(), time.process_time()
            act()
            self.app.run()
            taken = (time.perf_counter() - start) * 1_000
            self.worked_ms = (time.process_time() - worked) * 1_000
        if self.app.exception:
            raise SystemExit(str(self.app.exception[0].value))
        return taken, sum(sizes) / 1_000

    def remember(self) -> Callable[[], None]:
        """Remember the session as it is; the returned function goes back there, any number of times."""
        app, kept, runs = self.app, dict(self._kept), self._runs
        session, own = _copied(app._session_state._state), dict(vars(app))
        parameters = dict(app.query_params)
        widgets = [(node, dict(vars(node))) for node in app._tree if isinstance(node, Widget)]

        def restore() -> None:
            vars(app).update(own)
            app.query_params = dict(parameters)
            object.__setattr__(app._session_state, "_state", _copied(session))
            for node, values in widgets:
                vars(node).clear()
                vars(node).update(values)
            self._kept, self._runs = dict(kept), runs

        return restore

    @contextmanager
    def _counted(self) -> Iterator[list[int]]:
        sizes: list[int] = []
        enqueue = ForwardMsgQueue.enqueue

        def count(queue: ForwardMsgQueue, message: Any) -> None:
            sizes.append(self._size(message))
            enqueue(queue, message)

        ForwardMsgQueue.enqueue = count  # type: ignore[method-assign, assignment]
        try:
            yield sizes
        finally:
            ForwardMsgQueue.enqueue = enqueue  # type: ignore[method-assign]

    def _size(self, message: Any) -> int:
        if not message.metadata.cacheable:
            return int(message.ByteSize())
        known = self._runs - self._kept.get(message.hash, -KEPT_RUNS) <= KEPT_RUNS
        self._kept[message.hash] = self._runs
        return int((create_reference_msg(message) if known else message).ByteSize())


def _copied(value: Any) -> Any:
    """A copy of a session's state: of Streamlit's objects and of collections, not of their values."""
    if isinstance(value, dict):
        return type(value)((key, _copied(content)) for key, content in value.items())
    if isinstance(value, list | set | deque):
        return copy.copy(value) if isinstance(value, set) else type(value)(map(_copied, value))
    if is_dataclass(value) and type(value).__module__.startswith(_STATE) and not _is_frozen(value):
        other = copy.copy(value)
        for part in fields(value):
            setattr(other, part.name, _copied(getattr(value, part.name)))
        return other
    return value


def _is_frozen(value: Any) -> bool:
    return bool(value.__dataclass_params__.frozen)
