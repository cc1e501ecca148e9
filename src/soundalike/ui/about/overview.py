"""What the app does, on one screen: a diagram and three numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from html import escape

import numpy as np
import streamlit as st

from soundalike import representations
from soundalike.errors import SoundalikeError
from soundalike.evaluation import results
from soundalike.index.index import Index
from soundalike.ui import frontend
from soundalike.ui.about.lessons import Shown

TEXT = """
Give Soundalike a clip, and it plays music that **sounds** alike. It compares nothing but the audio: no
tags, no listening history and no personal data. So it works just as well for a song that nobody has
heard yet.
"""
_NETWORKS = "one names instruments, genres and moods, the other 521 kinds of sound"


def show(index: Index) -> Shown:
    """Draw the section."""
    st.markdown(TEXT, width=760)
    name = representations.default(index.names)
    parts = index.parts(name) if index.has_vectors(name) else []
    size = sum(index.vectors(part, np.array([0])).shape[1] for part in parts)
    with st.container(key="about_steps"):
        st.html(diagram(steps(name, size, len(index))))
    left, middle, right = st.columns(3, gap="large")
    with left:
        st.metric("Tracks in this library", f"{len(index):,}")
        st.caption(f"They are by {index.count('artist'):,} artists.")
    with middle:
        if size:
            st.metric("Numbers that describe a clip", f"{size:,}")
            st.caption("Clips are compared by the angle between two such lists of numbers.")
    with right:
        _precision(index, name)
    return {}


def steps(name: str, size: int, tracks: int) -> list[tuple[str, str]]:
    """What happens to a clip: each step's name and what it is.

    Parameters
    ----------
    name : of the representation
    size : number of dimensions of its embedding; 0 if the index has no vectors of it
    tracks : number of tracks of the library
    """
    heard = (
        ("Two networks", _NETWORKS)
        if name == representations.DEFAULT
        else ("A representation", representations.get(name).title)
    )
    return [
        ("Your clip", "its loudest half minute, or the one that you choose"),
        heard,
        ("An embedding", f"{size:,} numbers for the sound" if size else "numbers for the sound"),
        ("Angles", f"to the embeddings of {tracks:,} tracks"),
        ("A playlist", "the smallest angles first, a few tracks per artist"),
    ]


def diagram(boxes: Sequence[tuple[str, str]]) -> str:
    """The steps as HTML: an ordered list, which the style sheet draws as boxes with arrows."""
    items = "".join(
        f"<li><strong>{escape(title)}</strong><span>{escape(text)}</span></li>" for title, text in boxes
    )
    return f'<style>{frontend.read("overview.css")}</style><ol class="overview">{items}</ol>'


def _precision(index: Index, name: str) -> None:
    with suppress(SoundalikeError):
        for report in results.reports(index):
            rows = [row for row in report.table().to_dict("records") if row["name"] == name]
            if report.title != results.OWN or not rows:
                continue
            st.metric(
                "Of ten neighbours, those that share the genre",
                f"{rows[0]['precision']:.0%}",
                f"chance {report.chance:.0%}",
                delta_color="off",
                delta_arrow="off",
            )
            st.caption("By other artists only. Compare has all methods and their intervals.")
