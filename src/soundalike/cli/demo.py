"""`soundalike demo`: open the app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import click

from soundalike import paths
from soundalike.cli import output
from soundalike.datasets import starter

HOST, PORT = "localhost", 8501
_INDEX, _MUSIC = "SOUNDALIKE_INDEX", "SOUNDALIKE_MUSIC"


@click.command()
@click.option("--host", default=HOST, show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option(
    "--index",
    "indexes",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Library made by `soundalike index`; may be given several times. Default: ${_INDEX}.",
)
@click.option(
    "--starter",
    "source",
    help=f"Archive of the starter library, a file or a URL. Default: ${starter.VARIABLE}.",
)
@click.option("--open/--no-open", "opens", default=False, help="Open a browser.")
def demo(host: str, port: int, indexes: tuple[Path, ...], source: str | None, opens: bool) -> None:
    """Open the app on this computer, until Ctrl+C.

    An installed package fetches the starter library the first time. Afterwards it needs no network.
    """
    environment = dict(os.environ) | _libraries(indexes, host)
    if _is_taken(port):
        raise click.UsageError(f"Port {port} is taken. Choose another one with --port.")
    if not starter.is_there():
        needed = not environment.get(_INDEX)
        _fetch_starter(source or (starter.named() if needed else ""), needed)
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(paths.ROOT / "app.py")]
    command += [f"--server.address={host}", f"--server.port={port}"]
    command.append(f"--server.headless={'false' if opens else 'true'}")
    _become(command, environment)


def _libraries(indexes: tuple[Path, ...], host: str) -> dict[str, str]:
    """Variables for the named indexes; on this computer alone, their music may be played too."""
    if not indexes:
        return {}
    from soundalike.index import storage

    folders = [folder.resolve() for folder in indexes]
    music = [folder / storage.read_manifest(folder)["library"]["folder"] for folder in folders]
    found = {_INDEX: os.pathsep.join(map(str, folders))}
    if host == HOST and not os.environ.get(_MUSIC):
        found[_MUSIC] = os.pathsep.join(str(folder.resolve()) for folder in music)
    return found


def _fetch_starter(source: str, needed: bool) -> None:
    if source:
        with output.byte_progress() as on_bytes:
            starter.fetch(source, on_bytes)
    elif needed:
        raise click.UsageError(
            "The starter library isn't installed yet. Name its archive "
            f"({starter.size() / 1e6:,.0f} MB), a file or a URL, with --starter; or open your own music "
            "with --index."
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _become(command: list[str], environment: dict[str, str]) -> None:
    """Run a command in place of this process, so that it gets the signals; Windows can't do that."""
    if sys.platform == "win32":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)
