"""The app behind nginx and behind Caddy, each with the configuration in docs/."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import attacks
import pytest
from distant import Wire
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from soundalike.ui.middleware.messages import SOCKETS_OF_ONE

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAME = "music.example.org"
START_S = 30.0
ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANYBODY.check_hostname = False
ANYBODY.verify_mode = ssl.CERT_NONE
"""Takes the certificate that a test made for itself."""

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]


@dataclass(frozen=True)
class Proxy:
    """A running proxy before the app."""

    kind: str
    port: int
    app: str
    folder: Path

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> HTTPResponse:
        connection = HTTPSConnection(NAME, self.port, context=ANYBODY, timeout=30)
        connection.sock = ANYBODY.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port)), server_hostname=NAME
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with suppress(OSError):
            connection.request(method, path, body, {"Host": NAME} | named)
        return connection.getresponse()

    def websocket(self, origin: str = f"https://{NAME}") -> ClientConnection:
        raw = socket.create_connection(("127.0.0.1", self.port))
        address = f"wss://{NAME}/_stcore/stream"
        return connect(
            address, sock=raw, ssl=ANYBODY, server_hostname=NAME, origin=origin, max_size=None
        )

    def logs(self) -> str:
        found = [
            path.read_text(errors="replace") for path in self.folder.rglob("*log*") if path.is_file()
        ]
        return "".join(found)


class ProxiedWire(Wire):
    """A visitor through a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy.app)
        self._socket.close()
        self._socket = proxy.websocket()


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, other: int, app: str) -> tuple[Path, list[str]]:
    certificate = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={NAME}",
        ]
        + ["-out", str(certificate[0]), "-keyout", str(certificate[1])],
        check=True,
        capture_output=True,
    )
    site = replaced(
        (DOCS / "nginx.conf").read_text(),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{other};"),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", str(certificate[0])),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", str(certificate[1])),
        ("/var/log/nginx/", f"{folder}/"),
        ("http://127.0.0.1:8501", app.replace("localhost", "127.0.0.1")),
    )
    (folder / "site.conf").write_text(site)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in places)
    whole = folder / "nginx.conf"
    # Otherwise its workers aren't the user whose folder this is.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    whole.write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/errors.log; events {{}}\n"
        f"http {{ {temporary} include {folder}/site.conf; }}\n"
    )
    return whole, ["nginx", "-p", str(folder), "-c", str(whole)]


def caddy(folder: Path, port: int, other: int, app: str) -> tuple[Path, list[str]]:
    text = replaced(
        (DOCS / "Caddyfile").read_text(),
        ("{\n\tservers {", f"{{\n\tadmin off\n\thttp_port {other}\n\tskip_install_trust\n\tservers {{"),
        (f"\n{NAME} {{", f"\nhttps://{NAME}:{port} {{\n\ttls internal\n\tbind 127.0.0.1"),
        ("127.0.0.1:8501", app.replace("http://localhost", "127.0.0.1")),
    )
    whole = folder / "Caddyfile"
    whole.write_text(text)
    return whole, ["caddy", "run", "--adapter", "caddyfile", "--config", str(whole)]


