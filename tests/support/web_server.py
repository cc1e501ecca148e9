"""A small HTTP server for the tests of downloads, and what can go wrong with one."""

from __future__ import annotations

import mmap
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep

_PIECE = 2**14


@dataclass
class Site:
    """What is served, how, and what was asked.

    Attributes
    ----------
    files : content by path
    etag : of every file; "" for none
    modified : date of every file; "" for none
    ranges : whether ranges are known to the server
    most : how many bytes of a part are sent at most
    drops : after how many bytes each coming answer breaks off
    answers : status codes that the coming requests get in place of the file
    shift : how far off the place is that a part is said to have
    longer : how many bytes more than there are every file is said to have in all
    states_length : whether answers say how long they are; otherwise they end with the connection
    overstated : how many bytes more than are sent every answer is said to have; fewer if negative
    pause : seconds that the server waits after each piece of 16 KiB
    on_request : called with the number of requests so far, before each is answered
    asked : the headers of every request so far
    paths : the path of every request so far
    connections : number of connections so far
    sent : bytes of files sent so far
    """

    files: dict[str, bytes | mmap.mmap] = field(default_factory=dict)
    etag: str = '"1"'
    modified: str = ""
    ranges: bool = True
    most: int = sys.maxsize
    drops: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    shift: int = 0
    longer: int = 0
    states_length: bool = True
    overstated: int = 0
    retry_after: str = ""
    pause: float = 0
    on_request: Callable[[int], None] = lambda number: None
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: int = 0
    sent: int = 0


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Serve a site on this machine; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            site.connections += 1
            # Little is on its way, so what was sent is about what has arrived.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
            super().setup()

        def do_GET(self) -> None:
            site.asked.append(dict(self.headers))
            site.paths.append(self.path)
            site.on_request(len(site.asked))
            if site.answers:
                self.refuse(site.answers.pop(0))
            elif self.path not in site.files:
                self.refuse(404)
            else:
                self.answer(site.files[self.path])

        def refuse(self, status: int) -> None:
            self.send_response(status)
            if site.retry_after:
                self.send_header("Retry-After", site.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, content: bytes | mmap.mmap) -> None:
            same = self.headers.get("If-Range", site.etag) in (site.etag, site.modified)
            part = self.part(len(content)) if site.ranges and same else None
            if part is not None and part[0] >= part[1]:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200 if part is None else 206)
            start, stop = part or (0, len(content))
            if part is not None:
                stop = min(stop, start + site.most)
                there = (
                    f"bytes {start + site.shift}-{stop - 1 + site.shift}/{len(content) + site.longer}"
                )
                self.send_header("Content-Range", there)
            if site.etag:
                self.send_header("ETag", site.etag)
            if site.modified:
                self.send_header("Last-Modified", site.modified)
            if site.states_length:
                self.send_header("Content-Length", str(stop - start + site.overstated))
            else:
                self.close_connection = True
            self.end_headers()
            if site.drops:
                stop = min(stop, start + site.drops.pop(0))
                self.close_connection = True
            self.send(content, start, stop)
            self.close_connection |= site.overstated != 0

        def part(self, size: int) -> tuple[int, int] | None:
            if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
            if found := re.fullmatch(r"bytes=-(\d+)", self.headers.get("Range", "")):
                return max(0, size - int(found[1])), size
            return None

        def send(self, content: bytes | mmap.mmap, start: int, stop: int) -> None:
            step = _PIECE if site.pause else max(1, stop - start)
            for at in range(start, stop, step):
                piece = content[at : min(stop, at + step)]
                try:
                    self.wfile.write(piece)
                except ConnectionError:
                    self.close_connection = True
                    return
                site.sent += len(piece)
                sleep(site.pause)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(*_)

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
