"""The clip that a session is about: a track of the library, or a clip of the visitor's own.

Every page starts from it and may change it, so it follows the visitor from page to page. The encoded
bytes of a clip of one's own stay in the session until it is removed or replaced. The address can name a
track of the library, but can't carry a clip of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from soundalike.audio import decoding, outline, sandbox, tags
from soundalike.audio.clip import Clip
from soundalike.audio.outline import Outline
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, incoming, session, uploader

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

LIBRARY, UPLOAD, RECORD = "library", "upload", "record"
SOURCES = {LIBRARY: "Library", UPLOAD: "Upload", RECORD: "Record"}
OWN = session.OWN_CLIP
_TRACK, _SOURCE = session.CURRENT_TRACK, session.SOURCE
_GIVEN, _ANSWER, _HIDING = "clip_given", "clip_answer", "clip_hiding"
_OF_TRACK, _OUTLINE = "clip_track_answer", "clip_outline"
MOMENTS = "recommend_moments"
"""Session key of the moments that the visitor has chosen: by clip, the second at which each starts."""
_HIDE_STALE = '[data-testid="stElementContainer"][data-stale="true"] { visibility: hidden; }'
_INVITATION = (
    "You can also drop a file there: WAV, FLAC, MP3, M4A, AAC, Ogg, Opus and more, up to "
    f"{decoding.MAX_BYTES // 2**20} MB and {decoding.MAX_SECONDS / 60:.0f} minutes. Your clip stays in "
    "this session's memory and is gone when you close the page."
)
_RECORDING_STAYS = "Your recording stays in this session's memory and is gone when you close the page."
MEASURED = "clip_measured"
"""Session key of what Anatomy measures of the visitor's own clip (`ui.anatomy.ahead`)."""


_Answer = tuple[str, str, int | None, Query | str]
"""A clip, the index's identity, the chosen moment, and the query or an error."""


@dataclass(frozen=True, eq=False)
class OwnClip:
    """A visitor's own clip.

    Attributes
    ----------
    id : different for each clip that is given
    name : of the file
    content : of the file
    recorded : whether it was recorded with a microphone here
    tags : of the file, as `audio.tags` reads them
    """

    id: str
    name: str
    content: bytes
    recorded: bool
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown_name(self) -> str:
        """What it is called on the pages."""
        return "Your recording" if self.recorded else self.tags.get("title", self.name)

    @property
    def source(self) -> str:
        """Where it comes from: `UPLOAD` or `RECORD`."""
        return RECORD if self.recorded else UPLOAD

    @property
    def track(self) -> components.Track:
        """The clip as a track with a player."""
        url = components.audio_url(self.content, self.name)
        artist, album = (self.tags.get(name, "") for name in ("artist", "album"))
        return components.Track(self.id, self.shown_name, artist, album, "", "", url)


def enter(index: Index, page: str, sources: Collection[str] = tuple(SOURCES)) -> bool:
    """Start a run of a page: after a change of page, it shows the session's clip.

    An address that names a clip comes first, also when the visitor goes back or forward in the history.

    Parameters
    ----------
    index : the library
    page : its name; the keys of its widgets are `PAGE_track` and `PAGE_source`
    sources : what a clip may come from on this page

    Returns
    -------
    whether the visitor has just come to the page, or gone back or forward
    """
    state, track, source = st.session_state, f"{page}_track", f"{page}_source"
    opened = session.open_page(page)
    state.pop(_HIDING, None)
    if opened:
        uploader.forget_refusal()
        state.pop(_GIVEN, None)
        if incoming.parameter("track") or incoming.parameter("from"):
            state.pop(track, None)
            state.pop(source, None)
        else:
            if index.has(state.get(_TRACK, "")):
                state[track] = state[_TRACK]
            if state.get(source, LIBRARY) in SOURCES and state.get(_SOURCE, LIBRARY) in sources:
                state[source] = state.get(_SOURCE, LIBRARY)
    session.track_from_url(index, track)
    session.from_url(source, "from", list(sources), LIBRARY)
    return opened


def leave(page: str) -> None:
    """End a run of a page: what it shows is the session's clip from now on."""
    state = st.session_state
    if (hiding := state.pop(_HIDING, None)) is not None:
        hiding.empty()
    state[_TRACK] = state[f"{page}_track"]
    source = state.get(f"{page}_source")
    if source in SOURCES:
        state[_SOURCE] = source


