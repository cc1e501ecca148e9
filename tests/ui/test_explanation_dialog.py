"""Tests of what the component that explains a track is sent, and of the page part around it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.analysis.dimension_cache import BLANK
from soundalike.analysis.explanation import Explanation, Meeting, Part, explain
from soundalike.features.thumbnail import Thumbnail
from soundalike.index import index, track_arrays
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.ui import explanation_dialog, frontend
from soundalike.ui.components import Track
from soundalike.ui.explanation_dialog import Side

BARE = Side(Track("a", "A", "", "", "", "", ""), BLANK)
"""A clip that can neither be drawn nor played."""


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.ASSETS / "index")


def side(bundled: Index, row: int, url: str = "/media/x.opus") -> Side:
    facts = [bundled.fact(column, row) for column in ("track_id", "title", "artist", "album", "genre")]
    picture = track_arrays.thumbnail(bundled, row)
    assert picture is not None
    return Side(Track(*facts, "", url), picture)


def sent(bundled: Index, representation: str) -> tuple[dict, Explanation]:
    question = query.from_library(bundled, "0235")
    assert question.row is not None
    row = int(bundled.neighbours(representation, question.row)[0][0])
    explained = explain(bundled, question, row, representation)
    data = explanation_dialog.payload(explained, side(bundled, question.row), side(bundled, row))
    return json.loads(json.dumps(data)), explained


def by_moments() -> Explanation:
    """Two clips that agree most in the third stretch of one and the last of the other."""
    values = np.full((10, 10), 0.005)
    values[2, 9], values[4, 4] = 0.02, -0.001
    parts = (
        Part("Instruments and voices", 0.2),
        Part("Sound and scene", 0.309),
        Part("Hubness correction", -0.01),
    )
    best = Meeting(5.5, 26.0, 4.0)
    return Explanation("soundalike", 0.5, parts, moments=values, best=best)


def test_shares_are_sent_with_their_signs() -> None:
    data = explanation_dialog.payload(by_moments(), BARE, BARE)
    assert data["total"] == "Similarity 0.500"
    assert data["parts"] == [
        {"name": "Instruments and voices", "value": "0.200", "share": 0.647, "against": False},
        {"name": "Sound and scene", "value": "0.309", "share": 1.0, "against": False},
        {"name": "Hubness correction", "value": "−0.010", "share": 0.032, "against": True},
    ]


def test_one_part_alone_is_no_list() -> None:
    data = explanation_dialog.payload(
        Explanation("musicnn", 0.25, (Part("Instruments and voices", 0.25),)), BARE, BARE
    )
    assert data == {"parts": [], "total": "Similarity 0.250"}
    assert explanation_dialog.payload(Explanation("mfcc_flat", None), BARE, BARE)["total"] == ""


def test_aspects_are_sent_as_bars_with_their_scale() -> None:
    data = explanation_dialog.aspect_bars({"timbre": 0.934, "harmony": None})
    assert data["aspects"] == [
        {"name": "Timbre", "value": "93%", "share": 0.934, "against": False},
        {"name": "Harmony", "value": "unknown", "share": 0.0, "against": False},
    ]
    assert "less like your clip" in data["scale"]
    assert explanation_dialog.aspect_bars({}) == {}


def test_moments_are_sent_as_ten_stretches_of_each_clip() -> None:
    data = explanation_dialog.payload(by_moments(), BARE, BARE)
    upper, lower = data["strips"]
    assert len(upper["shades"]) == len(lower["shades"]) == data["columns"] == 10
    assert upper["shades"].index(max(upper["shades"])) == 2
    assert lower["shades"].index(max(lower["shades"])) == 9
    assert (upper["start"], lower["start"], data["length"]) == (5.5, 26.0, 4.0)
    assert data["covered"] == pytest.approx(99.66, abs=0.01)
    assert upper["picture"] == upper["url"] == ""


def test_the_picture_is_said_in_words() -> None:
    later = Side(Track("b", "B", "", "", "", "", ""), Thumbnail(b"", 70.0))
    assert explanation_dialog.payload(by_moments(), BARE, later)["words"] == (
        "The spectrograms of “A” and “B”, marked where they are similar. They are most similar around "
        "0:08 in the first and 1:38 in the second."
    )


def test_cells_are_sent_as_a_grid_and_said(bundled) -> None:
    data, explained = sent(bundled, "vgg_genre")
    assert explained.shades is not None
    for strip, shades in zip(data["strips"], explained.shades, strict=True):
        np.testing.assert_allclose(strip["shades"], shades.ravel(), atol=5e-4)
        assert strip["picture"].startswith("data:image/webp;base64,")
    assert [part["name"] for part in data["parts"]] == ["Picture", "Genre"]
    assert sum(float(part["value"]) for part in data["parts"]) == pytest.approx(
        explained.similarity, abs=1.5e-3
    )
    assert re.search(r"The area at .*Hz, \d+ to \d+ s exceeds its usual share", data["words"])
    assert data["covered"] == pytest.approx(100)


@pytest.mark.parametrize("name", ["vgg_genre", "vgg_mel", "musicnn_tags", "fma518", "soundalike"])
def test_what_is_sent_is_small(bundled, name) -> None:
    assert len(json.dumps(sent(bundled, name)[0])) < 40_000


def test_frames_are_sent_as_bars() -> None:
    cells = np.linspace(-0.01, 0.04, 10)[np.newaxis]
    parts = (Part("MFCC", float(cells.sum())),)
    best = Meeting(26.0, 26.0, 4.0)
    data = explanation_dialog.payload(
        Explanation("mfcc_flat", 0.15, parts, cells=cells, best=best), BARE, BARE
    )
    assert len(data["strips"][0]["shades"]) == 10
    assert "moment by moment" in data["legend"]
    assert "area" not in data["words"]


def test_two_that_agree_nowhere_cannot_be_played() -> None:
    data = explanation_dialog.payload(Explanation("vgg_mel", 0.0, cells=np.zeros((5, 10))), BARE, BARE)
    assert data["length"] is None
    assert not any(data["strips"][0]["shades"])
    assert "most similar" not in data["words"]


def test_texts_have_no_dashes_that_stand_for_words() -> None:
    assert not any("—" in text or "–" in text for text in explanation_dialog._LEGENDS.values())


def test_the_script_builds_its_page_from_text_and_known_icons() -> None:
    script = frontend.player("explanation.js")
    assert not re.search("innerHTML|outerHTML|insertAdjacentHTML|document.write", script)
    own = script[script.index("// Why a track is there") :]
    used = set(re.findall(r'icon\(.*?\? "(\w+)" : "(\w+)"\)', own)[0])
    known = set(re.findall(r"(?m)^\s+(\w+): \"M", script)) | set(re.findall(r"ICONS\.(\w+) =", script))
    assert used <= known


def page(representation: str) -> None:
    import streamlit as st

    from soundalike.playlist import query
    from soundalike.ui import components, explanation_dialog, session

    index = session.open_index()
    question = query.from_library(index, "0235")
    track = components.track_of(index, index.row("0235"))
    row = int(index.neighbours(representation, index.row("0235"))[0][0])
    with st.container():
        explanation_dialog.show(index, question, track, row, representation, "why")


@pytest.mark.parametrize("name", ["soundalike", "vgg_genre", "mfcc_flat", "metadata"])
def test_it_can_be_shown_in_a_page(name) -> None:
    app = AppTest.from_function(page, args=(name,), default_timeout=30).run()
    assert not app.exception, app.exception
    assert app.markdown[0].value
    captions = " ".join(caption.value for caption in app.caption)
    if name == "mfcc_flat":
        assert "break the similarity down" in captions
    if name == "vgg_genre":
        assert "channels" in captions
        assert "genre features" in captions
