"""Tests of `soundalike demo`: what it runs, and what it refuses to."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from command_line import Capture, complaint, run

from soundalike import paths
from soundalike.cli import demo
from soundalike.datasets import starter


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What would have been run, with its environment."""
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(demo, "_become", lambda *call: calls.append(call))
    monkeypatch.delenv("SOUNDALIKE_INDEX", raising=False)
    monkeypatch.delenv("SOUNDALIKE_MUSIC", raising=False)
    monkeypatch.delenv("SOUNDALIKE_STARTER", raising=False)
    return calls


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def without_starter(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As after an installation; what would be fetched."""
    fetched: list[str] = []
    monkeypatch.setattr(starter, "is_there", lambda: False)
    monkeypatch.setattr(starter, "fetch", lambda source, on_bytes: fetched.append(source))
    return fetched


def test_the_bundled_library(started: list, capsys: Capture, port: int) -> None:
    assert run(capsys, "demo", "--port", port)[0] == 0
    ((command, environment),) = started
    assert command[:5] == [sys.executable, "-P", "-m", "streamlit", "run"]
    assert command[5:] == [
        *(str(paths.ROOT / "app.py"), "--server.address=localhost", f"--server.port={port}"),
        "--server.headless=true",
    ]
    assert environment == dict(os.environ)


def test_libraries_of_ones_own_and_a_browser(
    started: list, capsys: Capture, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(paths.ASSETS)
    run(capsys, "demo", "--port", port, "--index", "index", "--index", paths.BUNDLED_INDEX, "--open")
    ((command, environment),) = started
    assert command[-1] == "--server.headless=false"
    assert environment["SOUNDALIKE_INDEX"] == f"{paths.BUNDLED_INDEX}{os.pathsep}{paths.BUNDLED_INDEX}"
    assert environment["SOUNDALIKE_MUSIC"] == f"{paths.LIBRARY}{os.pathsep}{paths.LIBRARY}"


def test_music_is_played_to_other_computers_only_if_it_is_named(
    started: list, capsys: Capture, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, "demo", "--port", port, "--index", paths.BUNDLED_INDEX, "--host", "0.0.0.0")
    monkeypatch.setenv("SOUNDALIKE_MUSIC", "/music")
    run(capsys, "demo", "--port", port, "--index", paths.BUNDLED_INDEX)
    (other, others), (_, named) = started
    assert "--server.address=0.0.0.0" in other
    assert "SOUNDALIKE_MUSIC" not in others
    assert named["SOUNDALIKE_MUSIC"] == "/music"


def test_no_index(started: list, capsys: Capture, tmp_path: Path) -> None:
    assert "is not an index" in complaint(capsys, 1, "demo", "--index", tmp_path)
    assert started == []


def test_a_port_that_is_taken(started: list, without_starter: list[str], capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        message = complaint(capsys, 2, "demo", "--port", taken.getsockname()[1], "--starter", "here.zip")
    assert "Choose another one with --port" in message
    assert (started, without_starter) == ([], [])


def test_the_starter_library_is_missing(
    started: list, without_starter: list[str], capsys: Capture, port: int
) -> None:
    message = complaint(capsys, 2, "demo", "--port", port)
    assert "The starter library isn't installed yet. Name its archive (183 MB)" in message
    assert (started, without_starter) == ([], [])


@pytest.fixture
def named_starter(started: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_STARTER", "http://there/it.zip")


@pytest.mark.usefixtures("named_starter")
def test_the_starter_library_is_fetched(
    started: list, without_starter: list[str], capsys: Capture, port: int
) -> None:
    run(capsys, "demo", "--port", port, "--starter", "here.zip")
    run(capsys, "demo", "--port", port)
    assert without_starter == ["here.zip", "http://there/it.zip"]
    assert len(started) == 2


@pytest.mark.usefixtures("named_starter")
def test_music_of_ones_own_needs_no_starter_library(
    started: list, without_starter: list[str], capsys: Capture, port: int
) -> None:
    run(capsys, "demo", "--port", port, "--index", paths.BUNDLED_INDEX)
    assert (len(started), without_starter) == (1, [])
