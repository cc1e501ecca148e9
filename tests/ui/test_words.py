"""Words as chips."""

from __future__ import annotations

from pathlib import Path

import address
import pytest
from streamlit.testing.v1 import AppTest

from soundalike.ui import words
from soundalike.words.naming import Named

ROOT = Path(__file__).resolve().parents[2]


def test_chips_are_grouped_by_kind_and_say_their_strength() -> None:
    shown = words.chips([Named("rock", "genre", 0.925, 1.0), Named("piano", "instrument", 1.0, 2.0)])
    assert shown.index("Genre") < shown.index("rock") < shown.index("Instruments") < shown.index("piano")
    assert "stronger than in 92% of the library" in shown
    assert "among the strongest" in shown
    assert "--fill:50%" in shown
    assert "Mood" not in shown


def test_markup_in_a_word_is_text() -> None:
    assert "<b>" not in words.chips([Named("<b>x</b>", "genre", 0.9, 1.0)])


@pytest.mark.parametrize("text", words.SUGGESTED)
def test_each_suggestion_is_understood(text: str) -> None:
    read = words.description.read(text)
    assert len(read.terms) >= 2
    assert not read.unknown
    assert not read.corrected


def described(text: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["from"], app.query_params["words"] = "describe", text
    return app.run()


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_a_description_gives_a_playlist_and_chips() -> None:
    app = described("slow piano")
    assert not app.exception
    assert app.session_state["recommend_description"] == "slow piano"
    assert not [error.value for error in app.error]
    assert address.parameters(app)["words"] in ("slow piano", ["slow piano"])


@pytest.mark.parametrize(
    "text", ["", "   ", "🎸🔥", "<script>alert(1)</script>", "x" * 1_000, "no no no"]
)
def test_a_description_that_says_nothing_is_answered_calmly(text: str) -> None:
    app = described(text)
    assert not app.exception
    assert not app.error
    assert any("your playlist will appear here" in caption for caption in captions(app))
