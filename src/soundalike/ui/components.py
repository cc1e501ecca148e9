"""Streamlit components that pages share: page header, players, track tables, and error messages."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import runtime

from soundalike import foreign_text
from soundalike.audio import excerpt, media_types, sandbox
from soundalike.audio.clip import Clip
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.evaluation.agreement import Comparison
from soundalike.fair_queue import OnPlace
from soundalike.index import catalog, music_files
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.playlist.playlist import Playlist
from soundalike.playlist.query import Query
from soundalike.ui import connection, frontend, incoming, libraries, server, session
from soundalike.ui.palette import Style

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_status_container import StatusContainer

ACTIONS = {"recommend": "Recommend from this", "anatomy": "See inside", "map": "Show on map"}
"""Actions on a library track: the page that each opens, and its label."""
PLAYLISTS_FIRST = 3
"""Turns within which others' playlists come before what adds to a page that shows something already."""
_ELSEWHERE = [page for page in ACTIONS if page != "recommend"]
ICONS = {
    "recommend": ":material/queue_music:",
    "anatomy": ":material/graphic_eq:",
    "map": ":material/scatter_plot:",
    "features": ":material/tune:",
    "compare": ":material/balance:",
    "about": ":material/info:",
}
"""Icons of the pages, in the navigation's order."""

_MARKS = frozenset(r"\`*_{}[]()<>#+-!|~$:^&")
_LINE_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_LIST_NUMBER = re.compile(r"^(\d{1,9})\.(?=\s|$)")
_FOUND_LATER = re.compile(
    r"(?<=www)(?=\.)|(?<=:)(?=//)|(?<=@)(?=[\w-])|(?<=:)(?=[\w+/-]+:)|(?<=(?<!\S)[<>~-])(?=[>=-]+(?!\S))",
    re.IGNORECASE,
)
"""Inside of an address, an emoji's or icon's name, and an arrow or comparison that stands alone."""
_COMMAND = re.compile(r"(`(?:soundalike|pip install)(?: [\w./=-]+| '[\w\[\]-]+')*`)")


@dataclass(frozen=True)
class Track:
    """A track as shown to a visitor."""

    id: str
    title: str
    artist: str
    album: str
    genre: str
    licence: str
    url: str


def page(title: str, purpose: str, show: Callable[[Index], None]) -> None:
    """Draw a page of the app: its title, its purpose, and the content from the library's index.

    If there are several libraries, a selector appears beside the title. Errors are shown in place of the
    content, and another library can still be chosen.
    """
    session.through_app()
    libraries.page_header(title, session.choose_library())
    if purpose and not st.session_state.get(session.PRESENT):  # the presenter says it
        st.caption(purpose)
    if missing := st.session_state.pop("library_missing", None):
        st.caption(plain(f"There is no library “{missing}” here, so we show another one."))
    unknown = st.empty()
    try:
        index = session.open_index()
        if index.partial is not None:
            st.caption(libraries.partial_note(index))
        if not index.is_playable:
            show_error(str(music_files.outside()))
        show(index)
    except SoundalikeError as error:
        show_error(str(error))
    if faults := session.take_unknown():
        unknown.caption(plain(f"This link has settings that we don't have here: {', '.join(faults)}."))
    connection.watch(own_clip=session.OWN_CLIP in st.session_state)


def track_of(index: Index, row: int) -> Track:
    """A library track, with a URL for its clip that works in this session."""
    return Track(
        index.fact("track_id", row),
        index.fact("title", row),
        index.fact("artist", row),
        index.fact("album", row),
        index.fact("genre", row),
        index.fact("licence", row),
        track_url(index, row),
    )


def track_url(index: Index, row: int, place: str = "") -> str:
    """A URL at which this session's page can play a track; "" if its file may not be handed out.

    With a `place`, the file replaces the one that the page had there before.
    """
    try:
        content = index.file(row).read_bytes()
    except (LibraryError, OSError):
        return ""
    name = index.path(row)
    return audio_url(content, f"{place}{name.suffix}" if place else str(name))


def audio_url(content: bytes, name: str) -> str:
    """A URL at which this session's page can play a file, always as audio, whatever its name.

    This works like `st.audio`: the server holds the file in memory while the page shows it, at a URL
    that is derived from its content and cannot be guessed.
    """
    kind = media_types.BY_ENDING.get(Path(name).suffix.lower(), media_types.OTHER)
    return str(runtime.get_instance().media_file_mgr.add(content, kind, f"soundalike-{name}"))


