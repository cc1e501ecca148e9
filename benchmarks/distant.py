"""A user with a browser on another machine, simulated by the web socket traffic alone.

A browser renders on its own processor. If server and browsers share one, the server's response time for
a remote user can only be measured by a session that renders nothing. This one sends the same messages as
a browser when the user changes pages or uploads a file, and receives the response until the script's run
ends. It caches no messages, so everything is sent again. A page change is timed until the page's main
part arrives, which comes after its heading, and until the end of the response. An upload is timed until
the playlist arrives, after the server has the file.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import uploads
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin

PAGES = {
    "anatomy": "anatomy_plots_1_picture",
    "map": "map_points",
    "features": "features_moments",
    "compare": "compare_columns",
    "about": "h2",
    "": "recommend_playlist",
}
"""Each page's main part: the end of its component's id, or the tag of a heading."""
LOOKED_AT = 3
"""Number of pages viewed between two uploads."""
PATIENCE_S = 300
CLIPS, LISTS = "recommend_0_upload", "recommend_0_list"
"""Keys of the first page's uploaders."""
QUEUED = "ahead of yours"


@dataclass
class Seen:
    """Observations of a user: times, queue positions, and errors."""

    page_ms: list[float] = field(default_factory=list)
    whole_page_ms: list[float] = field(default_factory=list)
    upload_s: list[float] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)

    def add(self, other: Seen) -> None:
        """Add another user's observations."""
        for name, values in vars(other).items():
            getattr(self, name).extend(values)


class Distant(threading.Thread):
    """Uploads clips and views pages, from `start` until `stop`.

    Parameters
    ----------
    address : address of the app
    number : determines the order of its pages
    think_s : minimum and maximum time between a response and the next page
    clips : numbers of the uploads, used in turn
    expected : each upload's expected playlist, by number

    Attributes
    ----------
    seen : observations; the first view of a page counts too
    """

    def __init__(
        self,
        address: str,
        number: int,
        think_s: tuple[float, float],
        clips: Sequence[int],
        expected: Sequence[Sequence[str]],
    ) -> None:
        super().__init__(daemon=True)
        self.seen = Seen()
        self._address = address
        self._think_s = think_s
        self._clips = clips
        self._expected = expected
        self._chance = random.Random(number)
        self._over = threading.Event()

    def stop(self) -> None:
        """Stop after the current response; `join` waits for it."""
        self._over.set()

    def run(self) -> None:
        """Visit the app; an early end is recorded as a problem."""
        try:
            with Wire(self._address) as wire:
                self._look_around(wire)
        except Exception as error:  # noqa: BLE001
            self.seen.problems.append(f"{type(error).__name__}: {error}")

    def _look_around(self, wire: Wire) -> None:
        self._check(wire.run("", "from=upload"))
        turn = 0
        while not self._think():
            self._ask(wire, self._clips[turn % len(self._clips)])
            turn += 1
            for page in [*self._chance.sample([page for page in PAGES if page], LOOKED_AT), ""]:
                if self._think():
                    return
                self._go(wire, page)

    def _think(self) -> bool:
        """Pause like a user; return whether the session is over."""
        return self._over.wait(self._chance.uniform(*self._think_s))

    def _go(self, wire: Wire, page: str) -> None:
        answer = wire.run(page)
        parts = [part.seconds for part in answer if part.name.endswith(PAGES[page])]
        if not parts:
            self.seen.problems.append(f"no main part of {page}")
            return
        self.seen.page_ms.append(parts[0] * 1_000)
        self.seen.whole_page_ms.append(answer[-1].seconds * 1_000)
        self._check(answer)

    def _ask(self, wire: Wire, clip: int) -> None:
        name, content = uploads.upload(clip)
        answer = wire.upload(name, content)
        self._check(answer)
        lists = [part for part in answer if part.component.get("kind") == "table"]
        if not lists:
            self.seen.problems.append(f"no playlist for {name}")
            return
        self.seen.upload_s.append(lists[0].seconds)
        cards = [part.component["label"] for part in answer if part.component.get("kind") == "card"]
        titles = [track["title"] for track in lists[-1].component["tracks"]]
        if set(cards) != {name} or sorted(titles) != sorted(self._expected[clip]):
            self.seen.mixed_up.append(f"{cards}: {titles} in place of {name}: {self._expected[clip]}")

    def _check(self, answer: Iterable[Part]) -> None:
        """Record errors in a response, and queue positions."""
        for part in answer:
            element = part.message.delta.new_element
            kind = element.WhichOneof("type")
            if kind == "exception" or (kind == "alert" and element.alert.format == element.alert.ERROR):
                self.seen.problems.append(f"shown: {element}")
            label = part.message.delta.add_block.expandable.label
            if QUEUED in label:
                self.seen.queued.append(int("".join(filter(str.isdigit, label))))


