"""What About shows of a library, computed before a section is opened."""

from __future__ import annotations

import pytest
import streamlit as st

from soundalike import paths
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.training import report
from soundalike.ui import idle
from soundalike.ui.about import ahead
from soundalike.ui.idle import Result


def test_it_is_computed_once_for_all_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[Result[None]] = []
    compared: list[str] = []

    def compare(_: Index, name: str) -> None:
        compared.append(name)

    st.cache_resource.clear()
    monkeypatch.setattr(idle, "want", wanted.append)
    monkeypatch.setattr(report, "neighbour_precision", compare)
    index = indices.load(paths.BUNDLED_INDEX)
    assert ahead.start(index) is ahead.start(index)
    (result,) = wanted
    result.result()
    result.result()
    assert compared == list(report.unlearned(index))
    for name in compared[:]:
        ahead.open_precision(index, name)
    assert compared == list(report.unlearned(index))
    st.cache_resource.clear()
