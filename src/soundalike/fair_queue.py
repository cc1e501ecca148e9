"""Fair queue for a resource that serves a few at a time, such as the networks or the decoders.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with all jobs assumed equally long. A virtual
clock counts turns. A job's start time is its arrival or the end of the same visitor's previous job,
whichever is later, and the job with the earliest start time runs first. With n visitors, each gets
every nth turn, so a visitor who sends ten jobs at once waits for the others between them. A job may let
others go first that arrive within some turns of the clock: its visitor has something to look at.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from soundalike.errors import BusyError

LONGEST = 50
"""Number of jobs that may wait; later visitors are asked to try again."""
LOOK_S = 0.5
"""Interval of position updates to a waiting visitor, which also detects visitors who left."""

OnPlace = Callable[[int], None]


class _Ticket(NamedTuple):
    """A waiting job; the least is the next. `number` is in the order of arrival."""

    turn: int
    number: int
    start: int


class FairQueue:
    """Queue in front of a resource that serves a few at a time, one by default.

    Parameters
    ----------
    longest : number of jobs that may wait
    places : number of jobs that run at the same time
    """

    def __init__(self, longest: int = LONGEST, places: int = 1) -> None:
        self._longest = longest
        self._places = places
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._running = 0
        self._clock = 0
        self._ends: dict[str, int] = {}
        self._numbers = itertools.count()

    @contextmanager
    def acquire(
        self, visitor: str, on_place: OnPlace = lambda ahead: None, patience: int = 0
    ) -> Iterator[None]:
        """Wait for a turn and hold it while the block runs.

        Parameters
        ----------
        visitor : the visitor's ID; turns are shared evenly between visitors
        on_place : called with the number of jobs ahead: at once, at every change, every half second,
            and with 0 when the turn comes. Not called if no job is ahead. An exception it raises
            ends the waiting and leaves the queue
        patience : number of turns of the clock within which others who arrive go first

        Raises
        ------
        BusyError
            If too many are waiting already.
        """
        ticket = self._join(visitor, patience)
        try:
            self._wait(ticket, on_place)
        except BaseException:
            self._leave(ticket)
            raise
        try:
            yield
        finally:
            self._finish()

    @property
    def waiting(self) -> int:
        """Number of jobs waiting now."""
        with self._changed:
            return len(self._waiting)

    def _join(self, visitor: str, patience: int) -> _Ticket:
        with self._changed:
            if len(self._waiting) >= self._longest:
                raise BusyError(
                    f"{len(self._waiting)} clips are already waiting. Try again in a minute."
                )
            start = max(self._clock, self._ends.get(visitor, 0))
            self._ends[visitor] = start + 1
            ticket = _Ticket(start + patience, next(self._numbers), start)
            self._waiting.append(ticket)
            self._changed.notify_all()
            return ticket

    def _wait(self, ticket: _Ticket, on_place: OnPlace) -> None:
        notified = False
        while (ahead := self._start_or_count_ahead(ticket)) > 0:
            # Called outside the lock, because it may be slow or raise.
            on_place(ahead)
            notified = True
            with self._changed:
                if self._ahead(ticket) == ahead:
                    self._changed.wait(LOOK_S)
        if notified:
            on_place(0)

    def _ahead(self, ticket: _Ticket) -> int:
        before = sum(other < ticket for other in self._waiting)
        return max(0, before + self._running + 1 - self._places)

    def _start_or_count_ahead(self, ticket: _Ticket) -> int:
        """Number of jobs ahead; if there are none, the turn starts."""
        with self._changed:
            ahead = self._ahead(ticket)
            if ahead == 0:
                self._waiting.remove(ticket)
                self._running += 1
                self._clock = max(self._clock, ticket.start)
                # With several places, the next in line may find one free as well.
                self._changed.notify_all()
            return ahead

    def _leave(self, ticket: _Ticket) -> None:
        """Give up, while waiting or when the turn has just come."""
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._changed.notify_all()
                return
        self._finish()

    def _finish(self) -> None:
        with self._changed:
            self._running -= 1
            if not self._waiting and not self._running:
                # The queue is empty, so no visitor is ahead of or behind their share.
                self._clock = max(self._ends.values())
                self._ends = {}
            self._changed.notify_all()
