"""`lastmile costs` as a person runs it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lastmile_sls.cli import costs
from lastmile_sls.cli.costs import command
from lastmile_sls.costs.example.write import Example, write
from lastmile_sls.errors import LastmileError


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return write(tmp_path_factory.mktemp("bills"))


def _run(*words: str) -> Result:
    return CliRunner().invoke(command, words, catch_exceptions=False)


def _bills(example: Example) -> list[str]:
    return [str(path) for path in example.bills]


def test_everything_is_written_that_was_asked_for(example: Example, tmp_path: Path) -> None:
    html, table, rows = tmp_path / "report.html", tmp_path / "report.csv", tmp_path / "rows.parquet"
    run = _run(
        *(*_bills(example), "--usage", str(example.usage), "--share", "even"),
        *("--html", str(html), "--csv", str(table), "--parquet", str(rows)),
    )
    assert run.exit_code == 0
    assert run.stdout.startswith(
        "Synthetic example: nothing here was ever billed.\nWhat models cost, 1 to 31 October"
    )
    assert "with shared" in run.stdout
    assert max(len(line) for line in run.stdout.splitlines()) <= 80
    assert run.stderr.splitlines()[-3:] == [f"report: {html}", f"table: {table}", f"rows: {rows}"]
    assert '<aside class="banner" aria-label="What this is">Synthetic example.' in html.read_text()
    assert {row["synthetic"] for row in csv.DictReader(table.open())} == {"true"}
    assert rows.read_bytes()[:4] == b"PAR1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.html", "rows.parquet"]


def test_json_is_one_document_of_what_was_asked_for(example: Example) -> None:
    run = _run(
        *_bills(example), "--json", "--from", "2026-10-05", "--to", "2026-10-11", "--model", "daylight"
    )
    document = json.loads(run.stdout)
    assert document["asked"] == {
        "from": "2026-10-05",
        "to": "2026-10-11",
        "models": ["daylight"],
        "environments": [],
        "share": "none",
    }
    (usd,) = document["currencies"]
    assert [model["model"] for model in usd["models"]] == ["daylight"]
    assert sorted(usd["models"][0]["days"]) == [f"2026-10-{day:02}" for day in range(5, 12)]


def test_the_example_needs_nothing_and_says_where_its_report_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = _run("--example", "--by", "cloud")
    (folder,) = tmp_path.glob("lastmile-costs-example-*")
    assert run.stdout.startswith("Synthetic example: nothing here was ever billed.")
    assert run.stderr.splitlines()[-1] == f"report: {folder / 'report.html'}"
    assert "Synthetic example. Every number on this page is made up" in (folder / "report.html").read_text()
    assert "\ncloud             effective  billed    list\n" in run.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no files are named. Name FOCUS exports, or see what comes out with --example."),
        (["--example", "a.csv"], "--example makes its own files. Leave FILES out."),
        (
            ["a.csv", "--from", "2026-10-02", "--to", "2026-10-01"],
            "--from is 2026-10-02, but it is no later than --to, which is 2026-10-01.",
        ),
        (["a.csv", "--from", "October"], "'October' does not match the format '%Y-%m-%d'."),
    ],
)
def test_words_that_mean_nothing_are_refused(words: list[str], told: str) -> None:
    run = _run(*words)
    assert run.exit_code == 2
    assert told in " ".join(run.stderr.split())


def test_a_report_that_cannot_be_written_is_refused_and_leaves_nothing(
    example: Example, tmp_path: Path
) -> None:
    absent = tmp_path / "absent" / "report"
    for option in ("--html", "--csv"):
        with pytest.raises(LastmileError) as refused:
            _run(_bills(example)[1], option, str(absent))
        assert refused.value.message == f"{absent} cannot be written: No such file or directory."
        assert refused.value.hint == "Name a file in a folder that is there, and that you may write to."


def test_a_page_is_opened_where_there_is_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", opens)
    page = tmp_path / "report.html"
    monkeypatch.setattr("sys.platform", "linux")
    costs._open(page, {"DISPLAY": ":0"}, must=False)
    costs._open(page, {}, must=False)
    assert opened == [page.as_uri()]
    with pytest.raises(LastmileError) as refused:
        costs._open(page, {}, must=True)
    assert refused.value.message == "there is no browser here to open the report in."
    assert refused.value.hint == f"Open it yourself: {page}"


def test_the_command_is_listed() -> None:
    from lastmile_sls.cli import COMMANDS

    assert COMMANDS["costs"] == "say what each model cost, from the clouds' bills in the FOCUS format"
    assert isinstance(command, click.Command)
