"""Whole checks: bundles that are right, and bundles that go wrong in every way that a deployed one would."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from lastmile_runtime.manifest import FILE
from lastmile_sls.check.answers import Question
from lastmile_sls.check.check import check_bundle
from lastmile_sls.check.checked import Check, Checked
from lastmile_sls.check.process import MARK
from lastmile_sls.check.run import Run
from lastmile_sls.errors import LastmileError
from tests.lastmile_runtime.bundles import DOUBLER, matrix
from tests.lastmile_sls.check.bundles import NOTES, Bundle, question
from tests.lastmile_sls.check.conftest import Make

TARGETS = pytest.mark.parametrize("target", ["local", "gcp", "aws"])
CLOUDS = pytest.mark.parametrize("target", ["gcp", "aws"])
CONTRACT = {"local": "local process", "gcp": "gcp container", "aws": "aws bootstrap"}


def check(run: Run, *questions: Question, **options: Any) -> Checked:
    """Check with one start and without a profile, unless a test wants more."""
    asked = questions or (question(1, 2),)
    return check_bundle(run, asked, **{"starts": 1, "profiles_imports": False, **options})


def named(checked: Checked, name: str) -> Check:
    (found,) = [check for check in checked.checks if check.name == name]
    return found


def no_processes() -> bool:
    """Tell whether no process of a check is left on this machine that this test's own check started."""
    for process in psutil.process_iter():
        try:
            if process.ppid() == os.getpid() and MARK in process.environ():
                return False
        except psutil.Error:
            continue
    return True


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # dead, and not reaped yet
    except psutil.NoSuchProcess:
        return True


@TARGETS
def test_a_bundle_that_is_right_passes(target: str, make: Make) -> None:
    told: list[str] = []
    bundle = make(DOUBLER, "v1", "v2")
    before = {path: path.read_bytes() for path in bundle.folder.rglob("*") if path.is_file()}
    asked = [question(3, 4, version="v2"), question(1, 2), question(-1.5, 0)]
    checked = check_bundle(bundle.run(target), asked, told.append, starts=3, cold_start_budget_ms=60_000)
    assert (checked.passed, checked.failed) == (True, [])
    (result,) = checked.results
    assert result.contract == CONTRACT[target]
    median = result.median
    assert median is not None
    assert [start.first_answer_ms for start in result.starts].count(median.first_answer_ms) == 1
    assert 5e6 < median.memory_bytes <= result.memory_bytes < 512 * 2**20
    # The champion's question is the first, whatever the order; each version's are counted.
    assert named(checked, "answers of v1").message == "2 as expected, the largest difference 0."
    assert named(checked, "answers of v2").message == "1 as expected, the largest difference 0."
    assert told[:3] == [f"{result.title}: start {number} of 3" for number in (1, 2, 3)]
    # A model of Python's own is loaded while the function starts on AWS, with its first question elsewhere.
    assert [phase.name for phase in median.phases] == [
        "interpreter",
        "runtime",
        "manifest",
        "model",
        "answer",
    ]
    assert sum(phase.ms for phase in median.phases) == pytest.approx(median.first_answer_ms)
    # The bundle itself is left as it was.
    after = {path: path.read_bytes() for path in bundle.folder.rglob("*") if path.is_file()}
    assert before == after
    assert no_processes()


@CLOUDS
def test_the_imports_of_a_start_are_profiled_within_its_phases(target: str, make: Make) -> None:
    checked = check(make("import decimal\n" + DOUBLER).run(target), profiles_imports=True)
    profile = checked.results[0].profile
    assert profile is not None
    by_module = {found.module: found for found in profile.walk()}
    adapter = {"aws": "aws_bootstrap"}.get(target, target)
    assert f"lastmile_runtime.adapters.{adapter}" in by_module
    assert {"decimal", "encodings"} <= set(by_module)
    for found in profile.walk():
        assert 0 <= found.start_ms <= profile.total_ms
        assert found.phase in [phase.name for phase in profile.phases]
        for part in found.children:
            assert part.parent == found.module
            assert found.start_ms <= part.start_ms + 1e-6
            assert (
                part.start_ms + part.cumulative_us / 1000
                <= found.start_ms + found.cumulative_us / 1000 + 1e-6
            )


