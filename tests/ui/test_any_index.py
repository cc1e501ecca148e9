"""The app on any index: several of them, broken ones, odd ones and large ones; no browser."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import address
import numpy as np
import pandas as pd
import pytest
import synthetic_index
from streamlit.testing.v1 import AppTest

from soundalike import paths, representations
from soundalike.evaluation import results
from soundalike.index import index
from soundalike.index.storage import TRACKS
from soundalike.ui import session, track_picker

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("recommend", "anatomy", "map", "features", "compare", "about")


@pytest.fixture(autouse=True)
def own_votes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Name indexes for the app to offer."""

    def name(*folders: Path) -> None:
        monkeypatch.setenv("SOUNDALIKE_INDEX", os.pathsep.join(map(str, folders)))

    return name


def open_page(page: str = "recommend", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def asked(app: AppTest, name: str) -> str:
    value = address.parameters(app)[name]
    return str(value[0] if isinstance(value, list) else value)


def change(folder: Path, **facts: Any) -> None:
    """Other facts in the manifest."""
    path = folder / paths.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8")) | facts
    path.write_text(json.dumps(manifest), encoding="utf-8")


def drop(folder: Path, *patterns: str) -> None:
    """Take files away, from the manifest too."""
    files = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))["files"]
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        path.unlink()
        files.pop(path.name)
    change(folder, files=files)


def test_one_library_is_not_chosen() -> None:
    app = open_page()
    assert "library" not in [box.key for box in app.selectbox]
    assert "library" not in address.parameters(app)


