from __future__ import annotations

import pytest

from soundalike.ui import components

HOSTILE = [
    ("![x](http://h/x.png)", r"\!\[x\]\(http\:⁠//h/x.png\)"),
    ("see www.evil.example", "see www⁠.evil.example"),
    ("HTTPS://evil.example", r"HTTPS\:⁠//evil.example"),
    ("me@evil.example", "me@⁠evil.example"),
    (":smile: :material/delete: :100:", r"\:⁠smile\: \:⁠material/delete\: \:⁠100\:"),
    ("a -> b -- c <= d", r"a \-⁠\> b \-⁠\- c \<⁠= d"),
    ("&copy; 1. x", r"\&copy; 1. x"),
    ("1. Allegro", r"1\. Allegro"),
    ("a\n# b\n\n- c", r"a \# b \- c"),
    ("a`![x](y)", r"a\`\!\[x\]\(y\)"),
    ("abc\u202egpj", "abc�gpj"),
]
"""What Markdown, or Streamlit after it, would make something of; ⁠ is a word joiner."""


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_text_of_others_is_shown_as_it_is(text: str, shown: str) -> None:
    assert components.plain(text) == shown


@pytest.mark.parametrize("name", [text for text, _ in HOSTILE])
def test_an_error_message_marks_up_no_name(name: str) -> None:
    said = components.for_visitors(f"{name} is gone; run `soundalike index`.")
    assert said == rf"{components.plain(f'{name} is gone; run ')}`soundalike index`."
    said = components.for_visitors(f"`{name}` is gone")
    assert said == components.plain(f"`{name}` is gone")


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
        "In the queue\\: 2 clips ahead of yours …",
        "In the queue\\: 1 clip ahead of yours …",
        "Running the network …",
    ]


def test_a_place_in_the_queue_gives_way_to_the_step_that_it_kept_waiting() -> None:
    status = Status()
    progress = components._Progress(status, "Predicting its genres")
    progress.wait(1)
    progress.wait(0)
    assert status.labels == ["In the queue\\: 1 clip ahead of yours …", "Predicting its genres …"]
