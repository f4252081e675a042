"""One file on its way: begun, cut into pieces, each of them scored and kept, and in the end said to be done."""

from __future__ import annotations

import time

from lastmile_runtime.batch.formats import PLACES, open_reader
from lastmile_runtime.batch.json_lines import render_refused
from lastmile_runtime.batch.ledger import tag_of
from lastmile_runtime.batch.pieces import FileRefused, Piece, Place
from lastmile_runtime.batch.score import Scorer
from lastmile_runtime.batch.source import Source
from lastmile_runtime.protocols import rows
from lastmile_runtime.stores import NotFound

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.batch.ledger import Plan
    from lastmile_runtime.batch.pieces import Outputs, Part, Reader
    from lastmile_runtime.batch.work import Batch
    from lastmile_runtime.service import Service

MOST_PIECE_BYTES = 1 << 21
"""A piece in memory, with its rows and what is predicted for them, is about sixteen times that: 32 MB."""
_LEAST_PIECE_BYTES = 1 << 8
_PIECE_SHARE = 1 / 8
"""Of the platform's time, what a piece should take, as far as the file's first rows tell."""
_SAMPLE_BYTES = 1 << 16
_SAMPLES = (1, 16, 256)
_ENOUGH_S = 0.1
_AGAIN_S = 900.0
"""A file that is not done so long after its messages were sent, which is the longest that a function of any cloud may
take (AWS Lambda's), gets those of its missing parts once more: they may have been set aside, or lost."""


