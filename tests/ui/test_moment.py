"""The half minute of a clip that a playlist is made from: its state, and what a browser may send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.audio.outline import Outline
from soundalike.index import catalog
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.ui import moment, server
from soundalike.ui.components import Track

ROOT = Path(__file__).resolve().parents[2]
DRAWN = Outline((10, 100, 40), 90.0, 20)
TRACK = Track("own", "Clip", "", "", "", "", "/media/clip.mp3")


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    session: dict[str, Any] = {moment.MOMENTS: {"other": 7}}
    monkeypatch.setattr("streamlit.session_state", session)
    return session


def test_a_moment_is_kept_by_clip(state: dict[str, Any]) -> None:
    moment.take({"track": "own", "at": 42}, "own", DRAWN)
    assert state[moment.MOMENTS] == {"other": 7, "own": 42}
    moment.take({"track": "own", "at": 60}, "own", DRAWN)
    assert state[moment.MOMENTS] == {"other": 7, "own": 60}


def test_the_loudest_is_no_choice(state: dict[str, Any]) -> None:
    moment.take({"track": "own", "at": 42}, "own", DRAWN)
    moment.take({"track": "own", "at": 20}, "own", DRAWN)
    assert state[moment.MOMENTS] == {"other": 7}


@pytest.mark.parametrize(
    "told",
    [
        *(None, 5, "42", [], {}, {"track": "own"}, {"at": 42}, {"track": "another", "at": 42}),
        *({"track": "own", "at": at} for at in (-1, 61, 1e9, 4.5, True, None, "x", float("nan"), [])),
    ],
)
def test_what_is_no_moment_of_the_clip_changes_nothing(state: dict[str, Any], told: object) -> None:
    moment.take(told, "own", DRAWN)
    assert state[moment.MOMENTS] == {"other": 7}


@pytest.mark.parametrize(("start", "shown"), [(None, 20), (0, 0), (42, 42), (100, 60)])
def test_the_band_is_on_the_chosen_or_the_loudest_half_minute(start: int | None, shown: int) -> None:
    data = moment.data_of(TRACK, DRAWN, start)
    assert data["start"] == shown
    assert data["last"] == 60
    assert data["peaks"] == [10, 100, 40]


def run(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "recommend.py"), default_timeout=400)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def shown(app: AppTest) -> bool:
    return any(moment.KEY in str(part.proto) for part in app.get("bidi_component"))


@pytest.mark.parametrize("at", ["42", "-1", "nan", "9" * 400, "1.5"])
def test_a_library_track_of_half_a_minute_has_no_moment(at: str) -> None:
    app = run(track="0102", at=at)
    assert not app.exception
    assert any(
        f"that we don't have here: at={at[:20]}" in note.value.replace("\\", "") for note in app.caption
    )
    assert "at" not in app.session_state["address"]
    assert not shown(app)


@pytest.mark.parametrize(("at", "is_known"), [("42", True), ("5000", False), ("x", False)])
def test_an_address_may_name_a_moment_of_a_clip_to_come(at: str, is_known: bool) -> None:
    app = run(**{"from": "upload"}, at=at)
    assert not app.exception
    assert any("don't have here" in note.value for note in app.caption) != is_known
    assert app.session_state[moment.MOMENTS] == {}


def noise(seconds: int) -> np.ndarray:
    samples = np.random.default_rng(4).normal(0, 0.05, seconds * 22_050).astype(np.float32)
    samples[30 * 22_050 : 60 * 22_050] *= 3
    return samples


def uploaded(content: bytes) -> AppTest:
    app = run(**{"from": "upload"})
    return app.get("file_uploader")[0].upload("noise.wav", content, "audio/wav").run(timeout=400)


def test_a_short_upload_has_no_outline(encode) -> None:
    assert not shown(uploaded(encode(noise(10), 22_050)))


@pytest.mark.sweep
def test_a_moment_of_an_upload_changes_its_query_and_the_address_and_can_be_undone(encode) -> None:
    app = uploaded(encode(noise(65), 22_050))
    assert not app.exception
    assert shown(app)
    own = app.session_state["clip_own"].id
    before = app.session_state["clip_answer"][-1]
    assert before.embeddings.clip.start == 30.0
    assert app.session_state["clip_outline"][1].loudest == 30
    assert "at" not in app.session_state["address"]
    app.session_state[moment.MOMENTS] = {own: 4}
    app.run()
    assert not app.exception
    after = app.session_state["clip_answer"][-1]
    assert after.embeddings.clip.start == pytest.approx(4.0)
    assert app.session_state["address"]["at"] == "4"
    note = "We analysed the half minute that you chose, 0:04 to 0:34."
    assert note in [caption.value.replace("\\", "") for caption in app.caption]
    undo = next(button for button in app.button if "half minute" in button.label)
    undo.click().run()
    assert app.session_state["clip_answer"][-1].embeddings.clip.start == 30.0
    assert "at" not in app.session_state["address"]


@pytest.mark.sweep
def test_a_silent_half_minute_is_explained_and_another_can_be_chosen(encode) -> None:
    samples = noise(95)
    samples[61 * 22_050 :] = 0
    app = uploaded(encode(samples, 22_050))
    own = app.session_state["clip_own"].id
    app.session_state[moment.MOMENTS] = {own: 63}
    app.run()
    assert [error.value for error in app.error] == ["This half minute is silent. Choose another one."]
    assert shown(app)
    app.session_state[moment.MOMENTS] = {own: 20}
    app.run()
    assert not app.error


def lengthen(monkeypatch: pytest.MonkeyPatch, path: Path, seconds: str) -> None:
    """Let every track of the library have this file, which the index knows to be so long."""
    monkeypatch.setattr("soundalike.index.index.Index.file", lambda index, row: path)
    fact = Index.fact
    monkeypatch.setattr(
        "soundalike.index.index.Index.fact",
        lambda index, name, row: seconds if name == "duration_s" else fact(index, name, row),
    )


@pytest.mark.sweep
def test_a_long_library_track_is_compared_by_the_audio_of_its_moment(
    encode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(encode(noise(65), 22_050))
    lengthen(monkeypatch, path, "65.00")
    app = run(track="0102")
    assert not app.exception
    assert shown(app)
    app = run(track="0102", at="3")
    assert not app.exception
    assert shown(app)
    track_id, _, start, asked = app.session_state["clip_track_answer"]
    assert (track_id, start) == ("0102", 3)
    assert asked.embeddings.clip.start == pytest.approx(3.0)
    assert asked.row is None
    assert app.session_state["address"]["at"] == "3"
    # The track itself isn't recommended, nor said to be left out.
    index = server._open(str(paths.BUNDLED_INDEX), catalog.stamp(paths.BUNDLED_INDEX))[0]
    assert index.row("0102") in query.duplicates(index, asked)
    assert not any("Left out" in note.value for note in app.caption)
    assert any(button.key == "recommend_onward_anatomy" for button in app.button)


def test_a_long_library_track_without_its_file_has_no_outline(monkeypatch, tmp_path: Path) -> None:
    lengthen(monkeypatch, tmp_path / "gone.wav", "65.00")
    app = run(track="0102")
    assert not app.exception
    assert not shown(app)
