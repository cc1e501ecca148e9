"""All dimensions of a set in a table that can be filtered and sorted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from soundalike.analysis import dimension_stats
from soundalike.analysis.dimension_cache import CHANNELS, FeatureStore
from soundalike.analysis.dimension_sets import WORDS
from soundalike.ui import components, incoming
from soundalike.ui.features import details

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 200
LEVELS = ["dimensions", "channels"]
# URL parameter: widget key and default.
SETTINGS = {
    "rows": ("features_level", LEVELS[0]),
    "kind": ("features_kind", next(iter(dimension_stats.KINDS))),
    "genre": ("features_genre", None),
    "order": ("features_order", next(iter(dimension_stats.ORDERS))),
}


@st.fragment
def show(store: FeatureStore, go_to: Callable[[int], None], share: Callable[[], None]) -> None:
    """Show the table.

    Parameters
    ----------
    store : the library's statistics
    go_to : opens a dimension
    share : writes the page's settings into the URL
    """
    by = st.session_state.features_by
    st.header("All words" if by == WORDS else "All dimensions", anchor=False)
    level: str | None = LEVELS[0]
    if by == "vgg_mel":
        level = st.segmented_control(
            "Rows",
            LEVELS,
            format_func=str.capitalize,
            key="features_level",
            persist_state="session",
            required=True,
            label_visibility="collapsed",
        )
    level = level or LEVELS[0]
    noun = "words" if by == WORDS else level
    name = CHANNELS if level == "channels" else by
    summary = store.summary(name)
    st.caption(counted(summary, noun))
    first, second, third = st.columns(3)
    kind = first.selectbox(
        "Show",
        list(dimension_stats.KINDS),
        format_func=lambda kind: dimension_stats.KINDS[kind],
        key="features_kind",
        persist_state="session",
    )
    genre = second.selectbox(
        "Outstanding genre",
        [None, *summary.groups.genres],
        format_func=lambda genre: genre or "Any",
        key="features_genre",
        persist_state="session",
    )
    order = third.selectbox(
        "Sort by",
        list(dimension_stats.ORDERS),
        format_func=lambda order: dimension_stats.ORDERS[order],
        key="features_order",
        persist_state="session",
    )
    share()
    table, count = store.overview(name, kind, genre, order, ROWS_SHOWN)
    if not count:
        st.caption("Nothing matches these filters.")
        return
    draw_table(store, table, level, go_to)
    places = "Band 0 is the highest of five, time 0 the first of ten. " if by == "vgg_mel" else ""
    st.caption(
        f"Showing {len(table)} of {count:,}. Select a row to open it. {places}Enrichment is for the "
        "genre furthest above the library's mean, which is named only if it stands out."
    )


def counted(summary: dimension_stats.Summary, level: str) -> str:
    """Say how many dimensions are silent, sparse and genre-like, with the rules."""
    parts = []
    if silent := int(summary.dead.sum()):
        parts.append(f"{silent:,} are silent (the same for every clip)")
    if sparse := int(summary.sparse.sum()):
        least = f"{dimension_stats.SPARSE:.0%}"
        parts.append(f"{sparse:,} are sparse (zero for at least {least} of the clips)")
    parts.append(
        f"{int(summary.genre_like.sum()):,} are genre-like (a genre is at least "
        f"{dimension_stats.GENRE_SDS:g} standard deviations above the mean, with certainty)"
    )
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"{len(summary.mean):,} {components.plain(level)}: {listed}."


def draw_table(
    store: FeatureStore, table: pd.DataFrame, level: str, go_to: Callable[[int], None]
) -> None:
    """Show dimensions or channels as a table; selecting a row opens its dimension."""

    def chosen() -> None:
        place = incoming.row(st.session_state.get("features_table"), range(len(table)))
        if place is not None:
            number = int(table[level.removesuffix("s")].iloc[place])
            go_to(store.loudest_cell(number) if level == "channels" else number)
            st.session_state.features_followed = True

    is_words = st.session_state.features_by == WORDS
    left_out = {"dimension": is_words, "zeros": not table["zeros"].any()}
    measure = details.measure_of(st.session_state.features_by)
    st.dataframe(
        table.drop(columns=[name for name, is_left_out in left_out.items() if is_left_out]),
        hide_index=True,
        height=320,
        key="features_table",
        on_select=chosen,
        selection_mode="single-row",
        alt=f"{level.capitalize()} with their mean and outstanding genre",
        column_config={
            **{
                name: st.column_config.NumberColumn(name.capitalize(), format="%d")
                for name in ("dimension", "band", "time", "channel")
            },
            "name": "Word" if is_words else "Name",
            "mean": st.column_config.NumberColumn(f"Mean {measure.lower()}", format="%.2f"),
            "zeros": st.column_config.NumberColumn("Zeros", format="percent"),
            "genre": "Outstanding genre",
            "enrichment": st.column_config.NumberColumn("Enrichment (sd)", format="%.2f"),
        },
    )
    if st.session_state.pop("features_followed", False):
        st.rerun()
