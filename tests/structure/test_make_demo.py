"""What `make demo` runs, in what order and with which libraries; the programs are stand-ins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """#!/bin/sh
name=$(basename "$0")
test "$name" = python && exit
echo $name $* >> "$(dirname "$0")/../log"
test $name = streamlit && echo "$SOUNDALIKE_INDEX|$SOUNDALIKE_MUSIC" >> "$(dirname "$0")/../log"
test "$1" != "$FAILS"
"""
FETCH = "soundalike fetch fma-sample --dir fma/sample"
INDEX = "soundalike index fma/sample --out fma/index --complete"
APP = "streamlit run app.py --server.port 8501"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to run make in, with an environment that is set up."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    for name in ("python", "soundalike", "streamlit"):
        program = tmp_path / "venv" / "bin" / name
        program.write_text(PROGRAM)
        program.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml", "venv/.app"):
        (tmp_path / name).touch()
    (tmp_path / "fma" / "sample").mkdir(parents=True)
    (tmp_path / "fma" / "sample" / "tracks.csv").touch()
    return tmp_path


def make(folder: Path, *words: str, **environment: str) -> tuple[int, list[str], str]:
    """Run `make demo`: its exit code, what it ran, and its errors."""
    names = ("SOUNDALIKE_INDEX", "SOUNDALIKE_MUSIC", "MUSIC", "FMA", "PORT", "FAILS")
    given = {name: value for name, value in os.environ.items() if name not in names} | environment
    command = ["make", "-C", str(folder), "-f", str(ROOT / "Makefile"), "demo", "VENV=venv", *words]
    log = folder / "venv" / "log"
    log.write_text("")
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60)
    return done.returncode, log.read_text().splitlines(), done.stderr


def test_the_bundled_library(folder: Path) -> None:
    assert make(folder) == (0, [APP, "|"], "")


def test_a_sample_of_fma(folder: Path) -> None:
    code, ran, _ = make(folder, "MUSIC=fma", "FMA=--tracks 200 --seed 1")
    assert code == 0
    assert ran == [f"{FETCH} --tracks 200 --seed 1", INDEX, APP, "fma/index|"]


def test_beside_libraries_of_ones_own(folder: Path) -> None:
    _, ran, _ = make(folder, "MUSIC=fma", SOUNDALIKE_INDEX="my", SOUNDALIKE_MUSIC="/music")
    assert ran[-1] == "fma/index:my|fma/sample:/music"


def test_nothing_is_opened_if_it_cannot_be_fetched(folder: Path) -> None:
    code, ran, _ = make(folder, "MUSIC=fma", FAILS="fetch")
    assert (code, ran) == (2, [FETCH])


def test_a_sample_is_indexed_once(folder: Path) -> None:
    manifest = folder / "fma" / "index" / "manifest.json"
    code, ran, _ = make(folder, "MUSIC=fma", FAILS="index")
    assert (code, ran) == (2, [FETCH, INDEX])
    manifest.parent.mkdir()
    manifest.touch()
    assert make(folder, "MUSIC=fma")[1] == [FETCH, INDEX, APP, "fma/index|"]
    assert make(folder, "MUSIC=fma")[1] == [FETCH, APP, "fma/index|"]
    (folder / "fma" / "sample" / "tracks.csv").touch()
    assert make(folder, "MUSIC=fma")[1] == [FETCH, INDEX, APP, "fma/index|"]
    manifest.unlink()
    assert make(folder, "MUSIC=fma")[1] == [FETCH, INDEX, APP, "fma/index|"]


def test_other_music(folder: Path) -> None:
    code, ran, error = make(folder, "MUSIC=jazz")
    assert (code, ran) == (2, [])
    assert "MUSIC is fma or nothing" in error
