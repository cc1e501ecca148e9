"""What all sessions of a server share: open libraries, networks, the queue for them, and the process."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import streamlit as st
from starlette.formparsers import MultiPartParser

from soundalike import paths, system, threads
from soundalike.audio import decoding, sandbox
from soundalike.errors import SoundalikeError
from soundalike.fair_queue import FairQueue
from soundalike.index import index as indices
from soundalike.index import music_files
from soundalike.index.index import Index
from soundalike.index.integrity import Check
from soundalike.models import ModelStore, runtime
from soundalike.playlist import query
from soundalike.ui import idle

_LOG = logging.getLogger(__name__)
WARM_UP_AFTER_S = 3.0
"""Delay: the first visitor's page loads first."""
OPEN_AT_ONCE = 4
"""Libraries that a server keeps open; the least recently used one is closed."""


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner="Opening the library …")
def _open(folder: str, stamp: tuple[int, int]) -> tuple[Index, Check]:
    index = indices.load(Path(folder), music=music_files.of_owner(Path(folder)))
    if not index.is_playable:
        # Visitors are told the same, without the paths.
        _LOG.warning(
            "The index %s has its music in %s. To play it, name that folder in %s.",
            folder,
            index.library_folder,
            music_files.VARIABLE,
        )
    return index, Check(index)


def identity(index: Index) -> str:
    """An index's cache key."""
    return index.identity


@st.cache_resource(max_entries=1, show_spinner=False)
def open_models() -> ModelStore:
    """The networks that all libraries share; each is loaded on first use."""
    runtime.lower_priority()
    return ModelStore(factors=paths.factors_file(), light=system.is_small_host())


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: identity})
def models_of(index: Index) -> ModelStore:
    """A library's networks: its own if it has any, otherwise the shared ones."""
    return index.models(open_models())


@st.cache_resource(max_entries=1, show_spinner=False)
def _turns() -> FairQueue:
    return FairQueue()


@st.cache_resource(max_entries=1, show_spinner=False)
def warm_up() -> None:
    """Load the networks in the background once the first page is shown, before anyone sends a clip.

    Skipped if `$SOUNDALIKE_WARM_UP` is 0 or the host has little memory.
    """
    if os.environ.get("SOUNDALIKE_WARM_UP") == "0" or system.is_small_host():
        return
    timer = threading.Timer(WARM_UP_AFTER_S, _preload_in_background, [open_models()])
    timer.daemon = True
    timer.start()


def _preload_in_background(models: ModelStore) -> None:
    with idle.BACKGROUND:
        preload(models)


def preload(models: ModelStore) -> None:
    """Start the decoding processes and load the networks, running each once."""
    # An error is shown to the visitor who sends a clip.
    with suppress(SoundalikeError):
        sandbox.warm()
    query.warm_up(models)
    system.return_free_memory()


LARGEST_UPLOAD = decoding.MAX_BYTES + 2**20
"""Bytes, including the form around the file."""
FREEZE_S = 30
"""Seconds after which the objects that the garbage collector skips are checked again."""


def tune_process() -> None:
    """Tune the garbage collector, BLAS threads and uploads whenever more modules have been imported.

    Streamlit collects garbage after each run of a page. With the networks' libraries loaded there are
    half a million objects, and a collection blocks the server for a third of a second. Imported modules
    last as long as the server, so the collector skips them. BLAS threads keep spinning after each
    product, so we allow one and leave the other cores to decoding and other visitors. Uploads stay in
    memory; by default Starlette writes everything above a megabyte to a file.

    The collector also skips the sessions that exist at that moment. They become garbage when they end,
    so everything is checked again every half minute, if possible while no page is drawn.
    """
    _tune_process(len(sys.modules))
    _check_again(int(time.monotonic() // FREEZE_S))


@st.cache_resource(max_entries=1, show_spinner=False)
def _tune_process(modules: int) -> None:
    from threadpoolctl import threadpool_limits

    MultiPartParser.spool_max_size = LARGEST_UPLOAD
    # Otherwise this thread, and with it the visitor's session, would be held as the one in control.
    with threads.claim_control():
        threadpool_limits(1, "blas")
    system.return_large_blocks()
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=1, show_spinner=False)
def _check_again(period: int) -> None:
    threading.Thread(target=_check_when_idle, name="garbage", daemon=True).start()


def _check_when_idle() -> None:
    idle.wait_for_quiet(at_most=FREEZE_S)
    collect_all()


def collect_all() -> None:
    """Collect all garbage, also what the collector has skipped."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
