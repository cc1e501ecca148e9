"""Recommend: one clip in, a playlist of tracks that sound alike out, and a journey to another."""

import random

import streamlit as st

from soundalike import representations
from soundalike.audio import decoding
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import composer, journey, playlist, query
from soundalike.playlist.query import Query
from soundalike.training import report
from soundalike.ui import components, explanation_dialog, figures, palette, state, track_picker
from soundalike.ui.playlist import playlist_controls, playlist_state

SOURCES = {"library": "Library", "upload": "Upload", "record": "Record"}
GENRES_SHOWN = 6
BARE = {"displayModeBar": False}


def show(index: Index) -> None:
    """Draw the page."""
    prepare(index)
    left, right = st.columns([5, 9], gap="large")
    with left:
        asked, track = choose(index)
        if asked is not None and track is not None:
            describe(index, asked, track)
        genres = st.container()
    with right:
        recommend(index, asked)
    if asked is not None:
        # Last, since it takes the larger network, and a browser's first chart keeps it busy for a while;
        # music comes first.
        with genres:
            predicted(index, complete(index, asked))
    if asked is not None and track is not None:
        explain(index, asked, track)
    share()


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run, and from a track chosen in the playlist."""
    state.from_url("recommend_source", "from", list(SOURCES), "library")
    state.track_from_url(index, "recommend_track")
    state.from_url("recommend_by", "by", index.names, representations.default(index.names))
    playlist_state.prepare(index)


def choose(index: Index) -> tuple[Query | None, components.Track | None]:
    """The clip that is asked about, with its player's track; None where there is none yet."""
    source = st.segmented_control(
        "Start from",
        list(SOURCES),
        format_func=lambda source: SOURCES[source],
        key="recommend_source",
        persist_state="session",
        required=True,
        on_change=playlist_state.reset,
    )
    if source == "library":
        return choose_from_library(index)
    if source == "upload":
        given = st.file_uploader(
            "Audio file",
            type=list(decoding.EXTENSIONS),
            max_upload_size=decoding.MAX_BYTES // 2**20,
            key="recommend_upload",
            on_change=playlist_state.reset,
            help=f"Up to {decoding.MAX_BYTES // 2**20} MB and {decoding.MAX_SECONDS / 60:.0f} minutes.",
        )
    else:
        given = st.audio_input(
            "Record at least 3 seconds",
            sample_rate=48_000,
            key="recommend_record",
            on_change=playlist_state.reset,
        )
    st.caption("Your clip stays in this session's memory and is gone when you close the page.")
    if given is None:
        return None, None
    asked = ask(index, given.file_id, given.getvalue(), recorded=source == "record")
    if asked is None:
        return None, None
    name = "Your recording" if source == "record" else given.name
    url = components.audio_url(given.getvalue(), given.name)
    return asked, components.Track(given.file_id, name, "", "", "", "", url)


def choose_from_library(index: Index) -> tuple[Query, components.Track]:
    """A track of the library, found by typing part of its title, artist or genre."""
    track_picker.choose_track(index, "Track", "recommend_track", on_change=chosen)
    st.button("Surprise me", icon=":material/shuffle:", on_click=go_to, args=[random.choice(index.ids)])
    asked = query.from_library(index, st.session_state.recommend_track)
    return asked, components.track_of(index, index.row(st.session_state.recommend_track))


def chosen() -> None:
    """Begin afresh with another track, and play it."""
    playlist_state.reset()
    play_query()


def go_to(track_id: str) -> None:
    """Make a track of the library the query, and play it."""
    playlist_state.reset()
    st.session_state.recommend_source = "library"
    st.session_state.recommend_track = track_id
    play_query()


def play_query() -> None:
    """Have the query's player start, since a visitor has just chosen it."""
    st.session_state.recommend_start = st.session_state.get("recommend_start", 0) + 1


def ask(index: Index, file_id: str, content: bytes, recorded: bool) -> Query | None:
    """Analyse a visitor's clip once, saying what is being done; None (and a sentence) if it can't be."""
    kept: tuple[str, Query | str] | None = st.session_state.get("recommend_asked")
    if kept is not None and kept[0] == file_id:
        answer = kept[1]
    else:
        answer = components.analyse(index, content, recorded)
        st.session_state.recommend_asked = (file_id, answer)
        play_query()
    if isinstance(answer, str):
        components.show_error(answer)
        return None
    return answer


def describe(index: Index, asked: Query, track: components.Track) -> None:
    """The query's player, and what is known of it."""
    styles = palette.of(index)
    started = st.session_state.get("recommend_start")
    start = None if started is None else f"{started}-{track.id}"
    components.card(track, styles.get(track.genre), "recommend_card", start)
    if asked.row is not None:
        components.navigation_buttons(index.ids[asked.row], "recommend", "recommend_onward")
    if asked.row is not None and asked.duration is not None:
        artist = index.fact("artist", asked.row)
        by = f" by {components.plain(artist)}" if artist else ""
        st.info(
            f"This is in the library: **{components.plain(index.fact('title', asked.row))}**{by}.",
            icon=":material/library_music:",
        )
    components.show_notes(asked.notes)


def complete(index: Index, asked: Query) -> Query:
    """The clip with its genres predicted; the page is drawn again with them, where it can be."""
    if not asked.is_complete:
        answer = components.predict_genres(index, asked)
        if isinstance(answer, Query):
            st.session_state.recommend_asked = (st.session_state.recommend_asked[0], answer)
            st.rerun()
        components.show_error(answer)
    return asked


