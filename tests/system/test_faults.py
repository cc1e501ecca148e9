"""What goes wrong on a server: full, locked and read-only disks, missing models, a port that is taken.

Each is met for real, and what a visitor or an operator reads is compared; docs/reliability.md has them
all, with the tests in other files that meet the rest.
"""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import faults
import numpy as np
import pytest
import synthetic_index
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.errors import IndexFolderError, ModelError
from soundalike.evaluation.listening_test import Votes
from soundalike.index import index
from soundalike.index.integrity import Check
from soundalike.models import FILES, SUMS, ModelStore
from soundalike.ui import server, session

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = {
    "vgg16": "vgg16",
    "genre_head": "genre_head",
    "musicnn": "tagger",
    "yamnet": "yamnet",
    "mfcc_autoencoder": "autoencoder",
}
OF_TRACKS = [name for name in FILES if name != "recording_correction"]
"""The models that embed tracks; the other one corrects recordings alone."""
PAGES = ("recommend", "anatomy", "map", "features", "compare", "about")
VOTING = """
import sys
from pathlib import Path
from soundalike.errors import VotesError
from soundalike.evaluation.listening_test import Votes
path = Path(sys.argv[1])
counted = 0
try:
    votes = Votes(path, "library")
    for number in range(5_000):
        counted += votes.vote(votes.deal("0102", ["a", "b"]).id, "left")
except VotesError as error:
    print(error)
path.with_name("ballast").unlink(missing_ok=True)
votes = Votes(path, "library")
print(counted, votes.count(), votes.vote(votes.deal("0102", ["a", "b"]).id, "left"), votes.count())
"""


@pytest.fixture(autouse=True)
def own_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("SOUNDALIKE_VOTES", str(tmp_path / "votes.sqlite"))
    monkeypatch.setattr("soundalike.evaluation.listening_test.LEAST_S", 0)
    caches = (server._open, server.open_models, server.models_of)
    for kept in caches:
        kept.clear()
    yield
    for kept in caches:
        kept.clear()


def open_page(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60).run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def press(app: AppTest, key: str) -> AppTest:
    (button,) = [button for button in app.button if str(button.key).startswith(key)]
    button.click().run()
    assert not app.exception
    return app


# Models


@pytest.fixture
def models_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(paths.MODELS, folder)
    return folder


@pytest.mark.parametrize("name", NETWORKS)
def test_a_missing_model_is_one_sentence(name: str, models_folder: Path) -> None:
    (models_folder / FILES[name]).unlink()
    with pytest.raises(ModelError, match=rf"{FILES[name]} is missing; please restore it\.$"):
        getattr(ModelStore(models_folder), NETWORKS[name])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("listed", [True, False])
def test_a_damaged_model_is_one_sentence(name: str, listed: bool, models_folder: Path) -> None:
    path = models_folder / FILES[name]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    if not listed:
        (models_folder / SUMS).unlink()
    words = (
        r"is not the one that SHA256SUMS beside it lists" if listed else "is damaged; please restore it"
    )
    with pytest.raises(ModelError, match=f"{FILES[name]} {words}"):
        getattr(ModelStore(models_folder), NETWORKS[name])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_of_another_kind_is_one_sentence(name: str, models_folder: Path) -> None:
    np.savez(models_folder / FILES[name], of=np.ones(3), another=np.zeros(2))
    (models_folder / SUMS).unlink()
    with pytest.raises(ModelError, match=f"{FILES[name]} is damaged; please restore it"):
        getattr(ModelStore(models_folder), NETWORKS[name])


def test_every_model_file_is_listed_with_its_checksum() -> None:
    lines = (paths.MODELS / SUMS).read_text(encoding="utf-8").splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    files = {path.name for path in paths.MODELS.iterdir() if path.suffix == ".npz"}
    assert listed.keys() == files
    assert all(paths.sha256_of(paths.MODELS / name) == checksum for name, checksum in listed.items())


def test_the_bundled_index_names_every_model_with_its_checksum(models: ModelStore) -> None:
    named = index.load(paths.BUNDLED_INDEX).manifest["models"]
    assert named == {name: models.checksum(name) for name in OF_TRACKS}


