"""The limits of the websockets, with an app that only counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from asgi import run
from attacks import rerun
from streamlit.proto.BackMsg_pb2 import BackMsg

from soundalike.ui.middleware import messages
from soundalike.ui.middleware.messages import MessageLimits, is_of_a_page, parsed, supersedes

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


def click(number: int = 0) -> bytes:
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id=f"button {number}", trigger_value=True)
    return message.SerializeToString()


def value(number: int) -> bytes:
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id="slider", int_value=number)
    return message.SerializeToString()


def test_a_flood_is_cut_off_after_few_messages() -> None:
    for content in (rerun(), click()):
        app = Counting()
        begun = time.monotonic()
        run(visit(MessageLimits(app), *[content] * 1_000, stay=True))
        assert time.monotonic() - begun < 2
        assert app.left == [1008]
        assert len(app.seen) <= messages.AT_ONCE + 1


def test_a_key_that_is_held_down_is_no_flood() -> None:
    app = Counting()
    contents = [value(number) for number in range(120)]
    run(visit(MessageLimits(app), *contents, gap_s=1 / 25))
    assert app.left == [1001]
    assert app.seen[-1] == contents[-1]


def test_clicks_over_the_pace_take_their_turns() -> None:
    app = Counting()
    begun = time.monotonic()
    contents = [click(number) for number in range(50)]
    run(visit(MessageLimits(app), *contents))
    assert time.monotonic() - begun >= (50 - messages.AT_ONCE) / messages.PACE * 0.9
    assert (app.seen, app.left) == (contents, [1001])


def test_of_values_that_wait_the_last_is_enough() -> None:
    app = Counting()
    contents = [value(number) for number in range(80)]
    run(visit(MessageLimits(app), *contents))
    assert app.seen[-1] == contents[-1]
    assert len(app.seen) <= messages.AT_ONCE + 2


def test_what_a_later_request_does_not_say_is_kept() -> None:
    def request(**values: Any) -> BackMsg:
        return BackMsg(rerun_script=values)

    assert supersedes(parsed(value(2)), parsed(value(1)))
    assert supersedes(parsed(click()), parsed(value(1)))
    assert not supersedes(parsed(value(1)), parsed(click()))
    assert not supersedes(request(page_script_hash="a"), request(page_script_hash="b"))
    assert not supersedes(request(fragment_id="a"), request())
    assert not supersedes(request(query_string="track=1"), request())
    assert not supersedes(request(), BackMsg(stop_script=True))
    assert not supersedes(BackMsg(stop_script=True), request())
    assert not supersedes(None, request())


def test_large_messages_count_for_more() -> None:
    app = Counting()
    large = BackMsg()
    large.rerun_script.query_string = "x" * messages.BYTES_A_TOKEN * 30
    other = BackMsg(rerun_script={"query_string": "y" * messages.BYTES_A_TOKEN * 30})
    begun = time.monotonic()
    run(visit(MessageLimits(app), large.SerializeToString(), other.SerializeToString()))
    assert time.monotonic() - begun >= 30 / messages.PACE * 0.9
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
    assert is_of_a_page(BackMsg(rerun_script={}))
    assert is_of_a_page(BackMsg(stop_script=True))
    assert is_of_a_page(BackMsg(app_heartbeat=True))
    assert is_of_a_page(BackMsg(file_urls_request={"file_names": ["a.wav"]}))
    assert is_of_a_page(BackMsg(backend_operation_request={"deferred_file": {"file_id": "1"}}))
    assert not is_of_a_page(BackMsg(file_urls_request={"file_names": ["a"] * 10_000}))
    assert not is_of_a_page(BackMsg(backend_operation_request={"install_skills": {}}))
    assert not is_of_a_page(BackMsg(clear_cache=True))
    assert not is_of_a_page(BackMsg(load_git_info=True))
    assert not is_of_a_page(BackMsg())


def test_other_orders_do_not_reach_streamlit_and_nonsense_does() -> None:
    app = Counting()
    order = BackMsg(clear_cache=True).SerializeToString()
    run(visit(MessageLimits(app), order, b"\xff", b"", rerun()))
    assert app.seen == [b"\xff", rerun()]
