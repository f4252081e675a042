"""Calls a deployed endpoint as a client would, and compares its answers with the certified ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from lastmile_sls.check.answers import Compared, Question, compare
from lastmile_sls.check.checked import Check
from lastmile_sls.check.contract import Answer
from lastmile_sls.control.caller import Caller, NoAnswerError
from lastmile_sls.control.smoke_answers import Certified
from lastmile_sls.errors import LastmileError

_POLL_S = 1.0
_KEY = "x-api-key"
_WRONG_KEY = "not-a-key"
_PIN = "x-model-version"


@dataclass(frozen=True)
class Patience:
    """For how long what may take a while is waited for."""

    ready_s: float = 60.0
    job_s: float = 120.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class Smoke:
    """A smoke test of one endpoint."""

    def __init__(
        self,
        caller: Caller,
        versions: Sequence[str],
        certified: Certified | None,
        *,
        has_key: bool,
        has_queue: bool,
        patience: Patience | None = None,
    ) -> None:
        """Test what a caller reaches.

        Args:
            caller: With the key.
            versions: What is deployed.
            certified: What they should answer; None where that is not here, and only the protocol is looked at.
            has_key: Whether the endpoint takes keys.
            has_queue: Whether there is a queue, so that requests may be answered later.
            patience: For how long is waited.
        """
        self._caller = caller
        self._versions = versions
        self._certified = certified
        self._has_key = has_key
        self._has_queue = has_queue
        self._patience = patience or Patience()
        self._model = certified.model if certified else ""

    def run(self) -> Iterator[Check]:
        """Yield each check as it is made; the endpoint that is not ready is asked nothing else."""
        ready = _timed("ready", self._ready)
        yield ready
        if ready.status == "failed":
            return
        model = _timed("model", self._find_model)
        yield model
        if model.status == "failed":
            return
        for version in self._versions:
            yield _timed(f"metadata of {version}", partial(self._metadata, version))
        yield _timed("prediction", self._predict)
        for version in self._versions:
            yield _timed(f"prediction of {version}", partial(self._predict_by, version))
        if self._has_key:
            yield _timed("wrong key", partial(self._refused, _WRONG_KEY))
            yield _timed("no key", partial(self._refused, None))
        if self._has_queue:
            yield _timed("job", self._job)

    def _ready(self) -> str:
        ends_at = self._patience.clock() + self._patience.ready_s
        while True:
            try:
                answer = self._caller.ask("/v2/health/ready")
                told = f"/v2/health/ready is answered with {answer.status}: {_said(answer)}"
                if answer.status == 200:
                    return "the endpoint is ready."
            except NoAnswerError as error:
                answer, told = None, str(error)
            refused = answer is not None and answer.status in (400, 401, 403, 404)
            if refused or self._patience.clock() >= ends_at:
                raise _Failed(told, _advice(answer))
            self._patience.pause(_POLL_S)

    def _find_model(self) -> str:
        """Look which model it serves: that of the spec, where one is here."""
        answer = self._expect(self._caller.ask("/v2/repository/index", b"{}"), 200)
        served = sorted({str(entry["name"]) for entry in json.loads(answer.body)})
        if not self._model and len(served) == 1:
            self._model = served[0]
        if self._model not in served:
            raise _Failed(
                f"it serves {', '.join(served) or 'nothing'}, but not {self._model or 'one model'}."
            )
        return f"it serves {self._model}."

    def _metadata(self, version: str) -> str:
        path = f"/v2/models/{quote(self._model, safe='')}/versions/{quote(version, safe='')}"
        document = json.loads(self._expect(self._caller.ask(path), 200).body)
        inputs = ", ".join(f"{tensor['name']} {tensor['datatype']}" for tensor in document["inputs"])
        return f"it takes {inputs or 'nothing'}."

    def _predict(self) -> str:
        """Ask as callers do, without a version: the traffic says which answers, and its own answer counts."""
        question = self._question(self._certified.champion if self._certified else self._versions[0])
        answer = self._caller.ask(self._infer(), question.body())
        by = answer.headers.get(_PIN, "")
        if answer.status == 200 and by != question.version:
            same = [other for other in self._questions(by) if other.inputs == question.inputs]
            if not same:
                return f"{by} answered, whose certified answers are to other rows; see below."
            question = same[0]
        return f"{by} answered {self._compare(question, answer)}"

    def _predict_by(self, version: str) -> str:
        question = self._question(version)
        answer = self._caller.ask(self._infer(), question.body(), {_PIN: version})
        told = self._compare(question, answer)
        by, digest = answer.headers.get(_PIN), answer.headers.get("x-model-digest")
        if by != version:
            raise _Failed(f"{_PIN} was {version}, but {by} answered.")
        built = self._certified.digests[version] if self._certified else None
        if digest and built and digest != built:
            raise _Failed(
                f"the bundle {digest[:19]} answered, but {built[:19]} was built here.",
                "Deploy what was built: lastmile up. Or test from where it was built.",
            )
        return f"it answered {told}"

    def _compare(self, question: Question, answer: Answer) -> str:
        found: Compared = compare(question, answer)
        if found.failure:
            raise _Failed(f"{found.failure.rstrip('.')}.", _advice(answer))
        return f"as certified, the largest difference {found.largest_difference:.2g}."

    def _refused(self, key: str | None) -> str:
        answer = self._caller.ask(self._infer(), b"{}", {_KEY: key})
        if answer.status not in (401, 403):
            raise _Failed(
                f"a request with {'a wrong key' if key else 'no key'} is answered with {answer.status}.",
                "Anybody can call this endpoint: look at the spec's endpoint.auth, and run lastmile up.",
            )
        return f"it is refused with {answer.status}."

    def _job(self) -> str:
        question = self._question(self._certified.champion if self._certified else self._versions[0])
        headers = {"prefer": "respond-async", _PIN: question.version}
        accepted = self._caller.ask(self._infer(), question.body(), headers)
        if accepted.status == 200:
            raise _Skipped("it was answered at once: the queue is the schedule's alone.")
        self._expect(accepted, 202)
        place = accepted.headers.get("location", "")
        if not place.startswith("/"):
            raise _Failed(f"the Location of its answer is {place!r}, but should be a path of the endpoint.")
        answer = self._wait_for(place)
        return f"the job was accepted, and answered {self._compare(question, answer)}"

    def _wait_for(self, place: str) -> Answer:
        ends_at = self._patience.clock() + self._patience.job_s
        while (answer := self._caller.ask(place)).status == 202:
            if self._patience.clock() >= ends_at:
                raise _Failed(
                    f"the job has no answer after {self._patience.job_s:g} s.",
                    "Look at the queue and at the log: lastmile queue status, lastmile logs",
                )
            self._patience.pause(_POLL_S)
        return answer

    def _infer(self) -> str:
        return f"/v2/models/{quote(self._model, safe='')}/infer"

    def _questions(self, version: str) -> list[Question]:
        return list(self._certified.questions.get(version, ())) if self._certified else []

    def _question(self, version: str) -> Question:
        found = self._questions(version)
        if not found:
            raise _Skipped(
                f"no certified answers of {version} are here. Build it: lastmile build"
                if self._certified is None
                else f"nothing is known of what {version} answers: it could not be asked when it was built."
            )
        return found[0]

    def _expect(self, answer: Answer, status: int) -> Answer:
        if answer.status != status:
            raise _Failed(f"it is answered with {answer.status}: {_said(answer)}", _advice(answer))
        return answer


class _Failed(LastmileError):
    """A check that failed: what was found, and what to do."""


class _Skipped(Exception):
    """A check that could not be made here."""


def _timed(name: str, check: Callable[[], str]) -> Check:
    """Make a check. An answer that is none of the protocol fails it."""
    began = time.perf_counter()
    advice = ""
    try:
        status, told = "passed", check()
    except _Skipped as skipped:
        status, told = "skipped", str(skipped)
    except _Failed as failed:
        status, told, advice = "failed", failed.message, failed.hint
    except NoAnswerError as error:
        status, told = "failed", f"{error}."
    except (ValueError, LookupError, TypeError) as error:
        status, told = "failed", f"its answer is none of the protocol: {type(error).__name__}: {error}"
    return Check(name, status, told, advice=advice, duration_s=time.perf_counter() - began)  # type: ignore[arg-type] # one of the three


def _said(answer: Answer) -> str:
    """Return what an error's document says, in either form."""
    try:
        document: Any = json.loads(answer.body)
        return str(document.get("error") or document.get("detail") or document.get("message") or document)[
            :300
        ]
    except (ValueError, AttributeError):
        return answer.body[:300].decode(errors="replace") or "nothing"


def _advice(answer: Answer | None) -> str:
    if answer is not None and answer.status in (401, 403):
        return "Is the key the newest one? lastmile key. With endpoint.auth jwt or iam, set LASTMILE_TOKEN to a token."
    if answer is not None and answer.status >= 500:
        return "The log says why: lastmile logs --errors"
    return "" if answer is not None else "Is it deployed and awake? lastmile status"