def go(page: str) -> NoReturn:
    """Switch to another page with the visitor's own clip."""
    own: OwnClip = st.session_state[OWN]
    st.session_state[f"{page}_source"] = st.session_state[_SOURCE] = own.source
    session.switch(page)


def chosen_source() -> str:
    """Where the session's clip comes from: one of `SOURCES`."""
    return str(st.session_state.get(_SOURCE, LIBRARY))


def choose_source(key: str, names: Collection[str] = tuple(SOURCES)) -> str:
    """Choose where the clip comes from, with a widget of that key."""
    chosen = st.segmented_control(
        "Clip from",
        list(names),
        format_func=lambda name: SOURCES[name],
        key=key,
        persist_state="session",
        required=True,
    )
    return str(chosen)


def give(page: str, *, recorded: bool, on_change: Callable[[], None] = lambda: None) -> OwnClip | None:
    """Let the visitor upload or record a clip.

    Returns
    -------
    the session's own clip of that kind; None while there is none
    """
    if recorded:
        given = st.audio_input(
            "Record at least 3 seconds",
            sample_rate=48_000,
            key=uploader.widget_key(f"{page}_record"),
            on_change=on_change,
        )
        uploader.explain_recorder(uploader.widget_key(f"{page}_record"))
    else:
        given = _choose_file(page, on_change)
    hiding = st.session_state[_HIDING] = st.empty()
    # Always there, if empty: what comes after it would be drawn anew if it came and went.
    reading = st.container()
    state = st.session_state
    own = kept_clip()
    if given is not None and (own is None or own.id != given.file_id):
        # What the page still shows is of the clip before.
        # With content, because Streamlit puts a lone style elsewhere, where it would stay.
        hiding.html(f"<style>{_HIDE_STALE}</style><span></span>")
        content = given.getvalue()
        with reading:
            found = {} if recorded else _tags(content, given.name)
        own = OwnClip(given.file_id, given.name, content, recorded, found)
        state[OWN] = own
    elif given is None and own is not None and state.get(_GIVEN) == own.id:
        # The visitor has taken it out of the uploader.
        remove()
        own = None
    state[_GIVEN] = None if given is None else given.file_id
    kept = own if own is not None and own.recorded == recorded else None
    if kept is not None and given is None:
        _show_kept(kept, page)
    else:
        st.caption(_RECORDING_STAYS if recorded else _INVITATION)
    return kept


def _choose_file(page: str, on_change: Callable[[], None]) -> UploadedFile | None:
    def refuse() -> None:
        remove()
        on_change()

    most = decoding.MAX_BYTES // 2**20
    return uploader.choose_file(
        "Audio file",
        f"{page}_upload",
        decoding.EXTENSIONS,
        most,
        "an audio file, such as WAV, FLAC, MP3, M4A or Ogg",
        on_change,
        refuse,
    )


def _tags(content: bytes, name: str) -> dict[str, str]:
    """The tags of a visitor's file, read where files are decoded; none if that fails."""
    read = session.in_turn(sandbox.call, components.waiting_line())
    with suppress(SoundalikeError):
        found = read("soundalike.audio.tags:of_upload", content, name)
        # What comes from such a process is as untrusted as the file.
        if isinstance(found, dict):
            return {
                place: text for place in tags.NAMES if (text := tags.clean(str(found.get(place, ""))))
            }
    return {}


def _show_kept(own: OwnClip, page: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"We still have **{components.plain(own.shown_name)}**, in this session's memory only. A "
            "link to this page can't carry it.",
            width="content",
        )
        st.button(
            "Remove",
            icon=":material/close:",
            key=f"{page}_remove_own",
            on_click=discard,
            type="tertiary",
        )


def kept_clip() -> OwnClip | None:
    """The visitor's own clip, if the session has one."""
    kept: OwnClip | None = st.session_state.get(OWN)
    return kept


def remove() -> None:
    """Remove the visitor's own clip from the session, and all that was computed of it."""
    for name in (OWN, _ANSWER, _OUTLINE, _GIVEN, MEASURED):
        st.session_state.pop(name, None)


def discard() -> None:
    """Remove the clip also from what it was given with."""
    remove()
    uploader.renew()


