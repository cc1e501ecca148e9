"""Compare: every representation side by side: figures, playlists, and a blind listening test."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from soundalike import paths, representations
from soundalike.errors import SoundalikeError
from soundalike.evaluation import agreement, results
from soundalike.evaluation.listening_test import Pair, Votes
from soundalike.evaluation.results import Report
from soundalike.index.index import Index
from soundalike.playlist import playlist, query
from soundalike.ui import components, palette, state, track_picker
from soundalike.ui.compare import charts

MOST, LENGTH, BLIND_LENGTH = 4, 10, 5
BARE = {"displayModeBar": False}
ANSWERS = {"left": "Playlist A", "right": "Playlist B", "same": "Neither"}


def show(index: Index) -> None:
    """Draw the page."""
    prepare(index)
    figures(index)
    side_by_side(index)
    blind_test(index)


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run."""
    state.track_from_url(index, "compare_track")
    if "compare_by" not in st.session_state:
        asked = [name for name in st.query_params.get("by", "").split(",") if name in index.names]
        st.session_state.compare_by = asked[:MOST] or first_choice(index)


def first_choice(index: Index) -> list[str]:
    """The default beside the article's system, or whatever else there is."""
    wanted = [representations.default(index.names), "vgg_genre", "mfcc_flat"]
    return [name for name in dict.fromkeys([*wanted, *index.names]) if name in index.names][:3]


def titles(index: Index) -> dict[str, str]:
    """The representations' names for a visitor."""
    return {name: representations.get(name).title for name in index.names}


def figures(index: Index) -> None:
    """What was measured, as bars and as a table."""
    st.header("Measured", anchor=False)
    try:
        found = {report.title: report for report in results.reports(index)}
    except SoundalikeError as error:
        components.show_error(str(error))
        return
    if not found:
        st.caption("This index has not been measured: the command soundalike evaluate --save does it.")
        return
    chosen = next(iter(found))
    if len(found) > 1:
        chosen = st.segmented_control(
            "Measured on",
            list(found),
            default=chosen,
            key="compare_measured",
            persist_state="session",
            required=True,
        )
    if results.OWN not in found:
        st.caption(
            "This library has not been measured (the command soundalike evaluate --save does it); these "
            "are the figures of other clips, whose genres are known."
        )
    draw_report(index, found[chosen or next(iter(found))])


def draw_report(index: Index, report: Report) -> None:
    """One collection's figures, with how to read them."""
    table = report.table()
    default = representations.default(index.names)
    best = table.iloc[0]
    words = (
        f"Of each track's ten nearest by another artist, the share of its own genre; chance is "
        f"{report.chance:.2f} (dashed). Best is {best['title']} with {best['precision']:.3f} "
        f"({best['low']:.3f} to {best['high']:.3f}, a 95 % interval over artists). Labels: "
        f"{report.asked}."
    )
    left, right = st.columns([5, 7], gap="large")
    with left:
        figure = charts.precision_bars(table, report.chance, default)
        st.plotly_chart(figure, config=BARE, key="compare_bars", alt=words)
    with right:
        draw_table(table)
    st.caption(components.plain(words))
    if report.held_out:
        heard = ", ".join(str(title) for title in table["title"][table["trained_on"].astype(bool)])
        st.caption(
            f"{components.plain(heard)}: trained on the genres of these very tracks. So the bars are "
            "held out: each track is compared with those of its fold of cross-validation only, by a "
            "genre head that heard none of them. The column “All tracks” has the figure over the whole "
            "library, which flatters those."
        )

    draw_copies(report.changed_copies(default))


def draw_copies(table: pd.DataFrame) -> None:
    """How the default knew copies again that had come through the air, or were changed otherwise."""
    if table.empty:
        return
    share = st.column_config.NumberColumn
    with st.expander("Through the air and other changes", icon=":material/mic:"):
        st.caption(
            "Tracks were changed, as a microphone, a player or a file changes them, and looked for. "
            "Kept of ten is the share of a track's ten nearest that its copy has too. Original first is "
            "how often the track is the nearest to its copy. Still known is how often the fingerprint "
            "says that the copy is this recording."
        )
        st.dataframe(
            table.dropna(axis=1, how="all"),
            hide_index=True,
            height="content",
            key="compare_copies",
            alt="How changed copies of tracks were known again",
            column_config={
                "change": st.column_config.TextColumn("Change", pinned=True),
                "kept": share("Kept of ten", format="percent"),
                "first": share("Original first", format="percent"),
                "known": share("Still known", format="percent"),
            },
        )


