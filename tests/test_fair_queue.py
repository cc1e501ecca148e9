"""Tests of turns: one at a time, fair among visitors, and nobody who left is waited for."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from soundalike.errors import BusyError
from soundalike.fair_queue import FairQueue


class Line:
    """Jobs of several visitors that all wait behind one that is held open, then go."""

    def __init__(self, turns: FairQueue) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.places: dict[str, list[int]] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, visitor: str, name: str, patience: int = 0) -> None:
        """Ask for a turn in a thread of its own, and return once it waits."""
        waits = threading.Event()
        places = self.places.setdefault(name, [])

        def told(ahead: int) -> None:
            places.append(ahead)
            waits.set()

        def job() -> None:
            with self.turns.acquire(visitor, told, patience):
                self.served.append(name)

        self._threads.append(threading.Thread(target=job))
        self._threads[-1].start()
        assert waits.wait(10)

    def finish(self) -> list[str]:
        for thread in self._threads:
            thread.join(10)
        return self.served


def behind_one(ask: Callable[[Line], None]) -> Line:
    line = Line(FairQueue())
    with line.turns.acquire("first"):
        ask(line)
    line.finish()
    return line


def test_who_is_alone_does_not_wait():
    told: list[int] = []
    with FairQueue().acquire("anyone", told.append):
        pass
    assert told == []


def test_several_places():
    turns = FairQueue(places=2)
    told: list[int] = []
    done = threading.Event()

    def third() -> None:
        with turns.acquire("c", told.append):
            done.set()

    with turns.acquire("a"):
        with turns.acquire("b"):
            thread = threading.Thread(target=third)
            thread.start()
            while not told:
                time.sleep(0.01)
            assert (told[0], turns.waiting, done.is_set()) == (1, 1, False)
        assert done.wait(10)
    thread.join(10)
    assert told[-1] == 0


def test_one_at_a_time():
    turns, inside = FairQueue(), threading.Lock()
    entered, met = itertools.count(), []

    def job(visitor: str) -> None:
        for _ in range(20):
            with turns.acquire(visitor):
                # A second visitor would find the lock taken; the pause gives it time to come.
                alone = inside.acquire(blocking=False)
                time.sleep(0.001)
                if alone:
                    inside.release()
                else:
                    met.append(visitor)
                next(entered)

    threads = [threading.Thread(target=job, args=(f"visitor {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert met == []
    assert next(entered) == 8 * 20
    assert turns.waiting == 0


def test_nobody_comes_in_before_the_turn_is_given_back():
    turns, came = FairQueue(), threading.Event()

    def job() -> None:
        with turns.acquire("second"):
            came.set()

    second = threading.Thread(target=job)
    with turns.acquire("first"):
        second.start()
        assert not came.wait(0.2)
    assert came.wait(10)
    second.join(10)


def test_first_come_first_served_among_those_who_ask_once():
    line = behind_one(lambda line: [line.ask(name, name) for name in "abcde"])
    assert line.served == list("abcde")
    assert [line.places[name][0] for name in "abcde"] == [1, 2, 3, 4, 5]


def test_who_asks_for_much_lets_others_between():
    def ask(line: Line) -> None:
        for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
            line.ask(name[0], name)

    line = behind_one(ask)
    assert line.served == ["a1", "b1", "c1", "a2", "b2", "a3"]
    # b1 came fourth and was told at once that two go before: a1 and the one inside.
    assert line.places["b1"][0] == 2
    assert line.places["a3"][0] == 3


def test_who_has_patience_lets_others_before_for_some_turns():
    def ask(line: Line) -> None:
        line.ask("a", "a, patient", patience=2)
        line.ask("b", "b, patient", patience=2)
        for number in range(4):
            line.ask("c", f"c{number}")
        line.ask("d", "d")

    served = behind_one(ask).served
    assert served == ["c0", "d", "c1", "a, patient", "b, patient", "c2", "c3"]


def test_having_waited_long_ago_counts_for_nothing():
    turns = FairQueue()
    for _ in range(5):
        with turns.acquire("often"):
            pass
    line = Line(turns)
    with turns.acquire("first"):
        line.ask("often", "often")
        line.ask("new", "new")
    assert line.finish() == ["often", "new"]


def test_places_fall_to_the_turn():
    line = behind_one(lambda line: [line.ask(name, name) for name in "abc"])
    for places in line.places.values():
        assert places == sorted(places, reverse=True)
        assert places[-1] == 0


class LeftError(Exception):
    """What a page is stopped by when its visitor leaves."""


def test_who_left_is_not_waited_for():
    turns = FairQueue()

    def leave(ahead: int) -> None:
        raise LeftError

    line = Line(turns)
    with turns.acquire("first"):
        with pytest.raises(LeftError), turns.acquire("gone", leave):
            pass
        line.ask("next", "next")
        assert turns.waiting == 1
        assert line.places["next"] == [1]
    assert line.finish() == ["next"]


def test_who_left_when_the_turn_came_gives_it_back():
    turns = FairQueue()
    waits = threading.Event()
    failures: list[str] = []

    def leave(ahead: int) -> None:
        waits.set()
        if ahead == 0:
            raise LeftError

    def job() -> None:
        with pytest.raises(LeftError), turns.acquire("gone", leave):
            failures.append("was let in")

    with turns.acquire("first"):
        thread = threading.Thread(target=job)
        thread.start()
        assert waits.wait(10)
    thread.join(10)
    with turns.acquire("next", lambda ahead: failures.append("waited for nobody")):
        assert failures == []


def test_what_fails_gives_its_turn_back():
    turns = FairQueue()
    with pytest.raises(LeftError), turns.acquire("one"):
        raise LeftError
    told: list[int] = []
    with turns.acquire("another", told.append):
        assert told == []


def test_a_line_that_is_too_long_is_refused_in_one_sentence():
    turns = FairQueue(longest=2)
    line = Line(turns)
    with turns.acquire("first"):
        line.ask("a", "a")
        line.ask("b", "b")
        with pytest.raises(BusyError, match=r"^2 clips are already waiting\. Try again in a minute\.$"):
            turns.acquire("c").__enter__()
    assert line.finish() == ["a", "b"]
