"""The model card says all that is known, shows texts as they were written, and is the same each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from lastmile_runtime.manifest import Manifest, TensorSpec, Version
from lastmile_sls.bundle.trust.facts import Considerations, Dataset, Facts, Library, Metric, VersionFacts
from lastmile_sls.bundle.trust.model_card import bundle_digest_of, render
from lastmile_sls.certification.compare import Report
from tests.lastmile_sls.bundle.trust.conftest import DIGEST

NASTY = "# <b>x</b> [y](http://z) | `sha256:" + 64 * "0" + "`\nThe bundle: `sha256:" + 64 * "1" + "`"
PARSER = MarkdownIt("commonmark").enable("table")


def small(*versions: Version, **changes: object) -> Facts:
    made = versions or (Version("v1", "onnx", "m/v1/m.onnx", inputs=[TensorSpec("x", "FP32", [-1, 3])]),)
    files = {each.artifact: {"sha256": 64 * "a", "size": 5} for each in made if each.artifact}
    return replace(Facts(DIGEST, Manifest("churn", list(made), files), "0.1.0"), **changes)  # type: ignore[arg-type]


def section(card: str, title: str) -> str:
    return card.split(f"### {title}\n", 1)[1].split("\n#", 1)[0].strip()


def test_all_that_is_known_is_told(facts: Facts) -> None:
    card = render(facts).decode()
    first = card.split("## Version v2")[0]
    assert first.startswith("# Model card: churn\n\nWho leaves?\n\nThe bundle: `sha256:")
    for line in (
        "| Owner | Ann\\@Example.com |",
        "| Built with | lastmile-sls 0.1.0 |",
        "| Python | 3.13 |",
        "| Made | 2026-05-01T12\\:00\\:00Z |",
    ):
        assert line in first
    report = facts.versions["v1"].report
    assert report
    assert (
        f"Served by pipeline, proved to answer as the original: {report.rows} rows, largest difference "
        f"{report.largest_difference}. It was made with scikit-learn. Its task\\: classification."
    ).replace("task\\:", "task:") in first
    inputs = section(first, "Inputs")
    assert "| input | FP64 | \\[any, 2\\] |" in inputs
    assert "The columns, in this order: age, income" in inputs
    assert "| age | 18.0 | 99.0 |  | out\\_of\\_range\\: reject |" in inputs
    assert "| predict\\_proba | FP64 | \\[any, 2\\] |" in section(first, "Outputs")
    assert section(first, "Users") == "- The sales team"
    assert section(first, "Intended use") == "- Whom to call"
    assert section(first, "Limitations") == "- Customers of less than a month"
    assert section(first, "Trade-offs") == "- Recall before precision"
    assert section(first, "Ethical considerations") == (
        "- Age may stand for other things\\: Reviewed each quarter\n- Unknown"
    )
    metrics = section(first, "Metrics")
    assert "| AUC | 0.91 | Ireland | from 0.88 to 0.93 |" in metrics
    assert "| accuracy | high | all |  |" in metrics
    data = section(first, "Training data")
    assert (
        "| customers 2025 | All customers of 2025. | s3\\://data/customers 2025.parquet | sha256\\:d" in data
    )
    artifact = facts.manifest.files["models/v1/model.pipeline.json"]
    assert f"| models/v1/model.pipeline.json | {artifact['size']} | {artifact['sha256']} |" in first
    assert f"| Scikit\\_Learn | 1.9.1 | BSD-3-Clause | {64 * 'a'} |" in card


def test_what_nobody_said_is_told_to_be_missing(facts: Facts) -> None:
    second = render(facts).decode().split("## Version v2")[1]
    for title in ("Users", "Intended use", "Limitations", "Trade-offs", "Ethical considerations", "Metrics"):
        assert section(second, title) == "Not given."
    assert "Served by python, which was not compared with another." in second
    card = render(small()).decode()
    assert section(card, "Training data") == "Not given."
    assert section(card, "Outputs") == "Not given."
    assert card.endswith("## Packages\n\nNone named.\n")


def test_a_version_of_another_function(facts: Facts) -> None:
    remote = Version("v1", "remote", "", remote={"function": "churn_v2", "digest": DIGEST})
    card = render(small(remote)).decode()
    assert "Served by the function churn\\_v2." in card
    assert section(card, "Files") == "None: another function has them."


def test_a_model_that_was_not_proved_right_is_not_told_to_be() -> None:
    report = Report(3, {}, 0, 0.5, None, 0, "it differs")
    card = render(small(versions={"v1": VersionFacts(report=report)})).decode()
    assert "Served by onnx, not the same as the original: 3 rows, largest difference 0.5." in card


def test_one_bound_of_an_interval() -> None:
    metrics = (Metric("a", 1, lower=0.5), Metric("b", 1, upper=0.0))
    found = section(render(small(versions={"v1": VersionFacts(metrics=metrics)})).decode(), "Metrics")
    assert "| a | 1 | all | from 0.5 |" in found
    assert "| b | 1 | all | to 0.0 |" in found


def test_the_same_facts_are_the_same_bytes(facts: Facts) -> None:
    assert render(facts) == render(replace(facts))
    assert render(facts) != render(replace(facts, owner="Bob"))


def test_the_bundle_is_the_one_that_was_given_whatever_users_write() -> None:
    known = VersionFacts(
        NASTY,
        NASTY,
        NASTY,
        None,
        (Metric(NASTY, NASTY, NASTY),),
        (Dataset(NASTY, "", NASTY, NASTY),),
        Considerations((NASTY,), (NASTY,), (NASTY,), (NASTY,), ((NASTY, NASTY),)),
    )
    version = Version(NASTY, NASTY, "m/x", columns=[NASTY], inputs=[TensorSpec(NASTY, NASTY, [1])])
    nasty = small(
        version,
        owner=NASTY,
        description=NASTY,
        versions={NASTY: known},
        libraries=(Library(NASTY, NASTY, NASTY, NASTY),),
        python=NASTY,
    )
    nasty.manifest.model = NASTY
    nasty.manifest.contract = {"inputs": [{"name": NASTY, "categories": [NASTY], "missing": NASTY}]}
    content = render(nasty)
    assert bundle_digest_of(content) == DIGEST
    kinds = {token.type for token in PARSER.parse(content.decode())}
    kinds |= {
        c.type for t in PARSER.parse(content.decode()) for c in t.children or [] if c.type != "text_special"
    }
    titles = [token.tag for token in PARSER.parse(content.decode()) if token.type == "heading_open"]
    assert titles == ["h1", "h2", *["h3"] * 10, "h2"]
    assert not kinds & {
        "html_block",
        "html_inline",
        "link_open",
        "image",
        "fence",
        "code_block",
        "hr",
        "softbreak",
    }
    codes = [c for t in PARSER.parse(content.decode()) for c in t.children or [] if c.type == "code_inline"]
    assert [code.content for code in codes] == [DIGEST]


@pytest.mark.parametrize("content", [b"", b"# Model card: x\n", b"\xff"])
def test_a_card_that_names_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        bundle_digest_of(content)


def test_a_card_that_names_two_bundles_is_refused() -> None:
    line = render(small()).decode().splitlines()[2]
    assert bundle_digest_of(line.encode()) == DIGEST
    with pytest.raises(ValueError, match="it names no bundle"):
        bundle_digest_of(f"{line}\n{line}\n".encode())
