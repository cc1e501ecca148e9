"""Downloads from a server on this machine, without waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_server import Site, serving

from soundalike.datasets import web


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited, without waiting."""
    asked: list[float] = []
    monkeypatch.setattr(web.time, "sleep", asked.append)
    monkeypatch.setattr(web, "CHUNK", 4_096)
    return asked


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """The address of a module's `site`."""
    with serving(site) as address:
        yield address
