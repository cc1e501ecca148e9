"""Compute what About shows of a library before its sections are opened (`ui.idle`)."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from soundalike.errors import SoundalikeError
from soundalike.evaluation.metrics import Precision
from soundalike.fair_queue import OnPlace
from soundalike.index.index import Index
from soundalike.training import report
from soundalike.ui import idle, server
from soundalike.ui.about import lessons
from soundalike.ui.idle import Result


@st.cache_resource(
    max_entries=server.OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: server.identity}
)
def start(index: Index) -> Result[None]:
    """Have it computed once per library, after somebody has opened About."""

    def compute(_: OnPlace) -> None:
        with suppress(SoundalikeError):
            lessons.open_clip(str(index.file(lessons.excerpt(index))))
        for name in report.unlearned(index):
            open_precision(index, name)

    wanted = Result((index.identity,), compute)
    idle.want(wanted)
    return wanted


@st.cache_resource(
    max_entries=8, show_spinner="Comparing all tracks …", hash_funcs={Index: server.identity}
)
def open_precision(index: Index, name: str) -> Precision | None:
    """Genre precision of a representation over the library, computed once."""
    return report.neighbour_precision(index, name)
