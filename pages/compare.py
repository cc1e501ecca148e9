"""Compare: metrics and playlists of every representation, and a blind listening test."""

import pandas as pd
import streamlit as st

from soundalike import representations
from soundalike.errors import SoundalikeError
from soundalike.evaluation import agreement, results
from soundalike.evaluation.results import Report
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.playlist.query import Query
from soundalike.ui import components, current_clip, incoming, palette, session, track_picker
from soundalike.ui.compare import blind_test, charts, methods, room_page
from soundalike.ui.present import mode

MOST, LENGTH = 4, 10
BARE = {"displayModeBar": False}


def show(index: Index) -> None:
    """Draw the page. In a room the blind test comes first, and for the audience it is alone."""
    prepare(index)
    if room_page.is_guest():
        session.to_url({room_page.ROOM: room_page.code(), room_page.BALLOT: room_page.ballot()})
        room_page.vote(index)
        return
    first = st.container() if mode.is_on() else None
    figures(index)
    lists = st.container()
    with first or st.container():
        blind_test.show(index)
    # Last: VGG16 may have to run on a visitor's clip, and the rest of the page comes first.
    with lists:
        side_by_side(index)


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run."""
    current_clip.enter(index, "compare")
    if "compare_pairing" not in st.session_state:
        asked = incoming.chosen(incoming.parameter("blind"), index.names, 2)
        st.session_state.compare_pairing = asked if len(asked) == 2 else methods.first_choice(index)[:2]
    if "compare_by" not in st.session_state:
        asked = incoming.chosen(incoming.parameter("by"), index.names, MOST)
        st.session_state.compare_by = asked or methods.first_choice(index)
    st.session_state.compare_shared = list(st.session_state.compare_pairing)


def figures(index: Index) -> None:
    """Show the metrics as bars and as a table."""
    st.header("Metrics", anchor=False)
    try:
        found = {report.title: report for report in results.reports(index)}
    except SoundalikeError as error:
        components.show_error(str(error))
        return
    if not found:
        st.caption("This index has no metrics. Run soundalike evaluate --save to compute them.")
        return
    chosen = next(iter(found))
    if len(found) > 1:
        chosen = st.segmented_control(
            "Measured on",
            list(found),
            format_func=components.plain,
            default=chosen,
            key="compare_measured",
            persist_state="session",
            required=True,
        )
    if results.OWN not in found:
        st.caption(
            "This library has no metrics yet. Run soundalike evaluate --save to compute them. Until "
            "then, this shows the metrics for another set of labelled clips."
        )
    draw_report(index, found[chosen or next(iter(found))])


def draw_report(index: Index, report: Report) -> None:
    """Show the metrics of one collection and how to read them."""
    table = report.table()
    default = representations.default(index.names)
    best = table.iloc[0]
    words = (
        "The share of a track's ten nearest neighbours by other artists that have its genre. Chance is "
        f"{report.chance:.2f} (dashed). The highest score is {best['precision']:.3f}, for "
        f"{best['title']} ({best['low']:.3f} to {best['high']:.3f}, 95 % interval over artists). "
        f"Labels: {report.asked}."
    )
    left, right = st.columns([5, 7], gap="large")
    with left:
        figure = charts.precision_bars(table, report.chance, default)
        st.plotly_chart(figure, config=BARE, key="compare_bars", alt=words)
    with right:
        draw_table(table)
    st.caption(components.plain(words))
    if report.held_out:
        trained = ", ".join(str(title) for title in table["title"][table["trained_on"].astype(bool)])
        st.caption(
            f"Trained on the genres of these very tracks: {components.plain(trained)}. Their bars show "
            "held-out scores: each track is compared only with its cross-validation fold, by a genre "
            "head not trained on that fold. “All tracks” covers the whole library, so it flatters these "
            "methods."
        )

    draw_copies(report.changed_copies(default))


def draw_copies(table: pd.DataFrame) -> None:
    """Show how well the default recognises changed copies of tracks, such as recordings."""
    if table.empty:
        return
    share = st.column_config.NumberColumn
    with st.expander(
        "Recordings and other changed copies", icon=":material/mic:", key="compare_changed"
    ):
        st.caption(
            "We changed tracks the way microphones, players or file formats do, and searched with the "
            "changed copies. Neighbours kept: share of the track's ten nearest that are also the "
            "copy's. Original first: how often the original is the nearest track. Recognised: how often "
            "the fingerprint identifies the recording."
        )
        st.dataframe(
            table.dropna(axis=1, how="all"),
            hide_index=True,
            height="content",
            key="compare_copies",
            alt="How well changed copies of tracks are recognised",
            column_config={
                "change": st.column_config.TextColumn("Change", pinned=True),
                "kept": share("Neighbours kept", format="percent"),
                "first": share("Original first", format="percent"),
                "known": share("Recognised", format="percent"),
            },
        )


def draw_table(table: pd.DataFrame) -> None:
    """Show all metrics in a sortable table."""
    number, share = st.column_config.NumberColumn, st.column_config.ProgressColumn
    st.dataframe(
        table.drop(columns=["name", "low", "high", "trained_on"]).dropna(axis=1, how="all"),
        hide_index=True,
        height=36 * len(table) + 40,
        key="compare_table",
        alt="Metrics of every method",
        column_config={
            "title": st.column_config.TextColumn("Method", pinned=True),
            "precision": share(
                "P@10", format="%.3f", min_value=0.0, max_value=1.0, help="Artist filtered."
            ),
            "all_tracks": number("All tracks", format="%.3f", help="P@10 over the whole library."),
            "unfiltered": number("Unfiltered", format="%.3f", help="P@10 including the query's artist."),
            "map": number("MAP", format="%.3f", help="Mean average precision, artist filtered."),
            "skew": number("Hubness", format="%.2f", help="Skew of how often tracks are neighbours."),
            "orphans": number(
                "Orphans", format="percent", help="Tracks in no other track's ten nearest."
            ),
            "shift": number("3 s shift", format="%.2f", help="Similarity to a copy shifted by 3 s."),
            "dim": number("Dimensions", format="localized", help="Numbers per track."),
            "ms": number("ms per track", format="%.0f", help="Time to embed a decoded clip."),
            "bytes": number("Bytes per track", format="localized"),
        },
    )


@st.fragment
def side_by_side(index: Index) -> None:
    """Show one track's playlists by several methods, and how much they agree."""
    st.header("One track, several playlists", anchor=False)
    names = methods.titles(index)
    left, right = st.columns([1, 1], gap="large")
    styles = palette.of(index)
    with left:
        asked = choose_clip(index)
    with right:
        st.multiselect(
            f"Methods (2 to {MOST})",
            index.names,
            format_func=lambda name: names[name],
            key="compare_by",
            persist_state="session",
            max_selections=MOST,
        )
    chosen = st.session_state.compare_by
    share(index)
    current_clip.leave("compare")
    if len(chosen) < 2:
        right.caption("Choose at least two methods.")
        return
    if asked is None:
        right.caption("Choose a clip, and its playlists will appear here.")
        return
    waiting = query.waiting(asked, index, chosen)
    found = agreement.compare(index, asked, [name for name in chosen if name not in waiting], LENGTH)
    with right:
        show_agreement(found, names)
        progress = st.container()
    shown = {name: names[name] for name in chosen}
    components.playlist_columns(index, found, shown, styles, "compare_columns")
    components.show_notes([f"{names[name]}: {reason}" for name, reason in found.unanswered.items()])
    show_descriptions(chosen)
    if waiting:
        with progress:
            compute(index, asked, waiting)


