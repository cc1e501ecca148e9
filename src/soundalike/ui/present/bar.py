"""The presenter's bar at the top of every page: the tour, full screen, the theme, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit import config

from soundalike.ui import frontend, incoming
from soundalike.ui.present import mode, tour

KEY = "present_bar"
_ORDERS = {"over": mode.start_over, "leave": mode.leave}
_SCHEMES = ("light", "dark")


def show(title: str) -> None:
    """Show the bar if the mode is on, and open the step of the tour that was asked for.

    Parameters
    ----------
    title : of the page
    """
    mode.prepare(title.lower())
    if not mode.is_on():
        return
    st.html(f"<style>{frontend.read('present_page.css')}</style>")
    place = st.session_state[tour.STEP]
    step = tour.STEPS[place]
    data = {
        "place": place,
        "of": len(tour.STEPS),
        "title": step.title,
        "words": step.words,
        "dialog": place == tour.WHY,
        "themes": [_theme(scheme) for scheme in _SCHEMES],
    }
    _register()(key=KEY, data=data, on_step_change=_move, on_order_change=_obey)
    wanted = st.session_state.pop(mode.OPENS, None)
    if wanted is not None:
        tour.open_step(wanted)


def _move() -> None:
    """Go to the step before or after this one."""
    to = incoming.number(incoming.triggered(KEY, "step"), range(len(tour.STEPS)))
    if to is not None and tour.may_go(to):
        st.session_state[mode.OPENS] = to


def _obey() -> None:
    """Start over, or leave."""
    order = incoming.option(incoming.triggered(KEY, "order"), _ORDERS, "")
    if order:
        _ORDERS[order]()


def _theme(scheme: str) -> dict[str, Any]:
    """One of the app's two themes, as Streamlit's page takes it."""
    sections = ("theme", f"theme.{scheme}")
    found = {
        name: value
        for section in sections
        for name, value in config.get_options_for_section(section).items()
        if value is not None
    }
    return found | {"base": _SCHEMES.index(scheme)}


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_present",
        html='<div class="root"></div>',
        css=frontend.read("present_bar.css"),
        js=frontend.read("player_parts.js", "present_bar.js"),
    )
