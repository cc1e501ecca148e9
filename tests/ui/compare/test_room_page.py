"""Only a presenter opens a room; whoever has its code votes on its question, once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import address
import pytest
from streamlit.testing.v1 import AppTest

from soundalike.ui.compare import room_page, voting
from soundalike.ui.present import link

PAGE = Path(__file__).resolve().parents[3] / "pages" / "compare.py"


@pytest.fixture(autouse=True)
def votes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The database of a server of which the visitors are far away, and have a key."""
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    monkeypatch.setenv(voting.PRESENTER, "secret")
    monkeypatch.setenv(link.VARIABLE, "https://music.example.org")
    monkeypatch.setattr(voting, "on_server", lambda: False)
    monkeypatch.setattr(voting, "WRONG_KEY_S", 0.0)
    room_page.rooms.clear()
    yield tmp_path / "votes.sqlite"
    room_page.rooms.clear()


def visit(*, key: bool = False, **parameters: str) -> AppTest:
    """The page in a new session, in the mode for presenting if that is a parameter."""
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    if "present" in parameters:
        app.session_state["present"] = 1
    if key:
        app.session_state["presents"] = True
    app.run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def press(app: AppTest, label: str) -> None:
    (button,) = [button for button in app.button if button.label == label]
    button.click().run()
    assert not app.exception


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def opened() -> tuple[AppTest, str]:
    """A presenter who has opened a room, and its code."""
    app = visit(key=True, present="1")
    press(app, "Open a room")
    (code,) = room_page.rooms().codes()
    return app, code


def test_only_the_key_opens_a_room() -> None:
    app = visit(present="1")
    assert "Open a room" not in labels(app)
    app.text_input(key=voting.KEY).set_value("guess").run()
    assert "Open a room" not in labels(app)
    app.text_input(key=voting.KEY).set_value("secret").run()
    assert "Open a room" in labels(app)
    assert room_page.rooms().codes() == []


def test_a_room_begins_with_the_default_pair_and_the_clip_and_has_a_link() -> None:
    app, code = opened()
    room = room_page.rooms().get(code)
    assert room is not None
    assert {room.question.left, room.question.right} == {"soundalike", "vgg_genre"}
    assert room.question.query == app.session_state["compare_track"]
    assert address.parameters(app)["room"] == code
    assert "Others can't reach" not in captions(app)
    assert not {*voting.ANSWERS.values()} & {*labels(app)}
    app.multiselect(key="compare_pairing").set_value(["musicnn", "vgg_mel"]).run()
    assert {room.question.left, room.question.right} == {"musicnn", "vgg_mel"}


def test_a_link_to_this_computer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(link.VARIABLE, "http://localhost:8501")
    app, _ = opened()
    assert "Others can't reach this address" in captions(app)


def test_the_audience_votes_once_per_question(votes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.evaluation.listening_test.LEAST_S", 0.0)
    voting.open_votes.clear()
    host, code = opened()
    room = room_page.rooms().get(code)
    assert room is not None
    guest = visit(room=code)
    assert [title.value for title in guest.title] == ["Which sounds more alike?"]
    press(guest, "They sound equally alike")
    assert "Vote counted: They sound equally alike" in captions(guest)
    assert all(button.disabled for button in guest.button if button.label in voting.ANSWERS.values())
    assert room.votes == {"same": 1}
    # A page that was reloaded is a new session with the same address.
    again = visit(room=code, ballot=address.parameters(guest)["ballot"])
    assert "Vote counted: They sound equally alike" in captions(again)
    other = visit(room=code, ballot="not one of ours")
    press(other, "Playlist A")
    assert room.votes == {"same": 1, "left": 1}
    host.run()
    assert "2 votes on this clip" in [header.value for header in host.subheader]
    press(host, "Next clip")
    guest.run()
    press(guest, "Playlist B")
    assert room.votes == {"right": 1}
    assert room.total.total() == 3
    with sqlite3.connect(votes) as database:
        counted = "SELECT left, right FROM pairs WHERE choice = 'right'"
        assert database.execute(counted).fetchall() == [(room.question.left, room.question.right)]


def test_a_vote_that_comes_too_early_is_not_counted() -> None:
    _, code = opened()
    voting.open_votes.clear()
    guest = visit(room=code)
    press(guest, "Playlist A")
    assert "Your vote was not counted\\: Listen to both playlists first." in captions(guest)
    room = room_page.rooms().get(code)
    assert room is not None
    assert room.votes.total() == 0


def test_the_audience_has_none_of_the_presenter_s_controls() -> None:
    _, code = opened()
    for guest in (visit(room=code), visit(room=code, present="1")):
        assert not {"Reveal", "Next clip", "Close the room"} & {*labels(guest)}
        assert not guest.multiselect
        press(guest, "Leave the vote")
        assert room_page.rooms().codes() == [code]
        assert "room" not in address.parameters(guest)
    # A presenter whose session was lost comes back with the address and the key.
    again = visit(room=code, present="1", key=True)
    assert "Close the room" in labels(again)
    press(again, "Close the room")
    assert room_page.rooms().codes() == []


def test_a_closed_room_and_a_wrong_code_say_so() -> None:
    _, code = opened()
    guest = visit(room=code)
    room_page.rooms().close(code)
    guest.run()
    assert "This vote is over" in captions(guest)
    wrong = visit(room="nothere")
    assert "This link has settings that we don't have here\\: room=nothere." in captions(wrong)
    assert "They sound equally alike" in labels(wrong)
