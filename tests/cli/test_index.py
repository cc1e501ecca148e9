"""`soundalike index` and `measure`: options, output and files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command_line import Capture, complaint, document, run
from small_library import write_tone

from soundalike import paths, representations
from soundalike.cli import options
from soundalike.index import index
from soundalike.indexing import ingest, measurements
from soundalike.indexing.ingest import Event
from soundalike.indexing.progress import ProgressCount
from soundalike.models import ModelStore

pytest_plugins = ["library_fixtures"]

ASK = ("--workers", "0", "--no-cache", "--representation", "mfcc_flat")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for place in range(3):
        write_tone(tmp_path / "music" / f"{place}.wav", "pcm_s16le", seconds=4.0 + place)
    return tmp_path / "music"


def test_default_representations(models: ModelStore) -> None:
    assert options.chosen_representations([], models) == list(representations.INDEXED)
    assert options.chosen_representations(["fma518", "fma518"], models) == ["fma518"]
    assert options.chosen_representations(["all"], models) == representations.available(models)
    assert "cf_regression" in options.chosen_representations(
        [], models.with_files(factors=Path("x.npz"))
    )


def test_all_files_are_reported(capsys: Capture, music: Path) -> None:
    (music / "cover.jpg").write_bytes(b"x")
    (music / "README").write_text("x")
    (music / "bad.mp3").write_text("no audio")
    out = music.parent / "index"
    code, printed, said = run(capsys, "index", music, "--out", out, *ASK, "--json")
    found = json.loads(printed)
    assert code == 0
    assert found["tracks"] == 3
    assert found["partial"] is False
    assert [item["file"] for item in found["skipped"]] == ["bad.mp3"]
    assert found["passed_over"] == {"": 1, ".jpg": 1}
    assert "skipped bad.mp3: We couldn't read this as audio" in said
    assert "passed over, of kinds that are not read: 1 without an ending, 1 .jpg" in said
    assert index.load(out, checksums=True).skipped["file"].tolist() == ["bad.mp3"]


def test_a_complete_index_is_measured_in_the_same_pass(capsys: Capture, music: Path) -> None:
    out = music.parent / "index"
    document(capsys, "index", music, "--out", out, *ASK, "--complete")
    opened = index.load(out, checksums=True)
    kinds = {f"{name}.npy" for name in measurements.FILES} - {
        f"{name}.npy" for name in measurements.MOMENT_FILES
    }
    assert kinds <= opened.manifest["files"].keys()
    before = {file: (out / file).read_bytes() for file in opened.manifest["files"]}
    apart = music.parent / "apart"
    document(capsys, "index", music, "--out", apart, *ASK)
    document(capsys, "measure", apart, "--workers", "0")
    assert {file: (apart / file).read_bytes() for file in before} == before
    (music / "0.wav").rename(music / "moved.wav")
    document(capsys, "index", music, "--out", out, *ASK)  # it stays complete
    assert kinds <= index.load(out, checksums=True).manifest["files"].keys()


def test_measuring_changed_files(capsys: Capture, music: Path) -> None:
    out = music.parent / "index"
    document(capsys, "index", music, "--out", out, *ASK)
    (music / "1.wav").unlink()
    said = complaint(capsys, 1, "measure", out, "--workers", "0")
    assert "1 of the index's files cannot be measured, the first 1.wav" in said
    assert "soundalike index" in said
    index.load(out, checksums=True)


def test_measuring_resumes(capsys: Capture, music: Path, models: ModelStore) -> None:
    out = music.parent / "index"
    document(capsys, "index", music, "--out", out, *ASK)
    seen: list[Event] = []

    def stop(event: Event) -> None:
        seen.append(event)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measurements.add(index.load(out), models, on_file=stop)
    again: list[Event] = []
    measurements.add(index.load(out, checksums=True), models, on_file=again.append)
    assert [event.kind for event in again] == ["known", "known", "taken"]


@pytest.mark.sweep
def test_index_includes_its_head(small_folder: Path, small_models: ModelStore, tmp_path: Path) -> None:
    from soundalike.datasets import library
    from soundalike.indexing import builder
    from soundalike.indexing.builder import BuildPlan

    head = tmp_path / "mine.npz"
    shutil.copyfile(paths.MODELS / "genre_head.npz", head)
    head.with_suffix(".md").write_text("# My head\n")
    own = small_models.with_files(genre_head=head)
    plan = BuildPlan(["genre_head"])
    built = builder.build(library.find(small_folder), tmp_path / "index", own, plan).index
    assert built.manifest["own_models"] == {"genre_head": "model_genre_head.npz"}
    head.unlink()
    assert built.models(small_models).file("genre_head") == built.folder / "model_genre_head.npz"
    assert (built.folder / "model_genre_head.md").read_text() == "# My head\n"
    assert built.models(small_models).checksum("genre_head") == built.manifest["models"]["genre_head"]
    plain = builder.build(library.find(small_folder), tmp_path / "b", small_models, plan).index
    assert "own_models" not in plain.manifest


def test_bad_usage(capsys: Capture, music: Path) -> None:
    out = music.parent / "index"
    both = ("--workers", "1", "--scheduler", "tcp://127.0.0.1:9")
    assert "--scheduler has its own" in complaint(capsys, 2, "index", music, "--out", out, *both)
    complaint(capsys, 2, "index", music, "--out", out, "--workers", "-1")
    complaint(capsys, 2, "index", music, "--out", out, "--scheduler", "foo")
    said = complaint(capsys, 1, "index", music, "--out", out, "--representation", "vgg19")
    assert "no representation 'vgg19'" in said
    missing = ("--genre-head", music / "none.npz", "--workers", "0")
    assert "missing" in complaint(capsys, 1, "index", music, "--out", out, *missing)
    assert not out.exists()


def event(kind: str) -> Event:
    return Event("x.wav", kind)  # type: ignore[arg-type]


def test_progress_lines() -> None:
    tally = ProgressCount(1_000)
    assert tally.count(event("known"), 100.0) == ""
    assert tally.count(event("skipped"), 110.0) == ""
    for second in range(1, 20):
        assert tally.count(event("taken"), 110.0 + second) == ""
    line = tally.count(event("taken"), 140.0)
    assert line == "22 of 1,000 files, 0.5 a second, 33 min left, 1 skipped"
    assert tally.count(event("taken"), 141.0) == ""
    assert (tally.known, tally.taken, tally.skipped) == (1, 21, 1)


def test_progress_of_a_run_that_finds_nothing_new() -> None:
    tally = ProgressCount(3)
    for second in (0.0, 0.0, 40.0):
        line = tally.count(event("known"), second)
    assert line == "3 of 3 files, 0.0 a second"


def test_events_may_be_ignored() -> None:
    ingest.ignored(event("taken"))


def test_approximate_index(capsys: Capture, music: Path) -> None:
    out = music.parent / "index"
    document(capsys, "index", music, "--out", out, *ASK, "--approximate")
    opened = index.load(out, checksums=True)
    assert "mfcc_flat_approximate.faiss" in opened.manifest["files"]
    found = document(capsys, "recommend", opened.ids[0], "--index", out, "-k", "2")
    assert [result["track_id"] for result in found["results"]] != []
