"""Run pages with Streamlit's test driver in this process, and measure time and bytes sent.

Streamlit sends only a reference for a message that the browser received in one of the last two runs. The
bytes are counted accordingly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

KEPT_RUNS = 2
"""Number of runs for which a browser caches an unused message (`global.maxCachedMessageAge`)."""


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
