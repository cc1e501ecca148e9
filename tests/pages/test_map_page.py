"""The Map page run by Streamlit's own test driver, without a browser."""

from __future__ import annotations

from pathlib import Path

import clustered_index
import pytest
from streamlit.testing.v1 import AppTest

from soundalike.indexing import maps
from soundalike.projection.layout import Setting

ROOT = Path(__file__).resolve().parents[2]
PAGE = str(ROOT / "pages" / "map.py")


def run(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return str(value[0] if isinstance(value, list) else value)


def test_the_address_says_what_is_on_screen() -> None:
    app = run(track="0102", by="vgg_mel", dims="3", near="50", colour="artist", find="rock")
    names = ("track", "by", "dims", "near", "apart", "metric", "colour", "find", "show")
    expected = ["0102", "vgg_mel", "3", "50", "0.1", "cosine", "artist", "rock", "neighbours"]
    assert [shown(app, name) for name in names] == expected


@pytest.mark.parametrize(
    "query",
    [
        {"dims": "3", "metric": "euclidean", "apart": "0.5"},
        {"track": "none", "by": "x", "dims": "4", "near": "", "colour": "sha256"},
        {"area": "!!", "show": "selection", "hide": "No such genre"},
        {"find": "[(" + "x" * 200, "show": "tracks"},
        {"find": "   "},
    ],
)
def test_an_address_that_asks_for_what_there_is_not_falls_back(query: dict[str, str]) -> None:
    app = run(**query)
    assert not app.error
    assert shown(app, "metric") == "cosine"


@pytest.mark.parametrize("colour", ["predicted", "album", "kept", "popularity", "column-start_s"])
def test_every_colour_draws(colour: str) -> None:
    assert shown(run(colour=colour), "colour") == colour


def test_an_index_without_maps_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clustered_index.write(tmp_path / "index")
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(tmp_path / "index"))
    assert [error.value for error in run().error] == [
        "This index has no maps. Add them with `soundalike map`."
    ]


def test_an_index_with_one_map_offers_no_dead_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = clustered_index.write(tmp_path / "index").folder
    maps.add(folder, [Setting(2, "cosine", 5, 0.1)])
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(folder))
    assert {group.key for group in run().get("button_group")} <= {"map_panel"}
