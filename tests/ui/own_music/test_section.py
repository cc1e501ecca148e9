"""Indexing a folder from a page: who sees it, what it says of a run, and what its buttons do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic_index
from streamlit.testing.v1 import AppTest

from soundalike.datasets.library import Skipped
from soundalike.index import catalog, music_files
from soundalike.indexing import background, run_records
from soundalike.indexing.run_records import Run
from soundalike.ui import session
from soundalike.ui.compare import voting
from soundalike.ui.own_music import access, section

PAGE = Path(__file__).resolve().parents[3] / "pages" / "about.py"
_WAITS = """
import json, sys
def say(**said): print(json.dumps(said), flush=True)
sys.stdin.readline()
say(found=4, passed_over={}, skipped={"count": 0, "first": []})
say(file="a.wav", kind="taken", reason="")
if sys.stdin.readline(): say(state="stopped", skipped={"count": 0, "first": []})
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for indexes of a server that names a folder of music; the visitor is on the server."""
    for name in ("Jazz", "Folk/Old"):
        (tmp_path / "music" / name).mkdir(parents=True)
    (tmp_path / "pretender.py").write_text(_WAITS)
    monkeypatch.setenv(music_files.VARIABLE, str(tmp_path / "music"))
    monkeypatch.setenv("SOUNDALIKE_OWN_INDEXES", str(tmp_path / "own"))
    monkeypatch.delenv(voting.PRESENTER, raising=False)
    monkeypatch.setattr(voting, "on_server", lambda: True)
    monkeypatch.setattr(voting, "WRONG_KEY_S", 0.0)
    monkeypatch.setattr(background, "COMMAND", (sys.executable, str(tmp_path / "pretender.py")))
    yield tmp_path / "own"
    access.indexer().close()
    access._indexer.clear()


def visit(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in ({"section": access.SECTION} | parameters).items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def texts(app: AppTest) -> str:
    shown = [*app.caption, *app.error, *app.markdown, *app.subheader]
    return " ".join(element.value for element in shown).replace("\\", "")


def recorded(own: Path, state: run_records.State, **values: object) -> Run:
    own.mkdir(exist_ok=True)
    run = Run("Jazz", str(own.parent / "music" / "Jazz"), state, **values)  # type: ignore[arg-type]
    run_records.write(own, run)
    return run


def wait_until_ended() -> None:
    deadline = time.monotonic() + 60
    while access.indexer().current() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sections(app: AppTest) -> list[str]:
    (offered,) = (group for group in app.button_group if group.label == "Section")
    return list(offered.options)


@pytest.mark.parametrize("variable", [None, ""])
def test_nothing_is_shown_without_the_variable(
    own: Path, variable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic_index.write(own / "Jazz", 20)
    recorded(own, "stopped", found=9)
    if variable is None:
        monkeypatch.delenv(music_files.VARIABLE)
    else:
        monkeypatch.setenv(music_files.VARIABLE, variable)
    app = visit()
    assert "Your music" not in sections(app)
    assert "Add music" not in labels(app)
    assert "Jazz" not in texts(app)
    assert [entry.name for entry in catalog.offered()] == [catalog.BUNDLED_NAME]


def test_a_visitor_from_elsewhere_needs_the_key(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voting, "on_server", lambda: False)
    assert "Your music" not in sections(visit())
    monkeypatch.setenv(voting.PRESENTER, "secret")
    recorded(own, "finished", tracks=9)
    app = visit()
    assert "Add music" not in labels(app)
    assert "Index this folder" not in labels(app)
    assert "Only the presenter" in texts(app)
    assert "Jazz" not in texts(app)
    app.text_input(key=voting.KEY).set_value("guess").run()
    assert "Index this folder" not in labels(app)
    app.text_input(key=voting.KEY).set_value("secret").run()
    assert {"Index this folder", "Update"} <= set(labels(app))


def test_a_button_beside_the_title_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(session, "switch", opened.append)
    app = visit(section="overview")
    press(app, "Add music")
    assert opened == ["about"]
    assert app.session_state["about_section"] == access.SECTION
    # Not in front of a room.
    app.session_state[session.PRESENT] = 1
    app.run()
    assert "Add music" not in labels(app)


def test_what_is_chosen_just_before_the_button_is_pressed_counts(own: Path) -> None:
    app = visit()
    app.selectbox(key="own_music_folder_music").set_value("Jazz")
    # Both arrive at once, as they do when the server is slower than the visitor.
    press(app, "Index this folder")
    (run,) = access.indexer().runs()
    assert run.source == str((own.parent / "music" / "Jazz").resolve())


def test_a_named_folder_that_has_gone_meanwhile_is_said(own: Path) -> None:
    app = visit()
    (own.parent / "music").rename(own.parent / "elsewhere")
    press(app, "Index this folder")
    assert "is gone" in texts(app)
    assert access.indexer().runs() == []


@pytest.mark.parametrize("left", ["Folk", None])
def test_a_chosen_folder_that_has_gone_meanwhile_is_said(own: Path, left: str | None) -> None:
    app = visit()
    app.selectbox(key="own_music_folder_music").set_value("Jazz").run()
    (own.parent / "music" / "Jazz").rmdir()
    if left is None:
        (own.parent / "music" / "Folk").rename(own.parent / "Folk")
    press(app, "Index this folder")
    assert "Jazz is gone" in texts(app)
    assert access.indexer().runs() == []


def test_a_label_means_what_it_meant_when_it_was_shown(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = own.parent / "other" / "music"
    (other / "Jazz").mkdir(parents=True)
    monkeypatch.setenv(music_files.VARIABLE, f"{own.parent / 'music'}{os.pathsep}{other}")
    app = visit()
    assert app.selectbox(key="own_music_folder").options == ["music", "music (2)"]
    (own.parent / "music").rename(own.parent / "gone")
    press(app, "Index this folder")
    assert "is gone" in texts(app)
    assert access.indexer().runs() == []


def test_a_run_is_seen_by_all_and_can_be_stopped_and_gone_on_with(own: Path) -> None:
    app = visit()
    assert app.selectbox(key="own_music_folder").options == ["music"]
    inner = app.selectbox(key="own_music_folder_music")
    assert inner.options == ["Folk", "Jazz"]
    inner.set_value("Folk").run()
    app.selectbox(key="own_music_folder_music/Folk").set_value("Old").run()
    assert access.indexer().runs() == []
    press(app, "Index this folder")
    while (run := access.indexer().current()) and not run.done:
        time.sleep(0.01)
    assert run is not None
    assert run.source == str((own.parent / "music" / "Folk" / "Old").resolve())
    other = visit()
    assert "Index this folder" not in labels(other)
    assert "Old" in texts(other)
    press(other, "Stop")
    wait_until_ended()
    app.run()
    assert "music/Folk/Old: stopped after 1 of 4 files. What was finished is kept." in texts(app)
    press(app, "Go on")
    assert access.indexer().current() is not None


def test_a_second_run_is_refused_in_one_line(own: Path) -> None:
    app, other = visit(), visit()
    press(app, "Index this folder")
    press(other, "Index this folder")
    assert [error.value for error in other.error] == [
        "“music” is being indexed. Wait until that has ended, or stop it."
    ]
    other.run()
    assert [error.value for error in other.error] == []


def test_a_folder_that_has_gone_is_refused_in_one_line(own: Path) -> None:
    app = visit()
    (app.selectbox(key="own_music_folder_music")).set_value("Jazz").run()
    recorded(own, "stopped", found=3, done=1)
    (own.parent / "music" / "Jazz").rmdir()
    app.run()
    press(app, "Go on")
    assert "The folder music/Jazz is gone. Put it back or choose another one." in texts(app)


def test_a_finished_run_offers_its_library(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(session, "open_library", opened.append)
    skipped = tuple(Skipped(f"{n}.mp3", "Broken.") for n in range(2))
    recorded(own, "finished", tracks=20, skipped=2, reasons=skipped, passed_over={".jpg": 3, "": 1})
    synthetic_index.write(own / "Jazz", 20)
    app = visit()
    assert app.selectbox(key=session.LIBRARY).options == [catalog.BUNDLED_NAME, "Jazz"]
    assert "20 tracks from music/Jazz. 2 files were skipped." in texts(app)
    assert "kinds that are not read: 3 .jpg, 1 without an ending." in texts(app)
    (table,) = (frame.value for frame in app.dataframe)
    assert list(table["File"]) == ["0.mp3", "1.mp3"]
    press(app, "Open the library")
    assert opened == ["Jazz"]
    press(app, "Remove the index")
    assert not (own / "Jazz").exists()
    assert "Jazz" not in texts(app)


def test_a_failed_run_says_why(own: Path) -> None:
    recorded(own, "failed", error="The disk is full. Free some space, then go on.")
    app = visit()
    assert "The disk is full. Free some space, then go on." in texts(app)
    assert "Go on" in labels(app)


def test_a_press_that_is_no_longer_allowed_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit()
    monkeypatch.setattr(access, "may_index", lambda: False)
    app.button(key="own_music_start").click().run()
    assert access.indexer().runs() == []


def test_missing_folders_are_named_by_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(music_files.VARIABLE, "/no/such/folder")
    app = visit()
    assert "None of the folders that SOUNDALIKE_MUSIC names is there" in texts(app)
    assert "Index this folder" not in labels(app)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "Starting …"),
        ({"found": 1}, "Starting: 1 file found …"),
        ({"step": "Analysing", "found": 1_200, "done": 37}, "37 of 1,200 files"),
        (
            {"step": "Analysing", "found": 9, "done": 3, "rate": 1.44, "left": 100.0, "skipped": 2},
            "3 of 9 files, 1.4 a second, 2 min left, 2 skipped",
        ),
        ({"step": "Writing the index", "found": 9, "done": 9}, "Writing the index …"),
        ({"state": "stopping", "step": "Analysing"}, "Stopping. What is finished is kept …"),
    ],
)
def test_progress_is_one_line(values: dict[str, object], line: str) -> None:
    assert section.said(Run("x", "/x", **values)) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"state": "finished", "tracks": 1}, "1 track from x."),
        (
            {"state": "finished", "tracks": 2_000, "skipped": 1},
            "2,000 tracks from x. 1 file was skipped.",
        ),
        ({"state": "stopped"}, "x: stopped. What was finished is kept."),
        (
            {"state": "failed", "found": 9, "done": 3, "tracks": 2},
            "x: stopped after 3 of 9 files. What was finished is kept. The library has 2 tracks so far.",
        ),
    ],
)
def test_a_result_is_a_sentence_or_two(values: dict[str, object], sentence: str) -> None:
    assert section.result(Run("x", "/elsewhere/x", **values)) == sentence  # type: ignore[arg-type]
