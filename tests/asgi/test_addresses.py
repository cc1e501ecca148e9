"""Token buckets, and whom a request comes from."""

from __future__ import annotations

import pytest

from soundalike.asgi.addresses import Addresses, Bucket, is_own, name_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def scope(host: str, **headers: str) -> dict[str, object]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (host, 1), "headers": named}


def test_a_bucket_gives_a_burst_and_then_a_rate() -> None:
    clock = Clock()
    bucket = Bucket(2, 3, clock)
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 0.5, 1]
    assert not bucket.take_if_there()
    clock.now = 1.5
    assert bucket.take_if_there()
    assert not bucket.take_if_there()
    clock.now = 100
    assert bucket.is_full()
    assert [bucket.take_if_there() for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_that_of_a_customer(host: str, name: str) -> None:
    assert name_of(scope(host)) == name


def test_only_this_machine_s_own_requests_are_its_own() -> None:
    assert is_own(scope("127.0.0.1"))
    assert is_own(scope("::ffff:127.0.0.1"))
    assert is_own(scope("::1"))
    assert not is_own(scope("192.0.2.7"))
    assert not is_own(scope("127.0.0.1", x_forwarded_for="192.0.2.7"))
    assert not is_own({"type": "http", "client": None, "headers": []})


def test_idle_addresses_are_forgotten_and_busy_ones_kept() -> None:
    known = Addresses(most=2)
    busy = known.of(scope("192.0.2.1"))
    busy.sockets = 1
    known.of(scope("192.0.2.2"))
    known.of(scope("192.0.2.3"))
    assert known.of(scope("192.0.2.1")) is busy
    assert len(known._known) == 2
