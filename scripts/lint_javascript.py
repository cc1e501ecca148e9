"""Lint the app's JavaScript as it is served, with oxlint.

A component's script is several files of `soundalike.ui.frontend` joined into one module, so a file may
use definitions from another. This runs oxlint on the joined modules, each named by its files. Rules are
in .oxlintrc.json.

    python scripts/lint_javascript.py
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from streamlit.components import v2

from soundalike import ui
from soundalike.ui import frontend

CONFIG = Path(__file__).resolve().parents[1] / ".oxlintrc.json"
PROGRAM = Path(sys.executable).with_name("oxlint")
PARTLY_USED = "player_parts.js"
"""Shared code, of which each component uses what it needs."""


def scripts() -> set[str]:
    """The scripts of all components of the app."""
    served: set[str] = set()

    def note(*_: Any, js: str, **__: Any) -> None:
        served.add(js)

    with mock.patch.object(v2, "component", note):
        for found in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
            for name, value in vars(importlib.import_module(found.name)).items():
                if name.startswith("_register"):
                    value.__wrapped__()
    return served


def main() -> None:
    """Lint; exit with 1 if there are findings, or files that no component has."""
    parts = {path.stem: path.read_text(encoding="utf-8") for path in frontend.FOLDER.glob("*.js")}
    shared, rule = frontend.read(PARTLY_USED), "no-unused-vars"
    unused = set(parts)
    with tempfile.TemporaryDirectory() as folder:
        for script in scripts():
            own = [name for name, text in parts.items() if text in script]
            unused -= set(own)
            text = script.replace(
                shared, f"/* eslint-disable {rule} */{shared}/* eslint-enable {rule} */"
            )
            (Path(folder) / f"{'+'.join(own)}.js").write_text(text, encoding="utf-8")
        linted = subprocess.run([PROGRAM, "--config", CONFIG, folder])
    for name in sorted(unused):
        print(f"{frontend.FOLDER / name}.js: no component has it")
    sys.exit(bool(unused or linted.returncode))


if __name__ == "__main__":
    main()