@pytest.mark.parametrize("name", OF_TRACKS)
def test_an_index_notices_a_swapped_model(name: str, models_folder: Path) -> None:
    np.savez(models_folder / FILES[name], of=np.ones(3))
    with pytest.raises(IndexFolderError, match=f"built with a different {name} model"):
        index.load(paths.BUNDLED_INDEX).check_models(ModelStore(models_folder))


@pytest.mark.parametrize(
    "page", [*PAGES[:2], *(pytest.param(page, marks=pytest.mark.sweep) for page in PAGES[2:])]
)
def test_without_any_model_the_library_is_shown_all_the_same(
    page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "open_models", lambda: ModelStore(tmp_path / "none"))
    app = open_page(page)
    assert said(app) == []
    assert app.title


# Index


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = synthetic_index.write(tmp_path / "index", 30)
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(folder))
    return folder


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_changed_byte_is_found_while_the_library_is_shown(library: Path) -> None:
    flip(library / "yamnet.npy")
    app = open_page("recommend")
    _, check = server._open(str(library.resolve()), session.catalog.stamp(library))
    check.wait()
    app.run()
    (only,) = said(app)
    assert "yamnet.npy is damaged; build the index again" in only.replace("\\", "")
    app.selectbox(key="library").set_value("Starter library").run()
    assert said(app) == []


@pytest.mark.parametrize("damage", [lambda path: None, flip], ids=["whole", "one bit"])
def test_a_check_reads_every_file(damage: Callable[[Path], None], library: Path) -> None:
    damage(library / "tracks.parquet")
    check = Check(index.load(library))
    check.wait()
    if damage is flip:
        with pytest.raises(IndexFolderError, match="is damaged"):
            check.confirm()
    else:
        check.confirm()


