"""The app's pages run by Streamlit's own test driver, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import address
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.errors import BusyError
from soundalike.index import index
from soundalike.playlist import query
from soundalike.ui import session

ROOT = Path(__file__).resolve().parents[2]
GENRE_HEAD = "The article's genre head"


def run(script: str = "app.py", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / script), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def tracks(app: AppTest) -> int:
    (slider,) = (slider for slider in app.slider if slider.label == "Tracks")
    return int(slider.value)


def test_widgets_start_from_the_url() -> None:
    app = run(track="0102", by="genre_head", length="7")
    assert not app.exception
    assert app.selectbox(key="recommend_track").value == "0102"
    assert tracks(app) == 7


@pytest.mark.parametrize("length", ["4", "51", "x", "", "10; drop"])
def test_a_length_out_of_range_falls_back(length: str) -> None:
    app = run(length=length)
    assert not app.exception
    assert tracks(app) == 10


def test_surprise_me_chooses_a_track_and_says_so_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[list[str]] = []

    def choice(ids: list[str]) -> str:
        offered.append(ids)
        return "0300"

    monkeypatch.setattr("random.choice", choice)
    app = run(track="0102", pin="0235")
    (button,) = (button for button in app.button if button.label == "Surprise me")
    assert app.selectbox(key="recommend_track").value == "0102"
    button.click().run()
    assert not app.exception
    assert app.selectbox(key="recommend_track").value == "0300"
    assert address.parameters(app)["track"] in ("0300", ["0300"])
    assert "pin" not in address.parameters(app)
    assert list(offered[0]) == index.load(paths.BUNDLED_INDEX).ids


def test_a_journey_opens_on_the_map_as_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str, list[str]]] = []
    monkeypatch.setattr(session, "go", lambda *page: opened.append(page))
    # By itself: within the app, the test driver loses the click of a button without a callback.
    app = run("pages/recommend.py", track="0102", kind="journey", to="0300", length="5")
    app.button(key="recommend_to_path").click().run()
    assert not app.exception
    ((page, track, path),) = opened
    assert (page, track) == ("map", "0102")
    assert (path[0], path[-1], len(path)) == ("0102", "0300", 5)


def uploaded(content: bytes) -> AppTest:
    app = run(**{"from": "upload"})
    return app.get("file_uploader")[0].upload("noise.wav", content, "audio/wav").run(timeout=120)


def test_an_uploads_genres_are_predicted_once_they_are_opened(encode) -> None:
    app = uploaded(encode(noise()))
    assert not app.exception
    assert not app.error
    assert GENRE_HEAD in [fold.label for fold in app.expander]
    asked = app.session_state["clip_answer"][-1]
    assert not asked.is_complete
    assert not asked.embeddings.models.has_run(asked.embeddings.clip, ("vgg16",))
    open_genres(app)
    assert not app.error
    assert app.session_state["clip_answer"][-1].is_complete
    assert genres_shown(app)


@pytest.mark.sweep
def test_an_upload_keeps_its_playlist_where_genres_cannot_be_had(
    encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise BusyError("50 clips are already waiting. Try again in a minute.")

    monkeypatch.setattr(query, "predict_genres", busy)
    app = uploaded(encode(noise()))
    assert not app.error
    open_genres(app)
    assert [error.value for error in app.error] == [
        "50 clips are already waiting. Try again in a minute."
    ]
    assert not app.get("plotly_chart")
    assert any("recommend_playlist" in str(part.proto) for part in app.get("bidi_component"))
    monkeypatch.undo()
    app.run(timeout=120)
    assert not app.error
    assert genres_shown(app)


def test_compare_shows_what_is_at_hand_before_vgg16_runs(
    encode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise BusyError("50 clips are already waiting. Try again in a minute.")

    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    monkeypatch.setattr(query, "compute", busy)
    app = run("pages/compare.py", **{"from": "upload"})
    app.get("file_uploader")[0].upload("noise.wav", encode(noise()), "audio/wav").run(timeout=120)
    assert not app.exception
    assert [error.value for error in app.error] == [
        "50 clips are already waiting. Try again in a minute."
    ]
    assert lengths(app) == [("soundalike", 10), ("vgg_genre", 0)]
    assert "They sound equally alike" in [button.label for button in app.button]
    monkeypatch.undo()
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    app.run(timeout=120)
    assert not app.exception
    assert not app.error
    assert lengths(app) == [("soundalike", 10), ("vgg_genre", 10)]


def lengths(app: AppTest) -> list[tuple[str, int]]:
    """Compare's columns and the number of tracks in each."""
    (sent,) = [part for part in app.get("bidi_component") if "compare_columns" in str(part.proto.id)]
    (data,) = json.loads(sent.proto.json)
    return [(column["name"], len(column["tracks"])) for column in data["columns"]]


