from __future__ import annotations

import pytest

from soundalike.ui import components


@pytest.mark.parametrize("text", ["plain", "*bold* _it_ [a](b) <b>", "$x$ :red[x] ~~s~~ `c`", "# h"])
def test_plain_escapes_every_mark(text: str) -> None:
    escaped = components.plain(text)
    assert escaped.replace("\\", "") == text
    assert all(escaped[i - 1] == "\\" for i, mark in enumerate(escaped) if mark in "*_[]<>$:~`#")


def test_a_complaint_marks_up_commands_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(components.st, "error", lambda text, icon: said.append(text))
    components.complain("*a*.mp3 is gone; run `soundalike index --out x_y_z`, [then] look.")
    assert said == [r"\*a\*.mp3 is gone; run `soundalike index --out x_y_z`, \[then\] look."]


def test_a_file_that_is_not_there_has_no_address(tmp_path) -> None:
    assert components.audio_url(tmp_path / "gone.opus") == ""