def picture_url(content: bytes, kind: str) -> str:
    """A picture's file as a data URL; "" for an empty file.

    The server drops a picture as soon as its page is left, and a browser that has not fetched it by then
    reports an error. A data URL avoids this.
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}" if content else ""


def card(track: Track, style: Style | None, key: str, start: str | None = None) -> None:
    """Show one track with its player. A new value of `start` starts playback."""
    data = vars(track) | _styled(style)
    _tracks(data={"kind": "card", "label": track.title, "tracks": [data], "start": start}, key=key)


def playlist_table(
    index: Index,
    playlist: Playlist,
    styles: dict[str, Style],
    key: str,
    on_choose: Callable[[str], None],
) -> None:
    """Show a playlist as a table with players; `on_choose` gets the track to recommend from next."""
    tracks = [
        track_data(index, entry.row, styles)
        | {"rank": entry.rank, "similarity": round(entry.similarity, 4)}
        for entry in playlist.entries
    ]
    data = {"label": "Playlist, most similar first", "ranked": True, "tracks": tracks}
    _table(index, data, key, on_choose)


def track_data(index: Index, row: int, styles: dict[str, Style]) -> dict[str, Any]:
    """A track as data for the players' components."""
    return vars(track_of(index, row)) | _styled(styles.get(index.fact("genre", row)))


def _table(index: Index, data: dict[str, Any], key: str, on_choose: Callable[[str], None]) -> None:
    data = {"actions": actions()} | data
    editable_table(index, data, key, lambda _, track_id: on_choose(track_id))


def editable_table(
    index: Index, data: dict[str, Any], key: str, act: Callable[[str, str], None]
) -> None:
    """Show an editable table of tracks; `act` gets each action on this page and the track's id."""
    offered = [str(button["name"]) for button in [*data.get("edits", ()), *data["actions"]]]
    here = [name for name in offered if name not in _ELSEWHERE]

    def chosen() -> None:
        wanted = incoming.action(index, incoming.triggered(key, "chosen"), here)
        if wanted is not None:
            act(wanted.name, wanted.track)

    result = _tracks(data={"kind": "table"} | data, key=key, on_chosen_change=chosen)
    navigate(index, result, _ELSEWHERE)


def actions() -> list[dict[str, str]]:
    """The actions on a track, as data for a component's buttons."""
    return [{"name": name, "label": label} for name, label in ACTIONS.items()]


def navigate(index: Index, result: object, pages: Collection[str] = ACTIONS) -> None:
    """Switch to another page if a component's button for it was pressed in this run."""
    wanted = incoming.action(index, incoming.sent(result, "chosen"), pages)
    if wanted is not None:
        session.go(wanted.name, wanted.track)


def playlist_columns(
    index: Index,
    comparison: Comparison,
    titles: Mapping[str, str],
    styles: dict[str, Style],
    key: str,
) -> None:
    """Show playlists side by side, with shared tracks marked.

    Parameters
    ----------
    titles : of the representations, in the order of the columns; one that has no playlist yet is being
        computed
    """
    known = {item.representation: item for item in comparison.playlists}
    columns = [
        {
            "name": name,
            "title": title,
            "note": " ".join(known[name].notes) if name in known else "Computing …",
            "tracks": [
                track_data(index, entry.row, styles) | {"shared": comparison.shared[entry.row]}
                for entry in (known[name].entries if name in known else ())
            ],
        }
        for name, title in titles.items()
        if name not in comparison.unanswered
    ]
    data = {"kind": "columns", "blind": False, "actions": actions(), "columns": columns}
    result = _tracks(data=data, key=key, on_chosen_change=lambda: None)
    navigate(index, result)


def blind_columns(index: Index, playlists: Mapping[str, Sequence[int]], key: str) -> None:
    """Show playlists under neutral names; the data sent to the browser does not reveal the methods."""
    columns = [
        {
            "name": title.lower().replace(" ", "-"),
            "title": title,
            "tracks": [track_data(index, row, {}) | {"genre": "", "shared": 1} for row in rows],
        }
        for title, rows in playlists.items()
    ]
    _tracks(data={"kind": "columns", "blind": True, "actions": [], "columns": columns}, key=key)


def navigation_buttons(track_id: str, here: str, key: str) -> None:
    """Show buttons that open a library track on the other pages."""
    with st.container(horizontal=True, gap="small"):
        for page, label in ACTIONS.items():
            if page != here and st.button(label, icon=ICONS[page], key=f"{key}_{page}", type="tertiary"):
                session.go(page, track_id)


def analyse(
    index: Index,
    source: bytes | Path,
    recorded: bool = False,
    start: float | None = None,
    *,
    quiet: bool = False,
    on_decoded: Callable[[Clip], None] = lambda clip: None,
) -> Query | str:
    """Embed a clip and return its query or an error message; shows progress meanwhile.

    Parameters
    ----------
    index : the library
    source : a visitor's file, decoded in the sandbox, or the path of a library track
    recorded : whether the clip was recorded with a microphone
    start : of the half minute that the visitor chose; the loudest by default
    quiet : whether to show nothing but the place in the queue
    on_decoded : called with the whole clip, or with its chosen half minute
    """

    def answer(progress: _Progress) -> Query:
        def decode(file: bytes | Path) -> Clip:
            if isinstance(file, bytes):
                clip = session.in_turn(sandbox.decode, progress.wait)(file, start=start)
            else:
                clip = excerpt.decode(file, start or 0.0)
            on_decoded(clip)
            return clip

        turn, models, chosen = session.turn(progress.wait), server.models_of(index), start is not None
        found = query.embed_query(
            source, index, models, progress.say, turn, decode, recorded, chosen=chosen
        )
        progress.say(query.STEPS[-1])
        return found

    return _with_progress(query.STEPS[0], answer, quiet)


