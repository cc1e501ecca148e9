"""Reading descriptions, usual and hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.words import description
from soundalike.words.description import Term, read


def labels(text: str) -> list[str]:
    return [term.label for term in read(text).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calm piano with strings", ["calm", "piano", "strings"]),
        ("fast punk, no vocals", ["fast", "punk", "no singing"]),
        ("female voice and acoustic guitar, sad", ["female voice", "acoustic guitar", "sad"]),
        ("Angry guitars without singing", ["angry", "guitar", "no singing"]),
        ("no drums or guitar, with flute", ["no drums", "no guitar", "flute"]),
        ("not fast but loud", ["no fast", "loud"]),
        ("hip hop", ["hip-hop"]),
        ("something like 80s synth pop music, please", ["80s", "synthesizer", "pop"]),
        ("epic orchestral soundtrack", ["soundtrack", "orchestra"]),
        ("piano piano PIANO", ["piano"]),
        ("techno at 128 bpm", ["techno", "128 BPM"]),
        ("a waltz in C♯ minor", ["C♯ minor"]),
        ("b flat major", ["A♯ major"]),
        ("sad, in a minor key", ["sad", "minor"]),
        ("a minor", ["A minor"]),
        ("not in C minor, no 120 bpm", ["no 120 BPM", "no C minor"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


def test_a_misspelt_word_is_corrected_and_reported() -> None:
    found = read("pianno with vioolin")
    assert [term.name for term in found.terms] == ["piano", "violin"]
    assert found.corrected == (("pianno", "piano"), ("vioolin", "violin"))


def test_unknown_words_are_named_and_nothing_is_guessed() -> None:
    found = read("xylotrope zzz")
    assert found.terms == ()
    assert found.unknown == ("xylotrope", "zzz")


def test_small_words_are_no_properties() -> None:
    assert read("some of the music that I would like to hear") == description.Description(())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t",
        "🎸🔥👩‍🎤",
        "<script>alert('x')</script>",
        "'; DROP TABLE tracks; --",
        "{{7*7}} ${jndi:ldap://x} %s %n \\x00",
        "a" * 1_000,
        "no " * 400,
        "\u202epiano",
    ],
)
def test_odd_input_is_answered_calmly(text: str) -> None:
    found = read(text)
    assert {term.name for term in found.terms} <= {"piano"}


def test_long_text_is_cut() -> None:
    found = read("slow " * 100 + "piano")
    assert found.cut
    assert labels("slow " * 100 + "piano") == ["slow"]


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    assert len({term.name for term in found.terms}) == len(found.terms)
    for term in found.terms:
        assert description.term(term.label) == term


@pytest.mark.parametrize(
    "name", ["tuba concerto", "", "no ", "no no piano x", "9 BPM", "999 BPM", "H minor"]
)
def test_a_name_from_outside_that_is_no_term(name: str) -> None:
    assert description.term(name) is None


def test_a_label_reads_back() -> None:
    assert description.term("no piano") == Term("piano", wanted=False)
    assert description.term("120 BPM") == Term("120 BPM")
    assert description.term("C♯ minor") == Term("C♯ minor")
