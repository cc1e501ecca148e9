"""`soundalike recommend` and `journey` on the bundled library: blends, rules, files and stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Capture, complaint, document, run, track_ids

from soundalike import paths
from soundalike.cli.query_options import open_models
from soundalike.index import index as indices
from soundalike.playlist import ordering


def test_several_clips_with_weights_and_rules(capsys: Capture) -> None:
    ask = ("recommend", "0235", "0102", "--weights", "1,0.5", "--less", "0001", "--why")
    found = document(capsys, *ask, "-k", "8", "--per-artist", "1", "--variety", "0.4", "--pin", "0300")
    assert [seed["in_library"] for seed in found["seeds"]] == ["0235", "0102", "0001"]
    assert [seed["weight"] for seed in found["seeds"]] == [1, 0.5, -0.5]
    assert len(found["results"]) == 8
    assert "0300" in track_ids(found)
    assert not {"0235", "0102", "0001"} & set(track_ids(found))
    artists = [result["artist"] for result in found["results"]]
    assert len(set(artists)) == len(artists)
    assert all(result["why"].endswith(".") for result in found["results"])


def test_model_precedence(tmp_path: Path) -> None:
    bundled = indices.load(paths.BUNDLED_INDEX)
    own = indices.Index(tmp_path, {"own_models": {"genre_head": "model_genre_head.npz"}}, bundled.table)
    named = tmp_path / "named.npz"
    assert open_models(bundled, None, None).file("genre_head").parent == paths.MODELS
    assert open_models(own, None, None).file("genre_head") == tmp_path / "model_genre_head.npz"
    assert open_models(own, named, None).file("genre_head") == named
    assert open_models(own, None, None).file("vgg16").parent == paths.MODELS
    assert open_models(bundled, None, named).file("factors") == named


def test_order_and_excluded_tracks(capsys: Capture) -> None:
    found = document(capsys, "recommend", "0235", "-k", "12", "--order", "-tempo", "--without", "0114")
    index = indices.load(paths.index_folder())
    tempo = ordering.quantity(index, "tempo")
    values = [tempo[index.row(track_id)] for track_id in track_ids(found)]
    assert values == sorted(values, reverse=True)
    assert "0114" not in track_ids(found)
    assert "There is no order" in complaint(capsys, 1, "recommend", "0235", "--order", "colour")
    assert "There is no track 'x'" in complaint(capsys, 1, "recommend", "0235", "--pin", "x")


@pytest.mark.parametrize("kind", ["m3u8", "xspf", "jspf", "csv", "zip"])
def test_write_and_extend_playlist_file(capsys: Capture, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"list.{kind}"
    code, said, err = run(
        capsys, "recommend", "0235", "-k", "4", "--format", kind, "--out", out, "--order", "walk"
    )
    assert (code, said, err) == (0, f"4 tracks in {out}\n", "")
    first = document(capsys, "recommend", "0235", "-k", "4", "--order", "walk")
    further = document(capsys, "recommend", "--extend", out, "-k", "5")
    assert [seed["in_library"] for seed in further["seeds"]] == track_ids(first)
    assert not set(track_ids(further)) & set(track_ids(first))


def test_list_on_standard_output_has_relative_paths(capsys: Capture, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "recommend", "0235", "-k", "3", "--format", "m3u8")
    assert (code, err) == (0, "")
    entries = [line for line in out.splitlines() if not line.startswith("#")]
    assert len(entries) == 3
    assert all((tmp_path / entry).resolve().is_file() for entry in entries)


def test_invalid_list_error(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "list.xspf").write_text("<playlist")
    complaint(capsys, 1, "recommend", "--extend", tmp_path / "list.xspf")
    (tmp_path / "other.m3u").write_text("elsewhere/song.mp3\n")
    message = complaint(capsys, 1, "recommend", "--extend", tmp_path / "other.m3u")
    assert "None of the tracks" in message
    complaint(capsys, 1, "recommend", "--extend", tmp_path / "nothing.m3u")


def test_journey_with_stop(capsys: Capture) -> None:
    found = document(capsys, "journey", "0235", "0102", "--via", "0300", "-k", "6", "--per-artist", "1")
    ids = track_ids(found)
    assert (ids[0], ids[-1], len(ids)) == ("0235", "0102", 8)
    assert "0300" in ids
    assert len(set(ids)) == 8
    assert found["results"][0]["step"] == 0
    assert all(result["step"] > 0 for result in found["results"][1:])
    code, out, err = run(capsys, "journey", "0235", "0102", "-k", "3")
    assert (code, err) == (0, "")
    assert "Life by Design" in out
    assert "°" in out
    assert "a start and a different destination" in complaint(capsys, 1, "journey", "0235", "0235")
    assert "cannot be opened" in complaint(capsys, 1, "journey", "0235", "nowhere")


@pytest.mark.parametrize(
    "wrong",
    [
        ("0235", "--variety", "nan"),
        ("0235", "--genre-weight", "1e308"),
        ("0235", "--less", "0235"),
        ("0235", "0235", "--weights", "1,-1"),
        ("0235", "--pin", "0102", "--without", "0102"),
        ("0235", "--why", "--format", "csv"),
    ],
)
def test_contradictory_options(capsys: Capture, wrong: tuple[str, ...]) -> None:
    complaint(capsys, 2, "recommend", *wrong)


def test_a_filter_keeps_some_tracks(capsys: Capture) -> None:
    tempo = ordering.quantity(indices.load(paths.index_folder()), "tempo")
    rows = {track_id: row for row, track_id in enumerate(indices.load(paths.index_folder()).ids)}
    only = ("--only", "100 to 130 BPM, no vocals, xylotrope")
    for asked in (("recommend", "0235"), ("describe", "piano")):
        found = document(capsys, *asked, *only)
        assert len(found["results"]) == 10
        assert all(100 <= tempo[rows[track_id]] <= 130 for track_id in track_ids(found))
        assert "We don't know “xylotrope”." in found["notes"]
        assert any("tracks meet this: no singing, 100 to 130 BPM" in note for note in found["notes"])
    on_the_way = track_ids(document(capsys, "journey", "0235", "0102", "-k", "6", *only))[1:-1]
    assert all(100 <= tempo[rows[track_id]] <= 130 for track_id in on_the_way)


def test_a_filter_that_leaves_little_says_so(capsys: Capture) -> None:
    found = document(capsys, "recommend", "0235", "--only", "genre: experimental", "--per-artist", "0")
    assert {result["genre"] for result in found["results"]} == {"Experimental"}
    assert "Left out: 620 by your filter." in found["notes"][-1]
    nothing = document(capsys, "recommend", "0235", "--only", "over 299 bpm", "--variety", "0.4")
    assert nothing["results"] == []
    assert nothing["notes"][0].startswith("No track meets your filter")
    assert "No part of --only is understood" in complaint(
        capsys, 1, "recommend", "0235", "--only", "xylotrope"
    )


def test_journey_longer_than_library(capsys: Capture) -> None:
    found = document(capsys, "journey", "0235", "0102", "-k", "99999999999")
    assert len(found["results"]) < 625
    assert "every step must get closer" in found["notes"][0]


def test_file_notes_go_to_standard_error(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    code, _, err = run(capsys, "recommend", "0235", "-k", "400", "--format", "csv", "--out", out)
    assert code == 0
    assert "tracks are left. Left out:" in err
