"""The command line: results on standard output, errors in one line, exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from command_line import Capture, complaint, document, run, track_ids
from small_library import IDS, OTHER_CLIP, copy_library, write_index

from soundalike import __version__, representations
from soundalike.cli.main import main
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.models import ModelStore

pytest_plugins = ["library_fixtures"]

ONE = ("--representation", "vgg_mel", "--workers", "0")
PROGRAM = Path(sys.executable).with_name("soundalike")


@pytest.fixture(autouse=True)
def known_features(small_models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(small_models.feature_cache))


@pytest.fixture
def loaded_models(small_models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares a command the loading of networks that this session has in memory."""

    def store(genre_head: Path | None = None, factors: Path | None = None) -> ModelStore:
        assert genre_head is None
        assert factors is None
        return small_models

    monkeypatch.setattr("soundalike.models.ModelStore", store)


@pytest.mark.usefixtures("loaded_models")
def test_recommend_prints_the_document(capsys: Capture, small_index: Index) -> None:
    found = document(capsys, "recommend", OTHER_CLIP, "--index", small_index.folder)
    assert list(found) == ["query", "seeds", "representation", "results", "notes"]
    assert found["seeds"] == [found["query"]]
    assert found["representation"] == representations.default(small_index.names)
    asked = found["query"]
    assert asked["file"] == str(OTHER_CLIP)
    assert asked["in_library"] is None
    assert asked["duration"] == pytest.approx(30, abs=0.2)
    assert set(asked["genres"]) == set(small_index.genres)
    assert sum(asked["genres"].values()) == pytest.approx(1, abs=0.01)
    assert list(asked["genres"].values()) == sorted(asked["genres"].values(), reverse=True)
    results = found["results"]
    assert [result["rank"] for result in results] == [1, 2, 3, 4, 5, 6]
    assert sorted(track_ids(found)) == list(IDS)
    similarities = [result["similarity"] for result in results]
    assert similarities == sorted(similarities, reverse=True)
    for result in results:
        assert list(result) == [
            *("rank", "track_id", "title", "artist", "album", "genre", "similarity", "file")
        ]
        row = small_index.tracks.iloc[small_index.row(result["track_id"])]
        assert all(result[column] == row[column] for column in ("title", "artist", "album", "genre"))
        assert Path(result["file"]).is_file()
    assert found["notes"] == ["The library has only 6 other tracks."]


@pytest.mark.usefixtures("loaded_models")
def test_length(capsys: Capture, small_index: Index) -> None:
    whole = document(capsys, "recommend", OTHER_CLIP, "--index", small_index.folder)
    short = document(capsys, "recommend", OTHER_CLIP, "--index", small_index.folder, "-k", "3")
    assert short["results"] == whole["results"][:3]
    assert short["notes"] == []


@pytest.mark.sweep
@pytest.mark.usefixtures("loaded_models")
def test_representation_and_weight(capsys: Capture, small_index: Index) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder)
    by_name = {name: document(capsys, *ask, "--representation", name) for name in small_index.names}
    assert all(found["representation"] == name for name, found in by_name.items())
    default = document(capsys, *ask, "--genre-weight", representations.GENRE_WEIGHT)
    assert default["results"] == by_name["vgg_genre"]["results"]
    for weight, name in ((0, "vgg_mel"), (1e5, "genre_head")):
        weighted = document(capsys, *ask, "--genre-weight", weight)
        assert track_ids(weighted) == track_ids(by_name[name])
        got = [result["similarity"] for result in weighted["results"]]
        expected = [result["similarity"] for result in by_name[name]["results"]]
        assert got == pytest.approx(expected, abs=1e-4)


@pytest.mark.usefixtures("loaded_models")
def test_library_clip_is_named_and_excluded(capsys: Capture, small_index: Index) -> None:
    found = document(capsys, "recommend", small_index.path(2), "--index", small_index.folder)
    assert found["query"]["in_library"] == IDS[2]
    assert sorted(track_ids(found)) == sorted(set(IDS) - {IDS[2]})


@pytest.mark.usefixtures("loaded_models")
def test_recommend_in_words(capsys: Capture, small_index: Index) -> None:
    code, out, err = run(capsys, "recommend", small_index.path(0), "--index", small_index.folder)
    assert (code, err) == (0, "")
    assert f"This is in the library: {small_index.tracks['title'][0]}" in out
    assert "Sounds like" in out
    assert "The library has only 5 other tracks." in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("loaded_models")
def test_default_index_from_environment(
    capsys: Capture, small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(small_index.folder))
    assert len(document(capsys, "recommend", OTHER_CLIP)["results"]) == 6


@pytest.mark.usefixtures("loaded_models")
def test_clip_name_is_not_utf8(capsys: Capture, small_index: Index, tmp_path: Path) -> None:
    copy = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.opus"))
    try:
        shutil.copyfile(OTHER_CLIP, copy)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = document(capsys, "recommend", copy, "--index", small_index.folder)
    assert len(found["results"]) == 6