def ask(index: Index, own: OwnClip) -> Query | None:
    """Analyse the visitor's clip once per library and moment.

    Shows progress, or an error and returns None.
    """
    # Always there, if empty: what comes after it would be drawn anew if it came and went.
    with st.container():
        return shown_answer(_answer(index, own, moment_of(own.id)))


def _answer(index: Index, own: OwnClip, start: int | None) -> Query | str:
    kept: _Answer | None = st.session_state.get(_ANSWER)
    if kept is None or kept[:3] != (own.id, index.identity, start):
        quiet = is_asked(index, own)
        found = _analyse(index, own, start, quiet=quiet)
        if isinstance(found, Query) and kept is not None and quiet and isinstance(kept[3], Query):
            found = _of_same_recording(found, kept[3], start)
        kept = own.id, index.identity, start, found
        st.session_state[_ANSWER] = kept
    return kept[3]


def ask_about_track(index: Index, track_id: str, start: int, *, quiet: bool) -> Query | None:
    """Analyse the half minute of a library track that begins at `start`; as `ask`."""
    row = index.row(track_id)
    kept: _Answer | None = st.session_state.get(_OF_TRACK)
    if kept is None or kept[:3] != (track_id, index.identity, start):
        found: Query | str
        try:
            found = components.analyse(index, index.file(row), start=start, quiet=quiet)
        except SoundalikeError as error:
            found = str(error)
        if isinstance(found, Query):
            found = replace(found, recording=row)
        kept = track_id, index.identity, start, found
        st.session_state[_OF_TRACK] = kept
    return shown_answer(kept[3])


def shown_answer(found: Query | str) -> Query | None:
    """A query; None for an error, which is shown."""
    if isinstance(found, str):
        components.show_error(found)
        return None
    return found


def _analyse(index: Index, own: OwnClip, start: int | None, *, quiet: bool) -> Query | str:
    def keep_outline(clip: Clip) -> None:
        if start is None:
            st.session_state[_OUTLINE] = own.id, outline.of(clip)

    return components.analyse(
        index, own.content, own.recorded, start, quiet=quiet, on_decoded=keep_outline
    )


def _of_same_recording(found: Query, before: Query, start: int | None) -> Query:
    """The query with the library's track that another half minute of the clip was recognised as."""
    if start is None or found.recording is not None:
        return found
    return replace(found, recording=before.recording if before.row is None else before.row)


def is_asked(index: Index, own: OwnClip) -> bool:
    """Whether the clip has been analysed for a library, whichever half minute of it."""
    kept = st.session_state.get(_ANSWER)
    return kept is not None and kept[:2] == (own.id, index.identity)


def analysed(own: OwnClip) -> Clip | None:
    """The half minute of the visitor's clip that the networks have run on; None before that."""
    kept: _Answer | None = st.session_state.get(_ANSWER)
    if kept is None or (kept[0], kept[2]) != (own.id, moment_of(own.id)) or isinstance(kept[3], str):
        return None
    embeddings = kept[3].embeddings
    return embeddings.clip if isinstance(embeddings, ClipEmbeddings) else None


def complete(asked: Query) -> None:
    """Keep a more complete query in place of the one that it was made from, as with its genres."""
    for name in (_ANSWER, _OF_TRACK):
        kept: _Answer | None = st.session_state.get(name)
        if kept and isinstance(kept[3], Query) and kept[3].embeddings is asked.embeddings:
            st.session_state[name] = (*kept[:3], asked)


def moment_of(clip_id: str) -> int | None:
    """Where the half minute that the visitor chose of a clip starts; None for the loudest."""
    moments: Mapping[str, int] = st.session_state.get(MOMENTS, {})
    return moments.get(clip_id)


def outline_of(own: OwnClip) -> Outline | None:
    """The outline of the visitor's clip, once it has been analysed."""
    kept: tuple[str, Outline] | None = st.session_state.get(_OUTLINE)
    return kept[1] if kept is not None and kept[0] == own.id else None


def navigation_buttons(here: str, key: str) -> None:
    """Show buttons that open the visitor's own clip on the other pages."""
    with st.container(horizontal=True, gap="small"):
        for page, label in components.ACTIONS.items():
            if page != here and st.button(
                label, icon=components.ICONS[page], key=f"{key}_{page}", type="tertiary"
            ):
                go(page)
