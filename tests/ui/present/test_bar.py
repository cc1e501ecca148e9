"""The presenter's bar: what is on it, and what it does with whatever a browser sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from soundalike.ui import frontend
from soundalike.ui.present import bar, mode, tour

ROOT = Path(__file__).resolve().parents[3]


def page() -> None:
    """A page with the bar, for a test to run."""
    import streamlit as st

    from soundalike.ui import session
    from soundalike.ui.present import bar

    def switch(page: str, _: object) -> None:
        st.session_state.switched = [*st.session_state.get("switched", []), page]

    session.switch = switch
    bar.show("Recommend")


@pytest.fixture(autouse=True)
def _keep_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """`page` replaces it."""
    monkeypatch.setattr("soundalike.ui.session.switch", None)


def shown(**parameters: str) -> AppTest:
    app = AppTest.from_function(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def test_there_is_no_bar_unless_it_is_asked_for() -> None:
    assert not shown().get("bidi_component")
    assert not shown(present="yes").get("bidi_component")
    assert shown(present="yes").session_state["address_unknown"] == ["present=yes"]
    app = shown(present="1")
    assert not app.exception
    assert len(app.get("bidi_component")) == 1
    assert app.session_state[tour.STEP] == 0


@pytest.mark.parametrize("value", [None, "next", 2, 5, 6, -1, True, [1], {"step": 1}, "1" * 40])
def test_a_step_that_is_not_the_next_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    monkeypatch.setattr(bar.incoming, "triggered", lambda *_: value)
    state = {tour.STEP: 0}
    monkeypatch.setattr(bar.st, "session_state", state)
    bar._move()
    assert mode.OPENS not in state


@pytest.mark.parametrize("value", [1, "1"])
def test_the_next_step_is_opened(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    monkeypatch.setattr(bar.incoming, "triggered", lambda *_: value)
    state = {tour.STEP: 0}
    monkeypatch.setattr(bar.st, "session_state", state)
    bar._move()
    assert state[mode.OPENS] == 1


@pytest.mark.parametrize("value", [None, "stop", "leave!", ["leave"], {}, 1])
def test_an_unknown_order_changes_nothing(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    monkeypatch.setattr(bar.incoming, "triggered", lambda *_: value)
    state = {"present": 1}
    monkeypatch.setattr(bar.st, "session_state", state)
    bar._obey()
    assert state == {"present": 1}


def test_leaving_turns_the_mode_off_and_starting_over_keeps_votes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"present": 1, "presents": True, "votes_cast": [1.0], "room_code": "abc234", "library": "L"}
    made = {
        "recommend_blend": {"0102": 1.0},
        "map_view": "1",
        "clip_track": "0102",
        "clip_own": object(),
    }
    state: dict[str, Any] = kept | made | {tour.STEP: 3}
    monkeypatch.setattr(bar.st, "session_state", state)
    monkeypatch.setattr(bar.incoming, "triggered", lambda *_: "over")
    bar._obey()
    # Uploaders are new ones, or they would give the last audience's clip again.
    assert state.pop("uploader_count") == 1
    assert state == kept | {tour.STEP: 3, mode.OPENS: 0}
    monkeypatch.setattr(bar.incoming, "triggered", lambda *_: "leave")
    bar._obey()
    assert state["present"] == 0


def test_both_themes_are_the_app_s() -> None:
    light, dark = (bar._theme(scheme) for scheme in ("light", "dark"))
    assert (light["base"], dark["base"]) == (0, 1)
    assert light["backgroundColor"] != dark["backgroundColor"]
    assert light["headingFontSizes"] == dark["headingFontSizes"]
    assert None not in [*light.values(), *dark.values()]


def test_what_is_hidden_is_on_the_pages() -> None:
    sources = [*(ROOT / "pages").glob("*.py"), *(ROOT / "src" / "soundalike" / "ui").rglob("*.py")]
    written = "".join(path.read_text(encoding="utf-8") for path in sources)
    hidden = re.findall(r"\.st-key-(\w+)", frontend.read("present_page.css"))
    assert len(hidden) > 10
    assert [key for key in hidden if f'"{key}"' not in written] == []
