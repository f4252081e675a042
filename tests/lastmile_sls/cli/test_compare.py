"""`lastmile compare`: on a real preview and its list prices, beside a cloud that cannot carry the spec."""

from __future__ import annotations

import json

from tests.lastmile_sls.commands import Workspace

MONTH = ("compare", "--requests", "1000000", "--duration", "20")


def test_a_cloud_and_one_that_needs_a_field(work: Workspace) -> None:
    """The spec has no base image for gcp, and aws has no 64 MB, but 128."""
    work.write_spec(resources={"memory_mb": 64})
    page = work.folder / "compared.html"
    clouds = ("--target", "aws", "--target", "gcp")
    run = work.run(*MONTH, *clouds, "--memory", "64,128", "--html", str(page), "--json")
    found = json.loads(run.stdout)
    aws, gcp = found["targets"]
    assert [(size["memory_mb"], size["why_not"]) for size in aws["sizes"]] == [
        (64, "aws has no 64 MB; the nearest is 128 MB."),
        (128, None),
    ]
    assert float(aws["sizes"][1]["monthly"]) > 1
    assert gcp["why_not"].startswith("targets.gcp.base_image is missing: ")
    assert found["recommended"] == {"target": "aws", "memory_mb": 128}
    assert [(curve["target"], len(curve["points"])) for curve in found["curves"]] == [("aws", 29)]
    assert found["first_answers"]["versions"].keys() == {"v1", "v2"}
    assert "<h1>Where to run doubler-dev</h1>" in page.read_text()
    assert str(page) in run.stderr
    # What is not of the spec's own size is beside the project, which is as it was.
    assert not (work.folder / ".lastmile" / "dev-aws").exists()
    assert (work.folder / ".lastmile" / "compare" / "dev-aws" / "plan.json").exists()


def test_nothing_fits(work: Workspace) -> None:
    work.write_spec()
    run = work.run(*MONTH, "--target", "gcp", check=False)
    assert (run.returncode, "Traceback" in run.stderr) == (1, False)
    assert "No target can be recommended: none that carries this spec has a price." in run.stdout
    assert "gcp is not compared: targets.gcp.base_image is missing: " in run.stdout


def test_bad_input_is_told_before_anything_is_built(work: Workspace) -> None:
    assert "the traffic does not say how many requests a month has." in work.fails("compare")
    told = work.fails(*MONTH, "--html", "nowhere/x.html")
    assert "--html is nowhere/x.html, but nowhere is no folder." in told
    assert not (work.folder / ".lastmile").exists()