def test_a_wrong_answer_is_told_with_what_was_expected(make: Make) -> None:
    checked = check(make().run("aws"), question(1, 2), question(1, 2, off=1e-6))
    found = named(checked, "answers of v1")
    assert (found.status, found.contract) == ("failed", "aws bootstrap")
    assert found.message == (
        "1 of 2 are not what was expected. answer 2: doubled[0] is 2.0, but 2.000001 was expected (tolerance 1e-09)."
    )
    assert checked.failed == [found]


def test_a_question_may_bring_its_own_tolerance(make: Make) -> None:
    asked = replace(question(1, 2, off=1e-6), tolerances={"doubled": 1e-5})
    checked = check(make().run(), asked)
    assert named(checked, "answers of v1").message == "1 as expected, the largest difference 5e-07."


def test_a_model_that_cannot_be_loaded_is_told_with_its_reason(make: Make) -> None:
    checked = check(make("raise ImportError('no numpy')\n").run("gcp"))
    found = named(checked, "answers of v1")
    assert found.message == (
        "1 of 1 are not what was expected. answer 1: it is answered with 500: "
        "version 'v1' cannot be loaded: ImportError: no numpy."
    )


@CLOUDS
def test_a_process_that_dies_while_it_starts_is_told_with_its_last_words(target: str, make: Make) -> None:
    bundle = make("import os, sys\nprint('about to die', file=sys.stderr, flush=True)\nos._exit(3)\n")
    checked = check(bundle.run(target))
    found = named(checked, "first answer")
    assert (found.status, found.message) == ("failed", "start 1 gave none: its process exited with code 3.")
    assert found.detail == "about to die"
    skipped = named(checked, "answers of v1")
    assert (skipped.status, skipped.message) == (
        "skipped",
        "not all was asked: the function gave no answer before.",
    )
    assert "          about to die" in checked.summary()


def test_a_model_that_is_killed_is_told_with_the_signal(make: Make) -> None:
    checked = check(make("import os\nos.kill(os.getpid(), 11)\n").run("local"))
    assert named(checked, "first answer").message == "start 1 gave none: its process was ended by SIGSEGV."


@CLOUDS
def test_a_model_that_hangs_is_given_up_and_nothing_of_it_is_left(target: str, make: Make) -> None:
    hangs = NOTES + "class Model:\n    def predict(self, inputs):\n        import time; time.sleep(600)\n"
    bundle = make(hangs)
    checked = check(bundle.run(target, timeout_s=0.5))
    assert named(checked, "first answer").message == "start 1 gave none: the answer took longer than 0.5 s."
    assert is_gone(bundle.noted()["pid"])
    if target == "gcp":
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(bundle.noted()["port"]))) != 0


def test_a_start_that_takes_too_long_is_given_up(make: Make) -> None:
    checked = check(make("import time; time.sleep(600)\n").run("aws", startup_s=0.5))
    assert named(checked, "first answer").message == (
        "start 1 gave none: it did not ask for an event within 0.5 s."
    )


def test_a_later_question_without_an_answer_leaves_the_others_unasked(make: Make) -> None:
    dies = """
import os
class Model:
    def predict(self, inputs):
        if inputs["x"][0][0] == 13:
            os._exit(13)
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""
    asked = [question(1, 2), question(13, 0), question(5, 6), question(7, 8, version="v2")]
    checked = check(make(dies, "v1", "v2").run(), *asked)
    assert named(checked, "answers of v1").message == (
        "question 2 got no answer: its process exited with code 13."
    )
    assert named(checked, "answers of v2").status == "skipped"
    assert named(checked, "first answer").status == "passed"


@CLOUDS
def test_what_was_started_in_a_session_of_its_own_is_ended_too(target: str, make: Make) -> None:
    leaves = """
