from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from soundalike import paths
from soundalike.errors import IndexFolderError
from soundalike.index import index as indices
from soundalike.ui import components, current_clip, player, session
from soundalike.ui.current_clip import OwnClip


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[str]]:
    """The files that are kept for what the browser says that the player is near."""
    index = indices.load(paths.ASSETS / "index")
    own = OwnClip("mine", "mine.wav", b"RIFF", recorded=False)
    monkeypatch.setattr(session, "chosen_index", lambda: index)
    monkeypatch.setattr(current_clip, "kept_clip", lambda: own)
    monkeypatch.setattr(components, "audio_url", lambda content, name: f"/media/{name}")

    return lambda said: player.keep(said)["urls"]


def test_files_near_the_player_are_kept(kept: Callable[[Any], list[str]]) -> None:
    assert kept(["0102", "mine"]) == ["/media/player-0.opus", "/media/mine.wav"]
    assert kept(["0102"] * 9) == [f"/media/player-{place}.opus" for place in range(player.NEAR)]


@pytest.mark.parametrize("said", [None, "0102", {"0102": 1}, ["../../etc/passwd", 7, None, ["0102"]]])
def test_nothing_else_is_handed_out(kept: Callable[[Any], list[str]], said: object) -> None:
    assert kept(said) == []


def test_a_library_that_cannot_be_opened_keeps_no_file(
    kept: Callable[[Any], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise IndexFolderError("gone")

    monkeypatch.setattr(session, "chosen_index", fail)
    assert kept(["0102"]) == []
