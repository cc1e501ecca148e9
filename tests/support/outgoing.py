"""Recording whom a command calls, itself and every process that it starts.

Python's own look-ups and connections are reported by an audit hook, which Python sets in each process
because a `sitecustomize` lies on its path. What libraries in C do by themselves is seen by strace, where
that is installed and allowed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DNS = 53
PATIENCE_S = 20
_CALLS = ("connect", "sendto", "sendmsg", "sendmmsg")
_ADDRESS = re.compile(
    r'htons\((?P<port>\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")(?P<host>[^"]+)"'
)
_HOOK = """
import _socket, json, os, sys

record = os.open({record!r}, os.O_WRONLY | os.O_NONBLOCK)


def note(event, what):
    os.write(record, (json.dumps([os.getpid(), event, what]) + "\\n").encode())


def hook(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        note(event, str(arguments[0] or ""))
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments
        if sock.family in (_socket.AF_INET, _socket.AF_INET6) and address:
            note(event, str(address[0]))


note("start", " ".join(sys.orig_argv)[:1000])
sys.addaudithook(hook)
"""


@dataclass(frozen=True)
class Call:
    """Something that a process did.

    Attributes
    ----------
    pid : of the process
    event : Python's name of an audited event or the system's of a call; "start" of a Python process
    what : the host that was looked up or called, or the started process's command line
    """

    pid: int
    event: str
    what: str


class Recorder:
    """What is needed to record a command, and what was recorded.

    Parameters
    ----------
    folder : an empty one, for what the recorder writes and for the command's home

    Attributes
    ----------
    home : the command's home folder, empty at first
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self._record = folder / "record"
        self._trace = folder / "trace"
        self._path = folder / "path"
        self._path.mkdir()
        hook = _HOOK.format(record=str(self._record))
        (self._path / "sitecustomize.py").write_text(hook, encoding="utf-8")
        # A pipe and no file: the processes that decode may not write any.
        os.mkfifo(self._record)
        self._reader = os.open(self._record, os.O_RDWR | os.O_NONBLOCK)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that the command needs."""
        path = filter(None, [str(self._path), os.environ.get("PYTHONPATH")])
        return {"HOME": str(self.home), "PYTHONPATH": os.pathsep.join(path)}

    @property
    def tracer(self) -> list[str]:
        """What the command begins with; it keeps its process ID."""
        if not may_trace():
            return []
        return [*_strace(), "-D", "-o", str(self._trace)]

    def close(self) -> None:
        """End recording."""
        os.close(self._reader)

    def by_python(self) -> list[Call]:
        """What Python did since this was last asked."""
        lines = bytearray()
        try:
            while part := os.read(self._reader, 65_536):
                lines += part
        except BlockingIOError:
            pass
        return [Call(*json.loads(line)) for line in lines.splitlines()]

    def by_the_system(self) -> list[Call]:
        """What the system was asked to do by a command that has ended."""
        found = []
        for line in self._whole_trace().splitlines():
            pid, _, call = line.partition(" ")
            for address in _ADDRESS.finditer(call):
                host = (
                    f"a name server at {address['host']}"
                    if int(address["port"]) == DNS
                    else address["host"]
                )
                found.append(Call(int(pid), call.strip().partition("(")[0], host))
        return found

    def _whole_trace(self) -> str:
        """The trace, once it has the end of the first process."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            text = self._trace.read_text(encoding="utf-8", errors="replace")
            first = text.partition(" ")[0]
            if re.search(rf"^{first} +\+\+\+ ", text, re.MULTILINE):
                return text
            time.sleep(0.1)
        raise TimeoutError(f"{self._trace} is not finished")


@contextmanager
def recorder(folder: Path) -> Iterator[Recorder]:
    """A recorder in a folder that is not there yet."""
    folder.mkdir()
    made = Recorder(folder)
    try:
        yield made
    finally:
        made.close()


def may_trace() -> bool:
    """Whether strace is installed, and allowed to look at other processes."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run([*_strace(), "true"], capture_output=True).returncode == 0


def as_outside_ci(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which packages behave as on anybody's machine."""
    return {name: value for name, value in environment.items() if name != "CI"}


def outward(calls: list[Call]) -> list[Call]:
    """Those calls that are not to this machine itself."""
    return [call for call in calls if call.event != "start" and not _is_here(call.what)]


def _is_here(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _strace() -> list[str]:
    return ["strace", "-f", "--seccomp-bpf", "-e", f"trace={','.join(_CALLS)}"]
