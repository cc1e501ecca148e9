"""Indexing for the app: progress, stopping, going on after a kill, errors, and one run at a time."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import kills
import psutil
import pytest
from small_library import write_tone

from soundalike import representations
from soundalike.datasets import library
from soundalike.errors import BusyError, DestinationError, LibraryError, ModelError
from soundalike.index import index, music_files
from soundalike.indexing import background, background_worker, builder, run_records, workspace
from soundalike.indexing.background import Background, IndexingPlan
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.run_records import Run
from soundalike.models import ModelStore
from soundalike.ui.compare import voting

PLAN = IndexingPlan(names=("mfcc_flat",), complete=False, workers=0)
PATIENCE_S = 240.0
_PRETENDER = """
import json, os, signal, sys
order = json.loads(sys.stdin.readline())
with open(order["out"] + ".seen", "w") as seen:
    json.dump({"environment": dict(os.environ), "order": order}, seen)
def say(**said): print(json.dumps(said), flush=True)
say(found=4, passed_over={".txt": 2}, skipped={"count": 1, "first": [{"file": "l", "reason": "Out."}]})
say(file="a.wav", kind="taken", reason="")
print("noise", flush=True)
say(file="b.wav", kind="skipped", reason="Broken.")
"""
"""A process that reports as the real one does, but does nothing."""
_HURRIES = (
    "from soundalike import system; system.BACKGROUND_NICENESS = 0; "
    "from soundalike.indexing import background_worker; background_worker.main()"
)
"""The real process, which other tests don't hold up."""
_LINGERS = (
    "import time\n"
    "from soundalike.indexing.checkpoint import WorkStore\n"
    "put, finished = WorkStore.put, []\n"
    "def put_and_linger(store, taken):\n"
    "    put(store, taken)\n"
    "    finished.append(taken)\n"
    "    while len(finished) == 3: time.sleep(0.01)\n"
    f"WorkStore.put = put_and_linger\n{_HURRIES}"
)
"""The same, which stays at its third file, finished but not reported yet."""
_WAITS = (
    "line = sys.stdin.readline()\nif line: say(state='stopped', skipped={'count': 1, 'first': []})\n"
)
_KILLED = "os.kill(os.getpid(), signal.SIGKILL)\n"
_DEAF = "signal.pause()\n"


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may be indexed; one in it has ten clips, a broken file and one of another kind."""
    folder = tmp_path / "music"
    for place in range(10):
        write_tone(folder / "jazz" / f"{place}.flac", "flac", seconds=20.0 + place / 4)
    (folder / "jazz" / "broken.mp3").write_bytes(b"nonsense" * 100)
    (folder / "jazz" / "cover.jpg").write_bytes(b"x")
    monkeypatch.setenv(music_files.VARIABLE, str(folder))
    return folder


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Background]]:
    """Makes the runs of a server; all servers write into one folder, and end with the test."""
    made: list[Background] = []

    def server() -> Background:
        made.append(Background(tmp_path / "own", PLAN))
        return made[-1]

    yield server
    for one in made:
        one.close()


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replaces the process by one that only pretends, and then does what it is told."""

    def replace(last: str) -> None:
        script = tmp_path / "pretender.py"
        script.write_text(_PRETENDER + last)
        monkeypatch.setattr(background, "COMMAND", (sys.executable, str(script)))

    return replace


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(runs: Background) -> Run:
    wait_until(lambda: runs.current() is None)
    return runs.runs()[0]


def has_done(runs: Background, count: int) -> bool:
    run = runs.current()
    return run is None or run.done >= count


def test_an_index_is_that_of_the_command_line(music: Path, make, models: ModelStore) -> None:
    runs = make()
    started = runs.start(music / "jazz")
    assert (started.name, started.state) == ("jazz", "running")
    live = runs._live
    assert live is not None
    process = psutil.Process(live.process.pid)
    wait_until(lambda: has_done(runs, 1))
    assert process.nice() == 19
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text() == "1000\n"
    run = ended(runs)
    assert (run.state, run.found, run.done, run.tracks, run.error) == ("finished", 11, 11, 10, "")
    assert [item.file for item in run.reasons] == ["broken.mp3"]
    assert "couldn't read this as audio" in run.reasons[0].reason
    assert run.passed_over == {".jpg": 1}
    assert Background(music.parent / "own", PLAN).runs() == [run]
    by_hand = music.parent / "by-hand" / "jazz"
    builder.build(library.find(music / "jazz"), by_hand, models, BuildPlan(PLAN.names))
    assert kills.contents(music.parent / "own" / "jazz") == kills.contents(by_hand)
    assert not workspace.beside(music.parent / "own" / "jazz").exists()


