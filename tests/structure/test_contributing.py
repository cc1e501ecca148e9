"""CONTRIBUTING.md shows how to add a representation; here exactly that is done."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_library import copy_library

from soundalike import paths

GUIDE = (paths.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAME, TITLE = "tempogram", "Rhythm"

COMPARE = f"""
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("pages/compare.py", default_timeout=60)
app.query_params["by"] = "{NAME}"
app.run()
assert not app.exception, app.exception
options = app.get("multiselect")[0].options
assert "{TITLE}" in options, options
assert not [error.value for error in app.error]
"""


@pytest.fixture(scope="module")
def changed_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the section was followed, word by word."""
    root = tmp_path_factory.mktemp("contributed")
    for folder in ("src", "pages"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(paths.ROOT / folder, root / folder, ignore=ignored)
    (root / "assets").symlink_to(paths.ASSETS)
    (module,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (line,) = re.findall(r"^    _of\(.*$", GUIDE, re.MULTILINE)
    package = root / "src" / "soundalike" / "representations"
    (package / f"{NAME}.py").write_text(module, encoding="utf-8")
    registry = package / "__init__.py"
    before, all_, after = registry.read_text(encoding="utf-8").partition("_ALL = (\n")
    entries, end, rest = after.partition("\n)\n")
    registry.write_text(f"{before}{all_}{entries}\n{line}{end}{rest}", encoding="utf-8")
    return root


def run(root: Path, *arguments: str) -> str:
    environment = os.environ | {
        "PYTHONPATH": str(root / "src"),
        "SOUNDALIKE_INDEX": str(root / "rhythm"),
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.sweep
def test_the_example_is_in_the_index_the_evaluation_and_on_compare(changed_tree: Path) -> None:
    with (paths.LIBRARY / "tracks.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["track_id"] for row in csv.DictReader(file)]
    library = copy_library(changed_tree / "library", ids[:: len(ids) // 40])
    commands = [
        command.split()[1:]
        for command in re.findall(r"^soundalike .*$", GUIDE, re.MULTILINE)
        if NAME in command
    ]
    assert [command[0] for command in commands] == ["index", "evaluate"]
    for command in commands:
        arguments = [str(library) if word == "assets/library" else word for word in command]
        said = run(changed_tree, "-m", "soundalike", *arguments)
        assert NAME in said
    run(changed_tree, "-c", COMPARE)


def test_the_example_passes_the_linters(changed_tree: Path) -> None:
    package = changed_tree / "src" / "soundalike" / "representations"
    settings = str(paths.ROOT / "pyproject.toml")
    for command in (["check"], ["format", "--check"]):
        files = [str(package / f"{NAME}.py"), str(package / "__init__.py")]
        run(changed_tree, "-m", "ruff", *command, "--config", settings, *files)
