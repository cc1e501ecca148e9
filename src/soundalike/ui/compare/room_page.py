"""The blind test for a room: the presenter's question, join link and tally, and the audience's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from soundalike.errors import SoundalikeError
from soundalike.evaluation.listening_test import EQUAL, Pair
from soundalike.index.index import Index
from soundalike.ui import components, incoming, session
from soundalike.ui.compare import methods, voting
from soundalike.ui.present import link, mode
from soundalike.ui.present.room import Question, Room, Rooms, draw_code, is_code

ROOM = "room"
"""URL parameter of a room's code."""
BALLOT = "ballot"
"""URL parameter of a guest's ballot. Each guest has another."""
BALLOT_LENGTH = 12
LIVE_S, FOLLOW_S = 2.0, 3.0
"""Seconds between two looks at the tally, and of the audience's pages for the next question."""
_CODE, _BALLOT, _DEALT, _TOLD = "room_code", "room_ballot", "room_dealt", "room_told"


@st.cache_resource(max_entries=1, show_spinner=False)
def rooms() -> Rooms:
    """The rooms of this server."""
    return Rooms()


def prepare() -> None:
    """Read the room's code from the address on the session's first run."""
    session.from_url(_CODE, ROOM, rooms().codes(), "")


def code() -> str | None:
    """The code of the room that this session is in."""
    return st.session_state.get(_CODE) or None


def ballot() -> str:
    """This session's ballot: the address's, which a reloaded page keeps, or a new one."""
    if _BALLOT not in st.session_state:
        written = incoming.parameter(BALLOT)
        is_one = is_code(written, BALLOT_LENGTH)
        st.session_state[_BALLOT] = written if is_one else draw_code(BALLOT_LENGTH)
    return str(st.session_state[_BALLOT])


def is_guest() -> bool:
    """Whether this session is in a room as one of the audience."""
    prepare()
    return code() is not None and not (mode.is_on() and voting.is_presenter())


def room_of(index: Index) -> Room | None:
    """The room that this session is in; None if it is closed, or is about another library."""
    found = rooms().get(code() or "")
    return found if found is not None and found.library == voting.library_of(index) else None


def present(index: Index) -> bool:
    """Let the presenter open a room, or show it. Returns whether a room is shown."""
    if not voting.is_presenter():
        with st.popover("Vote with the room", icon=":material/groups:", key="compare_key"):
            voting.ask_for_key()
            st.caption("Everybody votes on their own phone. Only the presenter can open a room.")
        return False
    room = room_of(index)
    if room is not None:
        show_room(index, room)
        return True
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _button("Open a room", "groups", "compare_open_room", lambda: _open(index), is_main=True)
        st.caption("Everybody joins with a link and votes on their own phone.", width="content")
    return False


def show_room(index: Index, room: Room) -> None:
    """Show the presenter's side of a room."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if not room.is_revealed:
            _button("Reveal", "visibility", "compare_reveal", lambda: _reveal(room), is_main=True)
        _button("Next clip", "skip_next", "compare_next", lambda: _ask(index, room))
        _button("Close the room", "close", "compare_close", _close)
        count_votes(room)
    shown = st.container()
    left, right = st.columns([4, 9], gap="large")
    with left:
        invite()
    with right:
        question = st.container()
        pair = methods.choose_pair(index)
        if len(pair) == 2 and {room.question.left, room.question.right} != set(pair):
            room.ask(methods.draw_track(index, pair, room.question.query), pair)
    if room.is_revealed:
        with shown:
            tally(index, room)
    with question:
        show_question(index, room.question)


def invite() -> None:
    """Show the join link and its QR code."""
    parameters = {ROOM: code() or ""}
    if session.LIBRARY in st.query_params:
        parameters[session.LIBRARY] = incoming.parameter(session.LIBRARY)
    found = link.join_link(parameters)
    if not found:
        st.caption("We don't know the app's address. Set SOUNDALIKE_URL to it.")
        return
    link.show(found)
    if link.is_loopback(found):
        st.caption(
            "Others can't reach this address, which leads to this computer only. Open the app by its "
            "address in the network, or set SOUNDALIKE_URL to that."
        )


def show_question(index: Index, question: Question) -> None:
    """Show the question's track and the two playlists."""
    components.card(components.track_of(index, index.row(question.query)), None, "compare_room_card")
    shown = {
        voting.ANSWERS[side]: methods.rows_of(index, question.query, getattr(question, side))
        for side in ("left", "right")
    }
    components.blind_columns(index, shown, "compare_room_columns")


