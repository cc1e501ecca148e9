"""Tests of where numba writes: anywhere it can, else in a folder that is this user's alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import faults
import pytest

from soundalike import numba_cache

LIBRARIES = """
import sysconfig
sysconfig.get_path = lambda name: {packages!r}
from soundalike import numba_cache
import os
numba_cache.choose_folder()
print(os.environ.get(numba_cache.VARIABLE))
"""


def chosen(packages: Path, home: Path, temporary: Path, before: str = "") -> str:
    done = faults.run(
        f"import os; os.environ.pop('NUMBA_CACHE_DIR', None)\n{before}\n"
        + LIBRARIES.format(packages=str(packages)),
        HOME=str(home),
        TMPDIR=str(temporary),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    return folder


def test_where_numba_can_write_it_does(closed: Path, tmp_path: Path) -> None:
    assert chosen(tmp_path, closed, tmp_path) == "None"
    assert chosen(closed, tmp_path, tmp_path) == "None"


def test_elsewhere_it_has_a_folder_of_its_own(closed: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"soundalike-numba-{os.getuid()}"
    assert chosen(closed, closed, tmp_path) == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert chosen(closed, closed, tmp_path) == str(folder)


def test_a_folder_that_others_may_write_is_not_trusted(closed: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"soundalike-numba-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert chosen(closed, closed, tmp_path) == "None"


def test_without_any_place_there_is_none(closed: Path) -> None:
    nowhere = "import tempfile\ndef none(): raise FileNotFoundError\ntempfile.gettempdir = none"
    assert chosen(closed, closed, closed, nowhere) == "None"


@pytest.mark.sweep
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's file locks")
def test_one_process_at_a_time_compiles() -> None:
    code = "from soundalike import numba_cache; print('begins', flush=True); numba_cache.ready()"
    with numba_cache._compile_lock():
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "begins\n"
        with pytest.raises(subprocess.TimeoutExpired):
            # Without the lock the import takes a second or two.
            other.wait(5)
    assert other.wait(120) == 0


def test_without_a_place_for_the_lock_it_goes_without(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(numba_cache.tempfile, "gettempdir", lambda: str(tmp_path / "none"))
    with numba_cache._compile_lock():
        pass
