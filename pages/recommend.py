"""Recommend: a playlist of tracks that sound like a clip, or a journey from it to another track."""

import random
from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike import representations
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import journey, playlist, query
from soundalike.playlist.query import Query
from soundalike.training import report
from soundalike.ui import (
    components,
    current_clip,
    explanation_dialog,
    figures,
    first_visit,
    moment,
    palette,
    server,
    session,
    track_picker,
    words,
)
from soundalike.ui.playlist import far_away, history, playlist_controls, playlist_state
from soundalike.ui.present import tour
from soundalike.words.search import Matches

SOURCES = {**current_clip.SOURCES, "describe": "Describe"}
GENRES_SHOWN = 6
LEAST_SHOWN = 0.01
BARE = {"displayModeBar": False}


def show(index: Index) -> None:
    """Draw the page."""
    prepare(index)
    # The style sheet has a phone show the clip, then the playlist, then what is said about the clip.
    with st.container(key="recommend_parts"):
        left, right = st.columns([5, 10], gap="medium")
    # All places first: each keeps room for what comes later.
    clip, said = left.container(key="recommend_clip"), left.container(key="recommend_said")
    listed = right.container(key="recommend_list")
    with clip:
        asked, track, found = choose(index)
        if asked is not None and track is not None:
            describe(index, asked, track)
    with said:
        if asked is not None and track is not None:
            show_actions(track)
            words.show(words.of_query(index, asked))
        head = st.container()
    with listed:
        recommend(index, asked, found)
    moment.fill(index)
    if asked is not None:
        # The playlist comes first.
        with head:
            asked = look_closer(index, asked)
            show_genre_head(index, asked)
    if asked is not None and track is not None:
        explain(index, asked, track)
    share(index)


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run, and from a track chosen in the playlist."""
    entered = current_clip.enter(index, "recommend", SOURCES)
    words.prepare()
    session.from_url("recommend_by", "by", index.names, representations.default(index.names))
    playlist_state.prepare(index)
    if entered and st.session_state.get("recommend_of", clip_id()) != clip_id():
        # The clip was changed on another page. Edits to the previous clip's playlist don't apply to it.
        playlist_state.reset()
    moment.prepare(index)
    history.note_change()


def clip_id() -> str:
    """What tells the playlist's clip from others."""
    own = current_clip.kept_clip() if st.session_state.recommend_source != current_clip.LIBRARY else None
    return str(st.session_state.recommend_track) if own is None else own.id


def choose(index: Index) -> tuple[Query | None, components.Track | None, Matches | None]:
    """Choose what to start from.

    Returns
    -------
    a clip's query and its track, or the matches of a description; None for what there is not (yet)
    """
    source = st.segmented_control(
        "Start from",
        list(SOURCES),
        format_func=lambda source: SOURCES[source],
        key="recommend_source",
        persist_state="session",
        required=True,
        on_change=playlist_state.reset,
        label_visibility="collapsed",
    )
    # Always there, if empty: what comes after it would be drawn anew if it came and went.
    with st.container():
        if source == current_clip.LIBRARY:
            first_visit.show(index, st.session_state.recommend_track, go_to)
    if source == current_clip.LIBRARY:
        return *choose_from_library(index), None
    if source == "describe":
        return None, None, words.ask_description(index)
    return *choose_file(index, recorded=source == "record"), None


def choose_file(index: Index, recorded: bool) -> tuple[Query | None, components.Track | None]:
    """Upload or record a clip. Returns its query and its track; None if there is no clip yet."""
    own = current_clip.give("recommend", recorded=recorded, on_change=playlist_state.reset)
    if own is None:
        return None, None
    if not current_clip.is_asked(index, own):
        play_query()
    asked = current_clip.ask(index, own)
    if asked is None:
        moment.reserve(index, own.track)
        return None, None
    return asked, own.track


def choose_from_library(index: Index) -> tuple[Query | None, components.Track]:
    """Choose a library track by typing part of its title, artist or genre."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        # In a container of its own: in a large library this is a field with its results below.
        with st.container():
            track_picker.choose_track(
                index, "Track", "recommend_track", on_change=restart, labelled=False
            )
        st.button(
            "Surprise me",
            icon=":material/shuffle:",
            on_click=go_to,
            args=[random.choice(index.ids)],
            key="recommend_surprise",
        )
    track = components.track_of(index, index.row(st.session_state.recommend_track))
    asked = moment.of_library(index, track.id)
    if asked is None:
        moment.reserve(index, track)
    return asked, track


def restart() -> None:
    """Reset the playlist for the newly chosen track, and play the track."""
    playlist_state.reset()
    play_query()


def go_to(track_id: str) -> None:
    """Start from a library track, and play it."""
    playlist_state.reset()
    st.session_state.recommend_source = "library"
    st.session_state.recommend_track = track_id
    play_query()


def play_query() -> None:
    """Start the query's player: the visitor has just chosen this clip."""
    st.session_state.recommend_start = st.session_state.get("recommend_start", 0) + 1