def test_switching_begins_afresh_with_the_other_library(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    offer(synthetic_index.write(tmp_path / "made up", 30))
    app = open_page(library="Starter library", track="0102", length="7", pin="0300", blend="0002:1")
    assert app.selectbox(key="library").options == ["made up", "Starter library"]
    assert app.selectbox(key="recommend_track").value == "0102"
    assert app.session_state.recommend_pinned == ["0300"]
    app.selectbox(key="library").set_value("made up").run()
    assert not app.exception
    assert app.selectbox(key="recommend_track").value == "000000"
    assert (app.session_state.recommend_pinned, app.session_state.recommend_blend) == ([], {})
    assert (asked(app, "library"), asked(app, "track")) == ("made up", "000000")
    assert "pin" not in address.parameters(app)
    assert asked(app, "length") == "7"
    app.selectbox(key="library").set_value("Starter library").run()
    assert not app.exception
    assert app.selectbox(key="recommend_track").value == session.FIRST_TRACK


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_choice_and_says_it_in_the_address(
    page: str, offer: Callable[..., None], tmp_path: Path
) -> None:
    offer(synthetic_index.write(tmp_path / "a", 30), synthetic_index.write(tmp_path / "b", 20, seed=1))
    app = open_page(page, library="b")
    assert app.selectbox(key="library").value == "b"
    assert asked(app, "library") == "b"
    app.selectbox(key="library").set_value("a").run()
    assert not app.exception
    assert asked(app, "library") == "a"


def test_a_link_to_a_library_that_is_not_here_is_not_followed_halfway(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    offer(synthetic_index.write(tmp_path / "a", 30))
    app = open_page(library="*gone*", track="000003")
    assert any(r"There is no library “\*gone\*” here" in note.value for note in app.caption)
    assert asked(app, "library") == "a"
    assert app.selectbox(key="recommend_track").value == "000000"


def test_a_clip_is_asked_about_again_in_the_other_library(
    offer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(synthetic_index.write(tmp_path / "a", 30))
    analysed = []
    monkeypatch.setattr(
        "soundalike.ui.components.analyse",
        lambda opened, *_, **__: analysed.append(opened.folder.name) or "No clip.",
    )
    app = AppTest.from_file(str(ROOT / "pages" / "recommend.py"), default_timeout=60)
    app.query_params["from"] = "upload"
    app.run()
    app.get("file_uploader")[0].upload("clip.wav", b"RIFF", "audio/wav").run()
    app.selectbox(key="library").set_value("Starter library").run()
    assert not app.exception
    assert app.session_state.recommend_source == "upload"
    assert analysed == ["a", "index"]


def test_an_index_that_was_built_again_is_opened_again(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    folder = synthetic_index.write(tmp_path / "a", 30)
    offer(folder)
    app = open_page(track="000007")
    synthetic_index.write(folder, 5)
    app.run()
    assert not app.exception
    assert len(app.selectbox(key="recommend_track").options) == 5
    assert app.selectbox(key="recommend_track").value == "000000"


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "another version": (lambda folder: change(folder, schema=99), "schema version 99"),
    "damaged": (lambda folder: (folder / paths.MANIFEST).write_text("{"), "is damaged"),
    "incomplete": (lambda folder: (folder / "yamnet.npy").unlink(), "is missing"),
    "of the future": (lambda folder: change(folder, representations={"x": {}}), "no representation"),
    "odd models": (lambda folder: change(folder, own_models={"vgg16": "a.npz"}), "is damaged"),
    "escaping": (lambda folder: change(folder, own_models={"factors": "../a"}), "is damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_library_explains_itself_beside_a_good_one(
    name: str, offer: Callable[..., None], tmp_path: Path
) -> None:
    damage, words = BROKEN[name]
    offer(synthetic_index.write(tmp_path / "good", 20), synthetic_index.write(tmp_path / "bad", 20))
    damage(tmp_path / "bad")
    app = open_page(library="bad")
    (only,) = said(app)
    assert words in only
    assert "soundalike index" in only
    app.selectbox(key="library").set_value("good").run()
    assert not app.exception
    assert said(app) == []
    assert app.selectbox(key="recommend_track").value == "000000"


def without_vectors(folder: Path) -> None:
    parts = [
        f"{name}{end}.npy"
        for name in synthetic_index.DIMS
        for end in ("", "_norms", "_scale", "_top_tracks")
    ]
    drop(folder, *parts, "map_*")
    change(folder, neighbours_only=list(synthetic_index.DIMS), maps={})


def without_genres(folder: Path) -> None:
    tracks = pd.read_parquet(folder / TRACKS).assign(genre=None, artist=None)
    tracks.to_parquet(folder / TRACKS, index=False)
    np.save(folder / "genre_probabilities.npy", np.zeros((len(tracks), 0), np.float32))
    files = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))["files"]
    kept = {name: facts for name, facts in files.items() if "genre_prob" not in name and name != TRACKS}
    change(folder, genres=[], files=kept)


def with_one_approach(folder: Path) -> None:
    change(folder, representations={"genre_head": {"dim": 32, "parts": {}}})


ODD: dict[str, tuple[int, Callable[[Path], object]]] = {
    "one track": (1, lambda _: None),
    "neighbours alone": (20, without_vectors),
    "one approach": (20, with_one_approach),
    "no genres and no artists": (20, without_genres),
}
NO_CLIP = "000/000000.mp3 is no longer in the library's folder"
COMPLAINTS = {
    **{(name, "anatomy"): NO_CLIP for name in ODD},
    **{(name, "about"): NO_CLIP for name in ODD if name != "neighbours alone"},
    ("neighbours alone", "map"): "only each track's neighbours, which is not enough for a map",
    ("neighbours alone", "features"): "This index has no dimensions to show",
}
"""What a page has to say about an odd library; nothing where it is not listed."""


@pytest.mark.sweep
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_library_is_shown_as_far_as_it_goes(
    name: str, page: str, offer: Callable[..., None], tmp_path: Path
) -> None:
    size, make_odd = ODD[name]
    folder = synthetic_index.write(tmp_path / "odd", size)
    make_odd(folder)
    offer(folder)
    query = {"section": "method"} if page == "about" else {}
    app = open_page(page, **query)
    assert app.title
    wanted = [COMPLAINTS[name, page]] if (name, page) in COMPLAINTS else []
    assert len(said(app)) == len(wanted)
    assert all(words in error for words, error in zip(wanted, said(app), strict=True))


def test_a_part_of_a_library_says_so_and_what_was_left_out(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    folder = synthetic_index.write(tmp_path / "a", 20)
    change(folder, partial={"done": 20, "files": 1_234})
    (folder / "skipped.csv").write_text("file,reason\nbad.mp3,it is empty\n", encoding="utf-8")
    opened = index.load(folder)
    assert opened.partial == (20, 1_234)
    assert opened.skipped.to_dict("records") == [{"file": "bad.mp3", "reason": "it is empty"}]
    offer(folder)
    app = open_page("about", section="data")
    assert any("after 20 of 1,234 files" in note.value for note in app.caption)
    assert "Left out: 1 file" in [part.label for part in app.expander]


def test_the_credits_of_another_library_are_shown_as_their_source(
    offer: Callable[..., None], tmp_path: Path
) -> None:
    folder = synthetic_index.write(tmp_path / "a", 20)
    library = index.load(folder).library_folder
    library.mkdir(exist_ok=True)
    (library / "CREDITS.md").write_text("# C\n\n![x](http://evil.example/x.png)\n", encoding="utf-8")
    offer(folder)
    app = open_page("about", section="data")
    assert [part.value for part in app.code] == ["# C\n\n![x](http://evil.example/x.png)"]
    assert not any("evil.example" in part.value for part in app.markdown)


@pytest.mark.parametrize("partial", ["yes", {}, {"done": "1", "files": 2}, None])
def test_what_does_not_say_how_much_is_not_a_part(partial: object, tmp_path: Path) -> None:
    folder = synthetic_index.write(tmp_path, 2)
    change(folder, partial=partial)
    assert index.load(folder).partial is None


def test_a_large_library_is_searched_on_the_server(
    offer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_picker, "MOST_LISTED", 50)
    offer(synthetic_index.write(tmp_path / "a", 120))
    app = open_page(track="000007")
    assert "recommend_track" not in [box.key for box in app.selectbox]
    app.text_input(key="recommend_track_typed").set_value("no such words").run()
    assert "No track matches all these words." in [note.value for note in app.caption]
    app.text_input(key="recommend_track_typed").set_value("moon").run()
    hits = app.selectbox(key="recommend_track_hit")
    assert 0 < len(hits.options) <= track_picker.MOST_OFFERED
    assert all("moon" in option.lower() for option in hits.options)
    hits.select_index(1).run()
    assert not app.exception
    chosen = app.session_state.recommend_track
    assert chosen != "000007"
    assert asked(app, "track") == chosen
    assert app.text_input(key="recommend_track_typed").value == ""


def test_stops_of_a_journey_are_searched_too(
    offer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_picker, "MOST_LISTED", 50)
    offer(synthetic_index.write(tmp_path / "a", 120))
    app = open_page(kind="journey", to="000050", via="000060")
    assert said(app) == []
    assert app.multiselect(key="recommend_via").value == ["000060"]
    app.button(key="recommend_to_none").click().run()
    assert not app.exception
    assert app.session_state.recommend_to is None


def test_tracks_of_one_name_can_be_told_apart(tmp_path: Path) -> None:
    labels = track_picker.track_labels(index.load(synthetic_index.write(tmp_path, 100, messy=True)))
    assert len(set(labels.values())) == 100
    assert all(labels.values())
    assert max(map(len, labels.values())) < 150


def figures(**facts: Any) -> dict[str, Any]:
    """Figures of an evaluation by the default representation."""
    item = {
        **dict.fromkeys(("precision_at_10", "precision_at_10_artist_filter", "map_artist_filter"), 0.5),
        **dict.fromkeys(("hubness_skew", "orphans", "shift_similarity"), 0.5),
        **dict.fromkeys(("dim", "ms_per_track", "bytes_per_track"), 8),
        "precision_at_10_artist_filter_interval": [0.4, 0.6],
        "precision_at_10_held_out": None,
        "trained_on": False,
        "title": "Soundalike",
    }
    return item | facts


@pytest.mark.parametrize("has_copies", [True, False])
def test_compare_shows_changed_copies_where_they_were_measured(
    offer: Callable[..., None], tmp_path: Path, has_copies: bool
) -> None:
    folder = synthetic_index.write(tmp_path / "measured", 30)
    opened = index.load(folder)
    kept = {"mean": 0.75, "low": 0.5, "high": 1.0}
    found = {"tracks": 4, "ranked_first": 1.0, "kept": kept, "known": None}
    name = representations.default(opened.names)
    item = figures(name=name, robustness={"phone": found})
    labels = {"headline": "all", "sets": {"all": {"is": "all labels", "queries": 30}}}
    document = {"tracks": 30, "chance": 0.1, "labels": labels, "representations": [item]}
    results.save(opened, document | ({"changes": {"phone": "A phone"}} if has_copies else {}))
    offer(folder)
    app = open_page("compare")
    assert not said(app)
    assert len(app.dataframe) == 1 + has_copies
    if has_copies:
        (row,) = app.dataframe[1].value.to_dict("records")
        assert row == {"change": "A phone", "kept": 0.75, "first": 1.0}