class OneFile:
    """What is to be done for a file."""

    def __init__(self, batch: Batch, name: str, service: Service) -> None:
        self._batch = batch
        self._name = name
        self._service = service
        self._ledger = batch.ledger(name)

    def is_due(self) -> bool:
        """Tell whether what the file holds now has no predictions, and nobody is about to make them. Raises NotFound."""
        etag = self._batch.input.head(self._name).etag
        if self._ledger.outcome(etag):
            return False
        plan = self._plan_of(etag)
        return plan is None or self._batch.clock() - plan["sent_at"] > _AGAIN_S

    def begin(self, ends_at: float) -> None:
        """Plan the file, unless it is done, and cut it; what is wrong with it is kept.

        Raises NotFound, StoreError, RequestError, OSError.
        """
        head = self._batch.input.head(self._name)
        if self._ledger.outcome(head.etag):
            return
        try:
            plan = self._plan_of(head.etag)
            if plan is None:
                reader = self._open(head.size, None)
                plan = self._ledger.begin(self._planned(head.etag, head.size, reader))
            else:
                self._ledger.note(plan["tag"], sent_at=self._batch.clock())
                reader = self._open(head.size, plan["columns"])
            self._cut(plan, reader, reader.start(), ends_at)
        except FileRefused as refused:
            self._refuse(head.etag, refused)

    def go_on(self, tag: str, place: Place, ends_at: float) -> None:
        """Cut the file further. Raises as `begin` does."""
        plan = self._ledger.plan()
        if plan is None or plan["tag"] != tag:
            return
        try:
            self._cut(plan, self._open(plan["size"], plan["columns"]), place, ends_at)
        except FileRefused as refused:
            self._refuse(plan["etag"], refused)

    def do(self, tag: str, piece: Piece) -> None:
        """Score a piece and keep the part, unless it is kept or the file is another one. Raises as `begin` does."""
        plan = self._ledger.plan()
        if plan is None:
            self._ledger.sweep(tag)  # if it is done, whoever did that may have died before
        if plan is None or plan["tag"] != tag or plan["version"] not in self._service.versions:
            return
        if not self._ledger.has(tag, piece.number):
            try:
                if not self._score(plan, piece):
                    return
            except FileRefused as refused:
                self._refuse(plan["etag"], refused)
                return
        self._finish(tag, piece.number)

    def _plan_of(self, etag: str) -> Plan | None:
        """Return the plan that stands, if it is for this content and a version that is still here."""
        plan = self._ledger.plan()
        here = plan is not None and plan["etag"] == etag and plan["version"] in self._service.versions
        return plan if here else None

    def _planned(self, etag: str, size: int, reader: Reader) -> Plan:
        """Return a plan with the champion of now. Raises FileRefused for a table that lacks columns."""
        version, now = self._service.champion(), self._batch.clock()
        piece_bytes, outputs = self._measured(reader, version)
        return {
            "etag": etag, "size": size, "length": reader.length, "columns": reader.columns, "version": version,
            "piece_bytes": piece_bytes, "tag": tag_of(etag, version, piece_bytes), "began_at": now, "sent_at": now,
            "outputs": outputs, "parts": None,
        }  # fmt: skip

    def _measured(self, reader: Reader, version: str) -> tuple[int, Outputs]:
        """Return how large pieces may be, by how long the first rows take, and what outputs are like.

        The size is a power of two, so that it is the same when a file is planned anew.
        """
        sample = next(reader.pieces(_SAMPLE_BYTES, reader.start()))
        part = reader.read(sample)
        count = len(part.rows)
        if count == 0:
            return self._batch.most_piece_bytes, {}
        done, seconds, outputs = self._sampled(part, reader, version)
        row_bytes = reader.bytes_of(sample) / (count + len(part.refused))
        wanted = self._batch.timeout_s * _PIECE_SHARE * done / max(seconds, 1e-9) * row_bytes
        bounded = min(max(int(wanted), _LEAST_PIECE_BYTES), self._batch.most_piece_bytes)
        return 1 << (bounded.bit_length() - 1), outputs

    def _sampled(self, part: Part, reader: Reader, version: str) -> tuple[int, float, Outputs]:
        """Return how many rows were predicted in how many seconds, and what of each is like.

        Raises FileRefused when columns are missing for all.
        """
        scorer = Scorer(self._service, version)
        done, seconds = 0, 0.0
        for most in _SAMPLES:
            began = time.perf_counter()
            scored = scorer.score(part, most)
            done, seconds = len(scored.outputs) + len(scored.refused), time.perf_counter() - began
            if seconds > _ENOUGH_S or most >= len(part.rows):
                break
        missing = rows.missing_columns(reader.columns or [], self._service.versions[version])
        if missing and reader.columns is not None and not scored.outputs:
            told = ", ".join(map(repr, missing[:5])) + (
                f" and {len(missing) - 5} more" if missing[5:] else ""
            )
            if not rows.used_columns(reader.columns, self._service.versions[version]):
                has = ", ".join(map(repr, reader.columns[:5]))
                raise FileRefused(f"it lacks the columns {told}; it has {has}.")
            raise FileRefused(f"it lacks the columns {told}: {scored.refused[0].reason}")
        first = next(iter(scored.outputs.values()), {})
        return done, seconds, {name: _like(value) for name, value in first.items()}

    def _cut(self, plan: Plan, reader: Reader, place: Place, ends_at: float) -> None:
        """Send a message for each piece from a place on that is not kept; after the last, note how many there are."""
        tag, kept = plan["tag"], self._ledger.kept(plan["tag"])
        number = place.number
        for piece in reader.pieces(plan["piece_bytes"], place):
            number = piece.number
            if time.monotonic() > ends_at and number > place.number:
                at = {"at": piece.start, "line": piece.line, "number": number}
                self._batch.send(file=self._name, tag=tag, at=at)
                return
            if number not in kept:
                self._batch.send(file=self._name, tag=tag, piece=piece.to_json())
        if self._is_changed(plan):
            return
        self._ledger.note(tag, parts=number + 1)
        self._finish(tag, number)

    def _score(self, plan: Plan, piece: Piece) -> bool:
        """Score a piece and keep the part; False when the file is another one, or gone. Raises FileRefused."""
        began = time.perf_counter()
        reader = self._open(plan["size"], plan["columns"])
        part = reader.read(piece)
        scored = Scorer(self._service, plan["version"]).score(part)
        if self._is_changed(plan):  # by now, so what was read may be of either
            return False
        kept = sorted(scored.outputs)
        refused = [*part.refused, *scored.refused]
        count = len(part.rows) + len(part.refused)
        content = part.render(kept, [scored.outputs[index] for index in kept], plan["outputs"])
        errors = render_refused(refused, PLACES[self._batch.format])
        facts = {"rows": count, "failed": len(refused)}
        self._ledger.keep(plan["tag"], piece.number, content, errors, facts)
        self._batch.tell(
            "info", "batch part", self._name, part=piece.number + 1, of=plan["parts"], **facts,
            percent=round(100 * piece.end / max(1, plan["length"]), 1), version=plan["version"],
            rows_per_s=round(count / max(time.perf_counter() - began, 1e-9)),
        )  # fmt: skip
        return True

    def _finish(self, tag: str, number: int) -> None:
        """Say that the file is done, if this was the last part; whoever comes later tidies up as well."""
        found = self._ledger.finish(tag, number, self._service.digest)
        if found is None:
            return
        document, said = found
        if said:
            told = {name: document[name] for name in ("rows", "predicted", "failed", "parts", "version")}
            self._batch.tell("info", "batch file", self._name, **told)
        self._ledger.sweep(tag)

    def _refuse(self, etag: str, refused: FileRefused) -> None:
        if self._ledger.fail(etag, str(refused)):
            self._batch.tell("error", "batch file", self._name, error=str(refused))

    def _is_changed(self, plan: Plan) -> bool:
        """Tell whether the file is not the planned one any more, and say so in the log: the next look begins it anew."""
        try:
            if self._batch.input.head(self._name).etag == plan["etag"]:
                return False
            error = "the file was changed while it was scored; it is begun anew when the clock comes round."
        except NotFound:
            error = "the file is gone."
        self._batch.tell("warning", "batch file", self._name, error=error)
        return True

    def _open(self, size: int, columns: list[str] | None) -> Reader:
        return open_reader(self._batch.format, Source(self._batch.input, self._name, size), columns)


def _like(value: Any) -> Any:
    """Return a value of the same type and shape that says nothing."""
    return [_like(inner) for inner in value] if isinstance(value, list) else type(value)()
