"""Indexing never deletes, moves or overwrites a user's files."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Capture, complaint, document
from small_library import write_tone

from soundalike import paths
from soundalike.datasets import library
from soundalike.errors import DestinationError
from soundalike.index import index
from soundalike.indexing import builder, checkpoint, measurements, own_files, workspace
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.ingest import Event, OnFile, ignored
from soundalike.models import ModelStore

NAME = "mfcc_flat"
ASK = ("--workers", "0", "--no-cache", "--representation", NAME)
DEAR = "dear"
DROPPED = (".DS_Store", "Thumbs.db", "desktop.ini", ".directory")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: ModelStore) -> Path:
    """A folder with a library `music` and its index `own`."""
    folder = tmp_path_factory.mktemp("made")
    for place in range(2):
        write_tone(folder / "music" / f"{place}.wav", "pcm_s16le", seconds=4.0 + place)
    build(folder, models)
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "home", symlinks=True))


def build(folder: Path, models: ModelStore, on_file: OnFile = ignored) -> builder.Built:
    source = library.find(folder / "music")
    return builder.build(source, folder / "own", models, BuildPlan([NAME]), on_file=on_file)


def everything(folder: Path) -> dict[str, bytes | str | None]:
    """All that is in a folder: files with their content, links with where they lead."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else (path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


def write(path: Path, content: str = DEAR) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def stopped_at(count: int, seen: list[Event]) -> OnFile:
    """Ctrl-C as the n-th file is done."""

    def on_file(event: Event) -> None:
        seen.append(event)
        if len(seen) == count:
            raise KeyboardInterrupt

    return on_file


def interrupted(home: Path, models: ModelStore) -> Path:
    """The work folder of a run that was stopped after one file, with no index yet."""
    shutil.rmtree(home / "own")
    build(home, models, stopped_at(1, []))
    shutil.rmtree(home / "own")
    return home / ".own.work"


# The library and --out


def test_library_inside_index_folder(capsys: Capture, home: Path) -> None:
    shutil.move(home / "music", home / "own" / "audio")
    (home / "to_library").symlink_to(home / "own" / "audio")
    (home / "to_index").symlink_to("own")
    before = everything(home)
    for source, out in (("own/audio", "own"), ("to_library", "own"), ("to_index/audio", "to_index")):
        said = complaint(capsys, 1, "index", home / source, "--out", home / out, *ASK)
        assert f"{home / 'own'} holds the library {home / 'own' / 'audio'}" in said
        assert "name a folder outside" in said
    assert everything(home) == before


def test_index_folder_inside_library(capsys: Capture, home: Path) -> None:
    (home / "link").symlink_to("music")
    before = everything(home)
    for source, out in (("music", "music/new"), ("link", "music/a/b"), ("music", "link/new")):
        said = complaint(capsys, 1, "index", home / source, "--out", home / out, *ASK)
        assert f"lies in the library {home / 'music'}" in said
        assert "name a folder outside" in said
    assert everything(home) == before
    shutil.move(home / "own", home / "music" / "own")
    before = everything(home)
    said = complaint(capsys, 1, "index", home / "music", "--out", home / "music" / "own", *ASK)
    assert "lies in the library" in said
    assert everything(home) == before


# Files in an index folder


def a_file(own: Path) -> str:
    return write(own / "notes.txt").name


def a_hidden_file(own: Path) -> str:
    return write(own / ".notes").name


def an_array(own: Path) -> str:
    return write(own / "map_of_my_trips.npy").name


def a_folder(own: Path) -> str:
    return write(own / "pictures" / "cover.jpg").parent.name


def an_empty_folder(own: Path) -> str:
    (own / "later").mkdir()
    return "later"


def a_folder_named_like_a_file(own: Path) -> str:
    return write(own / "descriptors.npy" / "notes.txt").parent.name


def a_folder_named_like_a_systems_file(own: Path) -> str:
    return write(own / ".directory" / "notes.txt").parent.name


