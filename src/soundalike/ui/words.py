"""Words for sound on the pages: chips with strengths, and the field for a description."""

from __future__ import annotations

import html
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from soundalike.errors import ModelError
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, frontend, incoming, server
from soundalike.words import description, library, naming, search
from soundalike.words.description import Term
from soundalike.words.library import LibraryWords
from soundalike.words.naming import Named, Naming
from soundalike.words.search import Matches

SUGGESTED = (
    "calm piano",
    "fast electronic, no vocals",
    "acoustic guitar, sad",
    "angry metal",
    "orchestra, loud and dark",
    "happy folk with accordion",
)
KIND_NAMES = {
    "genre": "Genre",
    "instrument": "Instruments",
    "voice": "Voices",
    "mood": "Mood",
    "era": "Decade",
}
KEY = "recommend_description"


def of_library(index: Index) -> LibraryWords | None:
    """The library's words; None if the index or the server doesn't have what they need."""
    with suppress(ModelError):
        return library.of(index, server.models_of(index))
    return None


def of_query(index: Index, asked: Query) -> Naming | None:
    """What a query sounds like, compared with the library; None if the index has no words."""
    models = server.models_of(index)
    known = of_library(index)
    if known is None:
        return None
    if asked.row is not None:
        return naming.sounds_like(known, known.of_track(asked.row))
    if not isinstance(asked.embeddings, ClipEmbeddings):
        return None
    return naming.sounds_like(known, library.of_clip(asked.embeddings.clip, models))


def show(found: Naming | None, *, explained: bool = True) -> None:
    """Show the words for a clip as chips, each with its strength; nothing if the index has no words.

    Of several clips beside each other, only the first needs to have the bars `explained`.
    """
    if found is None:
        return
    st.header("Sounds like", anchor=False)
    if found.warning:
        st.caption(components.plain(found.warning))
    elif not found.words:
        st.caption("No word stands out: this clip is about average for this library.")
    else:
        st.html(f"<style>{frontend.read('words.css')}</style>{chips(found.words)}")
        if not explained:
            return
        st.caption(
            "According to two networks that tag sound. A fuller bar means that fewer tracks in this "
            "library match the word this strongly."
        )


def chips(words: Sequence[Named]) -> str:
    """The words as HTML, grouped by kind; each has a bar that shows how far it stands out."""
    rows = []
    for kind, title in KIND_NAMES.items():
        of_kind = [item for item in words if item.kind == kind]
        if of_kind:
            rows.append(
                f'<div class="kind">{title}</div><div class="names">{"".join(map(_chip, of_kind))}</div>'
            )
    return f'<div class="words">{"".join(rows)}</div>'


def _chip(item: Named) -> str:
    share = min(item.share, 0.999)
    fill = 100 * (share - naming.UNUSUAL) / (1 - naming.UNUSUAL)
    told = f"stronger than in {share:.0%} of the library" if share < 0.995 else "among the strongest"
    return (
        f'<span class="word" style="--fill:{fill:.0f}%" title="{told}">{html.escape(item.word)}'
        f'<span class="told">, {told}</span></span>'
    )


def prepare() -> None:
    """Set the description from the URL on the first run."""
    if KEY not in st.session_state:
        st.session_state[KEY] = incoming.parameter("words")[: description.LONGEST_TEXT]


def ask_description(index: Index) -> Matches | None:
    """Show the field for a description, and the terms that were understood.

    Returns
    -------
    the library's matches; None if there is nothing to search for
    """
    text = st.text_input(
        "Describe the music",
        key=KEY,
        persist_state="session",
        max_chars=description.LONGEST_TEXT,
        placeholder="slow piano, sad, no vocals",
    )
    st.pills(
        "Suggestions",
        SUGGESTED,
        format_func=components.plain,
        key="recommend_suggestion",
        on_change=_take_suggestion,
        label_visibility="collapsed",
    )
    understood = description.read(text)
    if text.strip() and not understood.terms:
        st.caption(
            "We don't know these words. Try genres, instruments, voices, moods, or a tempo such as "
            "“slow” or “120 bpm”."
        )
    if not understood.terms:
        return None
    terms = _chosen(understood.terms)
    if not terms:
        return None
    models: ModelStore = server.models_of(index)
    found = search.search(index, models, terms)
    for note in search.notes(understood, found):
        st.caption(components.for_visitors(note))
    return found if found.terms else None


def _take_suggestion() -> None:
    chosen = st.session_state.recommend_suggestion
    if chosen is not None:
        st.session_state[KEY] = chosen
        st.session_state.recommend_suggestion = None


def _chosen(terms: Sequence[Term]) -> list[Term]:
    """The terms as chips; pressing one leaves it out."""
    labels = [term.label for term in terms]
    kept = st.pills(
        "We understood these words; click one to drop it",
        labels,
        format_func=components.plain,
        selection_mode="multi",
        default=labels,
        key=f"recommend_terms_{'|'.join(labels)}",
    )
    return [term for term in terms if term.label in kept]
