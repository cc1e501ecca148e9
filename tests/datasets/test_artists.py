"""Tests of the rule by which tracks are by the same artist."""

from __future__ import annotations

import pandas as pd
import pytest

from soundalike.datasets import artists


@pytest.mark.parametrize(
    "name",
    [
        *("The Band", "the band", "The Band ", "THE BAND", "  The   Band", "Band", "Band, The"),
        *(
            "The Band feat. Guest",
            "The Band ft. Guest",
            "The Band featuring Guest",
            "The Band (feat. X)",
        ),
        *("The Band [Feat. X]", "The Band & Guest", "The Band / Guest", "The Band/Guest", "The Band; X"),
        *("The Band;X", "The Band, Guest"),
    ],
)
def test_spellings_of_one_artist(name: str) -> None:
    assert artists.key(name) == artists.key("The Band") != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("Ann", "Ben"), ("AC/DC", "AC"), ("R&B", "R"), ("Theory", "ory"), ("Ann Featherstone", "Ann")),
        *(
            ("Ann", "Ann Lee"),
            ("Various Arts", "Various Artists"),
            ("M/A/R/R/S", "M"),
            ("Tyler, the Creator", "Tyler"),
        ),
    ],
)
def test_different_artists(one: str, other: str) -> None:
    assert artists.key(one, "A") != artists.key(other, "A")


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "Unknown", "unknown artist", "<Unknown>", "Various Artists", "various", "VA", "V.A."),
        *("Soundtrack", "Original Soundtrack", "OST", "None"),
    ],
)
def test_the_album_stands_in_for_nobody(name: str) -> None:
    assert artists.key(name) == ""
    assert artists.key(name, " Blue  Album") == artists.key("", "blue album") != ""
    assert artists.key(name, "Blue") != artists.key(name, "Red")
    assert artists.key(name, "Blue") != artists.key("Blue")


def test_accents_in_either_encoding_are_the_same() -> None:
    assert artists.key("Zoe\u0301") == artists.key("Zoé") != artists.key("Zoe")


@pytest.mark.parametrize("name", ["& Sons", "feat. Ben", "/", ",", "The", "(feat. Ben)", ";"])
def test_odd_names_have_a_key(name: str) -> None:
    assert artists.key(name)


TABLE = pd.DataFrame(
    {
        "artist": ["Ann", "", "unknown artist", " Unknown ", "ann feat. Ben", "", "Ben"],
        "album": ["Blue", "Red", "Red", "Green", "Red", "", ""],
    }
)


def test_keys_of_a_table() -> None:
    keys = artists.keys(TABLE)
    assert keys[0] == keys[4]
    assert keys[1] == keys[2]
    assert keys[5] == ""
    assert len(set(keys)) == 5


def test_tracks_by_nobody_are_not_counted() -> None:
    assert artists.count(TABLE) == 2
