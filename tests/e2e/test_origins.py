"""Who may open the app's websocket: its own pages, under whatever name they are served."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websocket_client import opens

NAME = "music.example.org"


@pytest.fixture(scope="module")
def named(serve: Callable[..., AbstractContextManager[str]], tmp_path_factory) -> Iterator[str]:
    """A server that goes by one name, as docs/deploy.md says."""
    folder: Path = tmp_path_factory.mktemp("named")
    with serve(folder, STREAMLIT_SERVER_ALLOWED_HOSTS=NAME) as address:
        yield address


def test_behind_a_proxy_the_public_name_is_the_apps_own(app_url: str) -> None:
    assert opens(app_url, NAME, f"https://{NAME}")


def test_a_named_server_answers_to_its_name_alone(named: str) -> None:
    assert opens(named, NAME, f"https://{NAME}")
    assert not opens(named, "elsewhere.example", "https://elsewhere.example")


def test_an_upload_without_the_token_of_its_page_is_refused(app_url: str) -> None:
    port = urlsplit(app_url).port
    with socket.create_connection(("127.0.0.1", port or 0)) as raw:
        raw.sendall(
            b"PUT /_stcore/upload_file/session/file HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        assert raw.recv(100).split()[1] == b"403"