@pytest.mark.parametrize("weight", ["-1", "nan", "inf", "heavy"])
def test_invalid_weight(capsys: Capture, small_index: Index, weight: str) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder)
    assert "--genre-weight" in complaint(capsys, 2, *ask, "--genre-weight", weight)


@pytest.mark.parametrize("name", ["vgg_mel", "genre_head"])
def test_weight_of_a_representation_without_parts(
    capsys: Capture, small_index: Index, name: str
) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder, "--representation", name)
    assert name in complaint(capsys, 2, *ask, "--genre-weight", "10")


@pytest.mark.parametrize("length", ["0", "-1", "1.5", "many"])
def test_invalid_length(capsys: Capture, small_index: Index, length: str) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder)
    assert "'-k'" in complaint(capsys, 2, *ask, "-k", length)


def test_unknown_representation(capsys: Capture, small_index: Index, tmp_path: Path) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder, "--representation", "vgg19")
    assert "choose from soundalike" in complaint(capsys, 1, *ask)
    build = ("index", small_index.library_folder, "--out", tmp_path / "x")
    assert "choose from soundalike" in complaint(capsys, 1, *build, "--representation", "vgg19")
    assert not (tmp_path / "x").exists()


def test_missing_representation(capsys: Capture, tmp_path: Path) -> None:
    opened = write_index(tmp_path / "index", {"vgg_mel": np.eye(3)})
    ask = ("recommend", OTHER_CLIP, "--index", opened.folder, "--representation", "vgg_genre")
    assert "does not hold 'vgg_genre'" in complaint(capsys, 1, *ask)


