"""A session votes no faster than somebody listens, and a new round is the presenter's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from soundalike.errors import BusyError
from soundalike.evaluation.listening_test import Votes
from soundalike.ui.compare import voting

PAGE = Path(__file__).resolve().parents[3] / "pages" / "compare.py"
NAMES = ("musicnn", "vgg_mel")


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A session, whose address and headers a test can change; it is far away."""
    context = SimpleNamespace(headers={"Host": "music.example.org"}, ip_address="203.0.113.5")
    session = SimpleNamespace(session_state={}, context=context)
    monkeypatch.setattr(voting, "st", session)
    monkeypatch.setattr(voting, "WRONG_KEY_S", 0.0)
    monkeypatch.delenv(voting.PRESENTER, raising=False)
    return session


@pytest.fixture
def votes(tmp_path: Path) -> Votes:
    return Votes(tmp_path / "votes.sqlite", "library")


def test_a_session_votes_no_faster_than_it_may(
    visitor: SimpleNamespace, votes: Votes, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(voting.time, "monotonic", lambda: now[0])
    for _ in range(voting.MOST):
        now[0] += 1
        assert voting.cast(votes, votes.deal("0102", NAMES).id, "left")
    with pytest.raises(BusyError, match="in 562 seconds"):
        voting.cast(votes, votes.deal("0102", NAMES).id, "left")
    assert votes.count() == voting.MOST
    now[0] += 562
    assert voting.cast(votes, votes.deal("0102", NAMES).id, "left")
    # Another session has a rate of its own.
    visitor.session_state.clear()
    assert voting.cast(votes, votes.deal("0102", NAMES).id, "left")


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        (None, {"Host": "localhost:8501"}, True),
        (None, {"Host": "[::1]:8501"}, True),
        (None, {}, True),
        ("127.0.0.2", {"Host": "127.0.0.1"}, True),
        ("203.0.113.5", {"Host": "localhost:8501"}, False),
        ("172.17.0.1", {"Host": "localhost:8501"}, False),
        # A proxy on the server: its visitors come from anywhere.
        (None, {"Host": "music.example.org"}, False),
        (None, {"Host": "localhost", "X-Forwarded-For": "203.0.113.5"}, False),
        (None, {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, False),
        (None, {"Host": "localhost.example.org"}, False),
        ("nowhere", {"Host": "localhost"}, False),
    ],
)
def test_only_the_server_s_own_browser_needs_no_key(
    visitor: SimpleNamespace, address: str | None, headers: dict[str, str], local: bool
) -> None:
    visitor.context = SimpleNamespace(headers=headers, ip_address=address)
    assert voting.is_presenter() is local


@pytest.mark.parametrize(
    ("key", "given", "right"),
    [("secret", "secret", True), ("secret", "guess", False), ("", "", False), ("secret", None, False)],
)
def test_the_key_makes_a_presenter(
    visitor: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, key: str, given: Any, right: bool
) -> None:
    monkeypatch.setenv(voting.PRESENTER, key)
    visitor.session_state[voting.KEY] = given
    assert not voting.is_presenter()
    voting.try_key()
    # Streamlit forgets a field that is no longer shown.
    visitor.session_state.pop(voting.KEY)
    assert voting.is_presenter() is right


def press(app: AppTest, key: str) -> str:
    """Press a button, and return the page's captions."""
    (button,) = [button for button in app.button if str(button.key).startswith(key)]
    button.click().run()
    assert not app.exception
    return " ".join(caption.value for caption in app.caption)


def test_the_page_counts_no_vote_at_once_and_keeps_no_skipped_pair(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "votes.sqlite"
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(path))
    app = AppTest.from_file(str(PAGE), default_timeout=60).run()
    for _ in range(5):
        said = press(app, "compare_vote_left")
        assert "Your vote was not counted\\: Listen to both playlists first. A vote counts 5" in said
        assert "0 votes so far this round" in said
        assert "not counted" not in press(app, "compare_skip")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM pairs").fetchone() == (1,)


def test_a_visitor_starts_no_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    monkeypatch.setenv(voting.PRESENTER, "secret")
    monkeypatch.setattr(voting, "on_server", lambda: False)
    monkeypatch.setattr(voting, "WRONG_KEY_S", 0.0)
    app = AppTest.from_file(str(PAGE), default_timeout=60).run()
    for key, presents in (("guess", False), ("secret", True)):
        assert "compare_reset" not in [button.key for button in app.button]
        app.text_input(key=voting.KEY).set_value(key).run()
        assert ("compare_reset" in [button.key for button in app.button]) is presents
    assert "Start a new round" in [button.label for button in app.button]
    app.run()
    assert "compare_reset" in [button.key for button in app.button]
