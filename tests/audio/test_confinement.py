"""What a decoder that a file has taken over can't do any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.audio import confinement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux can confine a process")

ATTACKS = {
    "read a file": ("landlock", "open('/etc/hostname').read()"),
    "list a folder": ("landlock", "os.listdir('/')"),
    "read the server's environment": ("landlock", "open(f'/proc/{os.getppid()}/environ', 'rb').read()"),
    "read the server's memory": ("landlock", "open(f'/proc/{os.getppid()}/mem', 'rb')"),
    "write a file": ("landlock", "open(sys.argv[1], 'r+b')"),
    "make a file": ("landlock", "open(sys.argv[1] + '2', 'wb')"),
    "delete a file": ("landlock", "os.unlink(sys.argv[1] + 'd')"),
    "change a mode": ("seccomp", "os.chmod(sys.argv[1], 0o777)"),
    "open a socket": ("seccomp", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    "open a local socket": ("seccomp", "socket.socket(socket.AF_UNIX)"),
    "signal the server": ("seccomp", "os.kill(os.getppid(), 0)"),
    "fork": ("seccomp", "os.fork() or os._exit(0)"),
    "run a program": ("seccomp", "os.execv('/bin/true', ['true'])"),
    "start a program": ("seccomp", "os.posix_spawn('/bin/true', ['true'], {})"),
    "limit the server": ("seccomp", "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))"),
}
BEGIN = "import os, resource, socket, sys, threading\nfrom soundalike.audio import confinement\n"


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def parts() -> list[str]:
    return run("print(*confinement.confine())").split()


def test_memory_and_privileges(parts: list[str]) -> None:
    assert {"memory", "privileges"} <= set(parts)
    status = run(
        "kept = open('/proc/self/status')\nconfinement.confine()\nprint(kept.read())",
    )
    assert "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, parts: list[str], tmp_path: Path) -> None:
    part, attack = ATTACKS[name]
    if part not in parts:
        pytest.skip(f"this system has no {part}")
    file = tmp_path / "file"
    file.write_bytes(b"x")
    Path(f"{file}d").write_bytes(b"x")
    code = f"confinement.confine()\ntry: {attack}\nexcept PermissionError: print('refused')"
    assert run(code, str(file)) == "refused\n"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "filed"}


def test_threads_and_modules_stay_possible(parts: list[str]) -> None:
    code = (
        "confinement.confine()\n"
        "thread = threading.Thread(target=lambda: print('thread'))\n"
        "thread.start()\n"
        "import xml.dom.minidom, encodings.cp1252\n"
        "thread.join()\n"
        "print('module')"
    )
    assert run(code).split() == ["thread", "module"]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement.sys, "platform", "darwin")
    assert confinement.confine() == []


def test_missing_parts_are_left_out() -> None:
    code = (
        "confinement._call = lambda *arguments: -1\n"
        "confinement.ctypes.CDLL = None\n"
        "confinement.system.prctl = lambda *arguments: False\n"
        "real, confinement._filter_calls = confinement._filter_calls, lambda: False\n"
        "print(confinement.confine())"
    )
    assert run(code) == "[]\n"
