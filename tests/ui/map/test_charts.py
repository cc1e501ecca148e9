"""The map as data."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import clustered_index
import numpy as np
import pytest
import synthetic_index

from soundalike import paths
from soundalike.analysis import genre_groups
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.projection import layout
from soundalike.ui import frontend, palette
from soundalike.ui.map import charts
from soundalike.ui.map.charts import Colouring


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return clustered_index.write(tmp_path_factory.mktemp("clusters") / "index")


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.index_folder())


def unpacked(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def places(opened: Index, dims: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(opened), dims)).astype(np.float32)


@pytest.mark.parametrize("dims", [2, 3])
def test_positions_come_back_to_a_fraction_of_a_pixel(clusters: Index, dims: int) -> None:
    positions = places(clusters, dims)
    data = charts.points("map", clusters.tracks, positions, Colouring("Genre", ["a"] * 60))
    shares = unpacked(data["positions"], "<u2").reshape(-1, dims) / 65_535
    low, high = np.array(data["low"]), np.array(data["high"])
    np.testing.assert_allclose(low + shares * (high - low), positions, atol=np.ptp(positions) / 2e4)
    assert data["ids"] == list(clusters.tracks["track_id"])
    artists = [data["artists"][code] for code in unpacked(data["artist"], "<u2")]
    assert artists == list(clusters.tracks["artist"])


def test_genres_have_the_colours_of_every_page(bundled: Index) -> None:
    name = layout.array_name("vgg_genre", layout.DEFAULT)
    genres = genre_groups.named(bundled)
    colours = charts.colouring(bundled, "genre", "vgg_genre", bundled.array(name))
    data = charts.points(name, bundled.tracks, bundled.array(name), colours, genres)
    styles = palette.of(bundled)
    items = data["legend"]["items"]
    assert [item["name"] for item in items] == sorted(set(bundled.tracks["genre"]))
    assert all(
        (item["colour"], item["marker"]) == (styles[item["name"]].colour, styles[item["name"]].marker)
        for item in items
    )
    assert sum(item["count"] for item in items) == len(bundled)
    named = [items[code]["name"] for code in unpacked(data["codes"], "u1")]
    assert named == list(bundled.tracks["genre"])
    assert len(json.dumps(data)) < 60_000


def test_rare_genres_share_a_grey_and_a_name(clusters: Index) -> None:
    genres = ["Folk"] * 30 + ["Polka"] * 20 + [""] * 10

    def last(values: list[str]) -> tuple[str, str, int]:
        found = charts.points(
            "map", clusters.tracks, places(clusters), Colouring("Genre", values), ("Folk", "Rock")
        )
        item = found["legend"]["items"][-1]
        return item["name"], item["colour"], item["count"]

    assert last(genres) == ("Other genres, or none", charts.OTHER, 30)
    assert last(genres[:30] + [""] * 30) == ("No genre", charts.OTHER, 30)
    assert last(genres[:50] + ["Ska"] * 10) == ("Other genres", charts.OTHER, 30)


def test_why_there_is_no_map(tmp_path: Path) -> None:
    few = index.load(synthetic_index.write(tmp_path, 3))
    assert "this library has 3" in charts.why_no_maps(few)


def test_only_the_most_frequent_artists_have_a_colour(clusters: Index) -> None:
    colours = charts.colouring(clusters, "artist", "genre_head", places(clusters))
    legend = charts.points("map", clusters.tracks, places(clusters), colours)["legend"]
    most = charts.MOST_FREQUENT
    assert len(legend["items"]) == most + 1
    assert legend["items"][-1] == {
        "name": "All others",
        "colour": charts.OTHER,
        "marker": "circle",
        "count": 60 - 3 * most,
    }
    album = charts.colouring(clusters, "album", "genre_head", places(clusters))
    items = charts.points("map", clusters.tracks, places(clusters), album)["legend"]["items"]
    assert [(item["name"], item["count"]) for item in items] == [("An album", 30), ("All others", 30)]


def test_numeric_columns_are_found_and_scaled(clusters: Index) -> None:
    assert charts.colour_titles(clusters)["column-tempo"] == "Tempo"
    assert "column-track_id" not in charts.colour_titles(clusters)
    colours = charts.colouring(clusters, "column-tempo", "genre_head", places(clusters))
    data = charts.points("map", clusters.tracks, places(clusters), colours)
    codes = unpacked(data["codes"], "u1").astype(int)
    assert (np.diff(codes) >= 0).all()
    assert (codes.min(), codes.max()) == (0, 254)
    assert data["legend"]["beyond"]


def test_unknown_and_equal_numbers() -> None:
    numbers = np.array([1.0, np.nan, 1.0])
    codes, legend = charts._scale("Same", numbers, np.arange(3))
    assert codes.tolist() == [0, 255, 0]
    assert legend["missing"] == 1
    codes, _ = charts._scale("None", np.array([np.nan]), np.arange(1))
    assert codes.tolist() == [255]


@pytest.mark.parametrize("key", ["kept", "popularity"])
def test_measures_of_the_map(bundled: Index, key: str) -> None:
    name = layout.array_name("vgg_genre", layout.DEFAULT)
    numbers = charts.colouring(bundled, key, "vgg_genre", bundled.array(name)).numbers
    assert numbers is not None
    assert len(numbers) == len(bundled)
    if key == "popularity":
        assert numbers.sum() == 10 * len(bundled)
    else:
        assert set(np.round(numbers).astype(int)) <= set(range(11))


def test_a_large_library_is_thinned_to_the_same_sample(clusters: Index) -> None:
    colours = Colouring("Genre", list(clusters.tracks["genre"]))
    data = charts.points("map", clusters.tracks, places(clusters), colours, limit=20)
    again = charts.points("map", clusters.tracks, places(clusters), colours, limit=20)
    assert data == again
    assert (len(data["ids"]), data["of"]) == (20, 60)
    assert sum(item["count"] for item in data["legend"]["items"]) == 60
    rows = [clusters.row(track_id) for track_id in data["ids"]]
    shares = unpacked(data["positions"], "<u2").reshape(-1, 2) / 65_535
    positions = places(clusters)
    expected = (positions[rows] - positions.min(axis=0)) / np.ptp(positions, axis=0)
    np.testing.assert_allclose(shares, expected, atol=1e-4)


def test_marks(clusters: Index) -> None:
    positions = places(clusters)
    focus = charts.mark(clusters, positions, 3)
    marks = charts.marks("map", clusters, positions, focus, [5, 4], [1], [7, 8], ["Rock"])
    assert marks["focus"]["id"] == "0003"
    assert [link["id"] for link in marks["links"]] == ["0005", "0004"]
    assert marks["area"] == ["0007", "0008"]
    assert marks["hidden"] == ["Rock"]
    np.testing.assert_allclose(marks["found"][0]["at"], positions[1], atol=1e-4)
    plain = charts.marks("map", clusters, positions, None, [])
    assert (plain["found"], plain["path"], plain["kept"]) == (None, [], None)


def test_a_path_keeps_its_order(clusters: Index) -> None:
    positions = places(clusters)
    marks = charts.marks("map", clusters, positions, None, [], path=[9, 2, 5])
    assert [point["id"] for point in marks["path"]] == ["0009", "0002", "0005"]
    np.testing.assert_allclose([point["at"] for point in marks["path"]], positions[[9, 2, 5]], atol=1e-4)


@pytest.mark.parametrize("n", [60, charts.MAX_POINTS + 1_000])
def test_what_a_filter_keeps_is_a_bit_for_each_point(clusters: Index, n: int) -> None:
    kept = np.random.default_rng(0).random(n) < 0.5
    marks = charts.marks("map", clusters, places(clusters), None, [], kept=kept)
    rows = charts.drawn_rows(n)
    assert len(rows) == min(n, charts.MAX_POINTS)
    bits = np.unpackbits(unpacked(marks["kept"], "u1"))[: len(rows)]
    assert np.array_equal(bits.astype(bool), kept[rows])


def test_neighbours_near_on_the_map() -> None:
    line = (np.arange(6, dtype=np.float32)[:, None] * [1.0, 0.0]).astype(np.float32)
    assert charts.near_on_map(line, [0.0, 0.0], [1, 2], 0) == 2
    assert charts.near_on_map(line, [0.0, 0.0], [1, 5], 0) == 1
    assert charts.near_on_map(line, [0.4, 0.0], [0, 1], None) == 2


def test_words() -> None:
    assert "1 track matches “x”" in charts.found_in_words("x", 1)
    assert "No track" in charts.found_in_words("x", 0)
    assert "first 500" in charts.found_in_words("x", 501)
    words = charts.trust_in_words({"trustworthiness": 0.897, "trustworthiness_neighbours": 10})
    assert words.startswith("**Trustworthiness 0.90.**")


def test_scripts_have_no_html_sink_and_call_nobody() -> None:
    for script in frontend.FOLDER.glob("map*.js"):
        source = script.read_text(encoding="utf-8")
        assert not any(
            bad in source for bad in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(")
        )
        assert "fetch(" not in source
        assert source.count("http") == source.count("http://www.w3.org/2000/svg")
