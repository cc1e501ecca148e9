"""The blind listening test: two unnamed playlists for one track, the vote, and the tally."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from soundalike.errors import SoundalikeError
from soundalike.evaluation.listening_test import Pair, Votes
from soundalike.index.index import Index
from soundalike.ui import components
from soundalike.ui.compare import charts, methods, room_page, voting
from soundalike.ui.present import mode, tour

BARE = {"displayModeBar": False}


@st.fragment
def show(index: Index) -> None:
    """Show two anonymous playlists for one track and ask which sounds more like it."""
    if room_page.code() is None:
        st.header("Blind listening test", anchor=False)
    if len(index.names) < 2:
        st.caption("The test needs at least two methods, and this index has one.")
        return
    try:
        votes = voting.votes_of(index)
        mode.button("compare_present", tour.BLIND)
        if not (mode.is_on() and room_page.present(index)):
            ask(index, votes)
        show_votes(index, votes)
    except SoundalikeError as error:
        components.show_error(str(error))


def ask(index: Index, votes: Votes) -> None:
    """Show a pair and its vote buttons; voting brings up the next pair."""
    pairing = methods.choose_pair(index)
    if len(pairing) < 2:
        return
    pair: Pair | None = st.session_state.get("compare_pair")
    if pair is None or not index.has(pair.query) or {pair.left, pair.right} != set(pairing):
        pair = draw_pair(index, votes)
    st.caption(
        "Listen to the track, then to both playlists. Which one sounds more like it? The track and the "
        "order of the methods are random; the tally reveals which is which."
    )
    left, right = st.columns([5, 9], gap="large")
    with left:
        components.card(components.track_of(index, index.row(pair.query)), None, "compare_blind_card")
        st.caption("Sounds more like it:")
        with st.container(horizontal=True, gap="small"):
            for choice, label in voting.ANSWERS.items():
                # The key contains the pair, so a double click cannot vote on the next pair unseen.
                st.button(
                    label,
                    key=f"compare_vote_{choice}_{pair.id}",
                    on_click=vote,
                    args=[index, votes, pair, choice],
                )
        st.button(
            "Skip this pair", type="tertiary", key="compare_skip", on_click=skip, args=[index, votes]
        )
        if message := st.session_state.get("compare_told"):
            st.caption(components.for_visitors(message))
    with right:
        shown = {
            "Playlist A": methods.rows_of(index, pair.query, pair.left),
            "Playlist B": methods.rows_of(index, pair.query, pair.right),
        }
        components.blind_columns(index, shown, "compare_blind")


def draw_pair(index: Index, votes: Votes) -> Pair:
    """Draw a random track for which the playlists of the chosen methods differ."""
    chosen = st.session_state.compare_pairing
    names = chosen if len(chosen) == 2 else methods.first_choice(index)[:2]
    pair = votes.deal(methods.draw_track(index, names), names)
    st.session_state.compare_pair = pair
    return pair


def skip(index: Index, votes: Votes) -> None:
    """Skip a pair and draw the next."""
    st.session_state.pop("compare_told", None)
    try:
        votes.discard(st.session_state.compare_pair.id)
        draw_pair(index, votes)
    except SoundalikeError as error:
        st.session_state.compare_told = str(error)


def vote(index: Index, votes: Votes, pair: Pair, choice: str) -> None:
    """Count a vote once, and draw the next pair."""
    if st.session_state.compare_pair.id != pair.id:
        # The second click of a double click must not skip the next pair.
        return
    try:
        counted = voting.cast(votes, pair.id, choice)
    except SoundalikeError as error:
        st.session_state.compare_told = f"Your vote was not counted: {error}"
        return
    message = "Vote counted." if counted else "This pair cannot be voted on any more."
    try:
        draw_pair(index, votes)
        st.session_state.compare_told = f"{message} Here's the next pair."
    except SoundalikeError as error:
        st.session_state.compare_told = f"{message} {error}"


def show_votes(index: Index, votes: Votes) -> None:
    """Show the number of votes, the tally if requested, its download, and a button for a new round."""
    count = votes.count()
    st.caption(f"{count:,} {'vote' if count == 1 else 'votes'} so far this round, from all visitors.")
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
            new_round(votes)
    if shown:
        tally(index, votes)


def new_round(votes: Votes) -> None:
    """Show the button for a new round to the presenter, and ask others for the key."""
    if voting.is_presenter():
        st.caption("This resets the tally. Earlier votes stay in the CSV, with their round.")
        st.button("Start a new round", key="compare_reset", on_click=start_round, args=[votes])
        return
    if not mode.is_on():  # then it is asked for above
        voting.ask_for_key()
    st.caption("Only the presenter can start a new round: with the key, or on the server itself.")


def start_round(votes: Votes) -> None:
    """Start a new round, or show why this failed."""
    st.session_state.pop("compare_told", None)
    if not voting.is_presenter():
        return
    try:
        votes.reset()
    except SoundalikeError as error:
        st.session_state.compare_told = str(error)


def tally(index: Index, votes: Votes) -> None:
    """Show which methods were preferred, with confidence intervals."""
    tallies = votes.tallies()
    if not any(item.share is not None for item in tallies):
        st.caption("No votes for either side yet.")
        return
    words = (
        "For each pair of methods, the share of votes for the first, with its 95 % interval (Wilson). "
        "If an interval crosses the dashed line, there's no clear winner yet."
    )
    figure = charts.vote_bars(tallies, methods.titles(index))
    st.plotly_chart(figure, config=BARE, key="compare_votes", alt=words)
    st.caption(words)
