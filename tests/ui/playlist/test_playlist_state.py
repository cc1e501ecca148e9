"""The Recommend page's controls run by Streamlit's own test driver: state, address and undo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import address
import pytest
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).resolve().parents[3] / "pages" / "recommend.py"


def run(**query: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def asked(page: AppTest, name: str) -> str | None:
    value = address.parameters(page).get(name)
    return value[0] if isinstance(value, list) else value


def widget(page: AppTest, kind: str, name: str) -> Any:
    """A widget of a setting; its key also has a number."""
    (found,) = [one for one in page.get(kind) if re.fullmatch(rf"recommend_{name}_\d+", one.key or "")]
    return found


def drawn(page: AppTest, key: str) -> dict[str, Any]:
    """What a component of ours is given to draw."""
    (found,) = [part.proto for part in page.get("bidi_component") if part.proto.id.endswith(f"-{key}")]
    (data,) = json.loads(found.json)
    return dict(data)


MADE = {
    "track": "0102",
    "length": "12",
    "artist": "1",
    "album": "3",
    "variety": "40",
    "keys": "True",
    "order": "-genre_head:16",
    "blend": "0235:0.5,0001:-0.3",
    "pin": "0300",
    "without": "0114,0116",
    "voice": "without",
    "tempo": "80-150",
    "key": "A minor",
    "compatible": "True",
    "shortest": "60",
    "longest": "300",
    "genre": "Electronic|Folk",
    "only": "piano, no drums",
}


def test_the_address_brings_everything_back() -> None:
    page = run(**MADE)
    assert not page.error
    assert {name: asked(page, name) for name in MADE} == MADE


@pytest.mark.parametrize(
    "query",
    [
        {"artist": "7", "album": "x", "variety": "35", "shuffle": "-1"},
        {"order": "colour"},
        {"order": "genre_head:32"},
        {"order": "vgg_mel:" + "9" * 5_000},
        {"order": "-vgg_mel:-1"},
        {"order": "vgg_mel:²", "to": "0" * 5_000},
        {"blend": "0235:" + "9" * 5_000 + ",0102:1e999,0001:٣", "via": "," * 5_000},
        {"blend": "0235,0001:2,nobody:1,0002:nan,:", "pin": "nobody", "without": ",,"},
        {"kind": "party", "to": "nobody", "via": "nobody"},
        {"voice": "loud", "tempo": "150-80", "key": "H minor", "shortest": "61", "genre": "Polka|"},
        {"tempo": "1-" + "9" * 5_000, "only": "  ", "compatible": "no", "longest": "-1"},
        {"tempo": "100"},
    ],
)
def test_nonsense_in_the_address_is_left_out(query: dict[str, str]) -> None:
    page = run(track="0102", **query)
    assert not page.error
    assert set(address.parameters(page)) == {"track", "by", "length"}


def test_more_stops_than_there_may_be_are_left_out() -> None:
    page = run(track="0235", kind="journey", to="0102", via="0001,0002,0006,0010,0013")
    assert not page.error
    assert asked(page, "via") == "0001,0002,0006"


def test_blending_and_undoing_it() -> None:
    page = run(track="0235")
    assert not [button for button in page.button if "Undo" in button.label]
    page.selectbox(key="recommend_add").select("0102").run()
    assert asked(page, "blend") == "0102:1"
    widget(page, "slider", "weight_0102").set_value(-50).run()
    assert asked(page, "blend") == "0102:-0.5"
    widget(page, "slider", "weight_0102").set_value(0).run()
    assert asked(page, "blend") is None
    for expected in ("0102:-0.5", "0102:1", None):
        page.button(key="recommend_undone").click().run()
        assert not page.exception
        assert asked(page, "blend") == expected


def test_undo_says_what_it_undoes_and_covers_every_setting() -> None:
    page = run(track="0235")
    widget(page, "slider", "length").set_value(20).run()
    page.segmented_control(key="recommend_by").set_value("vgg_genre").run()
    page.segmented_control(key="recommend_kind").set_value("journey").run()
    page.selectbox(key="recommend_to").select("0102").run()
    page.multiselect(key="recommend_via").select("0001").run()
    undone = (
        ("stops", "via", None),
        ("destination", "to", None),
        ("playlist or journey", "kind", None),
        ("comparison", "by", "soundalike"),
        ("length 20", "length", "10"),
    )
    for change, name, value in undone:
        button = page.button(key="recommend_undone")
        assert button.label.replace("\\", "") == f"Undo: {change}"
        button.click().run()
        assert not page.exception
        assert asked(page, name) == value
    assert not [button for button in page.button if "Undo" in button.label]


def test_another_track_begins_afresh_and_undo_goes_back() -> None:
    page = run(track="0235", pin="0300", blend="0102:1")
    page.selectbox(key="recommend_track").select("0001").run()
    assert (asked(page, "track"), asked(page, "pin"), asked(page, "blend")) == ("0001", None, None)
    page.button(key="recommend_undone").click().run()
    assert (asked(page, "track"), asked(page, "pin")) == ("0235", "0300")
    assert asked(page, "blend") == "0102:1"


def test_a_filter_and_undoing_it() -> None:
    page = run(track="0235")
    widget(page, "text_input", "only").set_value("no vocals, xyz").run()
    assert asked(page, "only") == "no vocals, xyz"
    widget(page, "slider", "tempo").set_range(90, 120).run()
    assert asked(page, "tempo") == "90-120"
    widget(page, "selectbox", "key").select("A minor").run()
    widget(page, "multiselect", "genre").select("Electronic").run()
    assert (asked(page, "key"), asked(page, "genre")) == ("A minor", "Electronic")
    said = [caption.value for caption in page.caption]
    assert "We don't know “xyz”." in said
    assert any("no singing, 90 to 120 BPM, A minor, genre Electronic" in text for text in said)
    page.button(key="recommend_filter_reset").click().run()
    assert not {"only", "tempo", "key", "genre"} & set(address.parameters(page))
    page.button(key="recommend_undone").click().run()
    assert asked(page, "tempo") == "90-120"
    for gone in ("genre", "key", "tempo", "only"):
        page.button(key="recommend_undone").click().run()
        assert not page.exception
        assert asked(page, gone) is None


@pytest.mark.parametrize(
    "query", [{}, {"kind": "journey", "to": "0102"}, {"from": "describe", "words": "slow piano"}]
)
def test_a_filter_that_no_track_meets_is_said_and_no_error(query: dict[str, str]) -> None:
    page = run(track="0235", only="over 299 bpm", variety="40", **query)
    assert not page.error
    assert any("No track meets your filter" in caption.value for caption in page.caption)


def test_options_can_be_undone() -> None:
    page = run(track="0235")
    widget(page, "slider", "variety").set_value(40).run()
    widget(page, "select_slider", "dial_rhythm").set_value(2.0).run()
    widget(page, "selectbox", "order").select("tempo").run()
    assert (asked(page, "variety"), asked(page, "rhythm"), asked(page, "order")) == (
        "40",
        "2.0",
        "tempo",
    )
    for gone in ("order", "rhythm", "variety"):
        page.button(key="recommend_undone").click().run()
        assert not page.exception
        assert asked(page, gone) is None


def test_what_steers_the_playlist_is_named() -> None:
    page = run(track="0235", blend="0102:1,0001:-0.5,0006:-1")
    said = [caption.value for caption in page.caption]
    assert any(text.startswith("More like “Meditation”. Less like “Rabbit Holes”, “") for text in said)


def test_more_pins_than_tracks_make_the_list_longer() -> None:
    page = run(track="0235", length="5", pin=",".join(f"{number:04}" for number in range(1, 8)))
    assert not page.error
    assert not page.exception


def test_a_journey_without_a_destination_asks_for_one() -> None:
    page = run(track="0235", kind="journey")
    assert not page.error
    assert any("Pick a destination" in caption.value for caption in page.caption)
    page.selectbox(key="recommend_to").select("0102").run()
    assert not page.exception
    assert asked(page, "to") == "0102"
    assert any("on average" in caption.value for caption in page.caption)


def test_a_journey_to_where_it_begins_is_one_sentence() -> None:
    page = run(track="0235", kind="journey", to="0235")
    assert len(page.error) == 1
    assert "a start and a different destination" in page.error[0].value


def opened(*tracks: str) -> AppTest:
    """The page after a list of some tracks was opened, and shown as it is."""
    page = run(track="0235")
    assert "As it is" not in page.segmented_control(key="recommend_kind").options
    page.session_state.recommend_listed = list(tracks)
    page.run()
    page.segmented_control(key="recommend_kind").set_value("list").run()
    assert not page.exception
    assert not page.error
    return page


def test_an_opened_list_is_offered_as_it_is() -> None:
    page = opened("0102", "0001", "0300")
    assert page.segmented_control(key="recommend_kind").options == ["Playlist", "Journey", "As it is"]
    # A list has no room in an address; the address leads to the playlist.
    assert asked(page, "kind") is None
    assert run(track="0235", kind="list").segmented_control(key="recommend_kind").value == "playlist"


def test_another_track_leaves_the_opened_list() -> None:
    page = opened("0102", "0001")
    page.selectbox(key="recommend_track").select("0006").run()
    assert page.session_state.recommend_kind == "playlist"
    page.button(key="recommend_undone").click().run()
    assert page.session_state.recommend_kind == "list"
    assert page.session_state.recommend_listed == ["0102", "0001"]


def test_more_tracks_than_are_shown_are_counted() -> None:
    page = opened(*(f"{number:04}" for number in range(1, 252)))
    assert any("the first 200 of 251 tracks" in caption.value for caption in page.caption)


def test_every_row_says_why_it_is_there() -> None:
    """Also a row that has no single trait in common with the clip, or that has no bar."""
    page = run(track="0102", length="20")
    rows = drawn(page, "recommend_playlist")["tracks"]
    assert len(rows) == 20
    assert all(row["reason"] for row in rows)


def test_the_list_of_a_blend_and_its_explanation_name_their_numbers() -> None:
    page = run(track="0102", blend="0235:1,0001:-0.5")
    data = drawn(page, "recommend_playlist")
    assert data["measure"] == "Blend match"
    first = data["tracks"][0]
    page.session_state["recommend_why"] = first["id"]
    page.run()
    assert not page.exception, page.exception
    (said,) = [caption.value for caption in page.caption if "the whole blend" in caption.value]
    assert f"In the list, {first['measured']} is" in said


def test_a_playlist_of_one_clip_shows_its_similarity() -> None:
    page = run(track="0102")
    assert drawn(page, "recommend_playlist")["measure"] == "Similarity"
    assert not [caption for caption in page.caption if "blend is" in caption.value]


@pytest.mark.parametrize("length", [5, 10])
def test_a_journey_has_as_many_tracks_as_the_slider_says(length: int) -> None:
    page = run(track="0235", kind="journey", to="0102", length=str(length), via="0001,0002,0006")
    first, *others = drawn(page, "recommend_playlist")["tracks"]
    assert 1 + len(others) == length
    assert (first["share"], first["measured"]) == (None, "Start")
    assert all(row["share"] > 0 and row["measured"].endswith("°") for row in others)
