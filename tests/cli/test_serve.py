"""`soundalike serve`: where it listens, how it ends, and what it says if it can't begin."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import PATIENCE_S, serving
from command_line import Capture, complaint, run

from soundalike import paths

CLIP = paths.LIBRARY / "clips" / "0102.opus"


def test_a_port_that_is_taken_is_named_in_one_line(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = complaint(capsys, 1, "serve", "--port", port)
    assert said == f"soundalike: Port {port} is taken. Choose another one with --port.\n"


def test_a_host_that_is_not_here_is_named_in_one_line(capsys: Capture) -> None:
    for host in ("203.0.113.9", "no such host", ""):
        assert "--host" in complaint(capsys, 1, "serve", "--host", host, "--port", "0")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: Capture) -> None:
    assert "--port" in complaint(capsys, 2, "serve", "--port", port)


def test_a_folder_that_is_no_index_is_named_in_one_line(capsys: Capture, tmp_path: Path) -> None:
    assert str(tmp_path) in complaint(capsys, 1, "serve", "--port", "0", "--index", tmp_path)


def test_the_help_has_the_defaults(capsys: Capture) -> None:
    _, out, _ = run(capsys, "serve", "--help")
    assert "127.0.0.1" in out
    assert "8600" in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to_with_an_upload_on_its_way(number: int, tmp_path: Path) -> None:
    with serving(tmp_path, "--index", str(paths.BUNDLED_INDEX)) as server:
        assert server.ask("/health").status_code == 200
        assert server.ask("/recommend", "POST", data=CLIP.read_bytes()).status_code == 200
        where = urlsplit(server.address)
        there = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE_S)
        there.putrequest("POST", "/recommend")
        there.putheader("Content-Length", "1000")
        there.endheaders()
        there.send(b"abc")
        time.sleep(0.2)
        server.process.send_signal(number)
        assert server.process.wait(20) in (-number, 0, 1)
        there.close()
        assert "Traceback" not in server.log.read_text()


def test_it_listens_on_ipv6_too(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, "--host", "::1") as server:
        assert server.address.startswith("http://[::1]:")
        assert server.ask("/health").status_code == 200
