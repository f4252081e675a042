"""What becomes of each measurement: a check that passed, or failed with what to change. Pure: nothing is measured here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lastmile_sls.check.answers import Compared
from lastmile_sls.check.bundle import Size
from lastmile_sls.check.checked import Check, Result
from lastmile_sls.check.interpreter import Interpreter
from lastmile_sls.check.process import NoAnswer
from lastmile_sls.check.profile import costliest
from lastmile_sls.plan.document import Target
from lastmile_sls.targets.limits import UPLOAD_MB, Measure, limit_of, violation

_COSTLIEST = 5
"""How many packages an exceeded budget names."""
Form = Literal["zip", "image"]
_MB = 2**20


@dataclass
class Answers:
    """How a version answered its questions, over all starts."""

    version: str
    right: int = 0
    wrong: int = 0
    unasked: int = 0
    largest_difference: float = 0.0
    failure: str = ""
    """Of the first wrong answer."""
    words: str = ""
    """What the function had said by then, when the failure was its own."""
    no_answer: NoAnswer | None = None
    duration_s: float = 0.0

    def note(
        self, compared: Compared, duration_s: float, *, is_repeated: bool = False, words: str = ""
    ) -> None:
        """Count an answer; a right one to what was asked in an earlier start is not counted again."""
        self.duration_s += duration_s
        self.largest_difference = max(self.largest_difference, compared.largest_difference)
        if compared.failure is None:
            self.right += not is_repeated
            return
        self.wrong += 1
        if not self.failure:
            self.failure = f"answer {self.right + self.wrong}: {compared.failure}"
            self.words = words

    def note_none(self, error: NoAnswer) -> None:
        """Note that a question got no answer."""
        self.no_answer = error

    def check(self) -> Check:
        """Return the verdict."""
        name = f"answers of {self.version}"
        answered = self.right + self.wrong
        if self.wrong:
            advice = "Build the bundle again and compare: lastmile build certifies what it compiles."
            told = f"{self.wrong} of {answered} are not what was expected. {self.failure.rstrip('.')}."
            return Check(name, "failed", told, advice=advice, detail=self.words, duration_s=self.duration_s)
        if self.no_answer:
            told = f"question {answered + 1} got no answer: {self.no_answer.message}"
            return Check(name, "failed", told, detail=self.no_answer.words, duration_s=self.duration_s)
        if not answered or self.unasked:
            return Check(name, "skipped", "not all was asked: the function gave no answer before.")
        told = f"{self.right} as expected, the largest difference {self.largest_difference:.2g}."
        return Check(name, "passed", told, duration_s=self.duration_s)


def of_first_answer(target: Target, result: Result, no_answer: NoAnswer | None) -> Check:
    """Return whether there was a first answer, before whoever waits for it gives up."""
    if no_answer is not None:
        number = len(result.starts) + 1
        told = f"start {number} gave none: {no_answer.message}"
        return Check("first answer", "failed", told, detail=no_answer.words)
    median = result.median
    assert median is not None
    took_s = median.first_answer_ms / 1000
    found = violation(target, "first answer", took_s)
    if found:
        return Check(
            "first answer", "failed", str(found), advice="Make the start quicker.", duration_s=took_s
        )
    told = f"{result.line().partition('first answer ')[2]}."
    return Check("first answer", "passed", told, duration_s=took_s)


def of_startup(target: Target, result: Result) -> list[Check]:
    """Return whether the median start could be asked in time; nothing where the target does not see that."""
    limit = limit_of(target, "startup")
    median = result.median
    if limit is None or median is None or median.startup_ms is None:
        return []
    took_s = median.startup_ms / 1000
    advice = "Import less before the first event, or have the model compiled."
    told = (
        f"it could be asked after {median.startup_ms:.0f} ms; {limit.most:g} s are allowed ({limit.source})."
    )
    return [_limited(target, "startup", took_s, told, advice)]


def of_size(target: Target, size: Size, form: Form = "zip") -> list[Check]:
    """Return whether the target takes a bundle of this size in this form; an image's base comes on top."""
    unpacked, compressed = size.unpacked / _MB, size.compressed / _MB
    measure: Measure = "unpacked size" if form == "zip" else "image size"
    told = f"{unpacked:.1f} MB in {size.files} files"
    told += f", {compressed:.1f} MB as a zip file." if form == "zip" else ", in an image."
    if target == "aws" and form == "zip" and compressed > UPLOAD_MB:
        told += f" Above {UPLOAD_MB} MB it must be uploaded through S3."
    limit = limit_of(target, measure)
    if limit is not None:
        told += f" {limit.most:g} MB unpacked are allowed ({limit.source})."
    advice = "Have the models compiled, so that their frameworks stay behind, or deploy to gcp."
    return [_limited(target, measure, unpacked, told, advice, "size")]


def of_configured_memory(target: Target, memory_mb: int, form: Form = "zip") -> Check:
    """Return whether the target has instances with this memory for functions of this form."""
    of_containers = target == "azure" and form == "image"
    measure: Measure = "memory of containers" if of_containers else "configured memory"
    told, advice = f"{memory_mb} MB.", "Lower resources.memory_mb."
    return _limited(target, measure, memory_mb, told, advice, "configured memory")


def _limited(
    target: Target, measure: Measure, value: float, told: str, advice: str, name: str | None = None
) -> Check:
    found = violation(target, measure, value)
    if found:
        return Check(name or measure, "failed", str(found), advice=advice)
    return Check(name or measure, "passed", told)


def of_python(unfit: str | None, interpreter: Interpreter) -> Check:
    """Return whether the bundle is made for the interpreter."""
    if unfit is None:
        return Check("python", "passed", f"it is made for {interpreter.cache_tag}.")
    advice = f"Build it with Python {interpreter.minor}, or check it with the Python that it was built with."
    return Check("python", "failed", unfit, advice=advice)


def of_memory(result: Result, memory_mb: int) -> Check:
    """Return whether the function kept within its memory."""
    held_mb = result.memory_bytes / _MB
    told = f"it held {held_mb:.0f} MB at most; resources.memory_mb is {memory_mb}."
    if held_mb > memory_mb:
        return Check("memory", "failed", told, advice="Raise resources.memory_mb.")
    return Check("memory", "passed", told)


def of_budget(result: Result, budget_ms: float | None) -> list[Check]:
    """Return whether the median start kept within the budget; if not, which imports cost the most."""
    median = result.median
    if budget_ms is None or median is None:
        return []
    took = f"the first answer took {median.first_answer_ms:.0f} ms (median of {len(result.starts)})"
    if median.first_answer_ms <= budget_ms:
        return [Check("cold start budget", "passed", f"{took}, within {budget_ms:g} ms.")]
    told = f"{took}, but the budget is {budget_ms:g} ms."
    if result.profile is None:
        return [Check("cold start budget", "failed", told, advice="Profile its imports.")]
    costs = costliest(result.profile, _COSTLIEST)
    named = ", ".join(f"{cost.name} {cost.ms:.0f} ms" for cost in costs)
    detail = "\n".join(
        f"{cost.ms:8.1f} ms  {cost.name} ({cost.modules} modules, "
        + (f"imported by {cost.imported_by})" if cost.imported_by else "imported first)")
        for cost in costs
    )
    advice = "Import less, have the model compiled, or raise the budget."
    told = f"{told} The imports that cost most: {named}."
    return [Check("cold start budget", "failed", told, advice=advice, detail=detail)]
