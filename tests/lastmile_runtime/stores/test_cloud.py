"""Deadlines hold and secrets stay where they are, whoever does the asking."""

from __future__ import annotations

import _socket
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from lastmile_runtime.stores import StoreError
from lastmile_runtime.stores.deadline import left_s, within
from lastmile_runtime.stores.s3 import open_url


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """A server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "keys", [{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}, {}], ids=["signed", "library"]
)
def test_a_store_that_never_answers_is_given_up(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not keys:  # the library then asks in nobody's name
        monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
        monkeypatch.setattr("lastmile_runtime.stores.s3._provider", lambda caller: None)
    with silent() as url:
        store = open_url("s3://b", {**keys, "AWS_ENDPOINT_URL_S3": url})
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"^a: .*\.$") as failed:
            store.get("a", deadline_s=0.3)
        assert time.monotonic() - started < 10
    assert "s3cr3t" not in str(failed.value)


def test_a_name_that_is_not_resolved_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from lastmile_runtime.stores import open_store

    done = threading.Event()

    def stuck(host: bytes, port: int, family: int, kind: int, protocol: int, flags: int) -> list[object]:
        if flags:
            raise _socket.gaierror("it is no number")
        done.wait(60)
        return []

    monkeypatch.setattr(_socket, "getaddrinfo", stuck)
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"^a: no answer in time\.$"):
        open_store("http://nowhere.invalid").get("a", deadline_s=0.2)
    assert time.monotonic() - started < 10
    done.set()


def test_what_an_action_raises_in_time_is_raised() -> None:
    def fail() -> None:
        raise KeyError("x")

    assert within(lambda: 1, 10) == 1
    with pytest.raises(KeyError):
        within(fail, 10)


def test_no_time_is_left() -> None:
    assert 0 < left_s(time.monotonic() + 10) <= 10
    with pytest.raises(TimeoutError, match=r"^no answer in time$"):
        left_s(time.monotonic())
