"""About: interactive lessons on sound, hearing and the method; data, models, evaluation and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from soundalike import paths, representations
from soundalike.analysis import genre_groups
from soundalike.audio.analysis_window import analysis_window
from soundalike.errors import SoundalikeError
from soundalike.features import psychoacoustics, spectral
from soundalike.index.index import Index
from soundalike.training import report
from soundalike.ui import components, incoming, palette, server, session, track_picker
from soundalike.ui.about import ahead, overview
from soundalike.ui.about import charts as figures
from soundalike.ui.about import lessons as lessons
from soundalike.ui.about import texts as texts
from soundalike.ui.about.lessons import Shown, choose, open_clip, plot
from soundalike.ui.own_music import access
from soundalike.ui.own_music import section as own_music
from soundalike.ui.present import mode

MEL_SHOWN = (108, 220)
ROWS_SHOWN = 500
LICENCES_SHOWN = 30
# Pixels; longer lines are hard to read.
TEXT_WIDTH = 760
ANY = "Any"


class Section(NamedTuple):
    """A section of the page: its label in the row of sections, its heading, and its function."""

    label: str
    title: str
    draw: Callable[[Index], Shown]


def show(index: Index) -> None:
    """Draw the page."""
    session.open_page("about")
    offered = sections()
    session.from_url("about_section", "section", list(offered), "overview")
    st.segmented_control(
        "Section",
        list(offered),
        format_func=lambda name: offered[name].label,
        key="about_section",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    mode.button("about_present", 0)
    name = st.session_state.about_section
    st.header(offered[name].title, anchor=False)
    shown = offered[name].draw(index)
    names = list(offered)
    if name != names[-1]:
        following = names[names.index(name) + 1]
        st.button(
            f"Next: {offered[following].label}",
            icon=":material/arrow_forward:",
            on_click=go_to,
            args=[following],
            key="about_next",
        )
    session.to_url({"section": name, **shown})
    ahead.start(index)


def sections() -> dict[str, Section]:
    """The sections that the visitor may see, by name."""
    return SECTIONS | (OWN_MUSIC if access.is_offered() else {})


def go_to(section: str) -> None:
    """Open another section."""
    st.session_state.about_section = section


def method(index: Index) -> Shown:
    """The method, step by step, for a library track."""
    session.track_from_url(index, "about_track")
    names = representations.main(name for name in index.names if index.has_vectors(name))
    if not names:
        # The index stores only neighbours, so the steps cannot be shown.
        st.markdown(texts.METHOD, width=TEXT_WIDTH)
        return {}
    session.from_url("about_by", "by", names, representations.default(names))
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.METHOD)
        track_picker.choose_track(index, "Track", "about_track")
        titles = {name: representations.get(name).title for name in names}
        choose("Compare by", titles, "about_by")
    track_id, by = st.session_state.about_track, st.session_state.about_by
    row = index.row(track_id)
    with right:
        track = components.track_of(index, row)
        styles = palette.of(index)
        components.card(track, styles.get(track.genre), "about_card")
        try:
            picture = open_mel(str(index.file(row)))
        except SoundalikeError as error:
            components.show_error(str(error))
        else:
            plot(
                picture,
                "about_picture",
                f"Step 1: the mel spectrogram of “{components.plain(track.title)}” in the network's "
                "colours; dark is quiet.",
            )
        draw_embedding(index, row)
        draw_likeness(index, by, track_id)
    return {"track": track_id, "by": by}


def draw_embedding(index: Index, row: int) -> None:
    """Show the genre head's features for a track and the most likely genre."""
    if "genre_head" not in index.names or not index.genres:
        return
    genre, share = next(iter(index.genre_probabilities(row).items()))
    plot(
        figures.features(index.embeddings(row)["genre_head"]),
        "about_features",
        f"Step 3: the genre head's features. The most likely genre is {components.plain(genre)}, "
        f"{share:.0%}.",
    )


