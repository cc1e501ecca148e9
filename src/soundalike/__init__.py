"""Content-based music recommendation: one clip in, music that sounds alike out, from the audio alone.

`soundalike.api` describes what is offered to other programs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.api import Match, describe, embed, explain, journey, load, recommend
    from soundalike.index.index import Index

__version__ = "1.0.0"
__all__ = ["Index", "Match", "describe", "embed", "explain", "journey", "load", "recommend"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: a part of the package, such as `paths`, needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("soundalike.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
