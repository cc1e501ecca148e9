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

PORT = 8501


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option(
    "--index",
    "indexes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Library made by `soundalike index`; may be given several times, the first opens first.",
)
@click.option(
    "--starter",
    "source",
    default=starter.named,
    help=f"Archive of the starter library, a file or an address. Default: ${starter.VARIABLE}.",
)
@click.option("--open/--no-open", "opens", default=False, help="Open a browser.")
def demo(port: int, indexes: tuple[Path, ...], source: str, opens: bool) -> None:
    """Open the app on this computer, until Ctrl+C.

    An installed package fetches the starter library the first time. Afterwards it needs no network.
    """
    for folder in indexes:
        if not (folder / paths.MANIFEST).is_file():
            raise click.UsageError(
                f"{folder} is no index; make one with `soundalike index MUSIC --out FOLDER`."
            )
    if not starter.is_there():
        _fetch_starter(source, needed=not indexes and not os.environ.get("SOUNDALIKE_INDEX"))
    if _is_taken(port):
        raise click.UsageError(
            f"Port {port} is taken, perhaps by another demo; choose another one with --port."
        )
    environment = dict(os.environ)
    if indexes:
        environment["SOUNDALIKE_INDEX"] = os.pathsep.join(str(folder.resolve()) for folder in indexes)
    command = [sys.executable, "-m", "streamlit", "run", str(paths.ROOT / "app.py")]
    command += [f"--server.port={port}", f"--server.headless={'false' if opens else 'true'}"]
    _become(command, environment)


def _fetch_starter(source: str, needed: bool) -> None:
    if source:
        with output.byte_progress() as on_bytes:
            starter.fetch(source, on_bytes)
    elif needed:
        raise click.UsageError(
            f"The starter library is not here yet. Name its archive ({starter.size() / 1e6:,.0f} MB), a "
            "file or an address, with --starter; or open your own music with --index."
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _become(command: list[str], environment: dict[str, str]) -> None:
    """Run a command in place of this process, so that it gets the signals; Windows can't do that."""
    if sys.platform == "win32":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)
