"""What others wrote can't command a terminal or a spreadsheet, and reads back as it was."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike import foreign_text

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Café 東京 👩‍🚀 x  y", "Café 東京 👩‍🚀 x  y"),
        ("\x1b]0;owned\x07title", "�]0;owned�title"),
        ("\x9b31mred", "�31mred"),
        ("two\nlines\r\tand\u2028more", "two�lines��and�more"),
        ("abc\u202egpj.exe", "abc�gpj.exe"),
        (b"\xff.mp3".decode(errors="surrogateescape"), "�.mp3"),
        ("\ud800", "�"),
    ],
)
def test_a_terminal_has_nothing_to_obey(raw: str, shown: str) -> None:
    assert foreign_text.printable(raw) == shown


@given(ANYTHING)
def test_every_text_becomes_one_harmless_line(raw: str) -> None:
    shown = foreign_text.printable(raw)
    assert len(shown) == len(raw)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in shown}
    assert foreign_text.printable(shown) == shown
    shown.encode()


@given(st.text() | st.just("\udcff.mp3"))
def test_json_has_the_same_content_and_nothing_to_obey(raw: str) -> None:
    written = foreign_text.printable_json(json.dumps({"title": raw}, ensure_ascii=False))
    assert json.loads(written) == {"title": raw}
    assert foreign_text.printable(written) == written


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+2", "'=1+2"),
        ("+1", "'+1"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("it's -5", "it's -5"),
        ("'Round Midnight", "'Round Midnight"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula(text: str, cell: str) -> None:
    assert foreign_text.to_cell(text) == cell
    assert foreign_text.from_cell(cell) == text


@given(st.text() | st.text("'=+-@\t\r\n ab＝", max_size=8))
def test_every_cell_reads_back_as_it_was(text: str) -> None:
    cell = foreign_text.to_cell(text)
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert foreign_text.from_cell(cell) == text


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("ab 👩‍🚀 cd", 6, "ab…"),
        ("ab👍🏽cd", 4, "ab…"),
        ("ab🇫🇷🇩🇪cd", 6, "ab🇫🇷…"),
        ("ab🇫🇷🇩🇪cd", 5, "ab🇫🇷…"),
        ("abe\u0301cd", 4, "ab…"),
    ],
)
def test_no_sign_is_cut_in_two(text: str, longest: int, shown: str) -> None:
    assert foreign_text.shortened(text, longest) == shown
