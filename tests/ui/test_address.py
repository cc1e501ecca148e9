"""The address of a page: what is read from it, and when it is a new entry of the history."""

from __future__ import annotations

from typing import Any

import pytest

from soundalike.ui import incoming, session


class Parameters(dict[str, str]):
    """A page's address, which notes what would be a new entry."""

    def __init__(self, **parameters: str) -> None:
        super().__init__(parameters)
        self.entries: list[dict[str, str]] = []

    def to_dict(self) -> dict[str, str]:
        return dict(self)

    def from_dict(self, wanted: dict[str, str]) -> None:
        self.entries.append(wanted)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made: dict[str, Any] = {}
    monkeypatch.setattr(session.st, "session_state", made)
    monkeypatch.setattr(session, "_register", lambda: lambda data, key: made.update(sent=data["search"]))
    return made


def at(monkeypatch: pytest.MonkeyPatch, **parameters: str) -> Parameters:
    here = Parameters(**parameters)
    monkeypatch.setattr(session.st, "query_params", here)
    return here


def test_opening_a_page_adds_its_settings_without_an_entry_and_a_change_is_one(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = at(monkeypatch, by="left")
    # Streamlit goes on naming the address that the page was opened with.
    for _ in range(2):
        session.open_page("map")
        session.to_url({"dims": 2})
        assert (state["sent"], here.entries) == ("?dims=2", [])
    session.open_page("map")
    session.to_url({"dims": 3})
    assert (state["sent"], here.entries) == (None, [{"dims": "3"}])
    here = at(monkeypatch, dims="3")
    session.open_page("map")
    session.to_url({"dims": 3})
    assert (state["sent"], here.entries) == (None, [])
    session.open_page("map")
    session.to_url({"dims": 2})
    assert (state["sent"], here.entries) == (None, [{"dims": "2"}])


def test_switching_from_a_page_that_was_just_opened_names_its_address_as_it_is_now(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, by="left")
    session.open_page("map")
    session.to_url({"dims": 2})
    named: list[dict[str, str]] = []
    monkeypatch.setattr(session.st, "switch_page", lambda page, query_params: named.append(query_params))
    session.switch("recommend")
    assert named == [{"dims": "2"}]


def test_switching_leaves_the_address_as_it_is_and_the_next_page_does_not_read_it(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, by="left", track="0102")
    switched: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        session.st, "switch_page", lambda page, query_params: switched.append((page, query_params))
    )
    session.go("map", "0235")
    assert switched == [("pages/map.py", {"by": "left", "track": "0102"})]
    assert incoming.parameter("by") == ""
    assert (state["map_track"], state["map_source"]) == ("0235", "library")
    session.to_url({"track": "0235"})
    assert incoming.parameter("by") == "left"