def draw_likeness(index: Index, by: str, track_id: str) -> None:
    """Show the similarity of the other tracks, with a player for the nearest."""
    values, nearest = report.likeness(index, by, track_id)
    if nearest is None:
        return
    best = float(values.max())
    track = components.track_of(index, nearest)
    plot(
        figures.similarities(values, best),
        "about_likeness",
        f"Step 4: cosine similarity to the {len(values):,} other recordings, from {values.min():.2f} to "
        f"{best:.2f}. The most similar one:",
    )
    styles = palette.of(index)
    components.card(track, styles.get(track.genre), "about_nearest")


def data(index: Index) -> Shown:
    """All tracks with licence and source."""
    counts = report.licences(index.tracks)
    st.session_state.setdefault("about_search", incoming.text(incoming.parameter("q"), 100))
    session.from_url("about_licence", "licence", [ANY, *counts], ANY)
    st.markdown(texts.data(index), width=TEXT_WIDTH)
    left, right = st.columns([3, 2])
    with left:
        st.text_input(
            "Search",
            key="about_search",
            persist_state="session",
            type="search",
            live=True,
            max_chars=100,
            placeholder="Title, artist, album, genre, licence or package",
        )
    with right:
        st.selectbox(
            "Licence",
            [ANY, *counts],
            format_func=lambda name: f"{name} ({counts[name]})" if name in counts else name,
            key="about_licence",
            persist_state="session",
            disabled=not counts,
        )
    text, licence = st.session_state.about_search, st.session_state.about_licence
    found = report.search(index, text, None if licence == ANY else licence)
    more = f" (showing the first {ROWS_SHOWN})" if len(found) > ROWS_SHOWN else ""
    st.caption(f"{len(found):,} of {len(index):,} tracks{more}.")
    if len(found):
        st.dataframe(
            report.credits_table(found.head(ROWS_SHOWN)),
            hide_index=True,
            height=420,
            key="about_tracks",
            alt="Tracks with artist, album, genre, licence and source",
        )
    left_out(index)
    offer_credits(index, counts)
    return {"q": text or None, "licence": None if licence == ANY else licence}


def left_out(index: Index) -> None:
    """The files that were skipped during indexing, with reasons."""
    skipped = index.skipped
    if not len(skipped):
        return
    files = "1 file" if len(skipped) == 1 else f"{len(skipped):,} files"
    with st.expander(f"Left out: {files}", icon=":material/playlist_remove:"):
        st.dataframe(
            skipped.head(ROWS_SHOWN).rename(columns=str.capitalize),
            hide_index=True,
            key="about_skipped",
            alt="Files left out of the library, with reasons",
        )
        if len(skipped) > ROWS_SHOWN:
            st.caption(
                f"Showing the first {ROWS_SHOWN}. The full list is in skipped.csv in the index folder."
            )


def offer_credits(index: Index, counts: dict[str, int]) -> None:
    """The number of tracks per licence, and the library's credits with a download."""
    if counts:
        with st.expander("Tracks by licence", icon=":material/license:"):
            shown = dict(list(counts.items())[:LICENCES_SHOWN])
            alt = ", ".join(f"{components.plain(name)} {n:,}" for name, n in shown.items())
            plot(figures.counts(shown), "about_licences", f"Tracks by licence: {alt}.")
    credits = report.library_credits(index)
    if not credits:
        return
    with st.expander("Credits", icon=":material/groups:"):
        st.download_button(
            "Download as text",
            credits,
            "CREDITS.md",
            "text/markdown",
            icon=":material/download:",
            on_click="ignore",
            key="about_credits",
        )
        document(credits, index.library_folder == paths.LIBRARY)


def models(index: Index) -> Shown:
    """The model cards stored with the models."""
    cards = {card.name: card for card in report.model_cards(index)}
    if not cards:
        components.show_error("There are no model cards in assets/models. They come with the models.")
        return {}
    session.from_url("about_model", "model", list(cards), next(iter(cards)))
    choose("Model", {name: components.plain(card.title) for name, card in cards.items()}, "about_model")
    card = cards[st.session_state.about_model]
    document(card.text, card.bundled)
    return {"model": st.session_state.about_model}


def document(text: str, bundled: bool) -> None:
    """Show a Markdown document, or the source of one that isn't ours: it could load others' pictures."""
    if not bundled:
        st.code(text, language=None, wrap_lines=True)
        return
    for part in report.parts(report.demoted(text)):
        if isinstance(part, str):
            st.markdown(part, width=TEXT_WIDTH)
        else:
            st.dataframe(part, width="content", height="content", alt="A table of the document")


