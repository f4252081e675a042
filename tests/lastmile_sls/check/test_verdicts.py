"""From measurements to checks."""

from __future__ import annotations

import pytest

from lastmile_sls.check import verdicts
from lastmile_sls.check.answers import Compared
from lastmile_sls.check.bundle import Size
from lastmile_sls.check.checked import Result, Start
from lastmile_sls.check.phases import Phase
from lastmile_sls.check.process import NoAnswer
from lastmile_sls.check.profile import Import, Origins, Profile
from lastmile_sls.plan.document import Target

MB = 2**20


def start(ms: float, startup_ms: float | None = None) -> Start:
    return Start(ms, startup_ms, (Phase("start", 0.0, ms),), 50 * MB)


def result(*times: float, startup_ms: float | None = None, profile: Profile | None = None) -> Result:
    starts = tuple(start(ms, startup_ms) for ms in times)
    return Result("aws bootstrap", "Lambda", starts, 60 * MB, profile)


def a_profile() -> Profile:
    scipy = Import("scipy.stats", 300_000, 300_000, "sklearn", 0.0, "start", ())
    sklearn = Import("sklearn", 90_000, 390_000, None, 0.0, "start", (scipy,))
    return Profile(500.0, (), (sklearn,), Origins(frozenset(), packages=frozenset({"scipy", "sklearn"})))


def test_the_median_is_the_start_of_the_middle() -> None:
    for times, median in (([5, 1, 9], 5), ([4, 2], 2), ([7], 7), ([1, 2, 3, 4], 2)):
        found = result(*times).median
        assert found is not None
        assert found.first_answer_ms == median
    assert result().median is None


def test_the_budget_is_compared_with_the_median() -> None:
    (found,) = verdicts.of_budget(result(900, 100, 120), 130)
    assert (found.status, found.message) == (
        "passed",
        "the first answer took 120 ms (median of 3), within 130 ms.",
    )
    assert verdicts.of_budget(result(900), None) == []


def test_an_exceeded_budget_names_the_imports_that_cost_most() -> None:
    (found,) = verdicts.of_budget(result(450, profile=a_profile()), 130)
    assert (found.status, found.message) == (
        "failed",
        (
            "the first answer took 450 ms (median of 1), but the budget is 130 ms. "
            "The imports that cost most: scipy 300 ms, sklearn 90 ms."
        ),
    )
    assert found.detail == (
        "   300.0 ms  scipy (1 modules, imported by sklearn)\n    90.0 ms  sklearn (1 modules, imported first)"
    )
    (without,) = verdicts.of_budget(result(450), 130)
    assert without.advice == "Profile its imports."


@pytest.mark.parametrize(
    ("target", "size", "status", "message"),
    [
        (
            "aws",
            Size(10 * MB, 3 * MB, 7),
            "passed",
            (
                "10.0 MB in 7 files, 3.0 MB as a zip file. 250 MB unpacked are allowed "
                "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."
            ),
        ),
        (
            "aws",
            Size(200 * MB, 60 * MB, 7),
            "passed",
            (
                "200.0 MB in 7 files, 60.0 MB as a zip file. Above 50 MB it must be uploaded through S3. 250 MB unpacked "
                "are allowed (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."
            ),
        ),
        (
            "aws",
            Size(251 * MB, 60 * MB, 7),
            "failed",
            (
                "unpacked size is 251 MB, but may be 250 MB: beyond it, Lambda does not make the function "
                "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."
            ),
        ),
        ("gcp", Size(900 * MB, 300 * MB, 9), "passed", "900.0 MB in 9 files, 300.0 MB as a zip file."),
    ],
)
def test_sizes(target: Target, size: Size, status: str, message: str) -> None:
    (found,) = verdicts.of_size(target, size)
    assert (found.name, found.status, found.message) == ("size", status, message)
    assert bool(found.advice) is (status == "failed")


def test_a_start_that_the_platform_would_break_off() -> None:
    (found,) = verdicts.of_startup("aws", result(11_500, startup_ms=11_000))
    assert (found.status, found.message) == (
        "failed",
        (
            "startup is 11 s, but may be 10 s: beyond it, Lambda starts it again, within the function's timeout "
            "(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html)."
        ),
    )
    (found,) = verdicts.of_startup("aws", result(120, startup_ms=100))
    assert found.message.startswith("it could be asked after 100 ms; 10 s are allowed (https://docs.aws")
    assert verdicts.of_startup("local", result(120, startup_ms=100)) == []
    assert verdicts.of_startup("aws", result(120)) == []
    late = verdicts.of_first_answer("aws", result(31_000), None)
    assert late.message.startswith(
        "first answer is 31 s, but may be 30 s: beyond it, API Gateway gives up (https://"
    )


def test_memory() -> None:
    assert verdicts.of_memory(result(1), 64).status == "passed"
    found = verdicts.of_memory(result(1), 50)
    assert (found.status, found.message, found.advice) == (
        "failed",
        "it held 60 MB at most; resources.memory_mb is 50.",
        "Raise resources.memory_mb.",
    )
    found = verdicts.of_configured_memory("azure", 8_192)
    assert found.message.startswith(
        "configured memory is 8192 MB, but may be 4096 MB: beyond it, Azure has no larger"
    )
    assert verdicts.of_configured_memory("azure", 2_048).status == "passed"


def test_answers_are_counted_once_and_the_first_failure_is_told() -> None:
    answers = verdicts.Answers("v1")
    answers.note(Compared(None, 1e-12), 0.1)
    answers.note(Compared(None, 1e-12), 0.1, is_repeated=True)
    assert answers.check().message == "1 as expected, the largest difference 1e-12."
    answers.note(Compared("it is answered with 500: one."), 0.1, words="Traceback")
    answers.note(Compared("another"), 0.1)
    found = answers.check()
    assert found.message == ("2 of 3 are not what was expected. answer 2: it is answered with 500: one.")
    assert found.detail == "Traceback"
    assert found.duration_s == pytest.approx(0.4)


def test_no_answer() -> None:
    answers = verdicts.Answers("v1", right=2)
    answers.note_none(NoAnswer("it hangs.", "waiting"))
    found = answers.check()
    assert (found.status, found.message, found.detail) == (
        "failed",
        "question 3 got no answer: it hangs.",
        "waiting",
    )
    assert verdicts.Answers("v1").check().status == "skipped"
    assert verdicts.Answers("v1", right=1, unasked=1).check().status == "skipped"
    found = verdicts.of_first_answer("aws", result(5), NoAnswer("it hangs.", "waiting"))
    assert (found.status, found.message, found.detail) == (
        "failed",
        "start 2 gave none: it hangs.",
        "waiting",
    )
