"""Tests of what is done before the first page is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.index import catalog
from soundalike.ui.middleware import first_page

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import sys
from soundalike.ui.middleware import first_page
first_page._prepare()
from soundalike.playlist import reach
from streamlit.testing.v1 import AppTest
import soundalike.ui.anatomy.ahead
known = set(sys.modules)
app = AppTest.from_file("app.py", default_timeout=120).run()
assert not app.exception
print(sorted(name for name in set(sys.modules) - known if name.startswith(("soundalike.", "pandas."))))
print(len(reach._known))
"""


def test_the_first_page_imports_and_opens_nothing_more() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", CODE],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    imported, libraries = done.stdout.splitlines()
    # What is left is the script's own, app.py. That imports `ahead` once the page is shown.
    assert set(ast.literal_eval(imported)) <= {"soundalike.ui.origins"}
    assert libraries == "1"


def test_a_library_that_cannot_be_opened_is_left_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(tmp_path))
    assert catalog.offered()[0].folder == tmp_path
    first_page._prepare()
