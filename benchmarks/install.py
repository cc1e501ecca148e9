"""What it takes to install the wheel and open the app from it, with one Python or several.

    make wheel
    python benchmarks/install.py [python3.11 python3.12 python3.13] [--extra train]

For each Python, the wheel in dist/ is installed into a new virtual environment, and `pip check` looks at
it. In an empty folder, `soundalike demo` fetches the starter library from a server on this machine, and
Chromium plays the first track. This is done again without any network (on Linux, as root).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from serving import PATIENCE_MS, ROOT, browser, wait_for

DIST = ROOT / "dist"
ARCHIVE = "soundalike-starter.zip"
PLAYS = """() => new Promise((done) => {
    const { audio } = window.soundalikePlayer
    audio.addEventListener("timeupdate", () => audio.currentTime > 0.5 && done())
})"""
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""Begins a command that has no network but its own."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Measure and print, or visit an installed app if called by itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="programs (this one)")
    parser.add_argument("--extra", default="", help="extra to install too, as in train")
    parser.add_argument("--visit", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.visit:
        visit(arguments.visit)
        return
    wheels = sorted(DIST.glob("soundalike-*.whl"))
    if len(wheels) != 1 or not (DIST / ARCHIVE).is_file():
        sys.exit(
            "dist/ needs one wheel and the starter library's archive; run `make clean` and `make wheel`."
        )
    for python in arguments.pythons:
        with tempfile.TemporaryDirectory() as folder:
            install(python, wheels[0], arguments.extra, Path(folder))


def install(python: str, wheel: Path, extra: str, folder: Path) -> None:
    """Install the wheel into a new environment, and open the app twice."""
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    own = str(folder / "venv" / "bin" / "python")
    empty = size(folder / "venv")
    started = time.monotonic()
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    pip = [own, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", wanted], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    subprocess.run([*pip, "check"], check=True)
    version = subprocess.run(
        [own, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with_extra = f" with [{extra}]" if extra else ""
    print(
        f"{version}{with_extra}: {size(folder / 'venv') - empty:,.0f} MB, installed in {seconds:.0f} s"
    )
    with serving(DIST) as address:
        call(folder, [], SOUNDALIKE_STARTER=f"{address}/{ARCHIVE}")
    if shutil.which("unshare") and shutil.which("ip") and os.geteuid() == 0:
        print("  without a network:")
        call(folder, ALONE)


def call(folder: Path, before: list[str], **environment: str) -> None:
    """Call this program to visit an installed app."""
    command = [*before, sys.executable, __file__, "--visit", str(folder)]
    subprocess.run(command, env=os.environ | environment, check=True)


def visit(folder: Path) -> None:
    """Start an installed app, play its first track, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "PATH": os.environ["PATH"]}
    command = [str(folder / "venv" / "bin" / "soundalike"), "demo", "--port", str(port)]
    environment = home | {n: v for n, v in os.environ.items() if n.startswith("SOUNDALIKE_")}
    started = time.monotonic()
    with subprocess.Popen(command, cwd=empty, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(address, server)
            answers = time.monotonic() - started
            with browser() as chromium:
                page = chromium.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(address)
                page.get_by_role("table").locator("tbody tr").first.wait_for()
                shown = time.monotonic() - started
                page.get_by_role("table").get_by_role("button", name="Play ").first.click()
                page.evaluate(PLAYS)
            print(f"  server after {answers:.1f} s, playlist after {shown:.1f} s, and it plays")
        finally:
            server.terminate()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A server of a folder's files; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def size(folder: Path) -> float:
    """Megabytes of all files; links take none."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


if __name__ == "__main__":
    main()
