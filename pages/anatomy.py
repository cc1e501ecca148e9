"""Anatomy: a clip seen from inside, with its player, and a second one beside it."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from soundalike.analysis import clip_analysis
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio import decoding, sandbox
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.ui import components, state, track_picker
from soundalike.ui.anatomy import component, facts
from soundalike.ui.components import Track

SOURCES = {"library": "Library", "upload": "Upload"}
FURTHER = {
    "bark": "Bark bands",
    "gammatone": "Gammatone bands",
    "wavelet": "Wavelet scalogram",
    "autoencoder": "Autoencoder's MFCC",
}

HINT = (
    "Click a plot to go to that moment, drag to zoom in, double-click for the whole clip; Ctrl and the "
    "wheel zoom too. By keyboard, on a plot: space plays, the arrows move, + and − zoom, 0 shows all."
)

Shown = tuple[Track, Anatomy, list[Panel]]


def show(index: Index) -> None:
    """Draw the page."""
    prepare(index)
    choose(index)
    st.pills(
        "Also show",
        list(FURTHER),
        format_func=lambda name: FURTHER[name],
        selection_mode="multi",
        key="anatomy_also",
        persist_state="session",
    )
    with st.spinner("Measuring the sound; the first time takes a few seconds …"):
        clips = [clip for clip in (first(index), second(index)) if clip is not None]
    if clips:
        draw(clips)
    share()


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run."""
    state.from_url("anatomy_source", "from", list(SOURCES), "library")
    state.track_from_url(index, "anatomy_track")
    state.track_from_url(index, "anatomy_second", "second", optional=True)
    if "anatomy_also" not in st.session_state:
        asked = st.query_params.get("also", "").split(",")
        st.session_state.anatomy_also = [name for name in FURTHER if name in asked]


def choose(index: Index) -> None:
    """What to look at: a clip, and another to compare it with."""
    st.segmented_control(
        "Look at",
        list(SOURCES),
        format_func=lambda source: SOURCES[source],
        key="anatomy_source",
        persist_state="session",
        required=True,
    )
    left, right = st.columns(2)
    with left:
        if st.session_state.anatomy_source == "library":
            track_picker.choose_track(index, "Track", "anatomy_track")
        else:
            choose_file()
    with right:
        track_picker.choose_track(index, "Compare with", "anatomy_second", "No other track")


def choose_file() -> None:
    """A visitor's own file; its anatomy is kept in the session."""
    component.warm()
    st.file_uploader(
        "Audio file",
        type=list(decoding.EXTENSIONS),
        max_upload_size=decoding.MAX_BYTES // 2**20,
        key="anatomy_upload",
        help=f"Up to {decoding.MAX_BYTES // 2**20} MB and {decoding.MAX_SECONDS / 60:.0f} minutes.",
    )
    st.caption("Your clip stays in this session's memory and is gone when you close the page.")


def first(index: Index) -> Shown | None:
    """The clip that was chosen or uploaded; None (and a sentence, if need be) where there is none."""
    if st.session_state.anatomy_source == "library":
        return of_library(index, st.session_state.anatomy_track)
    given = st.session_state.get("anatomy_upload")
    if given is None:
        st.caption("The plots appear here as soon as there is a file.")
        return None
    content = given.getvalue()
    kept: tuple[str, Anatomy | str, dict[str, Panel]] | None = st.session_state.get("anatomy_kept")
    if kept is None or kept[0] != given.file_id:
        kept = (given.file_id, measure(content), {})
        st.session_state.anatomy_kept = kept
    _, shown, others = kept
    if isinstance(shown, str):
        components.show_error(shown)
        return None
    for name in further():
        if name not in others:
            others[name] = component.further(content, name)
    url = components.audio_url(content, given.name)
    track = Track(given.file_id, given.name, "Your file", "", "", "", url)
    return track, shown, [others[name] for name in further()]


def second(index: Index) -> Shown | None:
    """The track to compare with, if one was chosen."""
    track_id = st.session_state.anatomy_second
    return None if track_id is None else of_library(index, track_id)


def of_library(index: Index, track_id: str) -> Shown | None:
    """A track of the library and what was measured of it; None (and a sentence) if it can't be."""
    try:
        shown = component.of_library(index, track_id)
        others = [component.front_end_of_library(index, track_id, name) for name in further()]
    except SoundalikeError as error:
        components.show_error(str(error))
        return None
    return components.track_of(index, index.row(track_id)), shown, others


def further() -> list[str]:
    """The further front ends that were switched on, always in the same order."""
    return [name for name in component.FURTHER if name in st.session_state.anatomy_also]


def measure(content: bytes) -> Anatomy | str:
    """The anatomy of a visitor's clip, or what is wrong with it."""
    try:
        return clip_analysis.analyse(content, sandbox.decode_stereo)
    except SoundalikeError as error:
        return str(error)


def draw(clips: list[Shown]) -> None:
    """The clips side by side: facts, player and plots, and what the network sees."""
    for column, (track, shown, _) in zip(st.columns(len(clips), gap="large"), clips, strict=True):
        with column:
            describe(track, shown, len(clips) > 1)
    st.caption(HINT)
    places = st.columns(len(clips), gap="large")
    for number, (column, (track, shown, others)) in enumerate(zip(places, clips, strict=True), 1):
        with column:
            if number == 2 or st.session_state.anatomy_source == "library":
                components.navigation_buttons(track.id, "anatomy", f"anatomy_onward_{number}")
            component.show(track, shown, others, f"anatomy_plots_{number}")
    st.header("What the network sees", anchor=False)
    if len(clips) == 1:
        picture(*clips[0][:2], 1, st.columns(2))
        return
    places = st.columns(len(clips), gap="large")
    for number, (column, (track, shown, _)) in enumerate(zip(places, clips, strict=True), 1):
        picture(track, shown, number, (column, column))


def describe(track: Track, shown: Anatomy, narrow: bool) -> None:
    """A clip's facts in plain language."""
    if narrow:
        st.header(components.plain(track.title), anchor=False)
    measured = facts.facts(shown.facts)
    width = 2 if narrow else len(measured)
    for begin in range(0, len(measured), width):
        for column, fact in zip(st.columns(width), measured[begin : begin + width], strict=True):
            with column, st.container(gap="xxsmall"):
                st.metric(fact.label, fact.value)
                st.caption(components.plain(fact.meaning))
    components.show_notes(shown.notes)


def picture(track: Track, shown: Anatomy, number: int, places: Sequence[DeltaGenerator]) -> None:
    """The image that VGG16 gets of the clip of that number, and what it is, in two places."""
    title = components.plain(track.title)
    with places[0]:
        component.show_picture(track, shown, f"anatomy_plots_{number}")
    with places[1]:
        st.caption(
            f"The mel spectrogram of {title} as the image of 640 by 480 pixels that VGG16 gets: low "
            "notes at the bottom, 30 seconds from left to right, pale for loud. The network was trained "
            "on photographs, and to it this is one more."
        )


def share() -> None:
    """Put what is on screen into the URL."""
    source = st.session_state.anatomy_source
    by_library = source == "library"
    state.to_url(
        {
            "from": None if by_library else source,
            "track": st.session_state.anatomy_track if by_library else None,
            "second": st.session_state.anatomy_second,
            "also": ",".join(further()) or None,
        }
    )


components.page(
    "See inside the sound",
    "Choose a clip to see what the computer measures of it, and what the network looks at. Play it "
    "and watch; a second clip beside it shows what differs.",
    show,
)
