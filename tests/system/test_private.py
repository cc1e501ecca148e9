"""Nothing calls out: no command, none of its processes, and no package of its own accord.

`e2e/test_private.py` is the same for the app.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import outgoing
import pytest
from outgoing import Recorder
from small_library import copy_library

from soundalike import paths
from soundalike.models import openvino_import

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("soundalike")
CLIP = paths.LIBRARY / "clips" / "0102.opus"
SOURCES = [
    path
    for name in ("src", "scripts", "benchmarks", "pages", "app.py")
    for path in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))
]
INDEX = ("index", "{library}", "--out", "{out}", "--representation", "soundalike", "--no-cache")
COMMANDS = {
    "recommend": ("recommend", str(CLIP)),
    "index, two workers": (*INDEX, "--workers", "2"),
    "index, no worker": (*INDEX, "--workers", "0"),
}
PYTHONS = {"recommend": 1, "index, two workers": 3, "index, no worker": 1}
"""Python processes that a command is, at least."""
CALLING = """
import contextlib, multiprocessing, socket

def call():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.connect(("192.0.2.1", 9))

if __name__ == "__main__":
    socket.getaddrinfo("192.0.2.2", None, flags=socket.AI_NUMERICHOST)
    call()
    for method in ("fork", "spawn"):
        child = multiprocessing.get_context(method).Process(target=call)
        child.start()
        child.join()
"""
"""Connecting without a packet sent, to addresses that are nobody's."""


def run(recorder: Recorder, *command: str) -> None:
    done = subprocess.run(
        [*recorder.tracer, *command],
        cwd=ROOT,
        env=outgoing.as_outside_ci(os.environ) | recorder.environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(
    scope="module",
    params=[
        "recommend",
        *(pytest.param(name, marks=pytest.mark.sweep) for name in COMMANDS if "index" in name),
    ],
)
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Recorder, list[outgoing.Call]]]:
    """A command that has ended, and what was recorded of it."""
    folder = tmp_path_factory.mktemp("private")
    (folder / "library").mkdir()
    library = copy_library(folder / "library", ("0001", "0002"))
    command = [part.format(library=library, out=folder / "index") for part in COMMANDS[request.param]]
    with outgoing.recorder(folder / "record") as recorder:
        run(recorder, str(PROGRAM), *command)
        yield request.param, recorder, recorder.by_python()


@pytest.mark.sweep
def test_a_command_calls_nobody(ran: tuple[str, Recorder, list[outgoing.Call]]) -> None:
    name, _, calls = ran
    assert len({call.pid for call in calls if call.event == "start"}) >= PYTHONS[name]
    assert outgoing.outward(calls) == []


def test_nor_do_its_libraries_in_c(ran: tuple[str, Recorder, list[outgoing.Call]]) -> None:
    if not outgoing.may_trace():
        pytest.skip("needs Debian's package strace, and leave to trace processes")
    assert outgoing.outward(ran[1].by_the_system()) == []


def test_a_command_leaves_nothing_in_the_home_folder(
    ran: tuple[str, Recorder, list[outgoing.Call]],
) -> None:
    assert list(ran[1].home.rglob("*")) == []


def test_calls_of_all_processes_are_recorded(tmp_path: Path) -> None:
    script = tmp_path / "calling.py"
    script.write_text(CALLING, encoding="utf-8")
    with outgoing.recorder(tmp_path / "record") as recorder:
        run(recorder, sys.executable, str(script))
        calls = outgoing.outward(recorder.by_python())
        assert {call.what for call in calls} == {"192.0.2.1", "192.0.2.2"}
        assert len({call.pid for call in calls if call.event == "socket.connect"}) == 3
        if outgoing.may_trace():
            traced = outgoing.outward(recorder.by_the_system())
            assert [(call.event, call.what) for call in traced] == [("connect", "192.0.2.1")] * 3


def test_openvino_is_imported_in_one_place() -> None:
    found = [source for source in SOURCES if any(_imports_openvino(source))]
    assert found == [Path(openvino_import.__file__)]


def _imports_openvino(source: Path) -> Iterator[bool]:
    """Of each import that is more than a type checker's, whether it is OpenVINO's."""
    waiting: list[ast.AST] = [ast.parse(source.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield any(alias.name.partition(".")[0] == "openvino" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] == "openvino"


def test_openvino_does_without_what_reports_it() -> None:
    code = (
        "import sys; from soundalike.models.openvino_import import REPORTER, import_openvino\n"
        "import_openvino(); from openvino.tools.ovc import telemetry_utils\n"
        "print(telemetry_utils.tm.__name__)\n"
        "print([name for name, kept in sys.modules.items() if kept and name.startswith(REPORTER)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["openvino.tools.ovc.telemetry_stub", "[]"]
