"""What was found, in its three forms."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from lastmile_sls.check.bundle import Size
from lastmile_sls.check.checked import Check, Checked, Result, Start
from lastmile_sls.check.junit import join
from lastmile_sls.check.phases import Phase
from lastmile_sls.check.profile import Import, Origins, Profile

DIGEST = "sha256:" + "ab" * 32


def checked(*checks: Check) -> Checked:
    phases = (Phase("interpreter", 0.0, 20.0), Phase("answer", 20.0, 10.0))
    starts = tuple(Start(ms, 25.0, phases, 11_000_000) for ms in (30.0, 29.0, 41.0))
    profile = Profile(
        35.0, phases, (Import("os", 500, 500, None, 1.0, "interpreter", ()),), Origins(frozenset({"os"}))
    )
    result = Result("aws bootstrap", "Lambda, the bundle's own bootstrap", starts, 12 * 2**20, profile)
    none = Result("aws awslambdaric", "Lambda, AWS's runtime client", (), 0, None)
    return Checked("aws", "churn", DIGEST, "3.13.0", Size(2_000_000, 800_000, 110), (result, none), checks)


PASSED = Check("answers of v1", "passed", "3 as expected.", "aws bootstrap", duration_s=0.25)
FAILED = Check("size", "failed", "too large <&>\x1b[0m", advice="Make it smaller.", detail="one\ntwo")
SKIPPED = Check("answers of v1", "skipped", "not all was asked.", "aws awslambdaric")


def test_it_passed_when_nothing_failed() -> None:
    assert checked(PASSED, SKIPPED).passed
    assert not checked(PASSED, FAILED).passed
    assert checked(PASSED, FAILED).failed == [FAILED]


def test_for_programs() -> None:
    document = json.loads(json.dumps(checked(PASSED, FAILED).to_json()))
    assert document["format"] == "lastmile.check/1"
    assert (document["passed"], document["target"], document["digest"]) == (False, "aws", DIGEST)
    assert document["size"] == {"unpacked_bytes": 2_000_000, "compressed_bytes": 800_000, "files": 110}
    assert document["contracts"][0] == {
        "contract": "aws bootstrap",
        "title": "Lambda, the bundle's own bootstrap",
        "first_answer_ms": 30.0,
        "startup_ms": 25.0,
        "starts_ms": [30.0, 29.0, 41.0],
        "phases": [{"name": "interpreter", "ms": 20.0}, {"name": "answer", "ms": 10.0}],
        "first_answer_memory_bytes": 11_000_000,
        "memory_bytes": 12 * 2**20,
        "costliest_imports": [
            {"name": "os", "origin": "python", "ms": 0.5, "modules": 1, "imported_by": None}
        ],
    }
    assert document["contracts"][1]["first_answer_ms"] is None
    assert document["checks"][0] == {
        "name": "answers of v1",
        "status": "passed",
        "message": "3 as expected.",
        "contract": "aws bootstrap",
        "advice": "",
        "detail": "",
        "duration_s": 0.25,
    }


def test_for_people() -> None:
    assert checked(PASSED, FAILED, SKIPPED).summary() == [
        (
            "Lambda, the bundle's own bootstrap: first answer after 30 ms (median of 3 starts): "
            "interpreter 20, answer 10; 12 MB"
        ),
        "Lambda, AWS's runtime client: no first answer",
        "ok      aws bootstrap: answers of v1: 3 as expected.",
        "FAILED  size: too large <&>\x1b[0m",
        "          one",
        "          two",
        "        Make it smaller.",
        "skipped aws awslambdaric: answers of v1: not all was asked.",
        "1 of 3 checks failed",
    ]
    assert checked(PASSED).summary()[-1] == "all checks passed"


def test_as_junit() -> None:
    text = checked(PASSED, FAILED, SKIPPED).to_junit()
    root = ET.fromstring(text)
    assert (root.tag, root.attrib) == (
        "testsuites",
        {
            "name": "lastmile check",
            "tests": "3",
            "failures": "1",
            "errors": "0",
            "skipped": "1",
            "time": "0.250",
        },
    )
    assert [suite.get("name") for suite in root] == [
        "churn bundle",
        "churn aws bootstrap",
        "churn aws awslambdaric",
    ]
    for suite in root:
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.get("tests", ""))
        assert len(suite.findall("testcase/failure")) == int(suite.get("failures", ""))
        assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped", ""))
        assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases)]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("too large <&>\ufffd[0m", "CheckFailure")
    assert failure.text == "too large <&>\ufffd[0m\none\ntwo\nMake it smaller."
    properties = {
        found.get("name"): found.get("value") for found in root.findall("testsuite[2]/properties/property")
    }
    assert properties == {
        "target": "aws",
        "digest": DIGEST,
        "python": "3.13.0",
        "first_answer_ms": "30.0",
        "memory_bytes": str(12 * 2**20),
    }


def test_several_bundles_are_one_document() -> None:
    root = ET.fromstring(join([checked(PASSED), checked(FAILED, SKIPPED)]))
    assert [root.get(key) for key in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    assert len(root.findall("testsuite")) == 3


def test_a_parser_that_others_wrote_reads_the_junit() -> None:
    junitparser = pytest.importorskip("junitparser")
    found = junitparser.JUnitXml.fromstring(checked(PASSED, FAILED, SKIPPED).to_junit())
    assert (found.tests, found.failures, found.errors, found.skipped) == (3, 1, 0, 1)
    cases = {(suite.name, case.name): case for suite in found for case in suite}
    assert cases["churn aws bootstrap", "answers of v1"].is_passed
    assert cases["churn aws bootstrap", "answers of v1"].time == 0.25
    assert cases["churn bundle", "size"].is_failure
    assert cases["churn bundle", "size"].classname == "lastmile.check.churn.bundle"
    assert cases["churn aws awslambdaric", "answers of v1"].is_skipped
    found.update_statistics()
    assert (found.tests, found.failures, found.skipped) == (3, 1, 1)
