"""Anatomy: a clip's measurements and plots with a player, optionally beside a second clip."""

import streamlit as st

from soundalike.analysis import clip_analysis
from soundalike.analysis.clip_analysis import Anatomy
from soundalike.analysis.panels import Panel
from soundalike.audio import sandbox
from soundalike.errors import BusyError, SoundalikeError
from soundalike.index.index import Index
from soundalike.ui import components, current_clip, incoming, session, track_picker
from soundalike.ui import words as word_chips
from soundalike.ui.anatomy import ahead, clip_words, component, facts
from soundalike.ui.anatomy.clip_words import ClipWords
from soundalike.ui.components import Track
from soundalike.ui.current_clip import OwnClip

FURTHER = {
    "bark": "Bark bands",
    "gammatone": "Gammatone bands",
    "wavelet": "Wavelet scalogram",
    "autoencoder": "Autoencoder's MFCC",
}

HINT = (
    "Click a plot to jump to that moment, drag to zoom in, double-click to see the whole clip. Ctrl "
    "with the mouse wheel also zooms. Keyboard on a plot: space plays, arrow keys move, + and − zoom, "
    "0 shows everything."
)

Shown = tuple[Track, Anatomy, list[Panel], ClipWords | None]


def show(index: Index) -> None:
    """Draw the page."""
    prepare(index)
    own = choose(index)
    st.pills(
        "Also show",
        list(FURTHER),
        format_func=lambda name: FURTHER[name],
        selection_mode="multi",
        key="anatomy_also",
        persist_state="session",
    )
    with st.spinner("Measuring the sound; the first time takes a few seconds …"):
        clips = [clip for clip in (first(index, own), second(index)) if clip is not None]
    if clips:
        draw(clips)
    share()


def prepare(index: Index) -> None:
    """Set the widgets from the URL on the first run."""
    current_clip.enter(index, "anatomy")
    session.track_from_url(index, "anatomy_second", "second", optional=True)
    if "anatomy_also" not in st.session_state:
        asked = incoming.chosen(incoming.parameter("also"), FURTHER, len(FURTHER))
        st.session_state.anatomy_also = [name for name in FURTHER if name in asked]


def choose(index: Index) -> OwnClip | None:
    """Choose a clip, and another to compare it with. Returns the visitor's own clip, if it is one."""
    source = current_clip.choose_source("anatomy_source")
    left, right = st.columns(2)
    own = None
    with left:
        if source == current_clip.LIBRARY:
            track_picker.choose_track(index, "Track", "anatomy_track")
        else:
            component.warm()
            own = current_clip.give("anatomy", recorded=source == current_clip.RECORD)
    with right:
        track_picker.choose_track(index, "Compare with", "anatomy_second", "No other track")
    return own


def first(index: Index, own: OwnClip | None) -> Shown | None:
    """The chosen or own clip. Returns None without a clip, and shows an error on failure."""
    if st.session_state.anatomy_source == current_clip.LIBRARY:
        return of_library(index, st.session_state.anatomy_track)
    if own is None:
        st.caption("Choose a clip and its plots will appear here.")
        return None
    measured = ahead.of_own_clip(index, own)
    try:
        shown, words = measured.result(components.waiting_line())
    except BusyError as error:
        components.show_error(str(error))
        return None
    if isinstance(shown, str):
        components.show_error(shown)
        return None
    add_further(own, measured.further)
    return own.track, shown, [measured.further[name] for name in further()], words


def add_further(own: OwnClip, panels: dict[str, Panel]) -> None:
    """Add the optional panels of the visitor's clip that are missing."""
    missing = [name for name in further() if name not in panels]
    if not missing:
        return
    decode = session.in_turn(sandbox.decode, components.waiting_line())
    decoded = clip_analysis.part_shown(decode(own.content, start=current_clip.moment_of(own.id)))
    for name in missing:
        panels[name] = component.further(decoded, name)


