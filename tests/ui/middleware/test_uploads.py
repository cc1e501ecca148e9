"""Which uploads are taken, and how many bytes of them are kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgi import run
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from soundalike.asgi import receiving
from soundalike.asgi.addresses import Address
from soundalike.ui.middleware import guard, uploads
from soundalike.ui.middleware.uploads import BoundedUploads, UploadLimits

ROUTE = uploads.ROUTE.rstrip("/")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manager(clock: Clock) -> BoundedUploads:
    return BoundedUploads(ROUTE, 3_000, clock)


def place(manager: BoundedUploads, session: str = "s") -> str:
    (info,) = manager.get_upload_urls(session, ["a.wav"])
    return info.file_id


def send(manager: BoundedUploads, size: int, session: str = "s", file_id: str = "") -> str:
    file_id = file_id or place(manager, session)
    manager.add_file(session, UploadedFileRec(file_id, "a.wav", "audio/wav", bytes(size)))
    return file_id


def held(manager: BoundedUploads) -> int:
    """Bytes in memory, as Streamlit counts them."""
    assert manager._total_bytes == sum(
        len(file.data) for files in manager.file_storage.values() for file in files.values()
    )
    return manager._total_bytes


def test_streamlit_keeps_its_uploads_here() -> None:
    assert guard.MIDDLEWARE
    assert memory_uploaded_file_manager.MemoryUploadedFileManager is BoundedUploads


def test_an_address_is_good_for_one_file(manager: BoundedUploads) -> None:
    name = place(manager)
    assert manager.expects("s", name)
    assert not manager.expects("other", name)
    send(manager, 10, file_id=name)
    assert not manager.expects("s", name)
    send(manager, 20, file_id=name)
    assert [len(file.data) for file in manager.get_files("s", [name])] == [10]


def test_a_file_without_an_address_is_not_kept(manager: BoundedUploads) -> None:
    send(manager, 10, file_id="invented")
    assert held(manager) == 0


def test_a_file_that_comes_after_its_session_is_not_kept(manager: BoundedUploads) -> None:
    name = place(manager)
    manager.remove_session_files("s")
    send(manager, 10, file_id=name)
    assert held(manager) == 0


def test_a_file_that_no_page_reads_is_dropped(manager: BoundedUploads, clock: Clock) -> None:
    used, unused = send(manager, 10), send(manager, 20)
    manager.get_files("s", [used])
    clock.now = uploads.UNUSED_S
    manager.drop_unused()
    assert [file.file_id for file in manager.get_files("s", [used, unused])] == [used]
    assert held(manager) == 10


def test_the_oldest_of_too_large_a_session_is_dropped(manager, clock, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "SESSION_BYTES", 1_000)
    names = []
    for _ in range(4):
        clock.now += 1
        names.append(send(manager, 400))
        clock.now += 1
        # The first file is the one that the page shows.
        assert manager.get_files("s", names[:1])
    assert [file.file_id for file in manager.get_files("s", names)] == [names[0], names[3]]


def test_where_all_are_too_many_the_largest_session_loses(manager: BoundedUploads) -> None:
    honest = [send(manager, 300, f"visitor {number}") for number in range(5)]
    for _ in range(10):
        send(manager, 700, "attacker")
    assert held(manager) <= 3_000
    assert all(manager.get_files(f"visitor {i}", [name]) for i, name in enumerate(honest))


def test_a_session_that_ends_leaves_nothing(manager: BoundedUploads) -> None:
    send(manager, 10)
    manager.remove_session_files("s")
    assert (held(manager), dict(manager._kept), manager._offered) == (0, {}, {})


# --- before a file is read -----------------------------------------------------------------------


def answer(manager: BoundedUploads, path: str, length: str | None, **times: float) -> tuple[int, bool]:
    """The status of an upload that sends nothing but its headers, and whether the app saw it."""
    seen, sent = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        if (await receive())["type"] == "http.disconnect":
            raise uploads.ClientDisconnect

    async def receive() -> Any:
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", length.encode())]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "headers": headers,
        "client": ("192.0.2.1", 1),
    }

    async def work() -> None:
        await UploadLimits(app, lambda: manager)(scope, receive, send)

    run(work())
    return sent[0]["status"], bool(seen)


def test_what_nobody_asked_for_is_refused_unread(manager: BoundedUploads) -> None:
    assert answer(manager, f"{ROUTE}/s/invented", "1000") == (403, False)
    assert answer(manager, f"{ROUTE}/other/{place(manager)}", "1000") == (403, False)


def test_a_file_must_say_how_large_it_is(manager: BoundedUploads) -> None:
    path = f"{ROUTE}/s/{place(manager)}"
    assert answer(manager, path, None) == (411, False)
    assert answer(manager, path, "-1") == (411, False)
    assert answer(manager, path, str(2**40)) == (413, False)


def test_a_file_that_stops_coming_is_given_up(manager: BoundedUploads, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "STALL_S", 0.05)
    assert answer(manager, f"{ROUTE}/s/{place(manager)}", "1000") == (408, True)


def test_an_address_that_sends_too_much_is_asked_to_try_later(manager, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "ROOM_S", 0.05)
    monkeypatch.setattr(Address, "UPLOADS", (1.0, 100.0))
    assert answer(manager, f"{ROUTE}/s/{place(manager)}", "1000") == (503, False)
