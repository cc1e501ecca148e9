"""Scripts and stylesheets of the app's components."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def read(*names: str) -> str:
    """The text of scripts or stylesheets, joined in the given order."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def player(*names: str) -> str:
    """The script of a component that plays audio: the shared player code, then the component's files."""
    return read("player_parts.js", *names)
