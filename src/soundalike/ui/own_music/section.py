"""The page that indexes a folder: choose it, follow the run, and open the library that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from soundalike.errors import LibraryError, SoundalikeError
from soundalike.index import catalog
from soundalike.index.index import Index
from soundalike.indexing import sources
from soundalike.indexing.progress import duration
from soundalike.ui import components, session
from soundalike.ui.about.lessons import Shown
from soundalike.ui.compare import voting
from soundalike.ui.own_music import access

if TYPE_CHECKING:
    from soundalike.indexing.background import Background
    from soundalike.indexing.run_records import Run

LIVE_S, REST_S = 1.0, 5.0
"""Seconds between two looks at the runs, while one is under way and while none is."""
WIDTH, KEY_WIDTH = 760, 360
TEXT = """
Choose a folder on the computer that serves this app. We analyse every audio file in it, and then you can
use all pages with your own music. Nothing in the folder is changed. You can close this page meanwhile:
the work goes on, and the app stays usable. It takes a few seconds per track.
"""
FOR_PRESENTER = "Only the presenter can add music from the server. Give the key to go on."
NO_FOLDER = "None of the folders that SOUNDALIKE_MUSIC names is there. Check the variable, or the disks."
_ERROR = "own_music_error"
_FOLDER = "own_music_folder"


def show(_: Index) -> Shown:
    """Draw the section."""
    st.markdown(TEXT, width=WIDTH)
    if not access.may_index():
        st.caption(FOR_PRESENTER)
        with st.container(width=KEY_WIDTH):
            voting.ask_for_key()
        return {}
    if error := st.session_state.pop(_ERROR, ""):
        components.show_error(error)
    indexer = access.indexer()
    runs = indexer.runs()
    current = indexer.current()
    with st.container(width=WIDTH):
        st.fragment(follow, run_every=REST_S if current is None else LIVE_S)(indexer, _states(runs))
        if current is None:
            choose(indexer)
        ended = [run for run in runs if not run.is_under_way]
        if ended:
            st.subheader("Indexed folders", anchor=False)
        for run in ended:
            _show_ended(indexer, run, is_busy=current is not None)
    return {}


def follow(indexer: Background, drawn: Sequence[tuple[str, str]]) -> None:
    """Show the run under way; run the page again once a run has begun or ended, in any session."""
    if _states(indexer.runs()) != drawn:
        st.rerun()
    run = indexer.current()
    if run is None:
        return
    st.subheader(components.plain(run.name), anchor=False)
    st.progress(run.share, components.plain(said(run)))
    if run.state == "running":
        st.button(
            "Stop",
            icon=":material/stop:",
            key="own_music_stop",
            on_click=_act,
            args=[indexer.stop],
        )
    _show_skipped(run)


def said(run: Run) -> str:
    """What a run is doing, in one line."""
    if run.state == "stopping":
        return "Stopping. What is finished is kept …"
    if run.step != "Analysing":
        found = f": {_counted(run.found, 'file')} found" if run.step == "Starting" and run.found else ""
        return f"{run.step}{found} …"
    parts = [f"{run.done:,} of {_counted(run.found, 'file')}"]
    if run.rate:
        parts.append(f"{run.rate:.1f} a second")
    if run.left:
        parts.append(f"{duration(run.left)} left")
    if run.skipped:
        parts.append(f"{run.skipped:,} skipped")
    return ", ".join(parts)


def choose(indexer: Background) -> None:
    """Let the visitor choose a folder and start."""
    named = sources.named()
    if not named:
        components.show_error(NO_FOLDER)
        return
    labels = _labels(named)
    label = st.selectbox("Folder", list(labels), key=_FOLDER)

    def ask(outer: str, names: Sequence[str]) -> str | None:
        if not names:
            return None
        return st.selectbox(
            f"Folder in {components.plain(outer)}",
            names,
            index=None,
            key=f"{_FOLDER}_{outer}",
            placeholder="All of it",
        )

    _innermost(label, labels, ask)
    st.button(
        "Index this folder",
        icon=":material/library_add:",
        key="own_music_start",
        on_click=_act,
        args=[lambda: _start(indexer, labels)],
        type="primary",
    )


def _start(indexer: Background, labels: Mapping[str, Path]) -> None:
    """Index what is chosen now; the page may have been drawn before the latest choice."""
    state = st.session_state
    indexer.start(_innermost(state[_FOLDER], labels, lambda outer, _: state.get(f"{_FOLDER}_{outer}")))


def _innermost(
    label: str, labels: Mapping[str, Path], inner_of: Callable[[str, Sequence[str]], str | None]
) -> Path:
    """The folder that is chosen within a named one, and so on inwards.

    Parameters
    ----------
    label : of the named folder
    labels : the named folders by their labels
    inner_of : the choice within a folder, if any; called with its label and the folders in it

    Raises
    ------
    LibraryError
        If a chosen folder isn't there any more.
    """
    chosen, folders = label, dict(labels)
    while True:
        if chosen not in folders:
            raise LibraryError(f"The folder {chosen} is gone. Put it back or choose another one.")
        folder = folders[chosen]
        folders = {path.name: path for path in sources.below(folder)}
        inner = inner_of(label, list(folders))
        if inner is None:
            return folder
        chosen, label = inner, f"{label}/{inner}"


def _labels(folders: Sequence[Path]) -> dict[str, Path]:
    """The named folders by what they are called; a number tells those of one name apart."""
    labels: dict[str, Path] = {}
    for folder in folders:
        labels[catalog.unique_name(sources.shown(folder), labels)] = folder
    return labels


def _show_ended(indexer: Background, run: Run, *, is_busy: bool) -> None:
    st.markdown(f"**{components.plain(run.name)}**")
    if run.error:
        components.show_error(run.error)
    st.caption(components.plain(result(run)))
    offered = {entry.folder.resolve(): entry.name for entry in catalog.offered()}
    library = offered.get(indexer.index_folder(run.name))
    is_whole = run.state == "finished"
    with st.container(horizontal=True, gap="small"):
        if library is not None and st.button(
            "Open the library",
            icon=":material/queue_music:",
            key=f"own_music_open_{run.name}",
            type="primary" if is_whole else "secondary",
        ):
            session.open_library(library)
        st.button(
            "Update" if is_whole else "Go on",
            icon=":material/refresh:" if is_whole else ":material/play_arrow:",
            key=f"own_music_go_on_{run.name}",
            type="secondary" if is_whole else "primary",
            disabled=is_busy,
            on_click=_act,
            args=[lambda: indexer.start(Path(run.source))],
            help="Reads new and changed files only." if is_whole else None,
        )
        with st.popover("Remove", icon=":material/delete:", key=f"own_music_remove_{run.name}"):
            st.caption("This deletes the index, and what is kept for going on. The music stays.")
            st.button(
                "Remove the index",
                key=f"own_music_removed_{run.name}",
                on_click=_act,
                args=[lambda: indexer.remove(run.name)],
            )
    _show_skipped(run)


def result(run: Run) -> str:
    """What a run has come to, in one or two sentences."""
    folder = sources.shown(Path(run.source))
    tracks = _counted(run.tracks, "track")
    if run.state == "finished":
        skipped = {0: "", 1: " 1 file was skipped."}.get(run.skipped)
        return f"{tracks} from {folder}." + (
            f" {run.skipped:,} files were skipped." if skipped is None else skipped
        )
    files = f" after {run.done:,} of {_counted(run.found, 'file')}" if run.found else ""
    so_far = f" The library has {tracks} so far." if run.tracks else ""
    return f"{folder}: stopped{files}. What was finished is kept.{so_far}"


def _show_skipped(run: Run) -> None:
    if run.reasons:
        with st.expander(f"Skipped: {_counted(run.skipped, 'file')}", icon=":material/playlist_remove:"):
            st.dataframe(
                {
                    "File": [item.file for item in run.reasons],
                    "Reason": [item.reason for item in run.reasons],
                },
                hide_index=True,
                key=f"own_music_skipped_{run.name}",
                alt="Files that were left out, with reasons",
            )
            if run.skipped > len(run.reasons):
                st.caption(
                    f"Showing the first {len(run.reasons):,}. Open the library to see the full list on "
                    "this page, under Data."
                )
    if run.passed_over:
        kinds = [
            f"{count:,} {ending or 'without an ending'}" for ending, count in run.passed_over.items()
        ]
        st.caption(components.plain(f"Passed over, of kinds that are not read: {', '.join(kinds)}."))


def _act(action: Callable[[], object]) -> None:
    """Do something that only some may do; what goes wrong is shown on the page."""
    if not access.may_index():
        return
    try:
        action()
    except SoundalikeError as error:
        st.session_state[_ERROR] = str(error)


def _states(runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.name, run.state) for run in runs]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