def a_link(own: Path) -> str:
    (own / "songs").symlink_to("../music")
    return "songs"


PUT: tuple[Callable[[Path], str], ...] = (
    *(a_file, a_hidden_file, an_array, a_folder, an_empty_folder),
    *(a_folder_named_like_a_file, a_folder_named_like_a_systems_file, a_link),
)


@pytest.mark.parametrize("put", PUT)
def test_user_files_in_index(capsys: Capture, home: Path, put: Callable[[Path], str]) -> None:
    name = put(home / "own")
    before = everything(home)
    said = complaint(capsys, 1, "index", home / "music", "--out", home / "own", *ASK)
    assert f"{home / 'own'} holds {name}, which" in said
    assert "move" in said
    assert everything(home) == before


def test_many_files_are_summarised(capsys: Capture, home: Path) -> None:
    for place in range(5):
        write(home / "own" / f"note {place}.txt")
    said = complaint(capsys, 1, "index", home / "music", "--out", home / "own", *ASK)
    assert "holds note 0.txt, note 1.txt, note 2.txt and 2 more, which" in said


def test_user_files_added_during_run(home: Path, models: ModelStore) -> None:
    write_tone(home / "music" / "new.wav", "pcm_s16le", seconds=6.0)
    before = everything(home / "own")
    with pytest.raises(DestinationError, match=r"own holds notes\.txt, which"):
        build(home, models, lambda event: (home / "own" / "notes.txt").write_text(DEAR))
    assert everything(home / "own") == before | {"notes.txt": DEAR.encode()}
    (home / "own" / "notes.txt").rename(home / "notes.txt")
    events: list[Event] = []
    assert len(build(home, models, events.append).index) == 3
    assert {event.kind for event in events} == {"known"}
    assert sorted(path.name for path in home.iterdir()) == ["music", "notes.txt", "own"]


def test_system_files_are_kept(home: Path, models: ModelStore) -> None:
    before = everything(home / "own")
    for name in DROPPED:
        write(home / "own" / name)
    build(home, models)
    assert everything(home / "own") == before | dict.fromkeys(DROPPED, DEAR.encode())
    assert len(index.load(home / "own", checksums=True)) == 2
    assert sorted(path.name for path in home.iterdir()) == ["music", "own"]


def test_system_files_are_not_listed(home: Path, models: ModelStore) -> None:
    aside = home / ".own.work" / workspace.MADE
    plan = BuildPlan([NAME])
    source = library.find(home / "music")
    builder.build(
        source, home / "own", models, plan, on_step=lambda what, count: write(aside / ".DS_Store")
    )
    assert (home / "own" / ".DS_Store").read_text() == DEAR
    assert ".DS_Store" not in index.load(home / "own", checksums=True).manifest["files"]


def test_nfs_placeholder_files(home: Path, models: ModelStore) -> None:
    write(home / "own" / ".nfs0001")
    build(home, models)
    assert (home / ".own.work" / workspace.RETIRED / ".nfs0001").read_text() == DEAR
    assert len(index.load(home / "own", checksums=True)) == 2


def test_folder_with_only_system_files_is_empty(home: Path, models: ModelStore) -> None:
    shutil.rmtree(home / "own")
    write(home / "own" / ".DS_Store")
    build(home, models)
    assert (home / "own" / ".DS_Store").read_text() == DEAR
    assert len(index.load(home / "own", checksums=True)) == 2


def test_command_results_are_own_files(home: Path, models: ModelStore) -> None:
    before = everything(home / "own")
    left = (
        *("descriptors.npy", "duplicates.npy", "map_soundalike_2d_cosine_n15_d10.npy"),
        *(".manifest.json.part", ".soundalike_approximate.faiss.part", ".musicnn.npy"),
        *("._tracks.parquet", "._.DS_Store"),
    )
    for name in left:
        write(home / "own" / name)
    build(home, models)
    assert everything(home / "own") == before