def evaluation(index: Index) -> Shown:
    """Accuracy and precision."""
    card = report.head_card(index, server.models_of(index))
    accuracies = report.accuracies(card) if card else {}
    st.markdown(texts.EVALUATION, width=TEXT_WIDTH)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("How accurate are genre predictions?", anchor=False)
        if accuracies:
            said = "; ".join(
                components.plain(f"{labels}: ")
                + ", ".join(f"{components.plain(name)} {score:.1%}" for name, score in scores.items())
                for labels, scores in accuracies.items()
            )
            plot(
                figures.accuracy_bars(accuracies),
                "about_accuracy",
                f"Held-out accuracy, from the model card. {said}. The smaller set leaves out labels "
                "from an automatic tagger, because that also analyses audio.",
            )
        else:
            st.caption("There are no accuracy figures for this library's genre head.")
    with right:
        st.subheader("Do neighbours share a genre?", anchor=False)
        draw_precision(index)
    matrix = report.confusion(card) if card else None
    if matrix is not None and len(matrix[0]) <= genre_groups.MOST:
        st.subheader("Which genres are confused?", anchor=False)
        plot(
            figures.confusion(*matrix),
            "about_confusion",
            "Rows are labels, columns are predictions. The model card has the same data as a table. "
            f"{components.plain(report.confused(*matrix))}",
        )
    return {}


def draw_precision(index: Index) -> None:
    """Genre precision at 10 of the representations that were not trained on labels or tags."""
    measured = {name: ahead.open_precision(index, name) for name in report.unlearned(index)}
    found = {name: value for name, value in measured.items() if value is not None}
    if not found:
        st.caption("This library is too small or too large for this measurement; see the benchmarks.")
        return
    for name, value in found.items():
        st.metric(
            f"{representations.get(name).title}: precision at 10",
            f"{value.mean:.1%}",
            f"chance {value.chance:.1%}",
            delta_color="off",
            delta_arrow="off",
        )
        st.caption(
            f"{value.mean:.1%} of a track's ten nearest neighbours by other artists share its genre (95 "
            f"% interval {value.low:.1%} to {value.high:.1%}, resampling artists). Chance would be "
            f"{value.chance:.1%}. Computed from this index. Methods trained on labels or tags are left "
            "out here; the Compare page has all methods, with notes on scores that are too favourable."
        )


def limits(index: Index) -> Shown:
    """The limits of the app."""
    accuracy = report.head_accuracy(report.head_card(index, server.models_of(index)))
    st.markdown(texts.limits(index, accuracy), width=TEXT_WIDTH)
    return {}


def privacy(_: Index) -> Shown:
    """How visitors' clips are handled."""
    st.markdown(texts.PRIVACY, width=TEXT_WIDTH)
    return {}


@st.cache_resource(max_entries=16, show_spinner="Drawing the spectrogram …")
def open_mel(path: str) -> go.Figure:
    """A track's mel spectrogram, thinned for the screen."""
    clip = analysis_window(open_clip(path))
    levels = psychoacoustics.thinned_levels(spectral.mel_spectrogram(clip), MEL_SHOWN)
    return figures.mel_picture(levels, clip.duration)


SECTIONS = {
    "overview": Section("Overview", "What Soundalike does", overview.show),
    "sound": Section("Sound", "Sound", lessons.sound),
    "digital": Section("Digital audio", "Digital audio", lessons.digital),
    "hearing": Section("Hearing", "Hearing", lessons.hearing),
    "pitch": Section("Pitch", "Frequency and pitch", lessons.pitch),
    "spectrograms": Section("Spectrograms", "Spectrograms", lessons.spectrograms),
    "method": Section("Method", "Features and method", method),
    "data": Section("Data", "Data and licences", data),
    "models": Section("Models", "Models", models),
    "evaluation": Section("Evaluation", "Evaluation", evaluation),
    "limits": Section("Limits", "Limits", limits),
    "privacy": Section("Privacy", "Privacy", privacy),
}
OWN_MUSIC = {access.SECTION: Section("Your music", "Add your own music", own_music.show)}

components.page("How it works", "", show)
