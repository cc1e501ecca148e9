"""Anatomy's measurements before the page is opened."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from soundalike.analysis import clip_analysis
from soundalike.analysis.clip_analysis import Shown
from soundalike.ui import idle, server
from soundalike.ui.anatomy import ahead

ROOT = Path(__file__).resolve().parents[3]
LONG_S = 60
UPLOAD = {"from": "upload"}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The threads that have measured a clip, one for each."""
    found: list[str] = []
    measure = clip_analysis.measure

    def count(shown: Shown) -> object:
        found.append(threading.current_thread().name)
        return measure(shown)

    st.cache_resource.clear()
    monkeypatch.setattr(clip_analysis, "measure", count)
    monkeypatch.setattr(idle, "QUIET_S", 0.2)
    monkeypatch.setenv("SOUNDALIKE_LIGHT", "0")
    yield found
    until_idle()
    st.cache_resource.clear()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, measured: list[str]) -> None:
    """A server that computes ahead, without loading its networks meanwhile."""
    monkeypatch.setenv("SOUNDALIKE_WARM_UP", "1")
    monkeypatch.setattr("soundalike.ui.server.warm_up", lambda: None)


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def anatomy(app: AppTest) -> AppTest:
    app.query_params.clear()
    app.switch_page("pages/anatomy.py").run()
    assert not app.exception
    assert app.metric
    return app


def until_idle() -> None:
    end = time.monotonic() + LONG_S
    while idle._queue()._works and time.monotonic() < end:
        time.sleep(0.02)
    assert not idle._queue()._works


def uploaded(encode) -> AppTest:
    app = opened(**UPLOAD)
    noise = np.random.default_rng(1).normal(0, 0.1, 5 * 48_000)
    app.get("file_uploader")[0].upload("noise.wav", encode(noise), "audio/wav").run()
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.usefixtures("on")
def test_a_track_is_measured_once_before_anatomy_is_opened(measured: list[str]) -> None:
    app = opened(track="0102")
    until_idle()
    assert measured == ["idle"]
    anatomy(app)
    opened(track="0102").run()
    until_idle()
    assert measured == ["idle"]


@pytest.mark.usefixtures("on")
def test_another_track_is_measured_when_it_becomes_the_current_one(measured: list[str]) -> None:
    app = opened(track="0102")
    app.selectbox(key="recommend_track").set_value("0300").run()
    until_idle()
    # The first is no longer wanted, if it wasn't begun.
    assert app.session_state[ahead._OF_TRACK].of[1] == "0300"
    assert measured in (["idle"], ["idle", "idle"])
    count = len(measured)
    anatomy(app)
    assert len(measured) == count


@pytest.mark.usefixtures("on")
def test_an_upload_is_measured_once_before_anatomy_is_opened(measured: list[str], encode) -> None:
    app = uploaded(encode)
    until_idle()
    assert "idle" in measured
    count = len(measured)
    anatomy(app)
    assert len(measured) == count


@pytest.mark.usefixtures("on")
def test_what_is_measured_of_an_upload_goes_when_it_is_removed(measured: list[str], encode) -> None:
    app = uploaded(encode)
    until_idle()
    assert "clip_measured" in app.session_state
    app.button(key="header_remove").click().run()
    assert "clip_measured" not in app.session_state


def test_nothing_is_measured_ahead_when_it_is_off(measured: list[str]) -> None:
    app = opened(track="0102")
    assert ahead._OF_TRACK not in app.session_state
    assert measured == []
    anatomy(app)
    assert len(measured) == 1


@pytest.mark.usefixtures("on")
def test_the_clip_of_a_session_that_has_ended_is_not_measured(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_quiet = threading.Event()
    monkeypatch.setattr(idle, "wait_for_quiet", lambda at_most=0.0: is_quiet.wait(LONG_S))
    app = opened(track="0102")
    wanted = weakref.ref(app.session_state[ahead._OF_TRACK])
    assert wanted() is not None
    del app
    server.collect_all()
    assert wanted() is None
    is_quiet.set()
    until_idle()
    assert measured == []