def open_genres(app: AppTest) -> None:
    app.session_state["recommend_head"] = True
    app.run(timeout=120)
    assert not app.exception


def genres_shown(app: AppTest) -> list[str]:
    (chart,) = app.get("plotly_chart")
    shown: list[str] = json.loads(chart.proto.spec)["data"][0]["text"]
    return shown


def noise() -> np.ndarray:
    return np.random.default_rng(9).normal(0, 0.1, 5 * 48_000)


def test_a_missing_index_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(tmp_path / "none"))
    app = run()
    assert not app.exception
    assert len(app.error) == 1
    assert "is not an index" in app.error[0].value


def test_no_genre_is_shown_with_nothing() -> None:
    """A track that its genre head is sure of has few bars, and the page says what it chooses among."""
    opened = index.load(paths.BUNDLED_INDEX)
    sure = opened.ids[int(opened.array("genre_probabilities").max(axis=1).argmax())]
    app = run(track=sure)
    assert not app.get("plotly_chart")
    open_genres(app)
    shown = genres_shown(app)
    assert shown
    assert "0%" not in shown
    (said,) = [caption.value for caption in app.caption if "chooses among" in caption.value]
    assert "chooses among 10 genres only" in said


def test_the_blind_test_compares_the_chosen_pair_of_methods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    app = run("pages/compare.py")
    pair = app.session_state["compare_pair"]
    assert {pair.left, pair.right} == {"soundalike", "vgg_genre"}
    assert "They sound equally alike" in [button.label for button in app.button]
    app.multiselect(key="compare_pairing").set_value(["musicnn", "vgg_mel"]).run()
    assert not app.exception
    pair = app.session_state["compare_pair"]
    assert {pair.left, pair.right} == {"musicnn", "vgg_mel"}
    assert address.parameters(app)["blind"] == "musicnn,vgg_mel"
    linked = run("pages/compare.py", blind="vgg_mel,musicnn")
    pair = linked.session_state["compare_pair"]
    assert {pair.left, pair.right} == {"musicnn", "vgg_mel"}


def test_two_clips_are_explained_once() -> None:
    app = run("pages/anatomy.py", track="0102", second="0235")
    assert not app.exception
    said = [caption.value for caption in app.caption]
    assert len(said) == len(set(said))
    assert len(app.metric) == 8
    assert all(metric.help for metric in app.metric)


@pytest.mark.parametrize(("pressed", "opened"), [("Next", 31), ("Previous", 29)])
def test_next_goes_on_from_a_dimension_chosen_just_before(pressed: str, opened: int) -> None:
    app = run("pages/features.py", by="soundalike", dimension="7")
    app.number_input(key="features_dimension").set_value(30)
    # Both arrive at once, as they do when the server is slower than the visitor.
    next(button for button in app.button if button.label == pressed).click().run()
    assert not app.exception
    assert app.number_input(key="features_dimension").value == opened


def test_next_stays_within_a_smaller_set_chosen_just_before() -> None:
    app = run("pages/features.py", by="soundalike", dimension="1500")
    next(group for group in app.button_group if group.label == "Show").set_value("genre_head")
    next(button for button in app.button if button.label == "Next").click().run()
    assert not app.exception
    assert 0 <= app.session_state["features_dimension"] < 32
