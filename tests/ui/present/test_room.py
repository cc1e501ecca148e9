"""A room counts the votes on its question, and a server keeps only so many rooms for so long."""

from __future__ import annotations

import re

import pytest

from soundalike.ui.present import room
from soundalike.ui.present.room import Rooms

NAMES = ("musicnn", "vgg_mel")


def test_votes_are_counted_by_answer_and_by_method() -> None:
    opened = Rooms().open("library", "0102", NAMES)
    first = opened.question
    assert (first.number, first.query, {first.left, first.right}) == (1, "0102", set(NAMES))
    for ballot, choice in enumerate(("left", "left", "same")):
        assert opened.count(first, choice, str(ballot))
    assert opened.votes == {"left": 2, "same": 1}
    assert opened.total == {first.left: 2, "same": 1}


def test_the_next_question_starts_from_zero_and_takes_no_late_vote() -> None:
    opened = Rooms().open("library", "0102", NAMES)
    first = opened.question
    opened.count(first, "right", "a")
    opened.is_revealed = True
    opened.ask("0235", NAMES)
    assert (opened.question.number, opened.question.query) == (2, "0235")
    assert not opened.is_revealed
    assert not opened.count(first, "right", "b")
    assert opened.votes.total() == 0
    assert opened.total == {first.right: 1}
    assert opened.count(opened.question, "left", "a")


def test_a_ballot_counts_once_per_question() -> None:
    opened = Rooms().open("library", "0102", NAMES)
    assert opened.choice_of("a") is None
    assert opened.count(opened.question, "left", "a")
    assert not opened.count(opened.question, "right", "a")
    assert (opened.votes, opened.choice_of("a"), opened.choice_of("b")) == ({"left": 1}, "left", None)
    opened.ask("0235", NAMES)
    assert opened.choice_of("a") is None


def test_a_drawn_code_is_one_and_others_are_not() -> None:
    assert room.is_code(room.draw_code(12), 12)
    assert not any(room.is_code(text, 4) for text in ("", "abc", "abcde", "abc1", "ABCD", "ab d"))


def test_the_order_of_the_methods_is_random() -> None:
    rooms = Rooms()
    sides = {rooms.open("library", "0102", NAMES).question.left for _ in range(40)}
    assert sides == set(NAMES)


def test_a_room_is_found_by_its_code_until_it_closes() -> None:
    rooms = Rooms()
    opened = rooms.open("library", "0102", NAMES)
    assert re.fullmatch(r"[a-z2-9]{6}", opened.code)
    assert rooms.get(opened.code) is opened
    assert rooms.codes() == [opened.code]
    rooms.close(opened.code)
    rooms.close(opened.code)
    assert rooms.get(opened.code) is None
    assert rooms.get("") is None


def test_there_are_only_so_many_rooms_and_only_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: now[0])
    rooms = Rooms()
    codes = [rooms.open("library", "0102", NAMES).code for _ in range(room.MOST + 1)]
    assert rooms.codes() == codes[1:]
    now[0] = room.OPEN_S + 1
    assert rooms.codes() == []
    assert rooms.get(codes[-1]) is None
