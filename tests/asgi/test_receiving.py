"""How many bytes of requests are taken in at once."""

from __future__ import annotations

import pytest
from asgi import run

from soundalike import system
from soundalike.asgi import receiving
from soundalike.asgi.receiving import Room


def test_uploads_take_a_part_of_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(system, "memory_limit", lambda: 4 * 2**30)
    assert receiving.share_of_memory() == 512 * 2**20
    monkeypatch.setattr(system, "memory_limit", lambda: None)
    assert receiving.share_of_memory() == receiving.LEAST_BYTES


def test_files_wait_for_room_and_an_address_has_a_part_of_it() -> None:
    async def full() -> None:
        room = Room(100, 60)
        async with room.taken("a", 60):
            with pytest.raises(TimeoutError):
                async with room.taken("a", 1, 0.02):
                    raise AssertionError
            async with room.taken("b", 40, 0.02):
                pass
            with pytest.raises(TimeoutError):
                async with room.taken("b", 41, 0.02):
                    raise AssertionError
        async with room.taken("a", 60, 0.02):
            pass
        assert not room._taken

    run(full())