def predicted(index: Index, asked: Query) -> None:
    """The query's predicted genres, and how far to believe them."""
    if not asked.genres:
        return
    styles = palette.of(index)
    st.header("Predicted genres", anchor=False)
    shown = dict(list(asked.genres.items())[:GENRES_SHOWN])
    figure = figures.genre_bars(shown, styles)
    st.plotly_chart(figure, config={"displayModeBar": False}, key="recommend_genres")
    likeliest = ", ".join(f"{genre} {share:.0%}" for genre, share in list(shown.items())[:2])
    unheard = asked.row is not None and index.held_out(asked.row)
    heard = " It heard nothing of this album or artist in training." if unheard else ""
    accuracy = report.head_accuracy(report.head_card(index, state.models_of(index)))
    right = (
        ""
        if accuracy is None
        else f" Of tracks that its training left out it named {accuracy:.0%} right."
    )
    st.caption(
        components.plain(
            f"The {len(shown)} likeliest of {len(asked.genres)} genres, led by {likeliest}, as a small "
            f"network hears them.{heard}{right} Take it as a hint."
        )
    )


def recommend(index: Index, asked: Query | None) -> None:
    """The playlist, and what it can be made of."""
    st.header("Playlist", anchor=False)
    left, right = st.columns([5, 2], gap="medium")
    offered = representations.main(index.names, st.session_state.recommend_by)
    with left:
        st.segmented_control(
            "Compare by",
            offered,
            format_func=lambda name: representations.get(name).title,
            key="recommend_by",
            persist_state="session",
            required=True,
        )
    with right:
        st.slider(
            "Tracks",
            playlist.MIN_LENGTH,
            playlist.MAX_LENGTH,
            key="recommend_length",
            persist_state="session",
        )
    save = playlist_controls.controls(index, asked)
    if asked is None:
        st.caption("The playlist appears here as soon as there is a clip to start from.")
        return
    try:
        if st.session_state.recommend_kind == "journey":
            travel(index, asked, save)
        else:
            compose(index, asked, save)
    except SoundalikeError as error:
        components.show_error(str(error))


def compose(index: Index, asked: Query, save: playlist_controls.Place) -> None:
    """The playlist by the recipe that is on screen."""
    found = composer.compose(index, playlist_state.seeds(index, asked), playlist_state.recipe(index))
    rows = [entry.row for entry in found.entries]
    similarities = [entry.similarity for entry in found.entries]
    playlist_controls.playlist_table(index, asked, found, "recommend_playlist", act)
    components.show_notes(found.notes)
    playlist_controls.save(index, rows, similarities, save)


def travel(index: Index, asked: Query, save: playlist_controls.Place) -> None:
    """The journey from the clip to the track that was chosen."""
    stops, notes = playlist_controls.stops(index, asked)
    if not stops:
        st.caption("Choose where the journey goes to; it leads there in small steps.")
        return
    recipe = playlist_state.recipe(index)
    found = journey.travel(
        index, stops, recipe.representation, recipe.length, recipe.per_artist, recipe.removed
    )
    figure = figures.steps(found.steps)
    words = playlist_controls.steps_in_words(found.steps)
    st.plotly_chart(figure, config=BARE, key="recommend_steps", alt=words)
    st.caption(components.plain(words))
    playlist_controls.journey_table(index, found, "recommend_playlist", act)
    components.show_notes([*notes, *found.notes])
    playlist_controls.save(index, list(found.rows), None, save)


def act(action: str, track_id: str) -> None:
    """Do what a button of a row says."""
    if action == "recommend":
        go_to(track_id)
    else:
        playlist_state.act(action, track_id)


def explain(index: Index, asked: Query, track: components.Track) -> None:
    """Say in a dialog why a track is there, if its button was pressed."""
    wanted = st.session_state.pop("recommend_why", None)
    if wanted is not None:
        reasons(index, asked, track, index.row(wanted))


@st.dialog("Why this track?", width="large")
def reasons(index: Index, asked: Query, track: components.Track, row: int) -> None:
    """What two tracks have in common, seen and heard."""
    st.caption(components.plain(f"“{track.title}” and “{index.fact('title', row)}”"))
    if others := len(playlist_state.seeds(index, asked)) - 1:
        what = "another track" if others == 1 else f"{others} other tracks"
        st.caption(f"With the clip alone; what is blended in, {what}, counts in the list but not here.")
    try:
        explanation_dialog.show(
            index, asked, track, row, st.session_state.recommend_by, "recommend_reasons"
        )
    except SoundalikeError as error:
        components.show_error(str(error))


def share() -> None:
    """Put what is on screen into the URL, and keep it for "Undo"."""
    source = st.session_state.recommend_source
    by_library = source == "library"
    state.to_url(
        {
            "from": None if by_library else source,
            "track": st.session_state.recommend_track if by_library else None,
            "by": st.session_state.get("recommend_by"),
            "length": st.session_state.get("recommend_length"),
        }
        | playlist_state.url_parameters()
    )
    playlist_state.take_snapshot()


components.page(
    "Hear what sounds alike",
    "Choose a clip and get a playlist of music that sounds like it. Only the audio is compared: "
    "no tags, no listening history, no personal data.",
    show,
)
