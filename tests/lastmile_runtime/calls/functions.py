"""A function that is asked, for the tests of those who ask it: a model with an odd answer, and requests for it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lastmile_runtime.adapters.aws_function import Function
from lastmile_runtime.errors import BundleError
from lastmile_runtime.functions import open_functions
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import Version
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, python_bundle, routing

REMOTE = Version("v2", "remote", "", remote={"function": "predict-v2", "digest": "sha256:ab"})
TRIPLER = DOUBLER.replace("2 *", "3 *")
PATH = f"/v2/models/{MODEL}/versions/v2"
KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}


def opened(url: Any, environ: dict[str, str], deadline_s: float = 10.0) -> Any:
    """Return the function at a URL."""
    return open_functions({"predict-v2": url}, [REMOTE], deadline_s, environ)["predict-v2"]


def refusal(url: Any, environ: dict[str, str]) -> str:
    """Return why a function cannot be asked at all."""
    try:
        opened(url, environ)
    except BundleError as error:
        return str(error)
    raise AssertionError("it can be asked")


def malformed(url: Any) -> str:
    """Return how a URL is refused that is none of a function."""
    return (
        f"LASTMILE_FUNCTIONS has {url!r} for 'predict-v2', but must have unix:///SOCKET#NAME, "
        "lambda://REGION/NAME, run+https://HOST or key+https://HOST."
    )


def settings(folder: Path, **more: str) -> dict[str, str]:
    """Write the bundle of a function that serves v2; return the environment that it is started with."""
    return {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(folder, TRIPLER, ("v2",)),
        "LASTMILE_ROUTING": json.dumps(routing(v2=10_000)),
        **more,
    }


class Invoked:
    """Lambda's Invoke for one function, which runs in this process behind its own adapter."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.function = Function(settings(folder), self.lines.append, works_after=False)
        self.events: list[Any] = []

    def answer(self, event: Any) -> Any:
        """Return what the function answers to an event."""
        self.events.append(event)
        context = SimpleNamespace(aws_request_id=f"request-{len(self.events)}")
        return self.function.answer(event, context)[0]

    def __call__(self, request: Request) -> Response:
        return Response(200, {}, json.dumps(self.answer(json.loads(request.body))).encode())
