"""Whose turn it is to use what only one can use at a time, such as the network.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) with every job taken to be of one length: a job
begins, on a clock that counts turns, when it arrives or when the last one of the same visitor ends,
whichever is later, and the least beginning goes first. So each visitor gets every nth turn of n, and
one who asks for ten things at once waits for the others between them.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soundalike.errors import BusyError

LONGEST = 50
"""Jobs that may wait; a visitor who comes later is asked to come back."""
LOOK_S = 0.5
"""How often one who waits is told the place again, which is when one who left is noticed."""

OnPlace = Callable[[int], None]


class Turns:
    """A line in front of something that serves one at a time.

    Parameters
    ----------
    longest : jobs that may wait
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._busy = False
        self._clock = 0
        self._ends: dict[str, int] = {}
        self._numbers = itertools.count()

    @contextmanager
    def turn(self, visitor: str, on_place: OnPlace = lambda ahead: None) -> Iterator[None]:
        """Wait for one's turn, and keep it for as long as the block runs.

        Parameters
        ----------
        visitor : who asks; turns are shared out evenly among these
        on_place : called with how many go before, at once, at every change and every half second,
            and with 0 when the turn comes, but not at all where nobody goes before; what it raises
            ends the waiting and leaves the line

        Raises
        ------
        BusyError
            If too many are waiting already.
        """
        ticket = self._join(visitor)
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
        """How many are waiting now."""
        with self._changed:
            return len(self._waiting)

    def _join(self, visitor: str) -> tuple[int, int]:
        with self._changed:
            if len(self._waiting) >= self._longest:
                raise BusyError(
                    f"{len(self._waiting)} clips are already waiting. Try again in a minute."
                )
            begins = max(self._clock, self._ends.get(visitor, 0))
            self._ends[visitor] = begins + 1
            ticket = begins, next(self._numbers)
            self._waiting.append(ticket)
            self._changed.notify_all()
            return ticket

    def _wait(self, ticket: tuple[int, int], on_place: OnPlace) -> None:
        told = False
        while (ahead := self._begun_or_ahead(ticket)) > 0:
            # Told outside the lock: it may take its time, and it may raise.
            on_place(ahead)
            told = True
            with self._changed:
                if self._ahead(ticket) == ahead:
                    self._changed.wait(LOOK_S)
        if told:
            on_place(0)

    def _ahead(self, ticket: tuple[int, int]) -> int:
        return sum(other < ticket for other in self._waiting) + self._busy

    def _begun_or_ahead(self, ticket: tuple[int, int]) -> int:
        """How many go before; where nobody does, the turn has begun."""
        with self._changed:
            ahead = self._ahead(ticket)
            if ahead == 0:
                self._waiting.remove(ticket)
                self._busy = True
                self._clock = ticket[0]
            return ahead

    def _leave(self, ticket: tuple[int, int]) -> None:
        """Give up, in the line or when the turn has just come."""
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._changed.notify_all()
                return
        self._finish()

    def _finish(self) -> None:
        with self._changed:
            self._busy = False
            if not self._waiting:
                # Nobody was kept waiting, so that nobody owes or is owed anything.
                self._clock = max(self._ends.values())
                self._ends = {}
            self._changed.notify_all()