@st.fragment(run_every=LIVE_S)
def count_votes(room: Room) -> None:
    """Show how many have voted."""
    count = room.votes.total()
    st.subheader(f"{count:,} {'vote' if count == 1 else 'votes'} on this clip", anchor=False)


@st.fragment(run_every=LIVE_S)
def tally(index: Index, room: Room) -> None:
    """Show what the room has voted for, and which method made which playlist."""
    votes, total = room.votes.copy(), room.total.copy()
    names = methods.titles(index)
    for choice, label in voting.ANSWERS.items():
        method = "" if choice == "same" else f": {names[getattr(room.question, choice)]}"
        share = votes[choice] / votes.total() if votes else 0.0
        st.progress(share, components.plain(f"{label}{method}, {votes[choice]} ({share:.0%})"))
    said = [f"{names.get(name, EQUAL)} {number}" for name, number in total.most_common()]
    if said:
        st.caption(components.plain(f"All clips so far: {', '.join(said)}."))


def vote(index: Index) -> None:
    """Show the audience's page: the question of the room, and the buttons to vote."""
    room = room_of(index)
    follow(index, None if room is None else room.question)
    if room is None:
        st.caption("This vote is over. Thank you for listening.")
    else:
        try:
            _show_ballot(index, room)
        except SoundalikeError as error:
            components.show_error(str(error))
    st.button(
        "Leave the vote", icon=":material/close:", key="room_leave", on_click=_close, type="tertiary"
    )
    if mode.is_on():
        voting.ask_for_key()


def _show_ballot(index: Index, room: Room) -> None:
    question = room.question
    left, right = st.columns([5, 9], gap="large")
    with right:
        show_question(index, question)
    with left:
        st.caption(
            f"Clip {question.number}. Listen to the track, then to both playlists. Which one sounds "
            "more like it?"
        )
        voted = room.choice_of(ballot())
        pair = _deal(index, room.code, question)
        for choice, label in voting.ANSWERS.items():
            st.button(
                label,
                key=f"room_vote_{choice}_{pair.id}",
                on_click=_vote,
                args=[index, room, question, pair, choice],
                type="primary" if choice == voted else "secondary",
                disabled=voted is not None,
                width="stretch",
            )
        if voted is not None:
            st.caption(f"Vote counted: {voting.ANSWERS[voted]}. The next clip will appear here.")
        if message := st.session_state.pop(_TOLD, ""):
            st.caption(components.for_visitors(message))


@st.fragment(run_every=FOLLOW_S)
def follow(index: Index, question: Question | None) -> None:
    """Run the page again once the room has another question, or is closed."""
    room = room_of(index)
    if (None if room is None else room.question) != question:
        st.rerun()


def _deal(index: Index, room: str, question: Question) -> Pair:
    """This session's own pair for a question, with which it can vote once."""
    dealt: tuple[str, int, Pair] | None = st.session_state.get(_DEALT)
    if dealt is None or dealt[:2] != (room, question.number):
        names = (question.left, question.right)
        pair = voting.votes_of(index).deal(question.query, names, shuffled=False)
        dealt = st.session_state[_DEALT] = (room, question.number, pair)
    return dealt[2]


def _vote(index: Index, room: Room, question: Question, pair: Pair, choice: str) -> None:
    if room.choice_of(ballot()):
        return
    try:
        counted = voting.cast(voting.votes_of(index), pair.id, choice)
    except SoundalikeError as error:
        st.session_state[_TOLD] = f"Your vote was not counted: {error}"
        return
    if counted:
        room.count(question, choice, ballot())


def _button(label: str, icon: str, key: str, act: Callable[[], None], *, is_main: bool = False) -> None:
    """A presenter's button. The whole page runs again, since the address may change."""
    kind: Literal["primary", "secondary"] = "primary" if is_main else "secondary"
    pressed = st.button(label, icon=f":material/{icon}:", key=key, type=kind)
    if pressed and voting.is_presenter():
        act()
        st.rerun()


def _open(index: Index) -> None:
    names = st.session_state.compare_pairing
    pair = names if len(names) == 2 else methods.first_choice(index)[:2]
    first = st.session_state.compare_track
    drawn = methods.draw_track(index, pair, first)
    st.session_state[_CODE] = rooms().open(voting.library_of(index), drawn, pair).code


def _ask(index: Index, room: Room) -> None:
    names = (room.question.left, room.question.right)
    room.ask(methods.draw_track(index, names), names)


def _reveal(room: Room) -> None:
    room.is_revealed = True


def _close() -> None:
    """Close the room if this is the presenter's session; leave it in any case."""
    if not is_guest():
        rooms().close(code() or "")
    st.session_state[_CODE] = ""
