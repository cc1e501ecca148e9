"""The limits of the websockets, with an app that only counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from asgi import run
from attacks import rerun
from streamlit.proto.BackMsg_pb2 import BackMsg

from soundalike.ui.middleware import messages
from soundalike.ui.middleware.messages import MessageLimits, is_of_a_page

SCOPE = {"type": "websocket", "client": ("192.0.2.1", 1), "headers": []}
CLIENT_GONE = {"type": "websocket.disconnect", "code": 1001}


class Counting:
    """An app that counts what it gets until its visitor leaves."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.left: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            self.seen.append(message.get("bytes"))
        self.left.append(message["code"])


async def visit(
    guard: MessageLimits, *contents: bytes, gap_s: float = 0.0, stay: bool = False
) -> list[Any]:
    """Open a websocket, send messages and leave. Returns what was sent to it."""
    sent: list[Any] = []
    waiting = [{"type": "websocket.receive", "bytes": content} for content in contents]

    async def receive() -> Any:
        await asyncio.sleep(gap_s)
        if waiting:
            return waiting.pop(0)
        if stay:
            await asyncio.sleep(3600)
        return CLIENT_GONE

    async def send(message: Any) -> None:
        sent.append(message)

    await guard(SCOPE, receive, send)
    return sent


def test_a_flood_is_cut_off_after_few_messages() -> None:
    app = Counting()
    begun = time.monotonic()
    run(visit(MessageLimits(app), *[rerun()] * 1_000, stay=True))
    assert time.monotonic() - begun < 2
    assert app.left == [1008]
    assert len(app.seen) <= messages.BURST + 1


def test_a_slider_that_is_dragged_waits_for_nothing() -> None:
    app = Counting()
    begun = time.monotonic()
    run(visit(MessageLimits(app), *[rerun()] * 40, gap_s=0.05))
    assert time.monotonic() - begun < 40 * 0.05 * 2
    assert (len(app.seen), app.left) == (40, [1001])


def test_messages_over_the_rate_take_their_turns() -> None:
    app = Counting()
    begun = time.monotonic()
    run(visit(MessageLimits(app), *[rerun()] * 50))
    assert time.monotonic() - begun >= (50 - messages.BURST) / messages.RATE * 0.9
    assert (len(app.seen), app.left) == (50, [1001])


def test_large_messages_count_for_more() -> None:
    app = Counting()
    large = BackMsg()
    large.rerun_script.query_string = "x" * messages.BYTES_A_TOKEN * 30
    begun = time.monotonic()
    run(visit(MessageLimits(app), *[large.SerializeToString()] * 2))
    assert time.monotonic() - begun >= 30 / messages.RATE * 0.9
    assert len(app.seen) == 2


def test_an_address_opens_a_bounded_number_of_websockets(monkeypatch) -> None:
    monkeypatch.setattr(messages, "SOCKETS_OF_ONE", 30)

    async def class_of(count: int) -> list[list[Any]]:
        guard = MessageLimits(Counting())
        visits = [visit(guard, rerun(), gap_s=0.05) for _ in range(count)]
        return await asyncio.gather(*visits)

    sent = run(class_of(32))
    refused = [answers for answers in sent if answers]
    assert refused == [[{"type": "websocket.close", "code": 1013}]] * 2


def test_a_flood_counts_for_many_openings() -> None:
    async def floods() -> int:
        guard = MessageLimits(Counting())
        for number in range(100):
            if await visit(guard, *[rerun()] * 100, stay=True):
                return number
        return 100

    assert run(floods()) <= 6


def test_pages_ask_for_runs_and_files_but_for_nothing_that_others_share() -> None:
    def message(**values: Any) -> bytes:
        return BackMsg(**values).SerializeToString()

    assert is_of_a_page(rerun())
    assert is_of_a_page(message(stop_script=True))
    assert is_of_a_page(message(app_heartbeat=True))
    assert is_of_a_page(message(file_urls_request={"file_names": ["a.wav"]}))
    assert is_of_a_page(message(backend_operation_request={"deferred_file": {"file_id": "1"}}))
    assert not is_of_a_page(message(file_urls_request={"file_names": ["a"] * 10_000}))
    assert not is_of_a_page(message(backend_operation_request={"install_skills": {}}))
    assert not is_of_a_page(message(clear_cache=True))
    assert not is_of_a_page(message(load_git_info=True))
    assert not is_of_a_page(b"")
    # Streamlit answers these by hanging up.
    assert is_of_a_page(b"\xff")
    assert is_of_a_page(None)