def describe(index: Index, asked: Query, track: components.Track) -> None:
    """Show the query's player and the notes about it."""
    styles = palette.of(index)
    started = st.session_state.get("recommend_start")
    start = None if started is None else f"{started}-{track.id}"
    components.card(track, styles.get(track.genre), "recommend_card", start)
    moment.reserve(index, track)
    if asked.row is not None and not is_of_library():
        artist = index.fact("artist", asked.row)
        by = f" by {components.plain(artist)}" if artist else ""
        st.info(
            f"This is in the library: **{components.plain(index.fact('title', asked.row))}**{by}.",
            icon=":material/library_music:",
        )
    components.show_notes(asked.notes)


def show_actions(track: components.Track) -> None:
    """Show buttons that open the clip on other pages."""
    if is_of_library():
        components.navigation_buttons(track.id, "recommend", "recommend_onward")
    else:
        current_clip.navigation_buttons("recommend", "recommend_onward")


def is_of_library() -> bool:
    """Whether the clip is a track of the library."""
    return bool(st.session_state.recommend_source == current_clip.LIBRARY)


def look_closer(index: Index, asked: Query) -> Query:
    """Run the page again if a closer look finds the clip in the library."""
    try:
        found = query.look_closer(asked, index, server.models_of(index))
    except SoundalikeError as error:
        components.show_error(str(error))
        return asked
    if found is not asked:
        run_again(found)
    return asked


def predict_genres(index: Index, asked: Query) -> None:
    """Predict the clip's genres, and run the page again with them."""
    answer = components.predict_genres(index, asked)
    if isinstance(answer, Query):
        run_again(answer)
    else:
        components.show_error(answer)


def run_again(asked: Query) -> None:
    """Run the page again with more known about the clip."""
    current_clip.complete(asked)
    st.rerun()


def likeliest_genres(genres: Mapping[str, float]) -> dict[str, float]:
    """The likeliest few, without those that round to 0 %."""
    ranked = list(genres.items())[:GENRES_SHOWN]
    return dict(ranked[:1]) | {genre: share for genre, share in ranked if share >= LEAST_SHOWN}


def show_genre_head(index: Index, asked: Query) -> None:
    """Show the query's genres once the visitor opens them: predicting them needs the largest network."""
    if asked.is_complete and not asked.genres:
        return
    fold = st.expander("The article's genre head", key="recommend_head", on_change="rerun")
    if not fold.open:
        return
    with fold:
        if asked.is_complete:
            show_genres(index, asked)
        else:
            predict_genres(index, asked)


def show_genres(index: Index, asked: Query) -> None:
    """Show the query's predicted genres and how reliable they are."""
    shown = likeliest_genres(asked.genres)
    st.plotly_chart(figures.genre_bars(shown, palette.of(index)), config=BARE, key="recommend_genres")
    likeliest = ", ".join(f"{genre} {share:.0%}" for genre, share in list(shown.items())[:2])
    held_out = asked.row is not None and index.held_out(asked.row)
    untrained = " It wasn't trained on this album or artist." if held_out else ""
    accuracy = report.head_accuracy(report.head_card(index, server.models_of(index)))
    reliability = (
        "Treat this as a hint."
        if accuracy is None
        else f"On tracks left out of training, it was right {accuracy:.0%} of the time, so treat this "
        "as a hint."
    )
    st.caption(
        components.plain(
            f"Likeliest: {likeliest}. The article's small network chooses among {len(asked.genres)} "
            "genres only, so it names the nearest of them for any other music. Genres below 1% aren't "
            "shown."
            f"{untrained} {reliability}"
        )
    )


def recommend(index: Index, asked: Query | None, found: Matches | None) -> None:
    """Show the playlist and its controls."""
    described = st.session_state.recommend_source == "describe"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="recommend_top"):
        # A description is compared by words alone.
        if not described:
            compare_by(index)
        playlist_controls.undo()
    save = playlist_controls.controls(index, asked, described)
    if asked is None and found is None:
        start = "Describe some music" if described else "Choose a clip"
        st.caption(f"{start} and your playlist will appear here.")
        return
    try:
        if found is not None:
            compose_described(index, found, save)
        elif st.session_state.recommend_kind == playlist_state.LISTED:
            show_list(index, save)
        elif asked is not None and st.session_state.recommend_kind == "journey":
            travel(index, asked, save)
        elif asked is not None:
            compose(index, asked, save)
    except SoundalikeError as error:
        components.show_error(str(error))


