"""Tests of the pictures in docs/pictures: that they are of the app as it is, and how they are made."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import picture_film
import picture_sources
import pictures
import pytest
from picture_sources import PAGES, PICTURES, ROOT, TOUR
from PIL import Image

KILOBYTE = 1000
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


# --- the pictures that are there -----------------------------------------------------------------


@pytest.mark.parametrize("name", [*PAGES, TOUR])
def test_a_page_has_not_changed_since_its_picture_was_taken(name: str) -> None:
    changed = picture_sources.changed(name, picture_sources.read().get(name, {}))
    assert not changed, picture_sources.complaint(name, changed)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_there_in_light_and_dark(name: str) -> None:
    files = [PICTURES / f"{name}-{scheme}.webp" for scheme in ("light", "dark")]
    shots = [Image.open(file).convert("L") for file in files]
    assert shots[0].size == shots[1].size
    assert shots[0].width == 1280
    assert 780 <= shots[0].height <= 1040
    light, dark = (np.asarray(shot).mean() for shot in shots)
    assert dark < 100 < light
    assert all(file.stat().st_size <= 250 * KILOBYTE for file in files)


def test_the_tour_is_short_and_light() -> None:
    file = PICTURES / f"{TOUR}.webp"
    shown = 0
    with Image.open(file) as film:
        assert film.width == 960
        for number in range(film.n_frames):
            film.seek(number)
            film.load()
            shown += film.info["duration"]
    assert 10_000 <= shown <= 15_000
    assert file.stat().st_size <= 2500 * KILOBYTE


def test_documents_show_the_pictures_and_no_others() -> None:
    shown = set()
    for document in DOCUMENTS:
        named = re.findall(r"(?:docs/)?pictures/([\w-]+\.\w+)", document.read_text(encoding="utf-8"))
        shown.update(named)
    assert shown == {file.name for file in PICTURES.iterdir()} - {picture_sources.RECORD.name}


# --- what a page is drawn from -------------------------------------------------------------------


def relative(name: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in picture_sources.files_of(name)}


def test_a_page_is_drawn_from_itself_and_what_it_uses() -> None:
    ui = "src/soundalike/ui"
    used = relative("features")
    assert {"app.py", "pages/features.py", ".streamlit/config.toml"} <= used
    assert {f"{ui}/components.py", f"{ui}/features/charts.py", f"{ui}/frontend/tracks.js"} <= used
    # Its style is named by a name that is put together.
    assert f"{ui}/frontend/feature_grid.css" in used


def test_a_page_is_not_drawn_from_another_page_s_folder() -> None:
    for name in PAGES:
        others = {f"src/soundalike/ui/{other}/" for other in PAGES if other != name}
        assert not [file for file in relative(name) if file.startswith(tuple(others))]


def test_the_tour_is_drawn_from_the_pages_it_shows() -> None:
    assert relative("recommend") | relative("map") == relative(TOUR)


def test_every_part_of_the_user_interface_belongs_to_a_picture() -> None:
    folder = ROOT / "src" / "soundalike" / "ui"
    parts = {path for path in folder.rglob("*") if path.suffix in (".py", ".js", ".css")}
    parts -= set(picture_sources.UNSEEN.rglob("*"))
    assert parts == {path for name in PAGES for path in picture_sources.files_of(name)} & parts


def test_what_nobody_sees_does_not_count() -> None:
    before = (
        '"""A."""\n\nX = "#1"  # why\n"""What it is."""\n\ndef f():\n    """F."""\n    return "é" # x\n'
    )
    after = 'X = "#1"\ndef f():\n    """Says\n    more."""\n\n    # what\n    return "é"\n'
    assert picture_sources.visible(before, ".py") == picture_sources.visible(after, ".py")
    assert picture_sources.visible('X = "#1"\n', ".py") != picture_sources.visible('X = "#2"\n', ".py")
    assert picture_sources.visible("a {}\n/* b\n */\n", ".css") == "a {}"
    assert picture_sources.visible("// a\n  // b\nlet c = 'http://d'\n", ".js") == "let c = 'http://d'"
    assert picture_sources.visible("[server]\na = 1\n[theme]\n# b\nc = 2\n", ".toml") == "[theme]\nc = 2"


def test_what_has_changed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_sources, "checksums", lambda name: {"a": "1", "b": "2", "c": "3"})
    assert picture_sources.changed("map", {"a": "1", "b": "0", "d": "4"}) == ["b", "c", "d"]
    assert picture_sources.changed("map", {"a": "1", "b": "2", "c": "3"}) == []


@pytest.mark.parametrize(
    ("name", "files", "sentence"),
    [
        ("map", ["pages/map.py"], "pages/map.py has changed since docs/pictures/map-*.webp were taken"),
        (
            "map",
            ["app.py", "pages/map.py"],
            "pages/map.py and app.py have changed since docs/pictures/map-",
        ),
        ("tour", ["app.py"], "app.py has changed since docs/pictures/tour.webp was taken"),
    ],
)
def test_the_complaint_says_what_and_what_to_do(name: str, files: list[str], sentence: str) -> None:
    said = picture_sources.complaint(name, files)
    assert said.startswith(sentence)
    assert said.endswith("; run `make pictures`")


def test_what_was_taken_is_recorded_and_the_rest_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "sources.json"
    monkeypatch.setattr(picture_sources, "RECORD", record)
    assert picture_sources.read() == {}
    record.write_text('{"about": {"x": "1"}, "gone": {}, "map": {"y": "2"}}')
    picture_sources.record(["map"])
    assert picture_sources.read() == {"about": {"x": "1"}, "map": picture_sources.checksums("map")}


# --- how they are made ---------------------------------------------------------------------------


def test_every_page_is_taken() -> None:
    assert set(pictures.VIEWS) == set(PAGES)


def test_a_picture_ends_where_the_page_is_empty() -> None:
    page = np.full((400, 60), 255, np.uint8)
    page[:, ::2] = 0
    page[330:350] = 255
    end = pictures.best_end(page)
    assert not (page[end - pictures.MARGIN : end + pictures.MARGIN + 1] == 0).any()
    page[:] = 255
    assert 400 - 2 * pictures.MARGIN <= pictures.best_end(page) < 400


def test_a_large_picture_loses_a_little(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 400, 3), np.uint8)
    plain, rich = tmp_path / "plain.webp", tmp_path / "rich.webp"
    pictures.save(Image.new("RGB", (400, 200), "#4A5BC4"), plain)
    pictures.save(Image.fromarray(noise), rich)
    assert Image.open(plain).convert("RGB").getpixel((5, 5)) == (0x4A, 0x5B, 0xC4)
    assert rich.stat().st_size < 0.9 * noise.nbytes


def test_frames_that_look_the_same_become_one() -> None:
    film = picture_film.Film(None)
    for colour, ms in (("white", 80), ("white", 100), ("black", 80)):
        film.add(Image.new("RGB", (4, 4), colour), ms)
    assert [ms for _, ms in film.frames] == [180, 80]
    assert film.ms == 260


def test_a_film_is_written_with_its_times(tmp_path: Path) -> None:
    film = picture_film.Film(None)
    for colour, ms in (("white", 100), ("black", 250)):
        film.add(Image.new("RGB", (16, 16), colour), ms)
    film.save(tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as written:
        assert (written.n_frames, written.info["loop"]) == (2, 0)
        times = []
        for number in range(2):
            written.seek(number)
            written.load()
            times.append(written.info["duration"])
    assert times == [100, 250]


def test_the_pointer_slows_down_at_both_ends() -> None:
    way = [picture_film.between((0, 0), (100, 50), share / 10)[0] for share in range(11)]
    steps = np.diff(way)
    assert (way[0], way[-1]) == (0, 100)
    assert steps[0] < steps[4]
    assert steps[-1] < steps[5]


def test_what_is_drawn_in_can_be_seen() -> None:
    for drawn in (picture_film.arrow(), picture_film.ring(0.5), picture_film.file("a clip.wav")):
        assert np.asarray(drawn)[..., 3].max() > 100
    assert picture_film.file("a longer name.wav").width > picture_film.file("a.wav").width
    assert (
        np.asarray(picture_film.ring(1.0))[..., 3].max()
        < np.asarray(picture_film.ring(0.5))[..., 3].max()
    )
