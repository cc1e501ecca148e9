"""Ingest: new, known, moved, changed, duplicate and unusable files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from small_library import copy_library, write_tone

from soundalike import paths
from soundalike.datasets import library
from soundalike.index import index
from soundalike.indexing import builder, checkpoint, ingest
from soundalike.indexing.builder import BuildPlan, Built
from soundalike.indexing.extraction import ExtractionFailure
from soundalike.indexing.ingest import Event
from soundalike.indexing.previous_index import Earlier
from soundalike.indexing.workers import InProcessExecutor, Job, Outcome
from soundalike.models import ModelStore

NAME = "mfcc_flat"


class Recorded(InProcessExecutor):
    """This process, and what it was given to do."""

    def __init__(self, models: ModelStore) -> None:
        super().__init__(models)
        self.files: list[str] = []

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        for job, outcome in super().run(jobs):
            self.files.append(job.file)
            yield job, outcome


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Three tones, of which nobody made a table."""
    folder = tmp_path / "music"
    for place, name in enumerate(("a.wav", "deep/b.flac", "c.wav")):
        codec = "flac" if name.endswith("flac") else "pcm_s16le"
        write_tone(folder / name, codec, {"title": f"Tone {name}"}, seconds=4.0 + place)
    return folder


def build(music: Path, models: ModelStore, *names: str) -> tuple[Built, list[str], list[Event]]:
    workers, events = Recorded(models), list[Event]()
    built = builder.build(
        library.find(music),
        music.parent / "index",
        models,
        BuildPlan(names or (NAME,)),
        workers,
        events.append,
    )
    return built, workers.files, events


def test_every_file_is_processed_once(music: Path, models: ModelStore) -> None:
    built, heard, events = build(music, models)
    assert sorted(heard) == ["a.wav", "c.wav", "deep/b.flac"]
    assert built.index.tracks["file"].tolist() == ["a.wav", "c.wav", "deep/b.flac"]
    assert built.index.tracks["title"].tolist() == ["Tone a.wav", "Tone c.wav", "Tone deep/b.flac"]
    ids = [paths.sha256_of(music / file)[:12] for file in built.index.tracks["file"]]
    assert built.index.tracks["track_id"].tolist() == ids
    assert [event.kind for event in events] == ["taken"] * 3
    again, heard, events = build(music, models)
    assert (heard, [event.kind for event in events]) == ([], ["known"] * 3)
    assert again.index.manifest == built.index.manifest


def test_new_changed_moved_and_deleted_files(music: Path, models: ModelStore) -> None:
    before = build(music, models)[0].index
    write_tone(music / "new.wav", "pcm_s16le", seconds=9.0)
    write_tone(music / "a.wav", "pcm_s16le", seconds=8.0)
    (music / "moved").mkdir()
    (music / "c.wav").rename(music / "moved" / "away.wav")
    (music / "deep" / "b.flac").unlink()
    after, heard, _ = build(music, models)
    assert sorted(heard) == ["a.wav", "new.wav"]
    assert after.index.tracks["file"].tolist() == ["a.wav", "moved/away.wav", "new.wav"]
    row, old = after.index.tracks["file"].tolist().index("moved/away.wav"), before.row_of_file
    moved = before.tracks["file"].tolist().index("c.wav")
    assert after.index.tracks["track_id"].iloc[row] == before.tracks["track_id"].iloc[moved]
    assert old(after.index.tracks["sha256"].iloc[row]) == moved
    np.testing.assert_array_equal(after.index.array(NAME)[row], before.array(NAME)[moved])
    fresh = builder.build(library.find(music), music.parent / "fresh", models, BuildPlan([NAME]))
    assert fresh.index.manifest["files"] == after.index.manifest["files"]


def test_only_missing_values_are_extracted(music: Path, models: ModelStore) -> None:
    build(music, models)
    built, heard, _ = build(music, models, NAME, "fma518")
    assert len(heard) == 3
    raw = built.index.array("fma518_raw")
    assert raw.dtype == np.float32
    again, heard, _ = build(music, models, NAME, "fma518")
    assert heard == []
    np.testing.assert_array_equal(again.index.array("fma518_raw"), raw)


