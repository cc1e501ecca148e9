"""From FMA's folder to an index and a report, on a synthetic dataset with FMA's layout."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Capture, complaint, run
from fma_tree import as_mp3, clip_file, row, tagged, write_clips, write_metadata
from small_library import IDS

from soundalike import paths
from soundalike.cli import fma as fma_command
from soundalike.cli import train
from soundalike.cli.main import main
from soundalike.datasets import fma, library
from soundalike.errors import DestinationError
from soundalike.evaluation import fma_results
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.indexing import fma_pipeline, workspace
from soundalike.models import ModelStore, heldout
from soundalike.models.heldout import TRAINED_ON
from soundalike.training import genre_head_split

pytest_plugins = ["library_fixtures"]

pytestmark = pytest.mark.sweep

GENRES = ("Folk", "Hip-Hop")
SIZES = {"training": 8, "validation": 3, "test": 7}
BROKEN = 99_134


@pytest.fixture(scope="module")
def tracks(shared: Path) -> dict[str, list[tuple[int, str]]]:
    """FMA's own ids of two genres, each with what it is for."""
    with (shared / "seed_reference" / "fma_small_genre.csv").open(encoding="utf-8", newline="") as file:
        ids = defaultdict(list)
        for known in csv.DictReader(file):
            ids[known["genre"]].append(int(Path(known["filename"]).stem))
    splits = [split for split, size in SIZES.items() for _ in range(size)]
    return {genre: list(zip(ids[genre], splits, strict=False)) for genre in GENRES}


