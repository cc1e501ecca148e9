"""Tests of the image: its steps, taken in an empty folder without a daemon, and what describes it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import image
import pytest
import yaml
from image import Image

ROOT = Path(__file__).resolve().parents[2]
BASE_MB = 130
"""Of python:3.11-slim, unpacked."""
MAX_MB = 1_500
PORT = "8501"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return image.build(ROOT / "Dockerfile", ROOT, tmp_path_factory.mktemp("image"))


@contextmanager
def started(built: Image) -> Iterator[str]:
    """The address of the image's server, at a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (built.root / "tmp").mkdir(exist_ok=True)
    command = [
        word.replace(f"--server.port={PORT}", f"--server.port={port}") for word in built.entrypoint
    ]
    with subprocess.Popen(command, cwd=built.root / built.workdir, env=built.environ()) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            assert server.wait(20) in (143, -15)


def answer(address: str) -> bytes:
    """What an address answers, once there is a server."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=5) as found:
                return bytes(found.read())
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


@pytest.mark.sweep
def test_the_steps_make_an_image_that_serves_the_app(built: Image) -> None:
    size = built.size() / 1e6
    print(f"the image adds {size:,.0f} MB to its base")
    assert BASE_MB + size < MAX_MB
    python = built.root / "opt" / "venv" / "bin" / "python"
    (packages,) = (built.root / "opt" / "venv" / "lib").glob("python3*/site-packages")
    assert not (packages / "tensorflow").exists()
    assert not (packages / "pip").exists()
    with started(built) as address:
        assert answer(f"{address}/_stcore/health") == b"ok"
        assert b"Soundalike" in answer(address)
    clip = "assets/library/clips/0102.opus"
    code = f"import soundalike; print(len(soundalike.recommend('{clip}', length=10)))"
    done = subprocess.run(
        [python, "-c", code], cwd=built.root / "app", env=built.environ(), capture_output=True, text=True
    )
    assert done.stdout == "10\n", done.stderr


def test_the_user_is_nobody_and_the_port_is_the_same_everywhere() -> None:
    taken = dict(image.steps((ROOT / "Dockerfile").read_text(encoding="utf-8")))
    assert taken["USER"] == "10001"
    assert taken["EXPOSE"] == PORT
    assert f"http://127.0.0.1:{PORT}/_stcore/health" in taken["HEALTHCHECK"]
    assert f"--server.port={PORT}" in taken["ENTRYPOINT"]
    assert space()["app_port"] == int(PORT)
    assert composed()["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_what_is_copied_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = [
        value
        for name, value in image.steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))
        if name == "COPY"
    ]
    sources = {word for value in copied if "--from" not in value for word in value.split()[:-1]}
    assert sources == allowed


def composed() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return dict(document["services"]["soundalike"])


def test_compose_starts_the_image_as_the_documentation_does() -> None:
    service = composed()
    assert service["build"] == "."
    command = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    options = {
        "--read-only": service["read_only"] is True,
        f"--tmpfs {service['tmpfs'][0]}": True,
        "target=/votes": service["volumes"] == ["votes:/votes"],
        "--cap-drop ALL": service["cap_drop"] == ["ALL"],
        "--security-opt no-new-privileges": service["security_opt"] == ["no-new-privileges:true"],
        f"--memory {service['mem_limit']}": True,
        f"--pids-limit {service['pids_limit']}": True,
        f"--publish {service['ports'][0]}": True,
        f"--restart {service['restart']}": True,
    }
    assert {option: same and option in command for option, same in options.items()} == dict.fromkeys(
        options, True
    )


def space() -> dict[str, Any]:
    """The front matter of the Space's README."""
    text = (ROOT / "docs" / "space.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert found is not None
    return dict(yaml.safe_load(found[1]))


def test_the_space_builds_the_dockerfile() -> None:
    front = space()
    assert front["sdk"] == "docker"
    assert front["license"] == "mit"
    assert len(front["short_description"]) <= 60


def test_the_development_container_is_set_up_by_make() -> None:
    document = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert document["updateContentCommand"] == "make .venv/.test"
    assert document["forwardPorts"] == [int(PORT)]
    packages = re.search(r"--no-install-recommends (.*)", document["onCreateCommand"])
    assert packages is not None
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(package in script for package in packages[1].split())
