"""Faults for tests to meet: processes without a superuser's rights, small disks, read-only folders."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_DROP_FROM_BOUNDING_SET = 24
_CAPABILITIES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with these a superuser meets no permissions at all."""


def ordinary() -> None:
    """In a new process: have permissions hold, whoever runs the tests (Linux's `prctl`)."""
    if os.geteuid() == 0:
        for capability in _CAPABILITIES:
            ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def run(code: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, for which permissions hold."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=ordinary,
    )


def read_only_copy(target: Path) -> Path:
    """A copy of what the app needs in which no folder, and none of its files, can be written."""
    for name in ("src", "pages", ".streamlit", "assets"):
        copy = os.link if name == "assets" else shutil.copy2
        shutil.copytree(
            ROOT / name, target / name, copy_function=copy, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy2(ROOT / "app.py", target)
    for path in [target, *target.rglob("*")]:
        # The assets' files are the project's own, by another name.
        if path.is_dir() or path.stat().st_nlink == 1:
            path.chmod(0o555 if path.is_dir() else 0o444)
    return target


def writable_again(folder: Path) -> None:
    """So that a temporary folder can be cleared away."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def full_disk(folder: Path, kib: int, command: list[str]) -> list[str]:
    """A command that runs with a tiny disk of its own mounted at a folder, which nobody else sees."""
    mount = f'mount -t tmpfs -o size={kib}k none {folder} && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]