@pytest.fixture(scope="module")
def tree(tracks: dict[str, list[tuple[int, str]]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artists of two tracks, each on one side; four sounds, each in files of its own."""
    folder = tmp_path_factory.mktemp("fma")
    sounds = [as_mp3(paths.LIBRARY / "clips" / f"{clip}.opus") for clip in IDS[:4]]
    rows, clips = [], {}
    for genre, known in tracks.items():
        sounds_of_genre = sounds[:2] if genre == GENRES[0] else sounds[2:]
        for place, (track_id, split) in enumerate(known):
            artist = f"Ärtist “{split}” {genre} No. {place // 2}, with others"
            rows.append(row(track_id, genre, artist, split, track_title=f'Say "{track_id}"'))
            clips[track_id] = tagged(sounds_of_genre[place % 2], track_id)
    both = [row(3, "Folk", "On both sides"), row(4, "Folk", "On both sides", "test")]
    clips |= {3: tagged(sounds[0], 3), 4: tagged(sounds[1], 4), 7: b"no audio at all", BROKEN: b""}
    rows += [*both, row(7, "Folk", "Noise"), row(BROKEN, "Hip-Hop", "Silence"), row(8, "Folk", "Away")]
    write_metadata(folder, rows)
    write_clips(folder, clips)
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick(small_models: ModelStore) -> Any:
    """Known features, few epochs and few tracks a genre, and one network in memory for all."""

    def store(**given: Path | None) -> ModelStore:
        made = ModelStore(**{"feature_cache": small_models.feature_cache} | given)
        made._loaded["vgg16"] = small_models.vgg16
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("soundalike.models.ModelStore", store)
        patch.setenv("SOUNDALIKE_CACHE", str(small_models.feature_cache))
        patch.setattr(genre_head_split, "MIN_CLIPS", 6)
        patch.setattr(genre_head_split, "MAX_EPOCHS", 2)
        yield


@pytest.fixture(scope="module")
def out(tree: Path) -> Path:
    return tree.parent / f"{tree.name}-index"


@pytest.fixture(scope="module")
def printed(tree: Path, out: Path) -> dict[str, Any]:
    """What the command prints, run once."""
    ask = ["fma", tree, "--out", out, "--representation", "vgg_genre"]
    ask += ["--workers", 0, "--json"]
    text = io.StringIO()
    with contextlib.redirect_stdout(text), pytest.raises(SystemExit) as ended:
        main([str(word) for word in ask])
    assert ended.value.code == 0
    return json.loads(text.getvalue())


@pytest.fixture(scope="module")
def report(printed: dict[str, Any], out: Path) -> dict[str, Any]:
    """What the command leaves in the index."""
    return json.loads((out / fma_results.FILE).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(report: dict[str, Any], out: Path) -> Index:
    return index.load(out, checksums=True)


def test_index_has_every_decodable_track(built: Index, tracks: dict[str, list[tuple[int, str]]]) -> None:
    expected = {str(track_id) for known in tracks.values() for track_id, _ in known} | {"3", "4"}
    assert set(built.tracks["track_id"]) == expected
    assert built.names == ["vgg_genre", "genre_head"]
    assert built.genres == list(GENRES)
    first = built.tracks.iloc[0]
    assert first["title"] == f'Say "{first["track_id"]}"'
    assert first["artist"].startswith("Ärtist “")
    assert built.path(0).is_file()


def test_skipped_tracks_are_reported(report: dict[str, Any]) -> None:
    reasons = {item["file"]: item["reason"] for item in report["skipped"]}
    assert sorted(reasons) == [
        *("fma_small/000/000007.mp3", "fma_small/000/000008.mp3", "fma_small/099/099134.mp3")
    ]
    assert reasons["fma_small/000/000008.mp3"] == "The file is missing."
    assert "known error" in reasons["fma_small/099/099134.mp3"]


def test_head_is_scored_on_test_tracks(report: dict[str, Any], built: Index) -> None:
    head = report["head"]
    assert (head["training"], head["validation"], head["test"]) == (16, 6, 15)
    assert head["left_out_for_artist"] == 1
    assert report["artists_on_two_sides"] == {"count": 1, "first": ["On both sides"]}
    folds = built.tracks.set_index("track_id")["genre_fold"]
    split = built.tracks.set_index("track_id")["split"]
    assert set(folds[split == "test"]) == {0}
    assert folds["3"] == -1
    assert set(folds[(split != "test") & (split.index != "3")]) == {TRAINED_ON}


def test_report_includes_article_figures(report: dict[str, Any]) -> None:
    figures = report["figures"]
    assert figures["accuracy"]["queries"] == 15
    assert figures["accuracy"]["mean"] == pytest.approx(report["head"]["scores"][0]["all"]["accuracy"])
    assert figures["precision_test"]["artist_filter"]["queries"] == 15
    assert figures["precision_all"]["artist_filter"]["queries"] == 38
    assert 0 <= figures["precision_all"]["no_filter"]["mean"] <= 1
    assert [item["name"] for item in report["representations"]] == ["vgg_genre", "genre_head"]
    assert report["article"]["accuracy"] == 0.554
    assert report["subset"] == "small"
    assert report["genre_tree"] == {"genres": 17, "with_tracks": 16, "roots": 8}


def test_index_uses_its_own_head(built: Index, out: Path) -> None:
    file = out.with_name(f"{out.name}-genre-head.npz")
    assert file.with_suffix(".md").read_text(encoding="utf-8").startswith("# Genre head")
    assert built.manifest["models"]["genre_head"] == paths.sha256_of(file)
    models = ModelStore(genre_head=file)
    assert models.genre_head.genres == GENRES
    np.testing.assert_allclose(built.array("genre_probabilities").sum(axis=1), 1, atol=1e-5)


def test_printed_output(
    capsys: Capture, printed: dict[str, Any], report: dict[str, Any], out: Path
) -> None:
    head = out.with_name(f"{out.name}-genre-head.npz")
    assert printed == {"index": str(out), "genre_head": str(head)} | report
    fma_command._print(report, out)
    text = capsys.readouterr().out
    assert text.startswith(f"38 tracks in {out} (17 training, 6 validation, 15 test)")
    lines = {line.split("  ")[0].strip(): line.split() for line in text.splitlines()}
    assert "55.4%" in lines["accuracy, test tracks"]
    assert "42.6%" in lines["P@10, test tracks only"]
    assert "57.0%" in lines["P@10, all tracks"]
    assert "vgg_genre" in lines
    assert "1 are on two sides" in text
    assert "…" not in text


def test_errors(capsys: Capture, tree: Path, tmp_path: Path) -> None:
    ask = ("fma", tree, "--out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    assert "is not an index" in complaint(capsys, 1, *ask, tmp_path / "full")
    assert "lies in the library" in complaint(capsys, 1, *ask, tree / "index")
    (tmp_path / "new-genre-head.md").write_text("mine")
    said = complaint(capsys, 1, *ask, tmp_path / "new")
    assert f"{tmp_path / 'new-genre-head.md'} is not of the index" in said
    (tmp_path / "new-genre-head.md").rename(tmp_path / "mine.md")
    assert "fetch fma-large" in complaint(capsys, 1, *ask, tmp_path / "new", "--subset", "large")
    assert "fma_metadata" in complaint(capsys, 1, "fma", tmp_path, "--out", tmp_path / "new")
    complaint(capsys, 2, *ask, tmp_path / "new", "--subset", "tiny")
    complaint(capsys, 1, *ask, tmp_path / "new", "--representation", "nothing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genre_head_split, "MIN_CLIPS", 100)
        assert "Left out: Folk (9 tracks" in complaint(capsys, 1, *ask, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert clip_file(tree, BROKEN).is_file()


def test_only_own_head_is_overwritten(built: Index, tree: Path, out: Path, tmp_path: Path) -> None:
    source = fma.load(tree).library
    fma_pipeline.check(source, out)
    head, work = fma_pipeline.head_file(out), workspace.beside(out)
    elsewhere = dataclasses.replace(source, folder=tmp_path)
    with pytest.raises(DestinationError, match=r"genre-head\.npz is not of the index"):
        fma_pipeline.check(elsewhere, out)
    head.rename(tmp_path / "head.npz")
    head.write_bytes(b"mine")
    with pytest.raises(DestinationError, match=r"genre-head\.npz is not of the index"):
        fma_pipeline.check(source, out)
    work.mkdir()  # of a run that was killed when it had trained another head
    (work / workspace.MARKER).touch()
    (work / "head_input.npy").touch()
    fma_pipeline.check(source, out)
    shutil.rmtree(work)
    head.unlink()
    (tmp_path / "head.npz").rename(head)


def test_library_with_split(capsys: Capture, tree: Path, tmp_path: Path, report: dict[str, Any]) -> None:
    table = tree / library.TABLE
    fma.load(tree).library.tracks.to_csv(table, index=False)
    file = tmp_path / "head.npz"
    found = document_with_skipped(capsys, "train", "genre-head", tree, "--out", file)
    table.unlink()
    assert {key: found[key] for key in report["head"]} == report["head"]
    assert (found["weights"], found["model_card"]) == (str(file), str(file.with_suffix(".md")))
    assert heldout.load(file) is not None
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        *("head.md", "head.npz", "head_heldout.npz")
    ]


def test_a_large_library_is_split_by_artist(
    capsys: Capture, tree: Path, tmp_path: Path, report: dict[str, Any]
) -> None:
    table = tree / library.TABLE
    tracks = fma.load(tree).library.tracks.drop(columns="split")
    tracks.to_csv(table, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "CROSS_VALIDATED", len(tracks) - 1)
        patch.setattr(genre_head_split, "MIN_CLIPS", 100)
        words = complaint(capsys, 1, "train", "genre-head", tree, "--out", tmp_path / "head.npz")
    table.unlink()
    assert "100 tracks for training" in words
    assert "Left out: Folk (" in words
    assert list(tmp_path.iterdir()) == []


def document_with_skipped(capsys: Capture, *arguments: object) -> dict[str, Any]:
    code, text, err = run(capsys, *arguments, "--json")
    assert code == 0
    assert err.count("skipped ") == err.count("\n") == 1
    return json.loads(text)


def test_wanted_values() -> None:
    assert fma_pipeline.wants(["vgg_mel"], False) == ["vgg_mel", "head_input"]
    complete = fma_pipeline.wants(["vgg_mel", "soundalike"], True)
    parts = {"musicnn", "musicnn_mid", "yamnet"}
    moments = {f"{part}_moments" for part in parts}
    assert set(complete) >= {*parts, *moments, "head_input", "keys", "picture"}
    assert "soundalike" not in complete