def predict_genres(index: Index, asked: Query) -> Query | str:
    """Predict the genres of a visitor's clip and return the query or an error; shows progress."""

    def answer(progress: _Progress) -> Query:
        turn = session.turn(progress.wait, PLAYLISTS_FIRST)
        return query.predict_genres(asked, index, server.models_of(index), turn)

    return _with_progress(query.GENRES_STEP, answer)


def compute(index: Index, asked: Query, names: Sequence[str]) -> Query | str:
    """Compute a visitor's clip by more representations. Returns it or an error; shows progress."""

    def answer(progress: _Progress) -> Query:
        query.compute(asked, index, names, session.turn(progress.wait, PLAYLISTS_FIRST))
        return asked

    return _with_progress(query.STEPS[2], answer)


def _with_progress(step: str, answer: Callable[[_Progress], Query], quiet: bool = False) -> Query | str:
    """Call `answer` with a progress box, and return its query or an error message."""
    place = st.empty()
    progress = _Progress(None if quiet else place.status(f"{step} …"), step)
    found: Query | str
    try:
        found = answer(progress)
    except SoundalikeError as error:
        found = str(error)
    progress.end()
    place.empty()
    return found


class _Progress:
    """A status box that shows the current step until it is closed."""

    def __init__(self, status: StatusContainer | None, step: str) -> None:
        self._status = status
        self._step = step
        self._in_line: OnPlace | None = None if status else waiting_line()

    def say(self, step: str) -> None:
        """Show the current step."""
        self._step = step
        self._show(f"{step} …")

    def wait(self, ahead: int) -> None:
        """Show the number of clips ahead in the queue; 0 once it is this visitor's turn."""
        if self._in_line is not None:
            self._in_line(ahead)
        self._show(_queued(ahead) if ahead else f"{self._step} …")

    def end(self) -> None:
        """Close the box. Later steps run without one."""
        self._status = self._in_line = None

    def _show(self, label: str) -> None:
        if self._status is not None:
            self._status.update(label=plain(label))


def waiting_line() -> OnPlace:
    """Says in a line of its own how many are ahead in the queue.

    Each call also lets Streamlit end the run, once the visitor has left or done something else.
    """
    place = st.empty()

    def say(ahead: int) -> None:
        if ahead:
            place.caption(plain(_queued(ahead)))
        else:
            place.empty()

    return say


def _queued(ahead: int) -> str:
    clips = "1 clip" if ahead == 1 else f"{ahead} clips"
    return f"In the queue: {clips} ahead of yours …"


def show_error(message: str) -> None:
    """Show an error message."""
    st.error(for_visitors(message), icon=":material/error:")


def for_visitors(message: str) -> str:
    """An error message as Markdown: only our commands are marked up, and server paths are removed."""
    parts = _COMMAND.split(catalog.without_paths(message))
    parts[::2] = map(plain, parts[::2])
    return "".join(parts)


def show_notes(notes: Sequence[str]) -> None:
    """Show the notes about a result as captions."""
    for note in notes:
        st.caption(for_visitors(note))


def plain(text: str) -> str:
    """Markdown that shows anyone's text as it is: on one line, with nothing marked up.

    Backslashes hide markup from Markdown's parser. Streamlit then searches what was parsed for
    addresses, emoji, icons and arrows, where backslashes don't count. An invisible word joiner breaks
    those up.
    """
    line = foreign_text.printable(_LINE_BREAKS.sub(" ", text))
    joined = _FOUND_LATER.sub("\u2060", line)
    escaped = "".join(f"\\{mark}" if mark in _MARKS else mark for mark in joined)
    return _LIST_NUMBER.sub(r"\1\\.", escaped)


def _styled(style: Style | None) -> dict[str, str]:
    if style is None:
        return {"colour": "#8A8A8A", "marker": "circle"}
    return {"colour": style.colour, "marker": style.marker}


def _tracks(data: dict[str, Any], key: str, **arguments: Any) -> Any:
    return _register()(data=data | {"key": key}, key=key, **arguments)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_tracks",
        html='<div class="root"></div><div class="said hidden" role="status"></div>',
        css=frontend.read("tracks.css"),
        js=frontend.player(
            *("clock.js", "player.js", "seek_bar.js", "track_columns.js", "track_edits.js", "tracks.js")
        ),
    )