def compute(index: Index, asked: Query, names: list[str]) -> None:
    """Run the networks on the visitor's clip, and the page again with these playlists too."""
    answer = components.compute(index, asked, names)
    if isinstance(answer, Query):
        st.rerun()
    components.show_error(answer)


def share(index: Index) -> None:
    """Write the page's settings into the URL."""
    by_library = st.session_state.compare_source == current_clip.LIBRARY
    pairing = list(st.session_state.compare_pairing)
    session.to_url(
        {
            "from": None if by_library else st.session_state.compare_source,
            "track": st.session_state.compare_track if by_library else None,
            "by": ",".join(st.session_state.compare_by) or None,
            room_page.ROOM: room_page.code(),
            "blind": None if pairing == methods.first_choice(index)[:2] else ",".join(pairing) or None,
        }
    )


def choose_clip(index: Index) -> Query | None:
    """Choose a clip and show its player. Returns its query; None while there is none."""
    source = current_clip.choose_source("compare_source")
    if source == current_clip.LIBRARY:
        track_picker.choose_track(index, "Track", "compare_track")
        track = components.track_of(index, index.row(st.session_state.compare_track))
        components.card(track, palette.of(index).get(track.genre), "compare_card")
        components.navigation_buttons(track.id, "compare", "compare_onward")
        return query.from_library(index, track.id)
    own = current_clip.give("compare", recorded=source == current_clip.RECORD)
    asked = None if own is None else current_clip.ask(index, own)
    if own is not None and asked is not None:
        components.card(own.track, None, "compare_card")
        current_clip.navigation_buttons("compare", "compare_onward")
    return asked


def show_agreement(found: agreement.Comparison, names: dict[str, str]) -> None:
    """Show how much the playlists have in common."""
    if not found.agreements:
        return
    nearest = max(found.agreements, key=lambda item: item.rank_biased)
    words = (
        f"How many of their {LENGTH} tracks two playlists share. {names[nearest.first]} and "
        f"{names[nearest.second]} agree most: {nearest.overlap:.0%} in common, rank-biased overlap "
        f"{nearest.rank_biased:.2f} (1 = same tracks in the same order)."
    )
    figure = charts.agreement_map(found.agreements, names)
    st.plotly_chart(figure, config=BARE, key="compare_agreement", alt=words)
    st.caption(components.plain(words))


def show_descriptions(chosen: list[str]) -> None:
    """Describe what each of the chosen representations captures and misses."""
    with st.expander(
        "What each method captures and misses", icon=":material/hearing:", key="compare_captures"
    ):
        for name in chosen:
            representation = representations.get(name)
            st.markdown(
                f"**{components.plain(representation.title)}** (`{representation.name}`, "
                f"{representation.dim:,} numbers). "
                f"{components.plain(representation.description)}"
            )


room_page.prepare()
if room_page.code():
    components.page("Which sounds more alike?", "", show)
else:
    components.page(
        "Compare the methods",
        "There are many ways to turn music into numbers, and only some find what sounds alike. Here "
        "they are measured, shown side by side, and put to a listening test.",
        show,
    )
