"""Limits on uploads: which files are taken, and how many bytes of them are in memory.

Streamlit keeps any number of files for a session, under whatever address they were sent to, until the
session ends. It receives any number at once, and waits for ever for the rest of one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec, UploadFileUrlInfo

from soundalike.asgi import receiving
from soundalike.asgi.addresses import Addresses, name_of
from soundalike.asgi.receiving import Room

ROUTE = "/_stcore/upload_file/"
SESSION_BYTES = 96 * 2**20
"""Of one session: a page may show two uploaders of 30 MB, and the next page a third."""
UNUSED_S = 120.0
"""Time in which a page must have read a file."""
OFFERED = 40
"""Addresses of a session that wait for a file."""


@dataclass
class _Kept:
    """A file that is in memory.

    Attributes
    ----------
    last : when it came, or a page last read it
    read : whether a page has read it
    """

    size: int
    last: float
    read: bool = False


class BoundedUploads(MemoryUploadedFileManager):
    """Keeps the files that pages use, each under an address that the server gave for it.

    Where there are too many, the largest session's file goes that was not used for longest.

    Parameters
    ----------
    upload_endpoint : as in Streamlit
    most_bytes : of all files; by default a part of the memory
    clock : the time in seconds
    """

    def __init__(
        self,
        upload_endpoint: str,
        most_bytes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(upload_endpoint)
        self._most = most_bytes or receiving.share_of_memory()
        self._clock = clock
        self._guard = threading.RLock()
        self._offered: dict[str, deque[str]] = {}
        self._kept: dict[str, dict[str, _Kept]] = defaultdict(dict)

    def get_upload_urls(self, session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]:
        """Give an address for each file."""
        given = super().get_upload_urls(session_id, file_names)
        with self._guard:
            offered = self._offered.setdefault(session_id, deque(maxlen=OFFERED))
            offered.extend(info.file_id for info in given)
        return given

    def expects(self, session_id: str, file_id: str) -> bool:
        """Whether that address was given, and no file came to it yet."""
        with self._guard:
            return file_id in self._offered.get(session_id, ())

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Keep a file that is expected."""
        with self._guard:
            # The session may have ended while the file was coming.
            if not self.expects(session_id, file.file_id):
                return
            self._offered[session_id].remove(file.file_id)
            super().add_file(session_id, file)
            self._kept[session_id][file.file_id] = _Kept(len(file.data), self._clock())
            self.drop_unused()
            self._make_room(session_id)

    def get_files(self, session_id: str, file_ids: Sequence[str]) -> list[UploadedFileRec]:
        """The files that a widget has."""
        found = super().get_files(session_id, file_ids)
        with self._guard:
            for file in found:
                if (kept := self._kept.get(session_id, {}).get(file.file_id)) is not None:
                    kept.last, kept.read = self._clock(), True
        return found

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Forget a file."""
        with self._guard:
            super().remove_file(session_id, file_id)
            self._kept.get(session_id, {}).pop(file_id, None)

    def remove_session_files(self, session_id: str) -> None:
        """Forget a session."""
        with self._guard:
            super().remove_session_files(session_id)
            self._kept.pop(session_id, None)
            self._offered.pop(session_id, None)

    def drop_unused(self) -> None:
        """Forget the files that no page has read in time."""
        before = self._clock() - UNUSED_S
        with self._guard:
            for session_id, files in list(self._kept.items()):
                late = [name for name, kept in files.items() if not kept.read and kept.last <= before]
                for name in late:
                    self.remove_file(session_id, name)

    def _make_room(self, session_id: str) -> None:
        while self._size_of(session_id) > SESSION_BYTES:
            self._drop_oldest(session_id)
        while sum(map(self._size_of, list(self._kept))) > self._most:
            self._drop_oldest(max(self._kept, key=self._size_of))

    def _size_of(self, session_id: str) -> int:
        return sum(kept.size for kept in self._kept.get(session_id, {}).values())

    def _drop_oldest(self, session_id: str) -> None:
        files = self._kept[session_id]
        self.remove_file(session_id, min(files, key=lambda name: files[name].last))


def install() -> None:
    """Have Streamlit keep uploads in `BoundedUploads`.

    It has no setting for that. `st.App` makes the manager when the server starts, and looks its class up
    here.
    """
    setattr(memory_uploaded_file_manager, MemoryUploadedFileManager.__name__, BoundedUploads)


class UploadLimits:
    """ASGI middleware that refuses uploads before it reads them; see the module.

    Parameters
    ----------
    app : what it stands in front of
    manager : the uploads that are kept; by default Streamlit's
    """

    def __init__(self, app: ASGIApp, manager: Callable[[], BoundedUploads] | None = None) -> None:
        self._app = app
        self._manager = manager or _running_manager
        self._room = Room()
        self._addresses = Addresses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a file that a page asked for, when there is room."""
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "PUT" or ROUTE not in path:
            await self._app(scope, receive, send)
            return
        manager = self._manager()
        session_id, _, file_id = path.partition(ROUTE)[2].partition("/")
        size = receiving.length(scope)
        if not manager.expects(session_id, file_id):
            refusal = PlainTextResponse("No page of the app asked for this file.", 403)
        elif size is None:
            refusal = PlainTextResponse("The request must give its length.", 411)
        elif size > config.get_option("server.maxUploadSize") * 2**20:
            refusal = PlainTextResponse("This file is too large.", 413)
        else:
            await self._take(scope, receive, send, size)
            asyncio.get_running_loop().call_later(UNUSED_S + 1, manager.drop_unused)
            return
        await refusal(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send, size: int) -> None:
        try:
            await receiving.turn(self._addresses.of(scope), size)
            async with self._room.taken(name_of(scope), size):
                await self._app(scope, receiving.Steady(receive).receive, send)
        except TimeoutError:
            busy = PlainTextResponse(
                "Too many files at once; please try again.", 503, {"Retry-After": "30"}
            )
            await busy(scope, receive, send)
        except ClientDisconnect:
            late = PlainTextResponse("The file did not arrive in time.", 408)
            await late(scope, receive, send)


def _running_manager() -> BoundedUploads:
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, BoundedUploads)
    return manager