def draw_table(table: pd.DataFrame) -> None:
    """The figures in full; a click on a column's head sorts by it."""
    number, share = st.column_config.NumberColumn, st.column_config.ProgressColumn
    st.dataframe(
        table.drop(columns=["name", "low", "high", "trained_on"]).dropna(axis=1, how="all"),
        hide_index=True,
        height=36 * len(table) + 40,
        key="compare_table",
        alt="Figures of every representation",
        column_config={
            "title": st.column_config.TextColumn("Approach", pinned=True),
            "precision": share(
                "P@10", format="%.3f", min_value=0.0, max_value=1.0, help="Artist filtered."
            ),
            "heard": number("All tracks", format="%.3f", help="P@10 over the whole library."),
            "unfiltered": number("Unfiltered", format="%.3f", help="P@10 with the query's own artist."),
            "map": number("MAP", format="%.3f", help="Mean average precision, artist filtered."),
            "skew": number("Hubness", format="%.2f", help="Skew of how often tracks are neighbours."),
            "orphans": number("Orphans", format="percent", help="Tracks in nobody's ten nearest."),
            "shift": number("3 s shift", format="%.2f", help="Similarity to a copy shifted by 3 s."),
            "dim": number("Numbers", format="localized", help="Numbers a track."),
            "ms": number("ms a track", format="%.0f", help="To embed a decoded clip."),
            "bytes": number("Bytes a track", format="localized"),
        },
    )


@st.fragment
def side_by_side(index: Index) -> None:
    """One track's playlists by several representations, and how far they agree."""
    st.header("One track, several answers", anchor=False)
    names = titles(index)
    left, right = st.columns([1, 1], gap="large")
    with left:
        track_picker.choose_track(index, "Track", "compare_track")
        track = components.track_of(index, index.row(st.session_state.compare_track))
        styles = palette.of(index)
        components.card(track, styles.get(track.genre), "compare_card")
        components.navigation_buttons(track.id, "compare", "compare_onward")
    with right:
        st.multiselect(
            f"Approaches, two to {MOST}",
            index.names,
            format_func=lambda name: names[name],
            key="compare_by",
            persist_state="session",
            max_selections=MOST,
        )
    chosen = st.session_state.compare_by
    state.to_url({"track": track.id, "by": ",".join(chosen) or None})
    if len(chosen) < 2:
        right.caption("Choose at least two approaches.")
        return
    asked = query.from_library(index, track.id)
    found = agreement.compare(index, asked, chosen, LENGTH)
    with right:
        show_agreement(found, names)
    components.playlist_columns(index, found, names, styles, "compare_columns")
    components.show_notes([f"{names[name]}: {reason}" for name, reason in found.unanswered.items()])
    hear(chosen)


def show_agreement(found: agreement.Comparison, names: dict[str, str]) -> None:
    """How much the playlists have in common."""
    if not found.agreements:
        return
    nearest = max(found.agreements, key=lambda item: item.rank_biased)
    words = (
        f"How many of their {LENGTH} tracks two playlists share. Most alike are "
        f"{names[nearest.first]} and {names[nearest.second]}: {nearest.overlap:.0%} in common, "
        "rank-biased overlap "
        f"{nearest.rank_biased:.2f} (1 is the same order)."
    )
    figure = charts.agreement_map(found.agreements, names)
    st.plotly_chart(figure, config=BARE, key="compare_agreement", alt=words)
    st.caption(components.plain(words))


def hear(chosen: list[str]) -> None:
    """What each of the chosen representations hears and misses."""
    with st.expander("What they hear, and what they miss", icon=":material/hearing:"):
        for name in chosen:
            representation = representations.get(name)
            st.markdown(
                f"**{components.plain(representation.title)}** (`{name}`, {representation.dim:,} "
                f"numbers). "
                f"{components.plain(representation.hears)}"
            )


@st.cache_resource(max_entries=8, show_spinner=False)
def open_votes(path: str, library: str) -> Votes:
    """The votes on a library, opened once for all sessions."""
    return Votes(Path(path), library)


@st.fragment
def blind_test(index: Index) -> None:
    """Two unnamed playlists for one track: which sounds more alike?"""
    st.header("Blind listening test", anchor=False)
    if len(index.names) < 2:
        st.caption("It takes two approaches, and this index has one.")
        return
    try:
        votes = open_votes(str(paths.votes_file()), str(index.manifest["library"]["fingerprint"]))
        ask(index, votes)
        show_votes(index, votes)
    except SoundalikeError as error:
        components.show_error(str(error))