def test_saved_results_are_kept_for_identical_index(home: Path, models: ModelStore) -> None:
    write(home / "own" / "evaluation.json")
    write(home / "own" / "fma_report.json")
    build(home, models)
    assert (home / "own" / "evaluation.json").read_text() == DEAR
    assert (home / "own" / "fma_report.json").read_text() == DEAR
    (home / "music" / "1.wav").unlink()
    build(home, models)
    assert not (home / "own" / "evaluation.json").exists()


def test_library_name_is_kept(home: Path, models: ModelStore) -> None:
    manifest = json.loads((home / "own" / index.MANIFEST).read_text())
    (home / "own" / index.MANIFEST).write_text(json.dumps(manifest | {"name": "Ours"}))
    assert build(home, models).index.manifest["name"] == "Ours"


def test_every_index_file_is_known(home: Path) -> None:
    bundled = {path.name for path in paths.BUNDLED_INDEX.iterdir()}
    assert bundled <= own_files.names()
    assert {f"{name}.npy" for name in measurements.FILES} <= own_files.names()
    assert own_files.foreign(home / "own") == []


def test_manifest_with_paths_outside(capsys: Capture, home: Path) -> None:
    path = home / "own" / index.MANIFEST
    manifest = json.loads(path.read_text())
    (home / "own" / "map_x").mkdir()
    for file in ("../music/0.wav", "map_x/../../music/0.wav"):
        facts = {"bytes": (home / "music" / "0.wav").stat().st_size}
        path.write_text(json.dumps(manifest | {"files": manifest["files"] | {file: facts}}))
        before = everything(home)
        assert "manifest.json is damaged" in complaint(capsys, 1, "map", home / "own")
        assert everything(home) == before


# The work folder beside an index


def thesis(work: Path) -> None:
    write(work / "thesis.txt")


def thesis_in(part: str) -> Callable[[Path], None]:
    def put(work: Path) -> None:
        write(work / part / "thesis.txt")

    put.__name__ = f"thesis_in_{part}"
    return put


def another_database(work: Path) -> None:
    work.mkdir()
    with closing(sqlite3.connect(work / checkpoint.FILE)) as connection:
        connection.execute("CREATE TABLE dear (friends TEXT)")


def no_database(work: Path) -> None:
    write(work / checkpoint.FILE)


def a_link_to_a_folder(work: Path) -> None:
    write(work.parent / "elsewhere" / "index" / "thesis.txt")
    work.symlink_to("elsewhere")


def a_link_to_nothing(work: Path) -> None:
    work.symlink_to("nowhere")


def a_link_to_a_store(work: Path) -> None:
    work.mkdir()
    with closing(sqlite3.connect(work.parent / "dear.sqlite")) as connection:
        connection.execute("PRAGMA page_size = 32768")
        connection.execute("CREATE TABLE dear (friends TEXT)")
    (work / checkpoint.FILE).symlink_to("../dear.sqlite")


def a_plain_file(work: Path) -> None:
    write(work)


WORK: tuple[Callable[[Path], None], ...] = (
    *(thesis, thesis_in("index"), thesis_in("measured"), thesis_in("retired")),
    *(another_database, no_database, a_link_to_a_folder, a_link_to_nothing),
    *(a_link_to_a_store, a_plain_file),
)


@pytest.mark.parametrize("put", WORK)
def test_foreign_work_folder(capsys: Capture, home: Path, put: Callable[[Path], None]) -> None:
    put(home / ".own.work")
    before = everything(home)
    for asked in (
        ("index", home / "music", "--out", home / "own", *ASK),
        ("measure", home / "own", "--workers", "0"),
    ):
        said = complaint(capsys, 1, *asked)
        assert str(home / ".own.work") in said
        assert "move" in said
        assert everything(home) == before


def test_foreign_retired_folder(capsys: Capture, home: Path) -> None:
    shutil.rmtree(home / "own")
    write(home / ".own.work" / "retired" / "thesis.txt")
    before = everything(home)
    complaint(capsys, 1, "measure", home / "own", "--workers", "0")
    complaint(capsys, 1, "index", home / "music", "--out", home / "own", *ASK)
    assert everything(home) == before


