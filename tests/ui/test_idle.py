"""Results that are computed once, by a page or while the server is idle."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from soundalike.errors import AudioError
from soundalike.ui import idle
from soundalike.ui.idle import Idle, Result

LONG_S = 20


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the server counts as idle."""
    event = threading.Event()
    monkeypatch.setattr(idle, "wait_for_quiet", lambda at_most=0.0: event.wait(LONG_S))
    return event


def counted(found: list[str], name: str) -> Result[int]:
    def compute(_: Callable[[int], None]) -> int:
        found.append(name)
        return len(found)

    return Result((name,), compute)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_nothing_is_computed_while_pages_are_drawn(quiet: threading.Event) -> None:
    found: list[str] = []
    wanted = counted(found, "a")
    Idle().want(wanted)
    assert found == []
    quiet.set()
    until(lambda: found == ["a"])
    assert wanted.result() == 1
    assert found == ["a"]


def test_the_newest_comes_first(quiet: threading.Event) -> None:
    found: list[str] = []
    queue, wanted = Idle(), [counted(found, name) for name in "abc"]
    for result in wanted:
        queue.want(result)
    quiet.set()
    until(lambda: len(found) == 3)
    assert found == ["c", "b", "a"]


def test_what_nobody_holds_any_more_is_not_computed(quiet: threading.Event) -> None:
    found: list[str] = []
    queue, kept, dropped = Idle(), counted(found, "kept"), counted(found, "dropped")
    for result in (kept, dropped):
        queue.want(result)
    del dropped, result
    gc.collect()
    quiet.set()
    until(lambda: found == ["kept"])
    until(lambda: not queue._works)
    assert found == ["kept"]


def test_a_page_computes_what_still_waits_and_it_is_not_computed_again(quiet: threading.Event) -> None:
    found: list[str] = []
    queue, wanted = Idle(), counted(found, "a")
    queue.want(wanted)
    assert wanted.result() == 1
    quiet.set()
    until(lambda: not queue._works)
    assert found == ["a"]


def test_a_page_waits_for_the_computation_that_has_begun(quiet: threading.Event) -> None:
    found: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def compute(_: Callable[[int], None]) -> str:
        found.append(threading.current_thread().name)
        begun.set()
        go_on.wait(LONG_S)
        return "measured"

    wanted = Result((), compute)
    Idle().want(wanted)
    quiet.set()
    assert begun.wait(LONG_S)
    places: list[int] = []

    def on_place(ahead: int) -> None:
        places.append(ahead)
        go_on.set()

    assert wanted.result(on_place) == "measured"
    assert found == ["idle"]
    assert places


def test_a_failure_is_left_to_the_page(quiet: threading.Event) -> None:
    tries: list[str] = []

    def compute(_: Callable[[int], None]) -> str:
        tries.append("")
        if len(tries) == 1:
            raise AudioError("Damaged.")
        return "measured"

    queue, wanted = Idle(), Result((), compute)
    queue.want(wanted)
    quiet.set()
    until(lambda: not queue._works)
    assert wanted.result() == "measured"
    assert len(tries) == 2


def test_what_it_was_computed_from_is_let_go() -> None:
    class Upload:
        pass

    upload = Upload()
    held = weakref.ref(upload)
    wanted = Result((), lambda _, given=upload: str(given))
    del upload
    assert held() is not None
    wanted.result()
    gc.collect()
    assert held() is None


def test_a_page_that_is_drawn_keeps_the_server_from_being_idle() -> None:
    drawn = threading.Event()
    page = threading.Thread(target=drawn.wait, args=[LONG_S], name=idle._PAGE_THREAD)
    waiting = threading.Thread(target=idle.wait_for_quiet)
    page.start()
    waiting.start()
    waiting.join(2 * idle.QUIET_S)
    assert waiting.is_alive()
    drawn.set()
    waiting.join(LONG_S)
    assert not waiting.is_alive()


def test_a_busy_server_is_not_waited_for_without_end() -> None:
    drawn = threading.Event()
    page = threading.Thread(target=drawn.wait, args=[LONG_S], name=idle._PAGE_THREAD)
    page.start()
    idle.wait_for_quiet(at_most=0.2)
    assert page.is_alive()
    drawn.set()


@pytest.mark.parametrize("variable", ["SOUNDALIKE_WARM_UP", "SOUNDALIKE_LIGHT"])
def test_it_can_be_off(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_WARM_UP", "1")
    monkeypatch.setenv("SOUNDALIKE_LIGHT", "0")
    assert not idle.is_off()
    monkeypatch.setenv(variable, "0" if variable == "SOUNDALIKE_WARM_UP" else "1")
    assert idle.is_off()


def test_nothing_is_computed_while_the_networks_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "QUIET_S", 0.0)
    done = threading.Event()
    wanted = idle.Result((), lambda on_place: done.set())
    queue = idle.Idle()
    with idle.BACKGROUND:
        queue.want(wanted)
        assert not done.wait(0.5)
    assert done.wait(10)
