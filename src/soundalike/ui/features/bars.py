"""The dimensions that stand out in a clip, as bars that play it from where each is highest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from soundalike.analysis import dimension_stats, receptive_fields
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.errors import SoundalikeError
from soundalike.ui import components, frontend, incoming
from soundalike.ui.features import parts
from soundalike.ui.features.clip import Shown

COUNT = 10
KEY = "features_strongest"


def show(
    store: FeatureStore, name: str, selected: int, clip: Shown, go_to: Callable[[int], None]
) -> None:
    """Show the dimensions of a set that are highest in a clip, relative to the library."""
    if clip.is_missing(store, name):
        st.caption("This server has too little memory to run this network on a clip of your own.")
        return
    try:
        with st.spinner("Running the network …"):
            items = _items(store, name, selected, clip)
    except SoundalikeError as error:
        components.show_error(str(error))
        return
    if not items:
        st.caption("Nothing stands out: every value is below the library's mean.")
        return
    dimensions = range(store.sets.size(name))

    def chosen() -> None:
        if (dimension := incoming.number(incoming.triggered(KEY, "chosen"), dimensions)) is not None:
            go_to(dimension)

    data = {"label": "What stands out in this clip", "clip": _clip_data(clip), "items": items}
    _register()(data=data, key=KEY, on_chosen_change=chosen)
    st.caption(
        "Standard deviations above the library's mean. Play a bar to hear the clip from where it is "
        "highest; press its name to see the tracks where it is highest. "
        f"{_left_out(name)}"
    )


def _left_out(name: str) -> str:
    if name not in ("vgg_mel", "genre_head"):
        return ""
    return (
        f"Dimensions that are zero for at least {dimension_stats.SPARSE:.0%} of the clips are left out."
    )


def _items(store: FeatureStore, name: str, selected: int, clip: Shown) -> list[dict[str, Any]]:
    found = store.strongest(name, clip.asked, COUNT)
    ceiling = max([score for _, score in found], default=1.0)
    starts = store.moments(name, [dimension for dimension, _ in found], clip.asked)
    return [
        {
            "dimension": dimension,
            "selected": dimension == selected,
            "name": parts.name_of(store, name, dimension),
            "detail": parts.describe(store, name, dimension),
            "share": round(score / ceiling, 3),
            "value": f"{score:+.1f} sd",
            "start": round(start, 2),
        }
        for (dimension, score), start in zip(found, starts, strict=True)
    ]


def _clip_data(clip: Shown) -> dict[str, Any]:
    return {
        "id": clip.track.id,
        "title": clip.track.title,
        "url": clip.track.url,
        "offset": clip.offset,
        "timeline": receptive_fields.TIMELINE,
    }


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return parts.component(
        "soundalike_feature_bars",
        "feature_bars",
        frontend.player("clock.js", "excerpt_player.js", "feature_bars.js"),
    )
