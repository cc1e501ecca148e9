"""Indexing stopped at any moment: nothing lost, nothing partial, the same bytes in the end."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import kills
import psutil
import pytest
from small_library import write_tone

from soundalike.datasets import library
from soundalike.errors import DestinationError, IndexFolderError
from soundalike.index import index
from soundalike.indexing import builder, workspace
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.ingest import Event
from soundalike.models import ModelStore

NAME = "mfcc_flat"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for place in range(12):
        write_tone(tmp_path / "music" / f"{place}.flac", "flac", seconds=4.0 + place / 4)
    return tmp_path / "music"


def build(music: Path, out: Path, models: ModelStore) -> dict[str, str]:
    builder.build(library.find(music), out, models, BuildPlan([NAME]))
    return kills.contents(out)


def sending_itself(name: str, asked: list[str]) -> list[str]:
    """The same command, which sends itself a signal as it has finished its third file."""
    code = (
        "import os, signal\n"
        # A run of the tests in the background inherits an ignored SIGINT.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from soundalike.cli.main import main\n"
        "from soundalike.indexing.checkpoint import WorkStore\n"
        "put, finished = WorkStore.put, []\n"
        "def put_and_send(store, taken):\n"
        "    put(store, taken)\n"
        "    finished.append(taken)\n"
        "    if len(finished) == 3:\n"
        f"        os.kill(os.getpid(), signal.{name})\n"
        "WorkStore.put = put_and_send\n"
        "main()"
    )
    return [sys.executable, "-c", code, *asked[1:]]


@pytest.mark.sweep
def test_killed_at_random_moments(tmp_path: Path) -> None:
    for place in range(40):
        write_tone(tmp_path / "music" / f"{place}.flac", "flac", seconds=25.0 + place / 10)
    fared = kills.try_out(tmp_path / "music", tmp_path, [NAME], workers=0, kills=2, seed=1)
    assert len(fared.finished) == 2
    assert fared.runs >= 1
    assert fared.lost == 0
    assert fared.differing == set()


@pytest.mark.sweep
def test_workers_end_with_killed_run(music: Path) -> None:
    out = music.parent / "index"
    run = subprocess.Popen(kills.command(music, out, [NAME], 2), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(children := psutil.Process(run.pid).children(recursive=True)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    subprocess.run(kills.command(music, out, [NAME], 0), check=True, stdout=subprocess.DEVNULL)
    assert len(index.load(out, checksums=True)) == 12


@pytest.mark.sweep
def test_ctrl_c_leaves_partial_index(music: Path) -> None:
    out = music.parent / "index"
    asked = [part for part in kills.command(music, out, [NAME], 0) if part != "--json"]
    stopped = subprocess.run(
        sending_itself("SIGINT", asked), capture_output=True, text=True, timeout=600
    )
    opened = index.load(out, checksums=True)
    assert opened.partial is not None
    done, files = opened.partial
    assert stopped.returncode == 1
    assert 2 <= done < 12
    assert (done, files) == (len(opened), 12)
    assert f"{done} tracks in" in stopped.stdout
    assert f"stopped after {done} of 12 files" in stopped.stderr
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
    assert index.load(out).partial is None


@pytest.mark.sweep
def test_moved_index_is_restored_after_kill(music: Path, models: ModelStore) -> None:
    out = music.parent / "index"
    before = build(music, out, models)
    workspace.beside(out).mkdir()
    (workspace.beside(out) / workspace.MARKER).touch()
    out.rename(workspace.beside(out) / workspace.RETIRED)
    with workspace.opened(out, models):
        assert kills.contents(out) == before
    assert build(music, out, models) == before
    assert not workspace.beside(out).exists()


@pytest.mark.sweep
def test_partial_files_after_kill_are_no_index(music: Path, models: ModelStore) -> None:
    out = music.parent / "index"
    half = workspace.beside(out) / "index"
    half.mkdir(parents=True)
    (workspace.beside(out) / workspace.MARKER).touch()
    (half / "mfcc_flat.npy").write_bytes(b"half")
    with pytest.raises(IndexFolderError, match="is not an index"):
        index.load(out)
    first = build(music, out, models)
    assert first == build(music, music.parent / "calm", models)


@pytest.mark.sweep
def test_concurrent_run_is_rejected(music: Path, models: ModelStore) -> None:
    out = music.parent / "index"
    other = subprocess.Popen(
        sending_itself("SIGSTOP", kills.command(music, out, [NAME], 0)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status = os.waitpid(other.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    try:
        with pytest.raises(DestinationError, match="Another run"):
            build(music, out, models)
    finally:
        other.send_signal(signal.SIGCONT)
        other.wait(60)
    assert len(index.load(out)) == 12


@pytest.mark.sweep
def test_symlinked_index(music: Path, models: ModelStore) -> None:
    (music.parent / "disk").mkdir()
    link = music.parent / "link"
    link.symlink_to(music.parent / "disk" / "index")
    first = build(music, link, models)
    assert link.is_symlink()
    assert kills.contents(music.parent / "disk" / "index") == first
    assert build(music, link, models) == first
    assert [path.name for path in (music.parent / "disk").iterdir()] == ["index"]


def test_the_current_folder_is_not_replaced(
    music: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (music.parent / "here").mkdir()
    monkeypatch.chdir(music.parent / "here")
    with pytest.raises(DestinationError, match="the folder that you are in"):
        build(music, Path(), models)


def test_full_disk(music: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = music.parent / "index"
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(DestinationError, match=r"No space left on device.*disk is full"):
            build(music, out, models)
    assert len(kills.finished(out)) == 12
    assert not (workspace.beside(out) / "index").exists()
    assert len(build(music, out, models)) > 1


def test_shorter_run_keeps_larger_partial_index(music: Path, models: ModelStore) -> None:
    out = music.parent / "index"

    def stopped_after(count: int) -> None:
        seen: list[Event] = []

        def on_file(event: Event) -> None:
            seen.append(event)
            if len(seen) == count:
                raise KeyboardInterrupt

        builder.build(library.find(music), out, models, BuildPlan([NAME]), on_file=on_file)

    stopped_after(4)
    assert index.load(out).partial == (4, 12)
    shutil.rmtree(workspace.beside(out))
    with pytest.raises(KeyboardInterrupt):
        stopped_after(2)
    assert index.load(out, checksums=True).partial == (4, 12)
