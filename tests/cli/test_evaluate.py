"""`soundalike evaluate`: the document, the tables, and invalid usage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from labelled_index import N, clustered, table, write

from soundalike.cli.evaluate import evaluate
from soundalike.errors import IndexFolderError, LibraryError, UnknownRepresentationError
from soundalike.evaluation import robustness
from soundalike.evaluation.robustness_changes import CHANGES, GROUPS, USUAL
from soundalike.index.index import Index


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a tagger's labels, and with tracks that the genre head was trained on."""
    tracks = table().assign(genre_fold=np.arange(N) // 3 % 2)
    path = tmp_path_factory.mktemp("cli") / "index"
    write(path, tracks, held_out=clustered(0.8, seed=9))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, [str(argument) for argument in arguments])


def test_prints_one_document(folder: Path) -> None:
    result = run(folder, "--robustness", 0, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["tracks"] == N
    assert [item["name"] for item in found["representations"]] == ["vgg_genre", "vgg_mel", "genre_head"]


def test_requested_representations_only(folder: Path) -> None:
    ask = ("--representation", "genre_head", "--representation", "vgg_mel")
    result = run(folder, *ask, "--robustness", 0, "--json")
    assert [item["name"] for item in json.loads(result.stdout)["representations"]] == [
        "vgg_mel",
        "genre_head",
    ]


def test_tables_match_document(folder: Path) -> None:
    shown = run(folder, "--robustness", 0)
    assert (shown.exit_code, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    found = json.loads(run(folder, "--robustness", 0, "--json").stdout)
    for item in found["representations"]:
        name = item["name"] + ("*" if item["trained_on"] else "")
        genre, sound = (line for line in lines if line.split()[:1] == [name])
        assert f"{item['precision_at_10_artist_filter']:.3f}" in genre
        assert f"{item['map_artist_filter']:.3f}" in genre
        assert f"{item['orphans']:.1%}" in sound
        assert len(genre) <= 80
        assert len(sound) <= 80
    assert f"chance {found['chance']:.3f}" in " ".join(shown.stdout.split())
    assert "* was trained on" in shown.stdout
    assert "did not come from a tagger (60 queries)" in shown.stdout
    assert "…" not in shown.stdout


def test_no_unneeded_remarks(tmp_path: Path) -> None:
    plain = table().drop(columns="genre_source")
    write(tmp_path / "index", plain, {"vgg_mel": clustered(0.5)})
    shown = run(tmp_path / "index", "--robustness", 0).stdout
    assert "trained on" not in shown
    assert "eld out" not in shown
    assert "etter by" not in shown
    assert "every track that has a genre (90 queries)" in shown


def test_index_that_cannot_be_evaluated(tmp_path: Path) -> None:
    write(tmp_path / "index", table().assign(genre=""))
    result = run(tmp_path / "index")
    assert isinstance(result.exception, LibraryError)
    assert result.stdout == ""


def test_unknown_names_and_folders(folder: Path, tmp_path: Path) -> None:
    assert isinstance(run(tmp_path).exception, IndexFolderError)
    unknown = run(folder, "--representation", "vgg19")
    assert isinstance(unknown.exception, UnknownRepresentationError)
    lacking = run(folder, "--representation", "mfcc_flat")
    assert isinstance(lacking.exception, IndexFolderError)


@pytest.fixture
def changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Robustness as if it had been measured: by every change that the plan asks for."""

    def facts(change: str) -> dict[str, Any]:
        if change == "other_30_s":
            return {"tracks": 0, "similarity": None, "reason": "Not measured: too short."}
        interval = {"mean": 0.75, "low": 0.5, "high": 1.0}
        return {
            "tracks": 4,
            "similarity": interval,
            "least": 0.5,
            "ranked_first": 0.5,
            "median_rank": 1.5,
            "kept": interval,
            "known": None if change == "phone" else interval,
        }

    asked: dict[str, Any] = {}

    def measure(index: Index, wanted: dict[str, list[str]], *rest: object) -> dict[str, Any]:
        asked.update(wanted)
        return {name: {change: facts(change) for change in of} for name, of in wanted.items()}

    monkeypatch.setattr(robustness, "measure", measure)
    return asked


def test_usual_changes_of_the_default_are_shown(folder: Path, changed: dict[str, Any]) -> None:
    shown = run(folder, "--robustness", 4).stdout
    assert set(map(tuple, changed.values())) == {USUAL}
    assert "vgg_genre, asked with changed copies" in shown
    assert "vgg_mel, asked" not in shown
    assert "Another excerpt, 3 s later" in shown
    # What could not be measured has no row.
    assert "Another 30 s of the track" not in shown
    assert "RT60" not in shown


def test_requested_changes_of_named_representations(folder: Path, changed: dict[str, Any]) -> None:
    result = run(folder, "--representation", "vgg_mel", "--changes", "all", "--robustness", 4)
    assert list(changed) == ["vgg_mel"]
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "…" not in result.stdout
    for name, change in CHANGES.items():
        (line, *_) = [line for line in lines if line.startswith(change.title)] or [""]
        cells = line.removeprefix(change.title).split()
        known = "-" if name == "phone" else "75%"
        assert cells == ([] if name == "other_30_s" else ["75%", "50-100%", "50%", "1.5", known])
        assert len(line) < 80
    assert "Room, RT60 0.3 s, direct/echo 6 dB" in result.stdout


def test_changes_are_in_the_document(folder: Path, changed: dict[str, Any]) -> None:
    asked = ("--changes", "phone", "--changes", "level", "--robustness", 4, "--json")
    found = json.loads(run(folder, *asked).stdout)
    wanted = [*USUAL, *GROUPS["level"], "phone"]
    assert found["changes"] == {name: CHANGES[name].title for name in wanted}
    default, *others = found["representations"]
    assert list(default["robustness"]) == wanted
    assert all(list(item["robustness"]) == list(USUAL) for item in others)


def test_unknown_change(folder: Path) -> None:
    result = run(folder, "--changes", "cave")
    assert result.exit_code == 2
    assert "no change 'cave'" in result.stderr
    assert "air" in result.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("x", "--robustness", "-1"), ("x", "--robustness", "many"), ("x", "--seed", "-1")]
)
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