def compare_by(index: Index) -> None:
    """Choose the representation to compare by."""
    st.segmented_control(
        "Compare by",
        representations.main(index.names, st.session_state.recommend_by),
        format_func=lambda name: representations.get(name).title,
        key="recommend_by",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        width="content",
    )


def compose(index: Index, asked: Query, save: DeltaGenerator) -> None:
    """Show the playlist for the current settings."""
    found = playlist.make_playlist(
        index, playlist_state.seeds(index, asked), playlist_state.recipe(index)
    )
    rows = [entry.row for entry in found.entries]
    similarities = [entry.similarity for entry in found.entries]
    tour.explain_first(index, rows)
    far_away.say(index, asked, found)
    playlist_controls.playlist_table(index, asked, found, "recommend_playlist", act)
    components.show_notes(found.notes)
    playlist_controls.save(index, rows, similarities, save)


def compose_described(index: Index, found: Matches, save: DeltaGenerator) -> None:
    """Show the playlist for a description."""
    listed = playlist.make_described(index, found.match, playlist_state.recipe(index))
    playlist_controls.described_table(index, found, listed, "recommend_playlist", act)
    components.show_notes(listed.notes)
    rows = [entry.row for entry in listed.entries]
    playlist_controls.save(index, rows, [entry.similarity for entry in listed.entries], save)


def show_list(index: Index, save: DeltaGenerator) -> None:
    """Show an opened list as it is."""
    rows = [index.row(track_id) for track_id in st.session_state.recommend_listed]
    playlist_controls.opened_table(index, rows, "recommend_playlist", act)
    playlist_controls.save(index, rows, None, save)


def travel(index: Index, asked: Query, save: DeltaGenerator) -> None:
    """Show the journey from the clip to the chosen destination."""
    stops, notes = playlist_controls.stops(index, asked)
    if not stops:
        st.caption("Pick a destination and we'll get there in small steps.")
        return
    recipe = playlist_state.recipe(index)
    found = journey.travel(
        index,
        stops,
        recipe.representation,
        st.session_state.recommend_length - 2,  # the start and the destination count as well
        recipe.per_artist,
        recipe.removed,
        recipe.only,
    )
    figure = figures.steps(found.steps)
    words = playlist_controls.steps_in_words(found.steps)
    st.plotly_chart(figure, config=BARE, key="recommend_steps", alt=words)
    st.caption(components.plain(words))
    playlist_controls.journey_table(index, found, "recommend_playlist", act)
    components.show_notes([*notes, *found.notes])
    playlist_controls.save(index, list(found.rows), None, save)


def act(action: str, track_id: str) -> None:
    """Handle a click on a row's button."""
    if action == "recommend":
        go_to(track_id)
    else:
        playlist_state.act(action, track_id)


def explain(index: Index, asked: Query, track: components.Track) -> None:
    """Open the dialog that explains a track, if its button was pressed."""
    wanted = st.session_state.pop("recommend_why", None)
    if wanted is not None:
        explanation(index, asked, track, index.row(wanted))


@st.dialog("Why this track?", width="large")
def explanation(index: Index, asked: Query, track: components.Track, row: int) -> None:
    """Show what the query and a track have in common."""
    st.caption(components.plain(f"“{track.title}” and “{index.fact('title', row)}”"))
    try:
        match = playlist_state.blend_match(index, asked, row)
        if match is not None:
            st.caption(
                components.plain(
                    f"In the list, {match:.0%} is its match with the whole blend. This view compares it "
                    "with your starting clip alone."
                )
            )
        explanation_dialog.show(
            index, asked, track, row, st.session_state.recommend_by, "recommend_reasons"
        )
    except SoundalikeError as error:
        components.show_error(str(error))


def share(index: Index) -> None:
    """Write the page's settings into the URL, and keep them for "Undo"."""
    source = st.session_state.recommend_source
    by_library = source == "library"
    session.to_url(
        {
            "from": None if by_library else source,
            "track": st.session_state.recommend_track if by_library else None,
            "at": None if source == "describe" else current_clip.moment_of(clip_id()),
            "words": st.session_state.get(words.KEY) if source == "describe" else None,
            "by": st.session_state.get("recommend_by"),
            "length": st.session_state.get("recommend_length"),
        }
        | playlist_state.url_parameters(index)
    )
    history.take_snapshot()
    current_clip.leave("recommend")
    st.session_state.recommend_of = clip_id()


components.page(
    "Hear what sounds alike",
    "Give us a clip and hear what sounds like it. Only the audio counts: no tags, no history, no "
    "personal data.",
    show,
)
