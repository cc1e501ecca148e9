"""Rooms: listeners who vote on the same two playlists, at the same time.

A room lives in the server's memory and counts its votes. It knows nothing of who voted: a guest's
browser has a random ballot in its address, also after a reload, and each ballot counts once per
question.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST = 40
"""Rooms on a server; the oldest closes when there is another one."""
OPEN_S = 12 * 3600.0
"""Seconds after which a room closes."""
LENGTH = 6
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""The letters of a code, without those that are mistaken for others."""


@dataclass(frozen=True)
class Question:
    """What a room votes on.

    Attributes
    ----------
    number : from 1
    query : id of the track
    left, right : names of the methods, in the order in which the whole room sees their playlists
    """

    number: int
    query: str
    left: str
    right: str


@dataclass
class Room:
    """A room, its question and its votes.

    Attributes
    ----------
    code : names it in the link
    library : fingerprint of the library that it is about
    question : that the room votes on
    is_revealed : whether the presenter shows the question's votes
    votes : on this question, by the answer
    total : on all questions of the room, by the method, or "same"
    """

    code: str
    library: str
    question: Question
    is_revealed: bool = False
    votes: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    _cast: dict[str, str] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask(self, query: str, names: Sequence[str]) -> None:
        """Go on to the next question: a track, and two methods in random order."""
        with self._lock:
            self.question = _question(self.question.number + 1, query, names)
            self.is_revealed = False
            self.votes.clear()
            self._cast.clear()

    def choice_of(self, ballot: str) -> str | None:
        """The ballot's answer to the question; None while it has none."""
        return self._cast.get(ballot)

    def count(self, question: Question, choice: str, ballot: str) -> bool:
        """Count an answer ("left", "right" or "same").

        False if the room has gone on meanwhile, or the ballot has answered.
        """
        with self._lock:
            if question != self.question or ballot in self._cast:
                return False
            self._cast[ballot] = choice
            self.votes[choice] += 1
            self.total[choice if choice == "same" else getattr(question, choice)] += 1
            return True


class Rooms:
    """The open rooms of a server."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, tuple[float, Room]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, library: str, query: str, names: Sequence[str]) -> Room:
        """Open a room with its first question."""
        code = draw_code(LENGTH)
        room = Room(code, library, _question(1, query, names))
        with self._lock:
            self._drop_old()
            while len(self._rooms) >= MOST:
                self._rooms.popitem(last=False)
            self._rooms[code] = (time.monotonic(), room)
        return room

    def get(self, code: str) -> Room | None:
        """The open room of that code."""
        with self._lock:
            self._drop_old()
            found = self._rooms.get(code)
        return None if found is None else found[1]

    def codes(self) -> list[str]:
        """The codes of the open rooms."""
        with self._lock:
            self._drop_old()
            return list(self._rooms)

    def close(self, code: str) -> None:
        """Close a room; its votes stay in the listening test."""
        with self._lock:
            self._rooms.pop(code, None)

    def _drop_old(self) -> None:
        oldest = time.monotonic() - OPEN_S
        for code in [code for code, (opened, _) in self._rooms.items() if opened < oldest]:
            del self._rooms[code]


def draw_code(length: int) -> str:
    """Random letters that are easily told apart."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def is_code(text: str, length: int) -> bool:
    """Whether a text could come from `draw_code`."""
    return len(text) == length and set(text) <= set(_LETTERS)


def _question(number: int, query: str, names: Sequence[str]) -> Question:
    left, right = secrets.SystemRandom().sample(list(names), 2)
    return Question(number, query, left, right)