def test_stopped_and_gone_on_with(music: Path, make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "COMMAND", (sys.executable, "-c", _LINGERS))
    runs = make()
    runs.start(music / "jazz")
    wait_until(lambda: has_done(runs, 2))
    runs.stop()
    runs.stop()
    run = ended(runs)
    assert (run.state, run.error) == ("stopped", "")
    assert (run.found, run.done, run.tracks) == (11, 2, 2)
    out = music.parent / "own" / "jazz"
    assert index.load(out, checksums=True).partial == (2, 11)
    assert 2 <= len(kills.finished(out)) <= 3
    monkeypatch.setattr(background, "COMMAND", (sys.executable, "-c", _HURRIES))
    runs.start(music / "jazz")
    again = ended(runs)
    assert (again.name, again.state, again.tracks) == ("jazz", "finished", 10)
    assert index.load(out, checksums=True).partial is None
    assert [run.name for run in runs.runs()] == ["jazz"]


def test_a_run_ends_with_its_server_and_another_server_goes_on(
    music: Path, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "COMMAND", (sys.executable, "-c", _HURRIES))
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from soundalike.indexing import background\n"
        "from soundalike.indexing.background import Background, IndexingPlan\n"
        "background.COMMAND = (sys.executable, '-c', sys.argv[3])\n"
        "runs = Background(Path(sys.argv[1]), IndexingPlan(('mfcc_flat',), False, 0))\n"
        "runs.start(Path(sys.argv[2]))\n"
        "while runs.current().done < 2: time.sleep(0.01)\n"
        "print(runs._live.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    asked = [sys.executable, "-c", code, str(music.parent / "own"), str(music / "jazz"), _LINGERS]
    with subprocess.Popen(asked, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        worker = psutil.Process(int(server.stdout.readline()))
        server.kill()
    _, alive = psutil.wait_procs([worker], timeout=60)
    assert alive == []
    assert 2 <= len(kills.finished(music.parent / "own" / "jazz")) <= 3
    runs = make()
    (left,) = runs.runs()
    assert (left.name, left.state) == ("jazz", "stopped")
    assert not runs.current()
    runs.start(Path(left.source))
    assert ended(runs).tracks == 10


def test_progress_is_taken_in(music: Path, make, pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(voting.PRESENTER, "secret")
    pretend(_WAITS)
    runs = make()
    runs.start(music / "jazz")
    wait_until(lambda: has_done(runs, 2))
    run = runs.current()
    assert run is not None
    assert (run.found, run.done, run.skipped, run.share) == (4, 2, 2, 0.5)
    assert [item.file for item in run.reasons] == ["l", "b.wav"]
    assert run.step == background_worker.ANALYSING
    seen = json.loads((music.parent / "own" / "jazz.seen").read_text())
    assert voting.PRESENTER not in seen["environment"]
    assert seen["order"]["source"] == str((music / "jazz").resolve())
    with pytest.raises(BusyError, match="“jazz” is being indexed"):
        runs.start(music)
    with pytest.raises(BusyError):
        runs.remove("jazz")
    runs.stop()
    assert ended(runs).state == "stopped"


def test_a_process_that_is_killed_fails_in_one_line(music: Path, make, pretend) -> None:
    pretend(_KILLED)
    runs = make()
    runs.start(music / "jazz")
    run = ended(runs)
    assert run.state == "failed"
    assert "perhaps because memory ran out" in run.error
    assert run.done == 2


def test_a_process_that_does_not_stop_is_killed(
    music: Path, make, pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "STOP_S", 0.1)
    pretend(_DEAF)
    runs = make()
    runs.start(music / "jazz")
    wait_until(lambda: has_done(runs, 2))
    runs.stop()
    run = ended(runs)
    assert (run.state, run.error) == ("stopped", "")


def test_errors_name_no_path(music: Path, make, pretend) -> None:
    said = f"There is no audio in {music / 'jazz'}; {music.parent / 'own' / 'jazz'} is damaged."
    pretend(f"say(state='failed', error={said!r})\n")
    runs = make()
    runs.start(music / "jazz")
    assert ended(runs).error == "There is no audio in music/jazz; “jazz” is damaged."


def test_what_may_not_be_indexed_starts_nothing(music: Path, make) -> None:
    runs = make()
    (music / "link").symlink_to(music.parent)
    for folder in (music.parent, music / "..", music / "link", Path("/etc")):
        with pytest.raises(LibraryError, match="may not be indexed"):
            runs.start(folder)
    with pytest.raises(LibraryError, match="music/none is gone"):
        runs.start(music / "none")
    assert runs.runs() == []
    assert not (music.parent / "own").exists()


def test_the_folder_for_indexes_must_be_writable_and_apart(music: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError, match=r"can't be written to.*SOUNDALIKE_OWN_INDEXES"):
        Background(tmp_path / "file" / "own", PLAN).start(music / "jazz")
    for folder in (music / "own", music):
        with pytest.raises(DestinationError, match="writes its indexes into the folder music"):
            Background(folder, PLAN).start(music)


def test_folders_of_one_name_get_different_indexes(music: Path, make, pretend) -> None:
    pretend("say(state='stopped', skipped={'count': 0, 'first': []})\n")
    runs = make()
    (music / "more" / "jazz").mkdir(parents=True)
    (music / "index").mkdir()
    for folder, name in (
        (music / "jazz", "jazz"),
        (music / "more" / "jazz", "jazz 2"),
        (music / "jazz", "jazz"),
        (music / "index", "Music"),
    ):
        assert runs.start(folder).name == name
        ended(runs)
    assert [run.name for run in runs.runs()] == ["Music", "jazz", "jazz 2"]


def test_an_index_is_removed_without_anything_of_the_users(music: Path, make, pretend) -> None:
    pretend("say(state='finished', skipped={'count': 0, 'first': []})\n")
    runs = make()
    runs.start(music / "jazz")
    ended(runs)
    own = music.parent / "own"
    (own / "jazz.seen").unlink()
    (own / "jazz").mkdir()
    (own / "jazz" / "manifest.json").write_text('{"tracks": 3}')
    (own / "jazz" / "notes.txt").touch()
    (own / "mine").mkdir()
    runs.remove("mine")
    with pytest.raises(DestinationError, match=r"notes\.txt"):
        runs.remove("jazz")
    assert sorted(path.name for path in own.rglob("*")) == ["jazz", "mine", "notes.txt"]
    assert runs.runs() == []
    assert (music / "jazz" / "0.flac").is_file()


def order_for(music: Path, folder: str) -> dict[str, object]:
    out = str(music.parent / "own" / "x")
    return {"source": str(music / folder), "out": out} | {
        "names": ["mfcc_flat"],
        "complete": False,
        "workers": 0,
    }


class Reports(background_worker._Report):
    """Keeps what is reported."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.said: list[dict[str, object]] = []
        self._then = then

    def __call__(self, **values: object) -> None:
        self.said.append(values)
        if "kind" in values or "found" in values:
            self._then()


def test_the_process_checks_the_folder_itself(music: Path) -> None:
    for folder, said in (("..", "may not be indexed"), ("none", "is gone")):
        with pytest.raises(LibraryError, match=said):
            background_worker._index(order_for(music, folder), Reports())
    (music / "empty").mkdir()
    with pytest.raises(LibraryError, match="There is no audio in"):
        background_worker._index(order_for(music, "empty"), Reports())


def test_a_folder_that_goes_away_is_no_library_of_broken_files(music: Path) -> None:
    def unmount() -> None:
        if (music / "jazz").exists():
            (music / "jazz").rename(music / "away")

    with pytest.raises(LibraryError, match=r"music/jazz is gone. Put it back, then go on"):
        background_worker._index(order_for(music, "jazz"), Reports(unmount))


def test_a_missing_model_is_named_before_any_music_is_read(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.models.ModelStore", partial(ModelStore, music.parent / "none"))
    reports = Reports()
    with pytest.raises(ModelError, match=r"yamnet.*missing"):
        background_worker._index(order_for(music, "jazz") | {"names": ["yamnet"]}, reports)
    assert [said for said in reports.said if "kind" in said] == []


def test_a_full_disk(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DestinationError) as caught:
        background_worker._index(order_for(music, "jazz"), Reports())
    assert background_worker.reason(caught.value) == background_worker.DISK_FULL
    assert len(kills.finished(music.parent / "own" / "x")) == 10


def test_reasons_are_lines_for_visitors(capsys: pytest.CaptureFixture[str]) -> None:
    full = DestinationError("In /srv/x nothing more can be written.")
    full.__cause__ = sqlite3.OperationalError("database or disk is full")
    assert background_worker.reason(full) == background_worker.DISK_FULL
    assert background_worker.reason(LibraryError("There is no audio.")) == "There is no audio."
    assert capsys.readouterr().err == ""
    assert "Permission denied" in background_worker.reason(PermissionError(13, "Permission denied"))
    assert background_worker.reason(KeyError("x")).startswith("Indexing failed (KeyError).")
    assert "KeyError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("processors", "memory", "count"),
    [(1, None, 1), (2, None, 1), (8, None, 7), (8, 2**31, 1), (8, 2**33, 7), (16, 6 * 10**9, 5)],
)
def test_workers_leave_room_for_the_app(processors: int, memory: int | None, count: int) -> None:
    assert background.worker_count(processors, memory) == count


def test_a_small_host_leaves_vgg16_out() -> None:
    assert background.fitting_names(is_small_host=False) == list(representations.INDEXED)
    names = background.fitting_names(is_small_host=True)
    assert names == ["soundalike", "musicnn_tags", "yamnet_classes"]


def test_a_record_that_cannot_be_saved_stays_in_memory(
    music: Path, make, pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(_WAITS)
    monkeypatch.setattr(background, "SAVE_S", -1.0)
    runs = make()
    runs.start(music / "jazz")
    monkeypatch.setattr(
        run_records, "write", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, ""))
    )
    wait_until(lambda: has_done(runs, 2))
    run = runs.current()
    assert run is not None
    assert run.done == 2


def test_signals_reach_the_process_alone(music: Path, make, pretend) -> None:
    pretend(_WAITS)
    runs = make()
    runs.start(music / "jazz")
    assert runs._live is not None
    assert os.getpgid(runs._live.process.pid) == runs._live.process.pid != os.getpgid(0)
    os.killpg(runs._live.process.pid, signal.SIGKILL)
    assert ended(runs).state == "failed"