def test_the_same_file_twice_is_one_track(music: Path, models: ModelStore) -> None:
    shutil.copyfile(music / "a.wav", music / "z.wav")
    built, heard, events = build(music, models)
    assert len(heard) == 3
    assert len(events) == 4
    assert [(item.file, item.reason) for item in built.skipped] == [("z.wav", "Same file as a.wav.")]
    assert index.load(built.index.folder, checksums=True).skipped["file"].tolist() == ["z.wav"]


def test_the_same_file_under_two_ids_of_a_table_is_two_tracks(
    tmp_path: Path, models: ModelStore
) -> None:
    folder = copy_library(tmp_path / "library", ("0001", "0002"))
    shutil.copyfile(folder / "clips" / "0001.opus", folder / "clips" / "0002.opus")
    workers = Recorded(models)
    built = builder.build(library.find(folder), tmp_path / "index", models, BuildPlan([NAME]), workers)
    assert built.index.tracks["track_id"].tolist() == ["0001", "0002"]
    assert workers.files == ["clips/0001.opus"]


def test_failed_file_is_not_retried_by_next_run(music: Path, models: ModelStore) -> None:
    (music / "bad.mp3").write_text("no audio")
    source, nothing = library.find(music), Earlier(music / "none", models)
    with checkpoint.opened(music.parent / "work", models) as store:
        first = ingest.run(source, [NAME], store, nothing, Recorded(models))
        workers = Recorded(models)
        again = ingest.run(source, [NAME], store, nothing, workers)
    assert workers.files == []
    assert first.reasons == again.reasons
    assert [item.file for item in again.skipped(source)] == ["bad.mp3"]


def test_file_disappears(music: Path, models: ModelStore) -> None:
    source = library.find(music)
    (music / "c.wav").unlink()
    with checkpoint.opened(music.parent / "work", models) as store:
        found = ingest.run(
            source, [NAME], store, Earlier(music / "none", models), InProcessExecutor(models)
        )
    assert sorted(found.sums) == [0, 2]
    assert "No such file" in found.reasons[1]


class Losing(InProcessExecutor):
    """Workers that lose whatever they are given."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        for job in jobs:
            yield job, ExtractionFailure("", "This file stopped the process that read it, twice.")


def test_lost_jobs_are_reported_and_retried(music: Path, models: ModelStore) -> None:
    source, nothing = library.find(music), Earlier(music / "none", models)
    with checkpoint.opened(music.parent / "work", models) as store:
        lost = ingest.run(source, [NAME], store, nothing, Losing(models))
        assert len(lost.reasons) == 3
        assert not lost.sums
        found = ingest.run(source, [NAME], store, nothing, InProcessExecutor(models))
    assert sorted(found.sums) == [0, 1, 2]


class Meddling(InProcessExecutor):
    """This process, and somebody who exchanges a file just before it is heard for the first time."""

    def __init__(self, models: ModelStore, path: Path, content: bytes | None) -> None:
        super().__init__(models)
        self._path, self._content = path, content

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        def meddled() -> Iterator[Job]:
            for job in jobs:
                if job.path == self._path.absolute():
                    if self._content is None:
                        self._path.unlink(missing_ok=True)
                    else:
                        self._path.write_bytes(self._content)
                yield job

        yield from super().run(meddled())


def test_changing_file_is_retried(music: Path, models: ModelStore) -> None:
    build(music, models)
    other = write_tone(music.parent / "other.wav", "pcm_s16le", seconds=11.0).read_bytes()
    workers = Meddling(models, music / "c.wav", other)
    plan = BuildPlan([NAME], measured=True)
    built = builder.build(library.find(music), music.parent / "index", models, plan, workers)
    row = built.index.tracks["file"].tolist().index("c.wav")
    assert built.index.tracks["sha256"].iloc[row] == paths.sha256_of(music / "c.wav")
    assert built.skipped == ()
    fresh = builder.build(library.find(music), music.parent / "fresh", models, plan)
    assert fresh.index.manifest["files"] == built.index.manifest["files"]


def test_copy_of_disappearing_file_is_kept(music: Path, models: ModelStore) -> None:
    shutil.copyfile(music / "a.wav", music / "z.wav")
    workers = Meddling(models, music / "a.wav", None)
    built = builder.build(
        library.find(music), music.parent / "index", models, BuildPlan([NAME]), workers
    )
    assert built.index.tracks["file"].tolist() == ["c.wav", "deep/b.flac", "z.wav"]
    assert [item.file for item in built.skipped] == ["a.wav"]