def test_a_large_index_is_taken_as_it_is(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(library / "yamnet.npy")
    monkeypatch.setattr("soundalike.index.integrity.LARGEST", 1)
    check = Check(index.load(library))
    check.wait()
    check.confirm()


# Clips


@pytest.mark.sweep
def test_a_clip_that_may_not_be_read_costs_its_player_and_nothing_else(tmp_path: Path) -> None:
    clips = tmp_path / "copy" / "assets" / "library" / "clips"
    faults.read_only_copy(tmp_path / "copy")
    clips.chmod(0o755)
    clip = clips / "0235.opus"
    content = clip.read_bytes()
    clip.unlink()
    clip.write_bytes(content)
    clip.chmod(0)
    code = (
        "from streamlit.testing.v1 import AppTest\n"
        "for page in ('recommend', 'anatomy'):\n"
        "    app = AppTest.from_file(f'pages/{page}.py', default_timeout=60).run()\n"
        "    assert not app.exception, app.exception\n"
        "    print([error.value for error in app.error])\n"
    )
    copy = tmp_path / "copy"
    done = faults.run(code, copy, PYTHONPATH=str(copy / "src"))
    faults.writable_again(copy)
    assert done.returncode == 0, done.stderr[-2000:]
    recommend, anatomy = done.stdout.splitlines()
    assert recommend == "[]"
    assert "Permission denied. Check the file's permissions" in anatomy.replace("\\", "")


# Votes


def vote_on(folder: Path, *command: str) -> list[str]:
    done = subprocess.run(
        [*command, sys.executable, "-c", VOTING, str(folder / "votes.sqlite")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=faults.ordinary if not command else None,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.sweep
def test_a_full_disk_takes_no_vote_and_loses_none(tmp_path: Path) -> None:
    if subprocess.run(faults.full_disk(tmp_path, 64, ["true"]), capture_output=True).returncode:
        pytest.skip("may mount nothing here")
    ballast = ["sh", "-c", f'head -c 100k /dev/zero >{tmp_path}/ballast; exec "$@"', "sh"]
    told, counts = vote_on(tmp_path, *faults.full_disk(tmp_path, 320, ballast))
    assert "can't be stored" in told
    assert "disk is full" in told
    counted, kept, again, then = counts.split()
    assert int(counted) > 10
    assert kept == counted
    assert (again, int(then)) == ("True", int(counted) + 1)


def test_a_folder_that_may_not_be_written_takes_no_votes(tmp_path: Path) -> None:
    votes = Votes(tmp_path / "votes" / "votes.sqlite", "library")
    assert votes.vote(votes.deal("0102", ["a", "b"]).id, "left")
    votes.path.parent.chmod(0o555)
    done = faults.run(
        "from pathlib import Path; from soundalike.evaluation.listening_test import Votes\n"
        f"Votes(Path({str(votes.path)!r}), 'another')"
    )
    votes.path.parent.chmod(0o755)
    assert "VotesError: Votes can't be stored in" in done.stderr
    assert votes.count() == 1


def test_a_locked_database_says_that_the_vote_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("compare")
    monkeypatch.setattr("soundalike.evaluation.listening_test._WAIT_S", 0.05)
    monkeypatch.setattr("soundalike.ui.compare.voting.on_server", lambda: True)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys\n"
            "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "held.execute('BEGIN IMMEDIATE')\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()",
            str(paths.votes_file()),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    press(app, "compare_vote_left")
    told = captions(app).replace("\\", "")
    assert (
        "Your vote was not counted: Votes can't be stored in votes.sqlite (database is locked)" in told
    )
    assert str(paths.votes_file().parent) not in told
    assert "0 votes so far this round" in told
    press(app, "compare_reset")
    assert "locked" in captions(app)
    holder.communicate()
    press(app, "compare_vote_left")
    assert "Vote counted. Here's the next pair." in captions(app)
    assert "1 vote so far this round" in captions(app)


def test_a_damaged_database_leaves_the_rest_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = b"no database, and longer than the header of one would be" * 9
    paths.votes_file().write_bytes(damaged)
    app = open_page("compare")
    (only,) = said(app)
    assert "Votes can't be stored in votes.sqlite" in only.replace("\\", "")
    assert [header.value for header in app.header][:2] == ["Metrics", "One track, several playlists"]
    assert paths.votes_file().read_bytes() == damaged
    paths.votes_file().unlink()
    app.run()
    assert said(app) == []


def test_a_database_damaged_while_the_app_runs(tmp_path: Path) -> None:
    app = open_page("compare")
    press(app, "compare_vote_left")
    for file in tmp_path.glob("votes.sqlite*"):
        file.unlink()
    sqlite3.connect(tmp_path / "votes.sqlite").close()
    app.run()
    assert not app.exception
    assert "no such table" in said(app)[0].replace("\\", "")


# The server's surroundings


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = faults.read_only_copy(tmp_path_factory.mktemp("project") / "copy")
    yield folder
    faults.writable_again(folder)


ALL_PAGES = f"""
from streamlit.testing.v1 import AppTest
for page in {PAGES}:
    app = AppTest.from_file(f"pages/{{page}}.py", default_timeout=120).run()
    assert not app.exception, (page, app.exception)
    print(page, [error.value.replace(chr(92), "") for error in app.error])
"""


@pytest.mark.sweep
def test_nothing_but_votes_needs_a_place_to_write(read_only: Path) -> None:
    nowhere = str(read_only / "nowhere")
    before = {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    places = {"HOME": nowhere, "TMPDIR": nowhere, "XDG_CACHE_HOME": nowhere, "XDG_DATA_HOME": nowhere}
    done = faults.run(
        f"import os; os.environ.pop('SOUNDALIKE_VOTES')\n{ALL_PAGES}",
        read_only,
        PYTHONPATH=str(read_only / "src"),
        **places,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    votes = lines.pop("compare")
    assert "Votes can't be stored in votes.sqlite" in votes
    assert "SOUNDALIKE_VOTES" in votes
    assert lines == dict.fromkeys(lines, "[]")
    assert len(lines) == len(PAGES) - 1
    assert {path: path.stat().st_mtime_ns for path in read_only.rglob("*")} == before


def test_a_user_without_a_home_has_a_place_for_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOUNDALIKE_VOTES")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: _no_home()))
    assert paths.votes_file() == Path("/.local/share/soundalike/votes.sqlite")


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
            + ["--server.port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"Port {port} is not available" in done.stdout + done.stderr
