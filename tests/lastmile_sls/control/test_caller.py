from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from lastmile_sls.control.caller import Caller, NoAnswerError


class Endpoint(BaseHTTPRequestHandler):
    """Says what it was asked; /away redirects, /cut breaks off."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("content-length", "100")
            self.end_headers()
            return
        told = json.dumps({"verb": self.command, "body": body, "headers": dict(self.headers)}).encode()
        self.send_response(302 if self.path == "/away" else 418 if self.path == "/refused" else 200)
        self.send_header("location", "http://127.0.0.1:1/thief")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_is_sent(url: str) -> None:
    caller = Caller(f"{url}/", {"x-api-key": "the-key"})
    asked = json.loads(caller.ask("/x", b"{}", {"x-model-version": "v2"}).body)
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert (asked["verb"], asked["body"], headers["x-api-key"]) == ("POST", "{}", "the-key")
    assert (headers["x-model-version"], headers["content-type"]) == ("v2", "application/json")
    without = json.loads(caller.ask("/x", headers={"x-api-key": None}).body)
    assert without["verb"] == "GET"
    assert "the-key" not in json.dumps(without)
    assert caller.ask("/refused").status == 418


def test_a_redirect_is_an_answer_and_takes_the_key_nowhere(url: str) -> None:
    answer = Caller(url, {"x-api-key": "the-key"}).ask("/away")
    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1:1/thief")


def test_no_answer_is_told_without_the_key(url: str) -> None:
    for address, path, told in (
        ("http://127.0.0.1:1", "/", "http://127.0.0.1:1 cannot be reached: [Errno 111] Connection refused"),
        (
            url,
            "/cut",
            f"{url} gave no whole answer: IncompleteRead: IncompleteRead(0 bytes read, 100 more expected)",
        ),
    ):
        with pytest.raises(NoAnswerError) as caught:
            Caller(address, {"x-api-key": "the-key"}).ask(path)
        assert str(caught.value) == told