def ask(index: Index, votes: Votes) -> None:
    """Show a pair and take its answer; a new pair comes with the answer."""
    pair: Pair | None = st.session_state.get("compare_pair")
    if pair is None or not index.has(pair.query):
        pair = deal(index, votes)
    st.caption(
        "Listen to the track, then to both playlists. Which one sounds more like it? Who made them, and "
        "which stands left, is decided by chance, and you only learn it from the tally."
    )
    left, right = st.columns([5, 9], gap="large")
    with left:
        components.card(components.track_of(index, index.row(pair.query)), None, "compare_blind_card")
        st.caption("Sounds more like it:")
        with st.container(horizontal=True, gap="small"):
            for choice, label in ANSWERS.items():
                # The pair is part of the key, so that a second click cannot answer the next pair unseen.
                st.button(
                    label,
                    key=f"compare_vote_{choice}_{pair.id}",
                    on_click=answer,
                    args=[index, votes, pair, choice],
                )
        st.button(
            "Skip this pair", type="tertiary", key="compare_skip", on_click=skip, args=[index, votes]
        )
        if told := st.session_state.get("compare_told"):
            st.caption(told)
    with right:
        shown = {
            "Playlist A": rows_of(index, pair.query, pair.left),
            "Playlist B": rows_of(index, pair.query, pair.right),
        }
        components.blind_columns(index, shown, "compare_blind")


def rows_of(index: Index, track_id: str, name: str) -> list[int]:
    """The tracks of a short playlist."""
    asked = query.from_library(index, track_id)
    return [entry.row for entry in playlist.recommend(index, asked, name, BLIND_LENGTH).entries]


def deal(index: Index, votes: Votes) -> Pair:
    """A new pair for a track by chance; its two playlists differ."""
    for _ in range(20):
        pair = votes.deal(random.choice(index.ids), index.names)
        if rows_of(index, pair.query, pair.left) != rows_of(index, pair.query, pair.right):
            break
    st.session_state.compare_pair = pair
    return pair


def skip(index: Index, votes: Votes) -> None:
    """Leave a pair without an answer, and deal the next."""
    st.session_state.pop("compare_told", None)
    try:
        deal(index, votes)
    except SoundalikeError as error:
        st.session_state.compare_told = components.for_visitors(str(error))


def answer(index: Index, votes: Votes, pair: Pair, choice: str) -> None:
    """Count an answer once, and deal the next pair."""
    if st.session_state.compare_pair.id != pair.id:
        # The second half of a double click: the next pair is on its way, and must not be passed over.
        return
    try:
        counted = votes.vote(pair.id, choice)
    except SoundalikeError as error:
        st.session_state.compare_told = (
            f"Your vote is not counted: {components.for_visitors(str(error))}"
        )
        return
    told = "Your vote is counted" if counted else "That pair had its vote already"
    try:
        deal(index, votes)
        st.session_state.compare_told = f"{told}; here is the next pair."
    except SoundalikeError as error:
        st.session_state.compare_told = f"{told}. {components.for_visitors(str(error))}"


def show_votes(index: Index, votes: Votes) -> None:
    """The tally for who wants to see it, its download, and a new round."""
    count = votes.count()
    st.caption(
        f"{count:,} {'vote' if count == 1 else 'votes'} in this round on this library, by everyone "
        "on this server."
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        shown = st.toggle("Show the tally", key="compare_tally", persist_state="session")
        st.download_button(
            "Votes as CSV",
            votes.export,
            f"soundalike-votes-{datetime.now(UTC):%Y-%m-%d}.csv",
            "text/csv",
            icon=":material/download:",
            key="compare_export",
        )
        with st.popover("New round", icon=":material/restart_alt:"):
            st.caption("The tally starts from zero. Votes so far stay in the CSV, under their round.")
            st.button("Begin a new round", key="compare_reset", on_click=begin_anew, args=[votes])
    if shown:
        tally(index, votes)


def begin_anew(votes: Votes) -> None:
    """A new round, or why there is none."""
    st.session_state.pop("compare_told", None)
    try:
        votes.reset()
    except SoundalikeError as error:
        st.session_state.compare_told = components.for_visitors(str(error))


def tally(index: Index, votes: Votes) -> None:
    """Who was preferred, with how sure that is."""
    tallies = votes.tallies()
    if not any(item.share is not None for item in tallies):
        st.caption("There is no preference yet.")
        return
    words = (
        "For every two approaches the share of votes for the first, with its 95 % interval (Wilson): "
        "one that reaches over the dashed line does not tell them apart yet."
    )
    figure = charts.vote_bars(tallies, titles(index))
    st.plotly_chart(figure, config=BARE, key="compare_votes", alt=words)
    st.caption(words)


components.page(
    "Compare the approaches",
    "There are many ways to turn music into numbers, and only some find what sounds alike. Here "
    "they are measured, put side by side, and judged by ear.",
    show,
)
