"""What a server answers to real clients: the library's results, and a problem for every bad request."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import requests
import uploads as made_up
from api_server import PATIENCE_S, Served, problem, serving
from audio_files import Encode, sine, stereo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import soundalike
from soundalike import api, paths
from soundalike.audio import decoding
from soundalike.index.index import Index
from soundalike.service.limits import HEADERS

TRACK, OTHER = "0102", "0235"
CLIP = paths.LIBRARY / "clips" / f"{TRACK}.opus"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("api")) as served:
        yield served


@pytest.fixture(scope="module")
def document(server: Served) -> dict[str, Any]:
    return server.ask("/openapi.json").json()


def good(server: Served, document: dict[str, Any], answer: requests.Response) -> Any:
    """An answer's document, which is as the OpenAPI document says."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    path = urlsplit(answer.url).path
    described = document["paths"].get(path) or document["paths"]["/tracks/{id}"]
    response = described[(answer.request.method or "").lower()]["responses"]["200"]
    schema = response["content"]["application/json"]["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    return answer.json()


def as_matches(found: list[dict[str, Any]], value: str) -> list[tuple[Any, ...]]:
    return [
        (one["rank"], one["track_id"], one["title"], one["artist"], pytest.approx(one[value], abs=1e-4))
        for one in found
    ]


def expected(matches: list[api.Match]) -> list[tuple[Any, ...]]:
    return [
        (rank, one.track_id, one.title, one.artist, one.similarity)
        for rank, one in enumerate(matches, 1)
    ]


# --- answers -------------------------------------------------------------------------------------


def test_a_track_gets_what_the_python_library_gives(server: Served, document: Any) -> None:
    options: dict[str, Any] = {"length": 7, "by": "musicnn", "variety": 0.4, "only": "no vocals"}
    answer = server.ask("/recommend", params={"track": TRACK, "per_artist": 1, **options})
    found = good(server, document, answer)
    assert found["query"] == {"track_id": TRACK, "duration": None}
    assert found["representation"] == "musicnn"
    wanted = soundalike.recommend(TRACK, per_artist=1, **options)
    assert as_matches(found["results"], "similarity") == expected(wanted)


def test_no_limit_per_artist_is_zero(server: Served, document: Any) -> None:
    answer = server.ask("/recommend", params={"track": TRACK, "per_artist": 0, "length": 50})
    wanted = soundalike.recommend(TRACK, per_artist=None, length=50)
    assert as_matches(good(server, document, answer)["results"], "similarity") == expected(wanted)


@pytest.mark.parametrize("way", ["body", "form", "stream"])
def test_an_upload_gets_what_the_python_library_gives(way: str, server: Served, document: Any) -> None:
    name, content = made_up.upload(3)
    sent: dict[str, Any] = {
        "body": {"data": content},
        "form": {"files": {"file": (name, content)}},
        "stream": {"data": iter([content[:1_000], content[1_000:]])},
    }[way]
    answer = server.ask("/recommend", "POST", params={"length": 6}, **sent)
    found = good(server, document, answer)
    assert found["query"]["duration"] == pytest.approx(30, abs=1)
    wanted = soundalike.recommend(content, length=6)
    assert as_matches(found["results"], "similarity") == expected(wanted)


def test_a_half_minute_of_a_clip_can_be_chosen(server: Served, document: Any, encode: Encode) -> None:
    long = encode(stereo(sine(70)), 48_000, "flac", "flac")
    answer = server.ask("/recommend", "POST", params={"offset": "12.5"}, data=long)
    assert "0:13 to 0:43" in " ".join(good(server, document, answer)["notes"])


def test_a_clip_of_the_library_is_recognised(server: Served, document: Any) -> None:
    answer = server.ask("/recommend", "POST", data=CLIP.read_bytes())
    found = good(server, document, answer)
    assert found["query"]["track_id"] == TRACK
    assert TRACK not in [one["track_id"] for one in found["results"]]


def test_each_representation_that_is_offered_can_be_used(server: Served, document: Any) -> None:
    for method, sent in (("GET", {}), ("POST", {"data": CLIP.read_bytes()})):
        described = document["paths"]["/recommend"][method.lower()]["parameters"]
        names = next(one["schema"]["enum"] for one in described if one["name"] == "by")
        assert len(names) > 5
        for name in names:
            asked = {"by": name, "length": 2} | ({"track": TRACK} if method == "GET" else {})
            answer = server.ask("/recommend", method, params=asked, **sent)
            assert len(good(server, document, answer)["results"]) == 2


def test_a_description_gets_what_the_python_library_gives(server: Served, document: Any) -> None:
    answer = server.ask("/describe", params={"text": "calm piano, xyzzy", "length": 4})
    found = good(server, document, answer)
    assert (found["terms"], found["unknown"]) == (["calm", "piano"], ["xyzzy"])
    wanted = soundalike.describe("calm piano", length=4)
    assert as_matches(found["results"], "match") == expected(wanted)


def test_a_journey_is_what_the_python_library_gives(server: Served, document: Any) -> None:
    asked = {"from": TRACK, "to": OTHER, "via": ["0010", "0400"], "length": 6}
    found = good(server, document, server.ask("/journey", params=asked))
    wanted = soundalike.journey([TRACK, "0010", "0400", OTHER], length=6)
    assert [one["track_id"] for one in found["results"]] == [one.track_id for one in wanted]
    assert found["results"][0]["step"] == 0
    assert all(one["step"] > 0 for one in found["results"][1:])


def test_a_track_has_its_facts(server: Served, document: Any, bundled: Index) -> None:
    found = good(server, document, server.ask(f"/tracks/{TRACK}"))
    row = bundled.tracks.iloc[bundled.row(TRACK)]
    assert all(
        found[name] == row[name] for name in ("track_id", "title", "artist", "album", "genre", "licence")
    )
    assert found["duration"] == pytest.approx(30, abs=0.1)
    assert 30 < found["tempo"] < 300
    assert found["words"]
    assert sum(found["genres"].values()) == pytest.approx(1, abs=0.01)
    assert not any("/" in str(value) for value in found.values())


def test_health_names_what_is_there(server: Served, document: Any, bundled: Index) -> None:
    found = good(server, document, server.ask("/health"))
    assert (found["status"], found["tracks"], found["waiting"]) == ("ok", len(bundled), 0)
    assert found["representations"] == bundled.names
    assert found["version"] == soundalike.__version__


def test_answers_have_headers_that_protect(server: Served) -> None:
    for path in ("/health", "/nothing"):
        answer = server.ask(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert server.ask("/health", "HEAD").content == b""


def test_the_answers_in_the_docs_are_real(server: Served) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    examples = re.findall(r"8600(/\S+?)'?\n\n```json\n(.*?)```", text, flags=re.S)
    assert len(examples) == 7
    for path, written in examples:
        clip = re.search(rf"@(\S+) .{{1,20}}http://127.0.0.1:8600{re.escape(path)}", text, flags=re.S)
        sent = {"method": "POST", "data": (paths.ROOT / clip[1]).read_bytes()} if clip else {}
        answer = json.dumps(server.ask(path, **sent).json(), ensure_ascii=False)
        parts = [part.strip(" ,{}[]") for part in re.split(r"\n|\.\.\.", written)]
        assert len(parts) > 1
        assert [part for part in parts if part not in answer] == []


# --- bad requests --------------------------------------------------------------------------------

ON_THE_WAY = f"/journey?from={TRACK}&to={OTHER}"
WRONG: list[tuple[str, str, int, str, list[str]]] = [
    ("GET", "/recommend", 400, "invalid-parameter", ["track"]),
    ("GET", "/recommend?track=", 404, "unknown-track", ["track"]),
    ("GET", "/recommend?track=nope", 404, "unknown-track", ["track"]),
    ("GET", "/recommend?track=..%2F..%2Fetc%2Fpasswd", 404, "unknown-track", ["track"]),
    ("GET", f"/recommend?track={TRACK}&track={TRACK}", 400, "invalid-parameter", ["track"]),
    ("GET", f"/recommend?track={TRACK}&length=0", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=51", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=ten", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=5.0", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length={'9' * 5000}", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=%D9%A3", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&length=5&length=6", 400, "invalid-parameter", ["length"]),
    ("GET", f"/recommend?track={TRACK}&by=nothing", 400, "unknown-representation", ["by"]),
    ("GET", f"/recommend?track={TRACK}&per_artist=-1", 400, "invalid-parameter", ["per_artist"]),
    ("GET", f"/recommend?track={TRACK}&variety=nan", 400, "invalid-parameter", ["variety"]),
    ("GET", f"/recommend?track={TRACK}&variety=1e9", 400, "invalid-parameter", ["variety"]),
    ("GET", f"/recommend?track={TRACK}&variety=-0.1", 400, "invalid-parameter", ["variety"]),
    ("GET", f"/recommend?track={TRACK}&only=qwertyuiop", 400, "invalid-parameter", ["only"]),
    ("GET", f"/recommend?track={TRACK}&only=%20", 400, "invalid-parameter", ["only"]),
    ("GET", f"/recommend?track={TRACK}&only={'a' * 301}", 400, "invalid-parameter", ["only"]),
    ("GET", f"/recommend?track={TRACK}&offset=1", 400, "invalid-parameter", ["offset"]),
    ("GET", f"/recommend?track={TRACK}&%0A%1B[31m=1", 400, "invalid-parameter", ["\n\x1b[31m"]),
    ("GET", "/recommend?track=nope&length=x&a=1", 400, "invalid-parameter", ["track", "length", "a"]),
    ("GET", "/describe", 400, "invalid-parameter", ["text"]),
    ("GET", "/describe?text=", 400, "invalid-parameter", ["text"]),
    ("GET", "/describe?text=qwertyuiop", 400, "invalid-parameter", ["text"]),
    ("GET", "/describe?text=%FF%00", 400, "invalid-parameter", ["text"]),
    ("GET", f"/describe?text={'piano%20' * 60}", 400, "invalid-parameter", ["text"]),
    ("GET", "/journey", 400, "invalid-parameter", ["from", "to"]),
    ("GET", f"/journey?from={TRACK}&to=nope", 404, "unknown-track", ["to"]),
    ("GET", f"/journey?from={TRACK}&to={TRACK}", 400, "invalid-parameter", ["to"]),
    ("GET", f"{ON_THE_WAY}&via={OTHER}", 400, "invalid-parameter", ["via"]),
    ("GET", f"{ON_THE_WAY}&via=0001&via=0002&length=1", 400, "invalid-parameter", ["length"]),
    ("GET", f"{ON_THE_WAY}" + "&via=0001" * 4, 400, "invalid-parameter", ["via"]),
    ("GET", f"{ON_THE_WAY}&by=mfcc_flat", 400, "unknown-representation", ["by"]),
    ("GET", "/tracks/nope", 404, "unknown-track", ["id"]),
    ("GET", "/tracks/", 404, "unknown-track", ["id"]),
    ("GET", "/tracks/%2e%2e/%2e%2e/etc/passwd", 404, "unknown-track", ["id"]),
    ("GET", f"/tracks/{TRACK}?length=1", 400, "invalid-parameter", ["length"]),
    ("GET", "/health?x=1", 400, "invalid-parameter", ["x"]),
    ("POST", f"/recommend?track={TRACK}", 400, "invalid-parameter", ["track"]),
    ("POST", "/recommend?only=qwertyuiop", 400, "invalid-parameter", ["only"]),
    ("POST", "/recommend?by=metadata", 400, "unknown-representation", ["by"]),
    ("POST", "/recommend?offset=-1", 400, "invalid-parameter", ["offset"]),
    ("POST", "/recommend?offset=inf", 400, "invalid-parameter", ["offset"]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status", "kind", "names"), WRONG)
def test_each_wrong_parameter_is_named(
    method: str, path: str, status: int, kind: str, names: list[str], server: Served
) -> None:
    found = problem(server.ask(path, method, data=b""), status, kind)
    assert [one["name"] for one in found["parameters"]] == names
    for one in found["parameters"]:
        assert one["detail"] in found["detail"]
        assert one["detail"].isprintable()


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "NONSENSE"])
def test_another_method_is_told_which_there_are(method: str, server: Served) -> None:
    for path, known in (("/recommend", {"GET", "HEAD", "POST"}), ("/health", {"GET", "HEAD"})):
        answer = server.ask(path, method)
        problem(answer, 405, "method-not-allowed")
        assert set(answer.headers["allow"].split(", ")) == known


@pytest.mark.parametrize("path", ["/", "/nothing", "/health/", "/recommend/x", "/tracks", "//health"])
def test_an_unknown_path_is_told_where_the_known_ones_are(path: str, server: Served) -> None:
    assert "/openapi.json" in problem(server.ask(path), 404, "unknown-path")["detail"]


NOT_AUDIO = {
    "text": b"no music at all",
    "zeros": bytes(100_000),
    "cut": CLIP.read_bytes()[:300],
    "empty": b"",
    "zip": b"PK\x03\x04" + bytes(1_000),
    "playlist": b"#EXTM3U\n/etc/passwd\n",
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_what_is_no_audio_is_refused(name: str, server: Served) -> None:
    content = NOT_AUDIO[name]
    problem(server.ask("/recommend", "POST", data=content), 422, "unusable-audio")
    files = {"file": ("a.mp3", content)}
    problem(server.ask("/recommend", "POST", files=files), 422, "unusable-audio")


def test_too_short_too_long_and_silent_audio_is_refused(server: Served, encode: Encode) -> None:
    for seconds, amplitude, word in ((1, 0.5, "long"), (1_300, 0.5, "20 minutes"), (10, 0.0, "silent")):
        samples = stereo(sine(seconds, 8_000, amplitude=amplitude))
        content = encode(samples, 8_000, "flac", "flac")
        detail = problem(server.ask("/recommend", "POST", data=content), 422, "unusable-audio")["detail"]
        assert word in detail


FORM = {"Content-Type": "multipart/form-data; boundary=b"}
FORMS: dict[str, dict[str, Any]] = {
    "another name": {"files": {"clip": ("a.wav", b"x")}},
    "two files": {"files": [("file", ("a.wav", b"x")), ("file", ("b.wav", b"x"))]},
    "an option in it": {"files": {"file": ("a.wav", b"x")}, "data": {"length": "5"}},
    "no file": {"files": {"file": (None, "text")}},
    "no boundary": {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    "an unknown character set": {
        "data": b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
        "headers": {"Content-Type": "multipart/form-data; boundary=b; charset=undefined"},
    },
    "not a form": {"data": b"x" * 99, "headers": FORM},
    "an unfinished form": {
        "data": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxx',
        "headers": FORM,
    },
    "an empty form": {"data": b"--b--\r\n", "headers": FORM},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_holds_no_clip_is_told_how_to(name: str, server: Served) -> None:
    problem(server.ask("/recommend", "POST", **FORMS[name]), 400, "malformed-upload")


def connected(server: Served) -> http.client.HTTPConnection:
    there = urlsplit(server.address)
    return http.client.HTTPConnection(there.hostname or "", there.port, timeout=PATIENCE_S)


def test_a_file_that_is_announced_too_large_is_refused_before_it_comes(server: Served) -> None:
    there = connected(server)
    there.putrequest("POST", "/recommend")
    there.putheader("Content-Length", str(decoding.MAX_BYTES + 1))
    there.endheaders()
    answer = there.getresponse()
    assert (answer.status, json.loads(answer.read())["type"][-9:]) == (413, "too-large")
    there.close()


def test_a_file_that_turns_out_too_large_is_refused_before_its_end(server: Served) -> None:
    there = connected(server)
    there.putrequest("POST", "/recommend")
    there.putheader("Transfer-Encoding", "chunked")
    there.endheaders()
    piece = b"100000\r\n" + bytes(2**20) + b"\r\n"
    for _ in range(decoding.MAX_BYTES // 2**20 + 1):
        there.send(piece)
    answer = there.getresponse()
    assert answer.status == 413
    there.close()


def test_a_file_in_a_form_is_as_large_as_one_alone_may_be(server: Served) -> None:
    files = {"file": ("a.wav", bytes(decoding.MAX_BYTES + 1))}
    problem(server.ask("/recommend", "POST", files=files), 413, "too-large")


def test_an_offset_after_the_end_is_said(server: Served) -> None:
    answer = server.ask("/recommend", "POST", params={"offset": 1000}, data=CLIP.read_bytes())
    assert answer.status_code == 200
    late = "The clip ends before 1000 seconds, so its last half minute was compared."
    assert late in answer.json()["notes"]
    answer = server.ask("/recommend", "POST", params={"offset": 0}, data=CLIP.read_bytes())
    assert late not in answer.json()["notes"]


NOT_HTTP = {
    "no HTTP": b"not HTTP\r\n\r\n",
    "an address that is not encoded": "GET /describe?text=café HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a long address": b"GET /recommend?track=" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "a wrong length": b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a null in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    "a wrong chunk": b"POST /recommend HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_no_http_gets_a_problem_document_too(name: str, server: Served) -> None:
    there = urlsplit(server.address)
    with socket.create_connection((there.hostname, there.port), timeout=PATIENCE_S) as client:
        client.sendall(NOT_HTTP[name])
        answer = http.client.HTTPResponse(client)
        answer.begin()
        document = json.loads(answer.read())
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["type"].endswith(":malformed-request")


def test_a_client_that_leaves_in_the_middle_harms_nobody(server: Served) -> None:
    there = urlsplit(server.address)
    for sent in (
        b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
        b"GET /recommend?track=0102 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"not HTTP\r\n\r\n",
        b"GET /health HTTP/1.1\r\n",
    ):
        with socket.create_connection((there.hostname, there.port)) as client:
            client.sendall(sent)
    assert server.ask("/health").status_code == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/recommend", "/describe", "/journey", "/tracks/0102", "/health"]),
    query=st.dictionaries(
        st.one_of(
            st.sampled_from(["track", "length", "by", "variety", "only", "text", "from", "to", "via"]),
            st.text(st.characters(codec="utf-8"), max_size=5),
        ),
        st.one_of(
            st.text(st.characters(codec="utf-8"), max_size=20),
            st.sampled_from([TRACK, OTHER, "calm piano", "5", "0.5", "musicnn", "1e400", "-0"]),
        ),
        max_size=5,
    ),
)
def test_no_query_makes_the_server_fail(
    path: str, query: dict[str, str], server: Served, document: Any
) -> None:
    answer = server.ask(path, params=query)
    if answer.status_code == 200:
        good(server, document, answer)
    else:
        problem(answer, answer.status_code, answer.json()["type"].rpartition(":")[2])
        assert answer.status_code in (400, 404, 422)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=400),
    kind=st.sampled_from(
        ["multipart/form-data; boundary=b", "multipart/mixed", "audio/mpeg", "a\tb", ""]
    ),
)
def test_no_body_makes_the_server_fail(content: bytes, kind: str, server: Served) -> None:
    for body in (content, b'--b\r\nContent-Disposition: form-data; name="file"\r\n' + content):
        answer = server.ask("/recommend", "POST", data=body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 422)
        problem(answer, answer.status_code, answer.json()["type"].rpartition(":")[2])


def test_nothing_is_logged_or_written(server: Served) -> None:
    """Comes last: what all the requests above have left."""
    name = "my-secret-song.wav"
    server.ask("/recommend", "POST", files={"file": (name, CLIP.read_bytes() * 60)})
    server.ask("/describe", params={"text": "my secret song"})
    log = [line for line in server.log.read_text().splitlines() if "Invalid HTTP request" not in line]
    assert log == []
    written = (server.log.parent / "tmp").rglob("*")
    assert [path for path in written if not path.name.startswith("soundalike-numba")] == []
