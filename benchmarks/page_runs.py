"""Runs of the pages by Streamlit's own test driver, in this process: their time and what they send.

Of a message that a browser has from either of the two runs before, Streamlit sends a reference only;
so it is counted here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

KEPT_RUNS = 2
"""How many runs a browser keeps a message for that is not used (`global.maxCachedMessageAge`)."""


class Visit:
    """A session, and what its browser has by now."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._kept: dict[str, int] = {}
        self._runs = 0
        self.worked_ms = 0.0

    def run(self, act: Callable[[], object] = lambda: None) -> tuple[float, float]:
        """A run's milliseconds, what led to it included, and the kilobytes that it sends.

        `worked_ms` then has the processor's time, of all threads, which a busy machine leaves as it is.

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
