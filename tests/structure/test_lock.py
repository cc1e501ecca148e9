"""Tests of the lock: pyproject.toml, constraints and locks agree, and every file has its checksum."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDED: list[str] = PYPROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
BUILD: list[str] = PYPROJECT["build-system"]["requires"]
LOCKS = {
    "requirements.lock": [*NEEDED, *BUILD],
    "requirements-test.lock": [*NEEDED, *BUILD, *(line for extra in EXTRAS.values() for line in extra)],
}
PINNED = ("constraints.txt", *LOCKS)
TENSORFLOW = {"tensorflow", "tensorflow-cpu", "keras"}


def pins(file: str) -> dict[tuple[str, str], str]:
    """The exact version of each requirement, by its name and what it is needed on."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if not line or line.lstrip().startswith(("#", "-")):
            continue
        requirement = Requirement(line.split(" --hash")[0].strip())
        (only,) = requirement.specifier
        assert only.operator == "==", line
        name = canonicalize_name(requirement.name)
        found[name, str(requirement.marker or "")] = only.version
    return found


def versions(file: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for (name, _), version in pins(file).items():
        assert found.setdefault(name, version) == version, name
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_is_needed(lock: str) -> None:
    locked = versions(lock)
    for line in LOCKS[lock]:
        requirement = Requirement(line)
        if requirement.name != "soundalike":
            version = locked[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{line}: run `make lock`"


@pytest.mark.parametrize("line", [*NEEDED, *(line for extra in EXTRAS.values() for line in extra)])
def test_every_requirement_has_a_lower_and_an_upper_bound(line: str) -> None:
    requirement = Requirement(line)
    if requirement.name != "soundalike":
        text = str(requirement.specifier)
        assert re.fullmatch(r"~=[\d.]+|==[\d.]+\*|<\d+,>=[\d.]+", text), line


def test_the_test_extra_has_all_other_extras() -> None:
    (own,) = (Requirement(line) for line in EXTRAS["dev"] if line.startswith("soundalike"))
    assert own.extras == EXTRAS.keys() - {"dev"}


def test_the_app_does_without_tensorflow() -> None:
    assert not TENSORFLOW & versions("requirements.lock").keys()
    assert versions("requirements-test.lock").keys() >= TENSORFLOW


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_the_versions_of_the_constraints(lock: str) -> None:
    assert versions(lock).items() <= versions("constraints.txt").items(), "run `make lock`"


def test_the_constraints_are_for_what_is_needed_and_nothing_else() -> None:
    assert versions("constraints.txt") == versions("requirements-test.lock"), "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_the_checksums_of_its_files(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) == len(pins(lock))
    for line in lines:
        hashes = re.findall(r" --hash=(\S+)", line)
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), line


@pytest.mark.parametrize("file", [*PINNED, "requirements.txt"])
def test_no_requirement_names_a_place(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--|^-f|^-i", text, re.MULTILINE)


def test_what_builds_the_package_is_locked() -> None:
    assert PYPROJECT["dependency-groups"]["build"] == BUILD


def test_requirements_install_the_package_by_themselves() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-c constraints.txt", "-e ."]