@contextmanager
def running(kind: str, folder: Path, app: str) -> Iterator[Proxy]:
    """A proxy with the documented configuration, but a port and a certificate of its own."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        port, other = first.getsockname()[1], second.getsockname()[1]
    _, command = {"nginx": nginx, "caddy": caddy}[kind](folder, port, other, app)
    environment = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with (folder / "output.log").open("wb") as output:
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        started = subprocess.Popen(command, stdout=output, stderr=output, env=environment | path)
    try:
        proxy = Proxy(kind, port, app, folder)
        until = time.monotonic() + START_S
        while True:
            try:
                proxy.ask("GET", "/_stcore/health")
                break
            except OSError:
                assert started.poll() is None, (folder / "output.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
        yield proxy
    finally:
        started.terminate()
        started.wait(10)


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request, serve, tmp_path_factory) -> Iterator[Proxy]:
    kind = request.param
    for program in (kind, *(["openssl"] if kind == "nginx" else [])):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"needs Debian's package {program}, which .ci/run installs")
    folder = tmp_path_factory.mktemp(kind)
    # As docs/deploy.md has it; from there uvicorn believes what a proxy says of addresses.
    own = {"SOUNDALIKE_WARM_UP": "0", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    with (
        serve(tmp_path_factory.mktemp("app"), **own) as app,
        running(kind, folder, app) as started,
    ):
        yield started


def test_each_header_comes_once(proxy: Proxy) -> None:
    answer = proxy.ask("GET", "/")
    assert answer.status == 200
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert len(answer.headers.get_all(name, [])) == 1, name
    for name in ("Strict-Transport-Security", "Cross-Origin-Opener-Policy"):
        assert len(answer.headers.get_all(name, [])) == 1, name


def test_figures_and_other_sites_are_refused(proxy: Proxy) -> None:
    assert proxy.ask("GET", "/_stcore/metrics").status == 404
    assert proxy.ask("GET", "/", Origin="https://elsewhere.example").status == 403
    with pytest.raises(InvalidStatus):
        proxy.websocket("https://elsewhere.example")


def test_a_visitor_sees_pages_and_sends_a_clip(proxy: Proxy) -> None:
    with ProxiedWire(proxy) as wire:
        assert wire.run("")
        assert wire.run("about")
        place = wire.place("a.wav")
        assert upload(proxy, wire, place.upload_url, b"x" * 100_000) == 204
        assert upload(proxy, wire, f"/_stcore/upload_file/{wire.session}/invented", b"x" * 1_000) == 403
        assert wire.session
        session = wire.session
    time.sleep(0.5)
    assert "upload_file/-" in proxy.logs()
    assert session not in proxy.logs()
    assert place.file_id not in proxy.logs()


def upload(proxy: Proxy, wire: Wire, path: str, content: bytes) -> int:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.wav"\r\n\r\n%b\r\n--x--\r\n'
        % content
    )
    headers = {**wire.token(), "Content-Type": "multipart/form-data; boundary=x"}
    return proxy.ask("PUT", path, body, **headers).status


def test_bodies_are_bounded(proxy: Proxy) -> None:
    with ProxiedWire(proxy) as wire:
        wire.run("")
        assert upload(proxy, wire, wire.place("a.wav").upload_url, bytes(33 * 2**20)) == 413
    # Caddy cuts the body off, older versions without saying why. Now and then the app has refused the
    # request before that, as it takes no body here.
    seen = {proxy.ask("POST", "/_stcore/health", bytes(17_000)).status for _ in range(5)}
    assert seen & {413, 502}
    assert seen <= {405, 413, 502}
    assert wire.session not in proxy.logs()


def send_many(flooding: ClientConnection, content: bytes) -> None:
    for _ in range(20_000):
        flooding.send(content)


def test_a_flood_is_cut_off_through_the_proxy(proxy: Proxy) -> None:
    content = attacks.rerun()
    with proxy.websocket() as flooding, pytest.raises(ConnectionClosed):
        send_many(flooding, content)
    assert attacks.health_s(proxy.app) < 2


def test_addresses_behind_the_proxy_are_told_apart(proxy: Proxy) -> None:
    """One of them has opened as many websockets as it may; another still may."""
    port = urlsplit(proxy.app).port
    assert port is not None
    with ExitStack() as visitors:

        def opens(visitor: str) -> bool:
            raw = visitors.enter_context(socket.create_connection(("127.0.0.1", port)))
            named = {"X-Forwarded-For": visitor}
            address = f"ws://{NAME}/_stcore/stream"
            try:
                visitors.enter_context(connect(address, sock=raw, additional_headers=named))
            except InvalidStatus:
                return False
            return True

        # A proxy adds the address that it sees to what the visitor claims, and the last one counts.
        tries = [opens(f"203.0.113.{number}, 198.51.100.1") for number in range(SOCKETS_OF_ONE + 1)]
        assert tries == [True] * SOCKETS_OF_ONE + [False]
        assert opens("203.0.113.7, 198.51.100.2")


def test_many_uploads_of_one_address_at_once_are_refused_by_nginx(proxy: Proxy) -> None:
    if proxy.kind != "nginx":
        pytest.skip("Caddy has no limit on requests of its own; the app's is tested in test_abuse.py")
    path = "/_stcore/upload_file/session/file"
    statuses = [proxy.ask("PUT", path, b"x").status for _ in range(100)]
    assert statuses.count(403) >= 60
    assert 429 in statuses
