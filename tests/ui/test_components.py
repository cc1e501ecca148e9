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
    components.show_error("*a*.mp3 is gone; run `soundalike index --out x_y_z`, [then] look.")
    assert said == [r"\*a\*.mp3 is gone; run `soundalike index --out x_y_z`, \[then\] look."]


class Status:
    """A status box that keeps what it is told."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def update(self, label: str) -> None:
        self.labels.append(label)


def test_who_waits_for_the_network_is_told_the_place() -> None:
    status = Status()
    progress = components._Progress(status, "Decoding the audio")
    progress.say("Running the network")
    for ahead in (2, 1, 0):
        progress.wait(ahead)
    progress.end()
    progress.wait(3)
    assert status.labels == [
        "Running the network …",
        "In the queue: 2 clips ahead of yours …",
        "In the queue: 1 clip ahead of yours …",
        "Running the network …",
    ]


def test_a_place_in_the_queue_gives_way_to_the_step_that_it_kept_waiting() -> None:
    status = Status()
    progress = components._Progress(status, "Predicting its genres")
    progress.wait(1)
    progress.wait(0)
    assert status.labels == ["In the queue: 1 clip ahead of yours …", "Predicting its genres …"]
