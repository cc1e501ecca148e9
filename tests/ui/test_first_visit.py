"""What a first visit begins with."""

from __future__ import annotations

from pathlib import Path

import address
import clustered_index
import pytest
from streamlit.testing.v1 import AppTest

from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.ui import first_visit
from soundalike.words import vocabulary
from soundalike.words.library import LibraryWords

ROOT = Path(__file__).resolve().parents[2]


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "recommend.py"), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def chips(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button if "_example_" in str(button.key)]


def test_six_examples_are_of_different_genres_and_artists(bundled: Index, words: LibraryWords) -> None:
    found = first_visit.find(bundled)
    assert len(found) == first_visit.COUNT
    assert len({example.name for example in found}) == first_visit.COUNT
    rows = [bundled.row(example.track_id) for example in found]
    assert len(set(bundled.tracks["artist"].iloc[rows])) == first_visit.COUNT
    by_name = {word.name.casefold(): place for place, word in enumerate(vocabulary.words())}
    for example, row in zip(found, rows, strict=True):
        place = by_name[example.name.casefold()]
        assert words.clear[row, place]
        assert words.scores[row, place] >= 1.5


def test_words_that_are_missing_once_come_back(bundled: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("soundalike.ui.words.of_library", lambda index: None)
        without = first_visit.find(bundled)
    found = first_visit.find(bundled)
    assert len(found) == first_visit.COUNT
    assert found != without


def test_a_library_without_words_has_examples_too(tmp_path: Path) -> None:
    index = indices.load(clustered_index.write(tmp_path / "index").folder)
    found = first_visit.find(index)
    assert 0 < len(found) <= first_visit.COUNT
    assert all(index.has(example.track_id) for example in found)


def test_an_example_is_chosen_and_plays_at_once() -> None:
    app = run()
    assert len(chips(app)) == first_visit.COUNT
    last = chips(app)[-1]
    app.button(key=last).click().run()
    assert not app.exception
    track = last.removeprefix("recommend_example_")
    assert app.selectbox(key="recommend_track").value == track
    assert address.parameters(app)["track"] in (track, [track])
    assert app.session_state.recommend_start == 1
    assert len(chips(app)) == first_visit.COUNT


def test_examples_are_gone_once_another_track_is_chosen() -> None:
    app = run()
    app.selectbox(key="recommend_track").set_value("0300").run()
    assert not app.exception
    assert chips(app) == []


def test_examples_are_for_the_library_only() -> None:
    assert chips(run(**{"from": "upload"})) == []