@dataclass(frozen=True)
class Part:
    """A message of a response, and its delay in seconds after the request."""

    message: ForwardMsg
    seconds: float

    @property
    def component(self) -> dict[str, Any]:
        """Data sent to one of the page's own components; empty for other messages."""
        sent = self.message.delta.new_element.bidi_component.json
        return dict(*json.loads(sent)) if sent else {}

    @property
    def name(self) -> str:
        """A component's id, which ends with its key, or a heading's tag; empty for other messages."""
        element = self.message.delta.new_element
        return element.bidi_component.id or element.heading.tag


class Wire:
    """A session's web socket and its HTTP requests.

    Attributes
    ----------
    session : id of the session, known after the first run
    """

    def __init__(self, address: str) -> None:
        host = urlsplit(address).netloc
        self._address = address
        self._socket = connect(
            f"ws://{host}/_stcore/stream", origin=Origin(f"http://{host}"), max_size=None
        )
        self._web = requests.Session()
        self.session = ""
        self._uploaders: dict[str, str] = {}

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._web.close()

    def run(self, page: str, query: str = "", *states: WidgetState) -> list[Part]:
        """Run a page and return all messages until the end of its last script run."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        message.rerun_script.widget_states.widgets.extend(states)
        begun = time.monotonic()
        answer = [
            Part(part, time.monotonic() - begun) for part in self._answer(message, "script_finished")
        ]
        for part in answer:
            self.session = part.message.new_session.initialize.session_id or self.session
            widget = part.message.delta.new_element.file_uploader.id
            self._uploaders |= {key: widget for key in (CLIPS, LISTS) if widget.endswith(key)}
        return answer

    def upload(self, name: str, content: bytes) -> list[Part]:
        """Upload a clip to the page, and return the resulting messages."""
        return self.run("", "", self.given(name, content))

    def given(self, name: str, content: bytes, uploader: str = CLIPS) -> WidgetState:
        """Send a file; returns the state of the uploader that has it.

        Parameters
        ----------
        uploader : the uploader's key, `CLIPS` or `LISTS`

        Raises
        ------
        RuntimeError : the server refused the file
        """
        place = self.place(name)
        if (status := self.put(place.upload_url, name, content)) != HTTPStatus.NO_CONTENT:
            raise RuntimeError(f"{name} was answered with {status}")
        state = WidgetState(id=self._uploaders[uploader])
        uploaded = state.file_uploader_state_value.uploaded_file_info.add()
        uploaded.file_id, uploaded.name, uploaded.size = place.file_id, name, len(content)
        uploaded.file_urls.CopyFrom(place)
        return state

    def leave(self, *states: WidgetState) -> None:
        """Ask for a run of the page, and do not wait for it."""
        message = BackMsg()
        message.rerun_script.page_name = ""
        message.rerun_script.widget_states.widgets.extend(states)
        self._socket.send(message.SerializeToString())

    def place(self, name: str) -> FileURLs:
        """Ask for an address to send a file to."""
        asked = BackMsg()
        asked.file_urls_request.request_id = name
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self.session
        *_, answer = self._answer(asked, "file_urls_response")
        place: FileURLs = answer.file_urls_response.file_urls[0]
        return place

    def put(self, path: str, name: str, content: bytes) -> int:
        """Send a file, and return the answer's status code."""
        headers = {"X-Xsrftoken": self.token()["X-Xsrftoken"]}
        form = {name: (name, content)}
        try:
            return self._web.put(f"{self._address}{path}", files=form, headers=headers).status_code
        except requests.ConnectionError:
            # The server answered and hung up before it had all.
            return 0

    def token(self) -> dict[str, str]:
        """Headers that prove that an upload comes from the app's own page."""
        if "_streamlit_xsrf" not in self._web.cookies:
            self._web.get(f"{self._address}/_stcore/health").raise_for_status()
        token = str(self._web.cookies["_streamlit_xsrf"])
        return {"X-Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}"}

    def _answer(self, message: BackMsg, last: str) -> Iterator[ForwardMsg]:
        self._socket.send(message.SerializeToString())
        while True:
            payload = self._socket.recv(timeout=PATIENCE_S)
            if not isinstance(payload, bytes):
                continue
            answer = ForwardMsg()
            answer.ParseFromString(payload)
            yield answer
            goes_on = answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            if answer.WhichOneof("type") == last and not goes_on:
                return