import os, subprocess, sys
code = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nprint(os.getpid(), flush=True)\\ntime.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
more = {"left": int(child.stdout.readline())}
"""
    bundle = make(leaves + NOTES + DOUBLER)
    assert check(bundle.run(target)).passed
    noted = bundle.noted()
    assert is_gone(noted["left"])
    assert is_gone(noted["pid"])


@CLOUDS
def test_a_file_that_was_tampered_with_is_refused_by_its_name(target: str, make: Make) -> None:
    bundle = make()
    path = bundle.folder / "models/v1/model.py"
    path.write_text(path.read_text().replace("2 *", "3 *"))
    checked = check(bundle.run(target))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (
        f"BundleError: models/v1/model.py has the SHA-256 {found}, but"
        in named(checked, "answers of v1").message
    )


@CLOUDS
def test_a_manifest_that_was_tampered_with_is_refused(target: str, make: Make) -> None:
    bundle = make()
    with (bundle.folder / FILE).open("a") as file:
        file.write(" ")
    checked = check(bundle.run(target))
    (failed,) = checked.failed
    assert "the function cannot start: " in failed.detail
    assert "manifest.json has the digest sha256:" in failed.detail
    assert failed.detail.endswith("was deployed.")


def test_a_bundle_that_is_made_for_another_python_is_not_started(make: Make) -> None:
    bundle = make(NOTES + DOUBLER)
    (pack,) = (bundle.folder / "lastmile_runtime").glob("pack.*")
    pack.rename(pack.with_name("pack.cpython-39"))
    checked = check(bundle.run())
    found = named(checked, "python")
    tag = sys.implementation.cache_tag
    assert (found.status, found.message) == (
        "failed",
        f"its bytecode is for cpython-39, but the interpreter is {tag} (lastmile_runtime/pack.cpython-39).",
    )
    assert named(checked, "answers of v1").status == "skipped"
    assert checked.results == ()
    assert not bundle.notes.exists()


def test_an_extension_module_of_another_python_is_named(make: Make) -> None:
    bundle = make()
    folder = bundle.folder / "numpy" / "_core"
    folder.mkdir(parents=True)
    (folder / "_multiarray.cpython-39-x86_64-linux-gnu.so").write_bytes(b"")
    (folder / "any.abi3.so").write_bytes(b"")
    (folder / "plain.so").write_bytes(b"")
    message = named(check(bundle.run()), "python").message
    assert message.startswith(
        "numpy/_core/_multiarray.cpython-39-x86_64-linux-gnu.so is made for cpython-39-x86_64-linux-gnu, but"
    )


def test_a_function_that_holds_too_much_memory_is_ended(make: Make) -> None:
    greedy = "class Model:\n    def predict(self, inputs):\n        held = [b'1' * (1 << 20) for _ in range(400)]\n"
    greedy += "        import time; time.sleep(600)\n"
    checked = check(make(greedy).run(memory_mb=128))
    message = named(checked, "first answer").message
    assert message.startswith("start 1 gave none: it held ")
    assert message.endswith(" MB, but may hold 128 MB.")


def test_a_start_beyond_the_budget_names_what_its_imports_cost(make: Make) -> None:
    bundle = make("import slow_features, decimal\n" + DOUBLER)
    (bundle.folder / "models/v1/slow_features.py").write_text("import time; time.sleep(0.2)\n")
    checked = check(bundle.run("aws"), cold_start_budget_ms=1, profiles_imports=True)
    found = named(checked, "cold start budget")
    assert found.status == "failed"
    assert re.search(
        r"took \d+ ms \(median of 1\), but the budget is 1 ms\. "
        r"The imports that cost most: slow_features \d{3} ms, \w+ \d+ ms, ",
        found.message,
    )
    assert re.match(r" +\d{3}\.\d ms  slow_features \(1 modules, imported first\)\n", found.detail)
    assert found.advice == "Import less, have the model compiled, or raise the budget."


def test_the_functions_own_packages_are_found_and_the_developers_are_not(
    make: Make, tmp_path: Path, runtime: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "our_package.py").write_text("")
    for target in ("gcp", "aws"):
        bundle = Bundle(tmp_path / target, runtime, "import our_package\n" + DOUBLER)
        assert check(bundle.run(target, packages=packages)).passed
        message = named(check(bundle.run(target)), "answers of v1").message
        assert message.endswith("ModuleNotFoundError: No module named 'our_package'.")
    # numpy is installed where the tests run.
    bundle = make("import numpy\n" + DOUBLER)
    message = named(check(bundle.run("aws")), "answers of v1").message
    assert message.endswith("ModuleNotFoundError: No module named 'numpy'.")
    assert check(bundle.run("local")).passed


def test_a_version_that_is_elsewhere_or_unknown_cannot_be_asked(make: Make) -> None:
    with pytest.raises(LastmileError) as caught:
        check(make().run(), question(1, 2, version="v9"))
    assert str(caught.value) == "questions[0].version is 'v9', but the bundle has v1.\nName one of them."


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"inputs": [{"name": "x"}]}, "questions[0] cannot be asked: 'data'."),
        (
            {"expected": [{**matrix([[1, 2]], "doubled"), "datatype": "FP8"}]},
            "questions[0] cannot be asked: output 'doubled' has the datatype 'FP8'; it must be one of ",
        ),
        ({"expected": [{}]}, "questions[0] cannot be asked: KeyError: 'data'."),
    ],
)
def test_a_question_that_is_none_is_refused(asked: dict[str, Any], why: str, make: Make) -> None:
    with pytest.raises(LastmileError) as caught:
        check(make().run(), replace(question(1, 2), **asked))
    assert caught.value.message.startswith(why)


def test_a_container_that_is_not_ready_or_ends_badly_breaks_its_contract(make: Make) -> None:
    ends = "import atexit, os\natexit.register(os._exit, 5)\n"
    # Both are of one source; the folder tells which it is.
    fails = "import pathlib\nif pathlib.Path(__file__).parent.name == 'v1': raise OSError('no weights')\n"
    checked = check(make(fails + ends + DOUBLER, "v1", "v2").run("gcp"), question(1, 2, version="v2"))
    probe, end = named(checked, "startup probe"), named(checked, "SIGTERM")
    assert probe.message.startswith("GET /v2/health/ready answers 503, but must answer 200: b'{")
    assert "no weights" in probe.message
    assert (end.status, end.message[:62]) == (
        "failed",
        "it exited with code 5 after SIGTERM, but must exit with 0. ver",
    )


def test_what_cannot_be_checked_is_refused(make: Make, tmp_path: Path) -> None:
    bundle = make()
    for change, options, message in (
        ({}, {"starts": 0}, "starts is 0, but must be at least 1."),
        (
            {"folder": tmp_path},
            {},
            f"{tmp_path} is no bundle: manifest.json cannot be read: No such file or directory.",
        ),
        (
            {"contracts": ("aws bootstrap",)},
            {},
            "contracts has 'aws bootstrap', but those of local are local process.",
        ),
    ):
        with pytest.raises(LastmileError) as caught:
            check(bundle.run(**change), **options)
        assert caught.value.message == message
    with pytest.raises(LastmileError) as caught:
        check_bundle(bundle.run(), [])
    assert caught.value.message == "There is no question to ask."


def test_no_thread_is_left(make: Make) -> None:
    bundle = make()
    before = threading.active_count()
    for target in ("local", "gcp", "aws"):
        assert check(bundle.run(target)).passed
    assert threading.active_count() <= before


@CLOUDS
def test_the_plans_own_settings_are_what_it_is_run_with(target: str, make: Make) -> None:
    """A plan that says another digest than the bundle's is found out, and not corrected."""
    planned = {"LASTMILE_MANIFEST_DIGEST": "sha256:" + "0" * 64}
    checked = check(make(DOUBLER).run(target, environment=planned))
    found = [f"{failed.message} {failed.detail}" for failed in checked.failed]
    assert any(planned["LASTMILE_MANIFEST_DIGEST"] in text for text in found), found
