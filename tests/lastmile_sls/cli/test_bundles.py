"""`lastmile build`, `inspect`, `check`, `sign` and `verify`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.lastmile_sls.commands import Workspace

CONTRACT = {
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "doubled", "datatype": "FP64", "shape": [-1, 2]}],
}
BUDGET = {"bundle": {"cold_start_budget_ms": 1}}


def change(work: Workspace, **changes: object) -> None:
    path = work.folder / "lastmile.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


@pytest.fixture
def plain(work: Workspace) -> Workspace:
    change(work, bundle={"bytecode": "none"}, resources={"processor": "x86_64"})
    return work


def test_build_for_a_cloud(plain: Workspace) -> None:
    told = plain.run("build", "--target", "aws")
    assert "package of predict: " in told.stdout
    assert "predict.zip, " in told.stdout
    assert "run it as aws would: " in told.stderr
    found = plain.json("build", "--target", "aws")
    assert found["packages"] == {"predict": str(Path(found["project"]) / "bundles/predict.zip")}


@pytest.fixture
def known(work: Workspace) -> Workspace:
    """A spec that says what its model takes."""
    change(work, contract=CONTRACT)
    return work


def test_inspect_shows_what_takes_room(known: Workspace) -> None:
    told = known.run("inspect").stdout.splitlines()
    head = next(line for line in told if line.startswith("predict: "))
    assert " MB in " in head
    assert any("lastmile_runtime/  answers requests" in line for line in told)
    found = known.json("inspect")
    sizes = found["sizes"]["predict"]
    assert sizes["bytes"] == sum(part["bytes"] for part in sizes["parts"])
    chart = known.folder / "start.html"
    known.run("inspect", "--chart", str(chart))
    assert "Cold start of doubler" in chart.read_text()


def test_check_compares_the_certified_answers(known: Workspace) -> None:
    told = known.run("check", "--starts", "1", "--junit", "found.xml", "--charts", "charts")
    assert "all checks passed" in told.stdout
    assert "as expected" in told.stdout
    suites = ET.parse(known.folder / "found.xml").getroot()
    assert suites.get("failures") == "0"
    assert [path.name for path in (known.folder / "charts").iterdir()] == ["predict-local-process.html"]
    found = known.json("check", "--starts", "1")
    assert found["passed"] is True
    documents = next((known.folder / ".lastmile").glob("*/bundles/predict.trust"))
    assert (documents / "import-profile.json").exists()


def test_a_budget_fails_the_check(known: Workspace) -> None:
    change(known, **BUDGET)
    told = known.run("check", "--starts", "1", check=False)
    assert told.returncode == 1
    assert "budget" in told.stdout
    assert known.run("check", "--starts", "1", "--budget-ms", "60000").returncode == 0


def test_verify_names_what_changed(work: Workspace) -> None:
    assert "nothing to verify" in work.fails("verify")
    work.run("build")
    assert work.run("verify").stdout.startswith("  ✓ predict: ")
    bundle = next((work.folder / ".lastmile").glob("*/bundles/predict"))
    for name in ("models/v1/doubler.py", "lastmile_runtime/service.py", "manifest.json"):
        content = (bundle / name).read_bytes()
        (bundle / name).write_bytes(content[:-1] + b"#")
        told = work.run("verify", check=False)
        assert told.returncode == 1
        assert name in told.stdout
        (bundle / name).write_bytes(content)
    card = bundle.with_name("predict.trust") / "model-card.md"
    card.write_text(card.read_text() + "more")
    told = work.run("verify", "--json", check=False)
    assert told.returncode == 1
    (finding,) = json.loads(told.stdout)["functions"]
    assert any("model-card.md" in problem for problem in finding["problems"])


def test_a_model_that_says_nothing_of_what_it_takes_cannot_be_checked(work: Workspace) -> None:
    told = work.fails("check")
    assert "nothing is known of what v1 answers: it could not be asked when it was built." in told


def test_only_what_somebody_who_is_trusted_signed_goes_up(work: Workspace) -> None:
    pytest.importorskip("model_signing")
    work.run("sign", "--new-key", "keys", environ={"LASTMILE_SIGNING_PASSPHRASE": ""})
    change(work, bundle={"signature": {"key": "keys/public.pem"}})
    assert "the bundle of predict is not signed, but the spec has bundle.signature." in work.fails("up")
    assert (
        "is not signed, but the spec has bundle.signature. Sign it: lastmile sign" in work.run("build").stderr
    )
    assert work.run("sign", "--key", "keys/private.pem").stdout == "signed: predict\n"
    assert ", signed by " in work.run("verify").stdout
    assert "  predict: signed by " in work.run("build").stderr  # nothing changed, so the signature stays
    work.run("up")
    (work.folder / "doubler.py").write_text((work.folder / "doubler.py").read_text().replace("2 *", "4 *"))
    assert "is not signed" in work.fails("up")


def test_sign_takes_one_way_to_sign(work: Workspace) -> None:
    for words in ((), ("--keyless", "--new-key", "keys"), ("--certificate", "doubler.py")):
        told = work.run("sign", *words, check=False)
        assert told.returncode == 2
        assert "Give one of --key (with or without --certificate), --keyless, --new-key." in told.stderr
    assert "there is nothing to sign: " in work.fails("sign", "--key", "doubler.py")
