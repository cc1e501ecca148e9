"""Tests of the lock: requirements, constraints and locks agree, and every file has its checksum."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OF_THE_APP = ("requirements.txt",)
OF_THE_TESTS = ("requirements.txt", "requirements-cluster.txt", "requirements-test.txt")
LOCKS = {"requirements.lock": OF_THE_APP, "requirements-test.lock": OF_THE_TESTS}
ALL = (*OF_THE_TESTS, "constraints.txt", *LOCKS)


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
def test_a_lock_has_what_is_required(lock: str) -> None:
    locked = versions(lock)
    for file in LOCKS[lock]:
        for name, version in versions(file).items():
            assert locked[name] == version, f"{name}: run `make lock`"


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


@pytest.mark.parametrize("file", ALL)
def test_no_requirement_names_a_place(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--|^-f|^-i", text, re.MULTILINE)


def test_what_builds_the_package_is_locked() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    locked = versions("requirements.lock")
    for line in build["requires"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_requirements_install_the_package_by_themselves() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "-e ."
    assert "-c constraints.txt" in lines
