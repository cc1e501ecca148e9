"""A server's process: that it doesn't freeze, and that it ends when it is told to."""

from __future__ import annotations

import asyncio
import faulthandler
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType

STOP_S = 4.0
"""Time that requests and pages have after SIGTERM or Ctrl+C. Uvicorn would wait for ever for the rest of
an upload."""
FROZEN_S = 120.0
"""Time without a turn of the event loop after which the process ends, so that whoever started it does so
again."""
LOOK_S = 5.0
FILES = 65_536
"""Open files. A session has four, and the usual limit of 1,024 is that of old system calls."""


@asynccontextmanager
async def watched() -> AsyncIterator[asyncio.Event]:
    """Keep a server's process alive or end it, from the server's start to its end.

    Yields an event that is set when the process is told to end.
    """
    raise_file_limit()
    stopping = asyncio.Event()
    _end_in_time(stopping)
    watch = asyncio.create_task(_end_if_frozen(stopping))
    try:
        yield stopping
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        if not stopping.is_set():
            faulthandler.cancel_dump_traceback_later()


def raise_file_limit() -> None:
    """Let the process open as many files as it may, up to `FILES`."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _end_in_time(stopping: asyncio.Event) -> None:
    """At a signal to end, end within `STOP_S` whatever happens.

    The deadline is kept by a thread of faulthandler's, which needs neither the event loop nor the
    interpreter's lock. It writes what each thread was doing.
    """
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals there alone; a test may run the server elsewhere.
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        uvicorns = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None, uvicorns: object = uvicorns) -> None:
            stopping.set()
            _end_after(STOP_S)
            if callable(uvicorns):
                uvicorns(received, frame)

        signal.signal(number, handle)


async def _end_if_frozen(stopping: asyncio.Event) -> None:
    """Move the end of the process away again and again."""
    while not stopping.is_set():
        _end_after(FROZEN_S)
        if stopping.is_set():
            # The signal came between the two lines above.
            _end_after(STOP_S)
        await asyncio.sleep(LOOK_S)


def _end_after(seconds: float) -> None:
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
