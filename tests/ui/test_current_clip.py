"""A visitor's own clip, without the pages around it."""

from __future__ import annotations

from pathlib import Path

from small_library import write_tone
from streamlit.testing.v1 import AppTest

SAID = {"title": "Élan", "artist": "Ann", "album": "Blue"}


def script() -> None:
    from soundalike.ui import current_clip

    current_clip.give("recommend", recorded=False)


def given(path: Path) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60).run()
    app.get("file_uploader")[0].upload(path.name, path.read_bytes(), "audio/flac").run()
    assert not app.exception
    return app


def test_an_upload_is_called_what_its_tags_say(tmp_path: Path) -> None:
    own = given(write_tone(tmp_path / "tone.flac", "flac", SAID)).session_state["clip_own"]
    assert own.shown_name == "Élan"
    assert dict(own.tags) == {"title": "Élan", "artist": "Ann", "album": "Blue"}


def test_what_was_shown_of_the_clip_before_is_hidden_until_the_new_one_is_analysed(
    tmp_path: Path,
) -> None:
    app = given(write_tone(tmp_path / "tone.flac", "flac"))
    (style,) = app.get("html")
    assert "data-stale" in style.proto.body
    assert "<span>" in style.proto.body
    assert not app.run().get("html")


def test_an_upload_without_tags_has_its_files_name(tmp_path: Path) -> None:
    assert (
        given(write_tone(tmp_path / "tone.flac", "flac")).session_state["clip_own"].shown_name
        == "tone.flac"
    )