def test_unusable_clip(capsys: Capture, small_index: Index, tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("this is text\nof two lines\n")
    (tmp_path / "empty.wav").touch()
    expected = {
        "missing.wav": "Check that it exists",
        "text.mp3": "read this as audio",
        "empty.wav": "empty",
        ".": "is a folder",
    }
    for name, words in expected.items():
        message = complaint(capsys, 1, "recommend", tmp_path / name, "--index", small_index.folder)
        assert words in message


def test_missing_index(capsys: Capture, tmp_path: Path) -> None:
    message = complaint(capsys, 1, "recommend", OTHER_CLIP, "--index", tmp_path / "nowhere")
    assert "soundalike index LIBRARY --out DIR" in message


def test_file_as_index(capsys: Capture) -> None:
    assert "is a file" in complaint(capsys, 2, "recommend", OTHER_CLIP, "--index", OTHER_CLIP)


def test_mismatched_genre_head(capsys: Capture, small_index: Index, tmp_path: Path) -> None:
    ask = ("recommend", OTHER_CLIP, "--index", small_index.folder, "--genre-head")
    assert "is missing" in complaint(capsys, 1, *ask, tmp_path / "head.npz")
    (tmp_path / "head.npz").write_bytes(b"another")
    assert "a different genre_head" in complaint(capsys, 1, *ask, tmp_path / "head.npz")


def test_index_prints_a_document(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    made = document(capsys, "index", small_folder, "--out", out, *ONE)
    assert made["index"] == str(out)
    assert made["tracks"] == len(IDS)
    assert list(made["representations"]) == ["vgg_mel"]
    assert made["skipped"] == []
    assert index.load(out, checksums=True).names == ["vgg_mel"]


def test_index_reports_what_it_skips(capsys: Capture, tmp_path: Path) -> None:
    folder = copy_library(tmp_path / "library", IDS[:3])
    (folder / "clips" / f"{IDS[1]}.opus").write_text("no audio at all")
    (folder / "clips" / f"{IDS[2]}.opus").unlink()
    ask = ("index", folder, "--out", tmp_path / "index", *ONE)
    code, out, err = run(capsys, *ask, "--json")
    assert code == 0
    assert {item["file"] for item in json.loads(out)["skipped"]} == {
        f"clips/{track_id}.opus" for track_id in IDS[1:3]
    }
    assert len(err.splitlines()) == 2
    assert all(line.startswith("skipped clips/") for line in err.splitlines())


def test_index_text_output_and_replacement(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    ask = ("index", small_folder, "--out", tmp_path / "index", "--representation", "vgg_genre")
    ask = (*ask, "--workers", "0")
    for _ in range(2):
        code, out, err = run(capsys, *ask)
        assert (code, err) == (0, "")
        assert out.startswith(f"6 tracks in {tmp_path / 'index'}, 0 files skipped\n")
        assert "vgg_genre: 25,632 dimensions" in out
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_unusable_library(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "index"
    assert "no audio" in complaint(capsys, 1, "index", tmp_path / "empty", "--out", out)
    assert "not a folder" in complaint(capsys, 1, "index", tmp_path / "nowhere", "--out", out)
    assert "is a file" in complaint(capsys, 2, "index", OTHER_CLIP, "--out", out)
    assert not out.exists()


def test_destination_is_not_an_index(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"dear")
    assert "is not an index" in complaint(capsys, 1, "index", small_folder, "--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_unwritable_destination(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"dear")
    complaint(capsys, 1, "index", small_folder, "--out", tmp_path / "file" / "index")
    complaint(capsys, 2, "index", small_folder, "--out", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"dear"


def test_train_needs_npz_destination(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    ask = ("train", "genre-head", small_folder, "--out")
    assert ".npz" in complaint(capsys, 2, *ask, tmp_path / "head.h5")
    assert "is a directory" in complaint(capsys, 2, *ask, tmp_path)


def test_train_on_too_few_genres(capsys: Capture, small_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "head.npz"
    ask = ("train", "genre-head", small_folder, "--out", out, "--no-halves", "--json")
    assert "at least 20 clips" in complaint(capsys, 1, *ask)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["play"],
        ["recommend"],
        ["recommend", "x.wav", "--loud"],
        ["journey", "x.wav"],
        ["recommend", "x.wav", "--weights", "1,2"],
        ["recommend", "x.wav", "--weights", "0"],
        ["recommend", "x.wav", "--weights", "much"],
        ["recommend", "x.wav", "--variety", "2"],
        ["recommend", "x.wav", "--out", "x.m3u8"],
        ["recommend", "x.wav", "--format", "zip"],
        ["recommend", "x.wav", "--format", "mp3"],
        ["recommend", "x.wav", "--format", "csv", "--json"],
        ["recommend", "x.wav", "--format", "csv", "--out", "no/such/folder/x.csv"],
        ["recommend", "x.wav", "-k"],
        ["index", "library"],
        ["index", "--out", "x"],
        ["train", "autoencoder"],
        ["train", "genre-head", "library"],
        ["train", "genre-head", "library", "--out", "x.npz", "--seed", "x"],
        ["--loud"],
    ],
    ids=" ".join,
)
def test_bad_usage(capsys: Capture, arguments: list[str]) -> None:
    complaint(capsys, 2, *arguments)


@pytest.mark.parametrize("arguments", [[], ["train"]])
def test_no_arguments_shows_help(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "Usage: soundalike" in err


@pytest.mark.parametrize("command", [[], ["index"], ["recommend"], ["train"], ["train", "genre-head"]])
def test_help(capsys: Capture, command: list[str]) -> None:
    code, out, err = run(capsys, *command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {' '.join(['soundalike', *command])} ")


def test_version(capsys: Capture) -> None:
    assert run(capsys, "--version") == (0, f"soundalike, version {__version__}\n", "")


def test_interrupt(capsys: Capture, monkeypatch: pytest.MonkeyPatch, small_folder: Path) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("soundalike.datasets.library.find", interrupt)
    code, out, err = run(capsys, "index", small_folder, "--out", "x")
    assert (code, out, err.strip()) == (1, "", "soundalike: stopped")


@pytest.mark.sweep
def test_installed_program_in_a_pipe(small_index: Index) -> None:
    ask = [PROGRAM, "recommend", OTHER_CLIP, "--index", small_index.folder, "-k", "2", "--json"]
    done = subprocess.run(ask, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["results"]) == 2


def index_command(library: Path, out: Path) -> list[str | Path]:
    return [PROGRAM, "index", library, "--out", out, "--representation", "vgg_mel", "--json"]


def test_no_progress_bar_in_a_pipe(small_folder: Path, tmp_path: Path) -> None:
    ask = index_command(small_folder, tmp_path / "index")
    done = subprocess.run(ask, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["tracks"] == len(IDS)


def read_to_end(descriptor: int) -> bytes:
    parts = []
    with contextlib.suppress(OSError):
        while part := os.read(descriptor, 65_536):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.sweep
def test_progress_bar_on_a_terminal(small_folder: Path, tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    ask = index_command(small_folder, tmp_path / "index")
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with ThreadPoolExecutor(1) as aside:
        # Read meanwhile: a terminal that nobody reads from takes a few kilobytes, and then waits.
        reading = aside.submit(read_to_end, reader)
        done = subprocess.run(
            ask, stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True, timeout=600
        )
        os.close(terminal)
        shown = reading.result().decode()
    assert done.returncode == 0
    assert json.loads(done.stdout)["tracks"] == len(IDS)
    assert "Indexing" in shown
    assert "6/6" in shown


def test_installed_program_fails_with_one_line(tmp_path: Path) -> None:
    ask = [PROGRAM, "recommend", tmp_path / "x.wav", "--index", tmp_path]
    done = subprocess.run(ask, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_measurements_are_listed_in_manifest(
    small_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a" / "index"
    shutil.copytree(small_index.folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["library"]["folder"] = str(small_index.library_folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SystemExit) as stopped:
        main(["measure", str(folder), "--workers", "0", "--json"])
    assert stopped.value.code == 0
    assert json.loads(capsys.readouterr().out)["tracks"] == len(small_index)
    files = index.load(folder, checksums=True).manifest["files"]
    assert {"descriptors.npy", "pictures.npy", "picture_places.npy"} <= files.keys()


def test_library_too_small_for_maps(
    small_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "index"
    shutil.copytree(small_index.folder, folder)
    with pytest.raises(SystemExit) as stopped:
        main(["map", str(folder), "--json"])
    assert stopped.value.code == 0
    assert json.loads(capsys.readouterr().out)["maps"] == {}