def test_work_folder_marker(home: Path, models: ModelStore) -> None:
    work = interrupted(home, models)
    assert "Soundalike" in (work / workspace.MARKER).read_text()


@pytest.mark.parametrize("marked", [True, False])
def test_killed_run_is_resumed(home: Path, models: ModelStore, marked: bool) -> None:
    work = interrupted(home, models)
    for part in ("index", "measured"):
        write(work / part / f"{NAME}.npy", "half")
    write(work / ".DS_Store")
    if not marked:  # as earlier versions left it
        (work / workspace.MARKER).unlink()
    events: list[Event] = []
    build(home, models, events.append)
    assert [event.kind for event in events] == ["known", "taken"]
    assert not work.exists()


def test_user_files_in_work_folder(home: Path, models: ModelStore) -> None:
    work = interrupted(home, models)
    write(work / "thesis.txt")
    write(work / "finished.sqlite.backup")
    write(work / "drafts" / "thesis.txt")
    build(home, models)
    left = {"thesis.txt", "finished.sqlite.backup", "drafts", "drafts/thesis.txt", workspace.MARKER}
    assert everything(work).keys() == left
    build(home, models)
    assert everything(work).keys() == left


@pytest.mark.parametrize("part", ["index", "measured", "retired"])
def test_user_files_in_new_index(capsys: Capture, home: Path, models: ModelStore, part: str) -> None:
    work = interrupted(home, models)
    build(home, models, stopped_at(1, []))
    write(work / part / "thesis.txt")
    said = complaint(capsys, 1, "index", home / "music", "--out", home / "own", *ASK)
    assert f"{work / part} holds thesis.txt, which" in said
    assert (work / part / "thesis.txt").read_text() == DEAR
    shutil.rmtree(work / part)
    (work / part).symlink_to("../music")
    before = everything(home)
    said = complaint(capsys, 1, "index", home / "music", "--out", home / "own", *ASK)
    assert f"{work / part} is a link" in said
    assert everything(home) == before


def test_user_files_added_at_last_moment(home: Path, models: ModelStore) -> None:
    before = everything(home / "own")
    with workspace.opened(home / "own", models) as (work, _):
        shutil.copytree(home / "own", work / workspace.MADE)
        write(home / "own" / "notes.txt")
        with pytest.raises(DestinationError, match=r"retired holds notes\.txt, which"):
            workspace.put_in_place(work / workspace.MADE, home / "own")
    assert everything(home / "own") == before
    assert everything(work / workspace.RETIRED) == {"notes.txt": DEAR.encode()}


def test_kill_during_deletion_of_old_index(home: Path, models: ModelStore) -> None:
    before = everything(home / "own")
    work = interrupted(home, models)
    build(home, models, stopped_at(2, []))
    shutil.copytree(home / "own", work / workspace.RETIRED)
    (work / workspace.RETIRED / index.TRACKS).unlink()
    write(work / workspace.RETIRED / ".DS_Store")
    build(home, models)
    assert everything(home / "own") == before | {".DS_Store": DEAR.encode()}
    assert not work.exists()


def test_damaged_store_is_replaced_next_to_other_files(tmp_path: Path, models: ModelStore) -> None:
    write(tmp_path / checkpoint.FILE)
    write(tmp_path / f"{checkpoint.FILE}.backup")
    with checkpoint.opened(tmp_path, models):
        pass
    assert (tmp_path / f"{checkpoint.FILE}.backup").read_text() == DEAR


def test_interrupted_measurement_is_resumed(capsys: Capture, home: Path, models: ModelStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        measurements.add(index.load(home / "own"), models, on_file=stopped_at(1, []))
    write(home / ".own.work" / "measured" / "keys.npy", "half")
    document(capsys, "measure", home / "own", "--workers", "0")
    assert "keys.npy" in index.load(home / "own", checksums=True).manifest["files"]
    assert sorted(path.name for path in home.iterdir()) == ["music", "own"]
