"""The Map page run by Streamlit's own test driver, without a browser."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import address
import clustered_index
import numpy as np
import pytest
import synthetic_index
from streamlit.testing.v1 import AppTest

from soundalike import paths, representations
from soundalike.index import index, text_search
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe
from soundalike.projection import layout
from soundalike.projection.layout import Setting
from soundalike.ui import words
from soundalike.ui.map import charts, component

ROOT = Path(__file__).resolve().parents[2]
PAGE = str(ROOT / "pages" / "map.py")
WIDGETS = {"by": "map_by", "dims": "map_dims", "near": "map_near", "metric": "map_metric"}


class Drawn:
    """What the page has its component draw: the points with their label, the marks and the names."""

    points: dict[str, Any]
    label: str
    marks: dict[str, Any]
    names: dict[str, Any]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    kept = Drawn()
    draw, draw_marks, draw_names = component.draw, component.draw_marks, component.draw_names

    def note_points(shown: index.Index, points: component.Content, *rest: Any) -> None:
        sent = json.loads(points.encoded)
        kept.points, kept.label = sent["points"], sent["label"]
        draw(shown, points, *rest)

    def note_marks(marks: dict[str, Any], key: str) -> None:
        kept.marks = marks
        draw_marks(marks, key)

    def note_names(names: dict[str, Any], key: str) -> None:
        kept.names = names
        draw_names(names, key)

    monkeypatch.setattr(component, "draw_names", note_names)
    monkeypatch.setattr(component, "draw", note_points)
    monkeypatch.setattr(component, "draw_marks", note_marks)
    return kept


@pytest.fixture(scope="module")
def bundled() -> index.Index:
    return index.load(paths.BUNDLED_INDEX)


def run(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest, name: str) -> str:
    value = address.parameters(app)[name]
    return str(value[0] if isinstance(value, list) else value)


def check(app: AppTest, drawn: Drawn, bundled: index.Index, by: str, setting: Setting) -> None:
    """The map of that setting is what is drawn, chosen in the widgets and said in the address."""
    assert not app.error
    name = layout.array_name(by, setting)
    assert drawn.points["map"] == drawn.marks["map"] == f"{name}@{bundled.identity[:12]}"
    assert drawn.points["dims"] == setting.dims
    assert f"by “{representations.get(by).title}”, {setting.dims}-D." in drawn.label
    at = bundled.array(name)[bundled.row(drawn.marks["focus"]["id"])]
    assert drawn.marks["focus"]["at"] == pytest.approx(at.tolist(), abs=1e-4)
    chosen = {"by": by, "dims": setting.dims, "near": setting.n_neighbors, "metric": setting.metric}
    for parameter, key in WIDGETS.items():
        assert app.session_state[key] == chosen[parameter]
        assert shown(app, parameter) == str(chosen[parameter])
    assert float(shown(app, "apart")) == setting.min_dist


def test_the_address_says_what_is_on_screen(drawn: Drawn, bundled: index.Index) -> None:
    app = run(track="0102", by="vgg_mel", dims="3", near="50", colour="artist", find="rock")
    check(app, drawn, bundled, "vgg_mel", Setting(3, "cosine", 50, 0.1))
    assert drawn.marks["focus"]["id"] == shown(app, "track") == "0102"
    recipe = Recipe("vgg_mel", 10, per_artist=None)
    asked = Seed(query.from_library(bundled, "0102"))
    nearest = playlist.make_playlist(bundled, [asked], recipe).entries
    assert [link["id"] for link in drawn.marks["links"]] == [bundled.ids[e.row] for e in nearest]
    assert app.selectbox(key="map_colour").value == shown(app, "colour") == "artist"
    assert drawn.points["legend"]["title"] == "Artist"
    assert app.text_input(key="map_find").value == shown(app, "find") == "rock"
    hits = [bundled.ids[row] for row in text_search.find(bundled, "rock")]
    assert hits
    assert [found["id"] for found in drawn.marks["found"]] == hits[: charts.MAX_MATCHES]
    assert app.session_state.map_panel == shown(app, "show") == "neighbours"


@pytest.mark.parametrize(
    ("query", "setting", "panel"),
    [
        ({"dims": "3", "metric": "euclidean", "apart": "0.5"}, Setting(dims=3), "neighbours"),
        (
            {"track": "none", "by": "x", "dims": "4", "near": "", "colour": "sha256"},
            layout.DEFAULT,
            "neighbours",
        ),
        ({"area": "!!", "show": "selection", "hide": "No such genre"}, layout.DEFAULT, "neighbours"),
        ({"find": "[(" + "x" * 200, "show": "tracks"}, layout.DEFAULT, "tracks"),
        ({"find": "   "}, layout.DEFAULT, "neighbours"),
    ],
)
def test_an_address_that_asks_for_what_there_is_not_falls_back(
    query: dict[str, str], setting: Setting, panel: str, drawn: Drawn, bundled: index.Index
) -> None:
    app = run(**query)
    check(app, drawn, bundled, representations.DEFAULT, setting)
    assert app.session_state.map_panel == shown(app, "show") == panel
    assert drawn.marks["focus"]["id"] == shown(app, "track") in bundled.ids
    assert app.selectbox(key="map_colour").value == shown(app, "colour") == "genre"
    assert drawn.marks["area"] == []
    assert not drawn.marks["found"]
    assert len(shown(app, "find") if "find" in address.parameters(app) else "") <= 80


@pytest.mark.parametrize(
    "colour",
    [
        *("predicted", "kept"),
        *(pytest.param(c, marks=pytest.mark.sweep) for c in ("album", "popularity", "column-start_s")),
    ],
)
def test_every_colour_draws(colour: str, drawn: Drawn, bundled: index.Index) -> None:
    app = run(colour=colour)
    assert app.selectbox(key="map_colour").value == shown(app, "colour") == colour
    by = representations.DEFAULT
    positions = bundled.array(layout.array_name(by, layout.DEFAULT))
    colouring = charts.colouring(bundled, colour, by, positions)
    kind = "groups" if colour in ("predicted", "album") else "scale"
    assert (drawn.points["legend"]["title"], drawn.points["legend"]["kind"]) == (colouring.title, kind)
    assert len(set(drawn.points["codes"])) > 1


def test_regions_are_named_in_two_dimensions(drawn: Drawn) -> None:
    run()
    assert drawn.names["map"] == drawn.points["map"]
    assert {region["level"] for region in drawn.names["regions"]} == {0, 1, 2}
    run(dims="3")
    assert drawn.names["map"] == drawn.points["map"]
    assert drawn.names["regions"] == []


def test_regions_are_named_once_a_missing_network_is_there(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(words, "of_library", lambda _: None)
        run(by="vgg_mel")
        assert drawn.names["regions"] == []
    run(by="vgg_mel")
    assert drawn.names["regions"]


def test_a_path_is_drawn_listed_and_cleared(drawn: Drawn) -> None:
    app = run(path="0235,0102,none,0102,0300")
    assert [point["id"] for point in drawn.marks["path"]] == ["0235", "0102", "0300"]
    assert drawn.marks["links"] == []
    assert shown(app, "path") == "0235,0102,0300"
    assert app.session_state.map_panel == shown(app, "show") == "path"
    assert any("a path of 3 tracks" in caption.value for caption in app.caption)
    app.button(key="map_clear_path").click().run()
    assert not app.exception
    assert drawn.marks["path"] == []
    assert len(drawn.marks["links"]) == 10
    assert "path" not in address.parameters(app)
    assert app.session_state.map_panel == "neighbours"


def test_a_path_has_at_most_fifty_tracks(drawn: Drawn, bundled: index.Index) -> None:
    app = run(path=",".join(bundled.ids[:80]))
    assert [point["id"] for point in drawn.marks["path"]] == bundled.ids[:50]
    assert shown(app, "path") == ",".join(bundled.ids[:50])


def test_a_filter_dims_and_says_how_many_are_left(drawn: Drawn, bundled: index.Index) -> None:
    app = run(only="piano, no vocals", show="tracks")
    assert shown(app, "only") == "piano, no vocals"
    assert drawn.marks["kept"]
    assert any(f"of {len(bundled)} tracks meet this" in caption.value for caption in app.caption)
    assert 0 < len(app.dataframe[0].value) < len(bundled)
    app.text_input(key="map_only").set_value("").run()
    assert drawn.marks["kept"] is None
    assert "only" not in address.parameters(app)


def test_a_word_is_a_colour(drawn: Drawn) -> None:
    app = run(colour="word:piano")
    assert app.selectbox(key="map_colour").value == "word"
    assert app.selectbox(key="map_word").value == "piano"
    assert shown(app, "colour") == "word:piano"
    assert "piano" in drawn.points["legend"]["title"]
    app.selectbox(key="map_word").set_value("harp").run()
    assert shown(app, "colour") == "word:harp"
    assert "harp" in drawn.points["legend"]["title"]


@pytest.mark.parametrize(
    "colour",
    [
        *("word:no such word", ":piano"),
        *(pytest.param(c, marks=pytest.mark.sweep) for c in ("word:", "word:piano:x")),
    ],
)
def test_a_colour_by_no_word_is_the_genre(colour: str, drawn: Drawn) -> None:
    app = run(colour=colour)
    assert shown(app, "colour") == "genre"
    assert drawn.points["legend"]["title"] == "Genre"


def test_a_dimension_is_a_colour(drawn: Drawn, bundled: index.Index) -> None:
    app = run(colour="dimension:musicnn:5")
    assert app.selectbox(key="map_colour").value == "dimension"
    assert shown(app, "colour") == "dimension:musicnn:5"
    assert "Number 5 of" in drawn.points["legend"]["title"]
    codes = np.frombuffer(base64.b64decode(drawn.points["codes"]), np.uint8)
    column = bundled.array("musicnn")[:, 5]
    assert codes[np.argmax(column)] == codes.max()
    assert codes[np.argmin(column)] == 0


@pytest.mark.parametrize(
    "colour",
    [
        *("dimension:musicnn:200", "dimension:words:piano"),
        *(pytest.param(c, marks=pytest.mark.sweep) for c in ("dimension:", "dimension:none:1")),
    ],
)
def test_a_colour_by_no_dimension_is_the_genre(colour: str, drawn: Drawn) -> None:
    app = run(colour=colour)
    assert shown(app, "colour") == "genre"
    assert drawn.points["legend"]["title"] == "Genre"


def test_nothing_plays_on_hover_unless_it_is_switched_on() -> None:
    assert run().toggle(key="map_hear").value is False


def test_an_index_without_maps_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clustered_index.write(tmp_path / "index")
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(tmp_path / "index"))
    assert [error.value for error in run().error] == [
        "This index has no maps. Add them with `soundalike map`."
    ]


def test_an_index_with_one_map_offers_no_dead_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drawn: Drawn
) -> None:
    folder = synthetic_index.write(tmp_path / "index", 30)
    manifest = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))
    name = layout.array_name("genre_head", layout.DEFAULT)
    manifest["maps"] = {name: manifest["maps"][name]}
    (folder / paths.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(folder))
    app = run()
    assert not app.error
    assert drawn.points["map"].startswith(name)
    assert drawn.points["of"] == 30
    assert {group.key for group in app.get("button_group")} == {"map_panel", "map_kind"}
