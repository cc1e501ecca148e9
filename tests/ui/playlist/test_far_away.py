"""The Recommend page says that nothing is close."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.index import index as indexes
from soundalike.playlist import reach
from soundalike.playlist.query import from_library
from soundalike.ui.playlist import far_away


def run(**query: str) -> AppTest:
    page = AppTest.from_file(str(paths.ROOT / "pages" / "recommend.py"), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def said(page: AppTest) -> list[str]:
    assert not page.exception
    return [box.value for box in page.info if box.value.startswith("Nothing in this library is close")]


def test_a_close_playlist_says_nothing() -> None:
    assert said(run(track="0235")) == []


def test_a_far_clip_is_told_with_what_the_library_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "least_usual", lambda index, name: 2.0)
    monkeypatch.setattr(far_away, "lacking", lambda index, asked: ["hip-hop", "rapping"])
    assert said(run(track="0235")) == [
        "Nothing in this library is close; these are the nearest. It has little hip\\-hop or rapping."
    ]


@pytest.mark.parametrize("setting", [{"farthest": "True"}, {"blend": "0102:1"}, {"without": "0001"}])
def test_what_the_visitor_has_changed_is_not_told(monkeypatch, setting: dict[str, str]) -> None:
    monkeypatch.setattr(reach, "least_usual", lambda index, name: 2.0)
    plain, changed = run(track="0235"), run(track="0235", **setting)
    assert len(said(plain)) == 1
    assert said(changed) == []


def test_the_words_that_are_lacking_are_the_rarest() -> None:
    index = indexes.load(paths.BUNDLED_INDEX)
    assert far_away.lacking(index, from_library(index, "0235"))[:1] == ["disco"]
