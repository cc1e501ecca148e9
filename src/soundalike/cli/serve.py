"""`soundalike serve`: the HTTP API for other programs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from soundalike import paths
from soundalike.cli import output
from soundalike.cli.options import FOLDER


@click.command()
@click.option(
    "--index",
    "folder",
    type=FOLDER,
    help="Index folder. Default: $SOUNDALIKE_INDEX, or the bundled one.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all."
)
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65_535),
    default=8600,
    show_default=True,
    help="Port to listen on; 0 for any that is free.",
)
def serve(folder: Path | None, host: str, port: int) -> None:
    """Answer other programs over HTTP, until Ctrl+C."""
    from soundalike.service import server

    def announce(address: str) -> None:
        output.print_line(f"Soundalike's API is at {address} (Ctrl+C stops it).")

    with suppress(KeyboardInterrupt):
        server.serve(folder or paths.index_folder(), host, port, announce)