def second(index: Index) -> Shown | None:
    """The track to compare with, if any."""
    track_id = st.session_state.anatomy_second
    return None if track_id is None else of_library(index, track_id)


def of_library(index: Index, track_id: str) -> Shown | None:
    """A library track and its measurements. Shows an error and returns None on failure."""
    try:
        shown = component.of_library(index, track_id)
        words = clip_words.of_library(index, track_id)
        others = [component.front_end_of_library(index, track_id, name) for name in further()]
    except SoundalikeError as error:
        components.show_error(str(error))
        return None
    return components.track_of(index, index.row(track_id)), shown, others, words


def further() -> list[str]:
    """The additional panels that are switched on, always in the same order."""
    return [name for name in component.FURTHER if name in st.session_state.anatomy_also]


def draw(clips: list[Shown]) -> None:
    """Draw the clips side by side: facts, player, plots, and the network's input."""
    for column, clip in zip(st.columns(len(clips), gap="large"), clips, strict=True):
        with column:
            describe(clip, len(clips) > 1)
    st.caption(HINT)
    places = st.columns(len(clips), gap="large")
    # Plots side by side are level, so either both clips have words over time, or none has.
    with_words = all(words is not None and words.panel is not None for *_, words in clips)
    for number, (column, (track, shown, others, words)) in enumerate(zip(places, clips, strict=True), 1):
        taggram = [words.panel] if with_words and words is not None and words.panel is not None else []
        with column:
            if number == 2 or st.session_state.anatomy_source == current_clip.LIBRARY:
                components.navigation_buttons(track.id, "anatomy", f"anatomy_onward_{number}")
            else:
                current_clip.navigation_buttons("anatomy", "anatomy_onward_own")
            component.show(track, shown, [*taggram, *others], f"anatomy_plots_{number}")
    places = st.columns(len(clips), gap="large")
    for number, (column, (*_, words)) in enumerate(zip(places, clips, strict=True), 1):
        with column:
            word_chips.show(None if words is None else words.naming, explained=number == 1)
    draw_pictures(clips)


def describe(clip: Shown, narrow: bool) -> None:
    """Show a clip's facts, each with its meaning at a question mark: the plots come soon after."""
    track, shown, *_ = clip
    if narrow:
        st.header(components.plain(track.title), anchor=False)
    measured = facts.facts(shown.facts)
    width = 2 if narrow else len(measured)
    for begin in range(0, len(measured), width):
        for column, fact in zip(st.columns(width), measured[begin : begin + width], strict=True):
            with column:
                st.metric(
                    components.plain(fact.label),
                    components.plain(fact.value),
                    help=components.plain(fact.meaning),
                )
    components.show_notes(shown.notes)


def draw_pictures(clips: list[Shown]) -> None:
    """Show VGG16's input image of each clip, and explain it once."""
    st.header("The network's input picture", anchor=False)
    places = st.columns(2, gap="large")
    for number, (track, shown, *_) in enumerate(clips, 1):
        with places[number - 1]:
            component.show_picture(track, shown, f"anatomy_plots_{number}")
    st.caption(
        "The mel spectrogram as VGG16's input, an image of 640 by 480 pixels. Low notes are at the "
        "bottom, time runs from left to right (30 seconds), and loud is pale. The network was trained "
        "on photographs, so it treats this picture like any other."
    )


def share() -> None:
    """Write the page's settings into the URL."""
    source = st.session_state.anatomy_source
    by_library = source == "library"
    session.to_url(
        {
            "from": None if by_library else source,
            "track": st.session_state.anatomy_track if by_library else None,
            "second": st.session_state.anatomy_second,
            "also": ",".join(further()) or None,
        }
    )
    current_clip.leave("anatomy")


components.page(
    "See inside the sound",
    "Pick a clip to see its measurements and the network's input picture. Play it and follow along, or "
    "add a second clip to compare.",
    show,
)
