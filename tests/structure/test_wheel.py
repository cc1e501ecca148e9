"""Tests of the wheel and of the starter library's archive: each file of the tree is there, once."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import starter_archive

from soundalike import __version__

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "src/soundalike": "soundalike",
    "app.py": "soundalike/app/app.py",
    "pages": "soundalike/app/pages",
    ".streamlit": "soundalike/app/.streamlit",
    "assets/evaluation": "soundalike/app/assets/evaluation",
    "assets/models": "soundalike/app/assets/models",
    "assets/icon.png": "soundalike/app/assets/icon.png",
    "assets/starter.json": "soundalike/app/assets/starter.json",
}
"""Where the wheel has what the tree has."""
MAX_MB = 150


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


def tree() -> Iterator[tuple[str, Path]]:
    """Each file that the wheel should have, by its name there."""
    for place, name in PLACES.items():
        whole = ROOT / place
        for path in [whole] if whole.is_file() else sorted(whole.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                below = path.relative_to(whole).as_posix()
                yield name if below == "." else f"{name}/{below}", path


def test_the_wheel_has_what_the_tree_has_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"soundalike-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        found = {
            entry.filename: entry.CRC
            for entry in archive.infolist()
            if ".dist-info/" not in entry.filename
        }
    assert found == {name: zlib.crc32(path.read_bytes()) for name, path in tree()}


def test_the_wheel_has_no_tests_and_no_pictures_and_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if re.search(r"(^|/)tests?/|\.(webp|webm|opus)$", name)]
    assert wheel.stat().st_size < MAX_MB * 2**20


def test_the_package_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(name).decode()
    needed = re.findall(r"^Requires-Dist: ([\w-]+)([^;\n]*)(.*)$", metadata, re.MULTILINE)
    always = {package for package, _, marker in needed if "extra" not in marker}
    assert {"streamlit", "openvino", "librosa", "numpy", "plotly", "umap-learn"} <= always
    assert not {"tensorflow", "tensorflow-cpu", "keras", "pytest"} & always
    assert set(re.findall(r"^Provides-Extra: (\S+)$", metadata, re.MULTILINE)) == {
        *("approximate", "cluster", "dev", "train")
    }


def test_the_starter_librarys_checksum(tmp_path: Path) -> None:
    archive = tmp_path / "starter.zip"
    with archive.open("wb") as file:
        starter_archive.write(file)
    facts = json.loads(starter_archive.FACTS.read_text(encoding="utf-8"))
    assert facts["bytes"] == archive.stat().st_size, "run `make wheel`"
    with archive.open("rb") as file:
        assert facts["sha256"] == hashlib.file_digest(file, "sha256").hexdigest(), "run `make wheel`"
