"""Lint the app's JavaScript as it is served, with oxlint.

A component's script is several files of `soundalike.ui.frontend` joined into one module, so a file may
use definitions from another. This joins them as the components do, runs oxlint on the modules, and maps
each finding back to its source file. Rules are in .oxlintrc.json.

    python scripts/lint_javascript.py
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from streamlit.components import v2

from soundalike import ui
from soundalike.ui import frontend

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / ".oxlintrc.json"
PROGRAM = Path(sys.executable).with_name("oxlint")
UNUSED = "eslint(no-unused-vars)"

Finding = tuple[str, int, str, str]
"""File, line, rule and message."""


def modules() -> set[tuple[str, ...]]:
    """The files of every script in the app's components."""
    names_of: dict[str, tuple[str, ...]] = {}
    served: set[tuple[str, ...]] = set()
    read = frontend.read

    def note_names(*names: str) -> str:
        text = read(*names)
        names_of[text] = names
        return text

    def note_script(*_: Any, js: str, **__: Any) -> None:
        served.add(names_of[js])

    with (
        mock.patch.object(frontend, "read", note_names),
        mock.patch.object(v2, "component", note_script),
    ):
        for found in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if name.startswith("_register"):
                    value.__wrapped__()
    return served


def findings(names: tuple[str, ...]) -> Iterator[Finding]:
    """Findings of oxlint in files joined into a module."""
    places = [
        (name, line) for name in names for line, _ in enumerate(frontend.read(name).split("\n"), start=1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.js"
        path.write_text(frontend.read(*names), encoding="utf-8")
        asked = [str(PROGRAM), "--config", str(CONFIG), "--format", "json", str(path)]
        done = subprocess.run(asked, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)["diagnostics"]
    except ValueError:
        sys.exit(f"oxlint failed: {done.stdout}{done.stderr}")
    for problem in found:
        line = problem["labels"][0]["span"]["line"] if problem["labels"] else 1
        yield *places[line - 1], problem.get("code", "syntax"), problem["message"]


def problems(scripts: set[tuple[str, ...]]) -> list[Finding]:
    """Findings in all modules; a shared part counts as used if one module uses it."""
    found = {names: set(findings(names)) for names in scripts}
    return sorted(
        one
        for one in set().union(*found.values())
        if one[2] != UNUSED or all(one in found[names] for names in scripts if one[0] in names)
    )


def main() -> None:
    """Print the findings; exit with 1 if there are any."""
    scripts = modules()
    missed = {path.name for path in frontend.FOLDER.glob("*.js")} - {name for s in scripts for name in s}
    wrong = problems(scripts)
    for name in sorted(missed):
        print(f"{frontend.FOLDER / name}: no component has it")
    for name, line, rule, message in wrong:
        print(f"{(frontend.FOLDER / name).relative_to(ROOT)}:{line}: {rule} {message}")
    sys.exit(bool(missed or wrong))


if __name__ == "__main__":
    main()
