"""A small HTTP server for the tests of downloads, and what can go wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Site:
    """What is served, how, and what was asked.

    Attributes
    ----------
    files : content by path
    etag : of every file; "" for none
    ranges : whether ranges are known to the server
    drops : after how many bytes each coming answer breaks off
    answers : status codes that the coming requests get in place of the file
    shift : how far off the place is that a part is said to begin at
    asked : the headers of every request so far
    """

    files: dict[str, bytes] = field(default_factory=dict)
    etag: str = '"1"'
    ranges: bool = True
    drops: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    shift: int = 0
    retry_after: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Serve a site on this machine; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(dict(self.headers))
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

        def answer(self, content: bytes) -> None:
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range", site.etag) == site.etag
            start = int(found[1]) if found and site.ranges and same else None
            if start is not None and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200 if start is None else 206)
            if start is not None:
                first = start + site.shift
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            if site.etag:
                self.send_header("ETag", site.etag)
            body = content[start or 0 :]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: site.drops.pop(0)] if site.drops else body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
