"""A dimension's distribution over the library, and the statistics that are folded under "Details"."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from soundalike.analysis import dimension_names, dimension_stats
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_profile import Portrait
from soundalike.ui import components, palette
from soundalike.ui.features import charts, parts
from soundalike.ui.features.clip import Shown

RELATIVES = 5
BARE = {"displayModeBar": False}


def distribution(store: FeatureStore, painted: Portrait, clip: Shown | None) -> None:
    """Show the dimension's distribution in the library, and where the chosen clip is in it."""
    st.header("Across the library", anchor=False)
    numbers, measure = painted.summary, measure_of(painted.name)
    zeros = f", exactly zero for {numbers.zeros[0]:.0%} (grey)" if numbers.zeros[0] > 0 else ""
    text = (
        f"{measure} of {len(painted.values):,} clips: mean {numbers.mean[0]:.2f}, standard deviation "
        f"{numbers.deviation[0]:.2f}, largest {numbers.largest[0]:.2f}{zeros}."
    )
    value = None
    if clip is not None and not clip.is_missing(store, painted.name):
        value = float(store.sets.of_query(painted.name, clip.asked)[painted.dimension])
        share = painted.share_below(value)
        text += (
            f" The dotted line marks “{clip.track.title}” at {value:.2f}, higher than {share:.0%} of "
            "the library."
        )
    draw(charts.distribution(painted.values, value, measure), text, "features_spread")


def measure_of(name: str) -> str:
    """What a set's values are called."""
    if name == "words":
        return "Score"
    return "Activation" if name in parts.NETWORK_PICTURES else "Value"


def details(store: FeatureStore, painted: Portrait, go_to: Callable[[int], None]) -> None:
    """Show a dimension's statistics, folded."""
    with st.expander("Details", icon=":material/query_stats:", key="features_details"):
        facts(painted)
        left, right = st.columns(2, gap="large")
        with left:
            genres(store, painted)
        with right:
            descriptors(painted)
        relatives(store, painted, go_to)


def facts(painted: Portrait) -> None:
    """Show the measurements behind the name."""
    lines = [
        f"{name.text}: r = {name.chosen:+.2f} where it was chosen, {name.held_out:+.2f} on artists held "
        f"out{'' if name.holds else ', which does not confirm it'}"
        for name in painted.names
    ]
    lines += [
        f"{genre}: {enrichment:+.1f} ± {charts.INTERVAL * error:.1f} standard deviations from the mean"
        for genre, enrichment, error in painted.genres
    ]
    for line in lines:
        st.caption(components.plain(line))
    if painted.names:
        st.caption(
            "A name is chosen on half of the artists, and shown if its correlation is at least "
            f"{dimension_names.LEAST:g} on the other half too."
        )


def genres(store: FeatureStore, painted: Portrait) -> None:
    """Show the mean of each genre, with its confidence interval."""
    st.header("By genre", anchor=False)
    known = store.groups
    styles = palette.of(store.index)
    mean, measure = float(painted.summary.mean[0]), measure_of(painted.name).lower()
    figure = charts.genre_profile(known.genres, painted.means, painted.errors, mean, styles)
    highest = known.genres[int(painted.means.argmax())] if known.genres else "none"
    text = (
        f"Mean {measure} of each genre with its 95 % interval; {highest} is highest. The dashed line "
        "is the library's mean. Each artist counts once. A genre stands out if it has at least "
        f"{dimension_stats.MIN_TRACKS} clips by {dimension_stats.MIN_ARTISTS} artists and is at least "
        f"{dimension_stats.GENRE_SDS:g} standard deviations and "
        f"{dimension_stats.GENRE_ERRORS:g} standard errors above the library's mean."
    )
    draw(figure, text, "features_genres")


def descriptors(painted: Portrait) -> None:
    """Show the dimension's correlation with measured properties of the clips."""
    if not painted.findings:
        return
    st.header("By measured property", anchor=False)
    closest = painted.findings[0]
    text = (
        f"Correlation with properties of the clips, with 99 % intervals. The strongest is "
        f"{closest.descriptor.name}, r = {closest.correlation:.2f}. Coloured bars are strong and "
        "certain."
    )
    draw(charts.descriptor_bars(painted.findings), text, "features_descriptors")


def relatives(store: FeatureStore, painted: Portrait, go_to: Callable[[int], None]) -> None:
    """Show the most similar and the most opposite dimensions."""
    similar, opposite = store.relatives(painted, RELATIVES)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Most similar", anchor=False)
        related(store, "Most similar dimensions", similar, painted.name, "features_similar", go_to)
    with right:
        st.header("Most opposite", anchor=False)
        related(store, "Most opposite dimensions", opposite, painted.name, "features_opposite", go_to)
    others = ", in other channels only" if painted.cell is not None else ""
    count = len(store.sets.sample(painted.name))
    tracks = "the library" if count == len(store.index) else f"{count:,} tracks drawn at random"
    st.caption(f"By correlation across {tracks}{others}.")


def related(
    store: FeatureStore,
    label: str,
    found: list[tuple[int, float]],
    name: str,
    key: str,
    go_to: Callable[[int], None],
) -> None:
    """List dimensions with their correlations; clicking one opens it."""
    items = [(dimension, r, f"{r:+.2f}") for dimension, r in found]
    parts.dimension_list(store, label, items, name, key, go_to)


def draw(figure: go.Figure, text: str, key: str) -> None:
    """Show a figure and its description."""
    st.plotly_chart(figure, config=BARE, key=key, alt=text)
    st.caption(components.plain(text))
