"""A check from end to end with a cloud that is played: which stack, what is told, what it costs, and where from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control import tags as control
from lastmile_sls.control.refusals import Asked, MissingError, UntoldError
from lastmile_sls.control.tags import Tell, open_tags, seen
from lastmile_sls.estimate.as_json import to_json
from lastmile_sls.tags.document import Deployed, Seen
from tests.lastmile_infra.plans import spec_of
from tests.lastmile_sls.control.commands import Typist
from tests.lastmile_sls.costs.exports import row, write_csv
from tests.lastmile_sls.tags.states import TAGS, entry, estimate_of, state_of

ARN = "arn:aws:sns:eu-west-1:123456789012:churn-dev-{}"
OUTPUTS: dict[str, Any] = {
    "deployment": "churn-dev",
    "target": "aws",
    "region": "eu-west-1",
    "account": "123456789012",
    "url": "https://abc.execute-api.eu-west-1.amazonaws.com",
    "functions": {"predict": "arn:aws:lambda:eu-west-1:123456789012:function:churn-dev-predict"},
}
CHECK = ("tags", "check", "--state", "state.json")


@dataclass
class Cloud:
    """What is said of each resource, by name: its tags, or an error."""

    said: dict[str, Mapping[str, str] | Exception]

    def look(self, resources: Sequence[Deployed], wanted: Mapping[str, str], tell: Tell) -> Iterator[Seen]:
        for resource in resources:
            tell(f"asking for {resource}")
            yield seen(resource, lambda resource=resource: self._ask(resource))  # type: ignore[misc] # of this turn

    def notes(self, wanted: Mapping[str, str]) -> list[str]:
        return []

    def _ask(self, resource: Deployed) -> Seen:
        found = self.said[resource.name]
        if isinstance(found, Exception):
            raise found
        return Seen(resource, "there", found)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud({"jobs": TAGS, "alarms": TAGS})
    monkeypatch.setattr(control, "open_tags", lambda stack: made)
    return made


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    made = Typist(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LASTMILE_HOME", str(tmp_path / "home"))
    content = spec_of().model_dump(mode="json", by_alias=True, exclude_unset=True)
    Path("lastmile.yaml").write_text(yaml.safe_dump(content))
    write_state(OUTPUTS)
    return made


def write_state(outputs: Mapping[str, Any], **changes: str) -> None:
    entries = [
        entry(
            "aws:sns/topic:Topic",
            name,
            ARN.format(name),
            {"tags": {**TAGS, **changes}},
            {"arn": ARN.format(name)},
        )
        for name in ("jobs", "alarms")
    ]
    Path("state.json").write_text(json.dumps(state_of(entries, outputs)))


def test_all_is_well(cloud: Cloud, typist: Typist) -> None:
    cloud.said["jobs"] = {**TAGS, "aws:cloudformation:stack-name": "x", "team": "y"}
    told = typist.run(*CHECK)
    assert (told.code, told.out, told.err.splitlines()[-1]) == (
        0,
        "churn-dev on aws, eu-west-1, account 123456789012\n  2 resources take tags: 2 well\n",
        "note: Topic jobs has tags beside the spec's: team",
    )
    document = typist.run(*CHECK, "--json").json
    assert (document["format"], document["passed"], document["complete"]) == ("lastmile.tags/1", True, True)
    assert (document["wanted"], document["resources"][0]["extra"]) == (TAGS, {"team": "y"})


def test_a_spec_that_changed_is_put_there_by_up(cloud: Cloud, typist: Typist) -> None:
    old = {**TAGS, "owner": "before"}
    write_state(OUTPUTS, owner="before")
    cloud.said = {"jobs": old, "alarms": {key: value for key, value in old.items() if key != "model"}}
    write_csv(Path("bill.csv"), [row(ResourceId=ARN.format("alarms"), Tags=None, EffectiveCost="1234.5")])
    told = typist.run(*CHECK, "--costs", "bill.csv", "--junit", "tags.xml")
    assert (told.code, told.out.splitlines()[1:]) == (
        1,
        [
            "  Topic jobs",
            "    wrong    owner: is before, should be growth-team",
            "  Topic alarms",
            "    missing  model: should be churn                                 1\xa0234.50 USD",
            "    wrong    owner: is before, should be growth-team",
            "  2 resources take tags: 2 with missing or wrong ones",
            "  without model: 1\xa0234.50 USD",
            "  in all: 1\xa0234.50 USD, billed from 2026-10-03 to 2026-10-03 without the tag, so nobody's",
            "",
            "what to do:",
            "  This sets growth-team: lastmile up --target aws; if before is right, change owner in the spec",
            "  It was taken off beside the stack; this puts it back: cd PROJECT && pulumi up --refresh",
        ],
    )
    text = Path("tags.xml").read_text()
    assert '<failure message="wrong owner: is before, should be growth-team" type="CheckFailure">' in text
    assert "missing model: should be churn (1\xa0234.50 USD)" in text
    assert '<property name="money" value="billed from 2026-10-03 to 2026-10-03' in text


def test_what_missing_tags_cost_is_not_made_up(cloud: Cloud, typist: Typist) -> None:
    cloud.said["jobs"] = {}
    write_csv(
        Path("other.csv"), [row(ProviderName="Microsoft", PublisherName="Microsoft", EffectiveCost="1")]
    )
    told = typist.run(*CHECK, "--costs", "other.csv").out.splitlines()
    assert (
        "  what that costs is not known: the files have no cost of aws, so nothing is known of what missing tags cost"
        in told
    )
    write_csv(Path("paid.csv"), [row(ResourceId="other")])
    told = typist.run(*CHECK, "--costs", "paid.csv").out.splitlines()
    assert (
        "  what that costs: nothing, billed from 2026-10-03 to 2026-10-03 without the tag, so nobody's"
        in told
    )
    # The model is not here, so nothing can be built, nor estimated.
    told = typist.run(*CHECK).out.splitlines()
    assert any(line.startswith("  what that costs is not known: ") for line in told)
    asked = typist.run(*CHECK, "--requests", "1000")
    assert (asked.code, asked.out) == (1, "")


def test_an_estimate_says_what_it_is(cloud: Cloud, typist: Typist) -> None:
    cloud.said = {"jobs": {**TAGS, "owner": "x"}, "alarms": {}}
    for deployment, path in (("churn-dev", "mine.json"), ("fraud-dev", "other.json")):
        made = estimate_of({"jobs": "0.5", "alarms": "7.3"}, "aws:sns/topic:Topic", deployment)
        Path(path).write_text(json.dumps(to_json({"": made})))
    told = typist.run(*CHECK, "--estimate", "mine.json")
    assert (told.code, told.out.splitlines()[2:5], told.out.splitlines()[9:15]) == (
        1,
        [
            "    wrong    owner: is x, should be growth-team                         0.50 USD",
            "  Topic alarms",
            "    missing  model: should be churn                                     7.30 USD",
        ],
        [
            "  2 resources take tags: 2 with missing or wrong ones",
            "  without model: 7.30 USD",
            "  without environment: 7.30 USD",
            "  without owner: 7.80 USD",
            "  without cost-center: 7.30 USD",
            "  in all: 7.80 USD, a month at list prices, estimated in mine.json",
        ],
    )
    document = typist.run(*CHECK, "--estimate", "mine.json", "--json").json
    assert (document["basis"]["source"], document["cost"]) == ("estimated", {"USD": "7.8"})
    other = typist.run(*CHECK, "--estimate", "other.json")
    assert "error: other.json must have one estimate of churn-dev, but has fraud-dev." in other.err


def test_what_was_not_looked_at_is_told_and_never_well(cloud: Cloud, typist: Typist) -> None:
    asked = Asked("aws", "churn-dev")
    cloud.said["jobs"] = asked.denied("the tags of Topic jobs", "no")
    told = typist.run(*CHECK, "--junit", "tags.xml")
    assert (told.code, told.out.splitlines()[1:]) == (
        0,
        [
            "  Topic jobs",
            "    not looked at: AWS does not let you see the tags of Topic jobs of churn-dev: no.",
            "  2 resources take tags: 1 well, 1 not looked at",
        ],
    )
    assert '<skipped message="not looked at: AWS does not let' in Path("tags.xml").read_text()
    cloud.said["alarms"] = UntoldError("nobody knows.")
    none = typist.run(*CHECK)
    assert (none.code, none.out, none.err.splitlines()[-2]) == (
        *(1, ""),
        (
            "error: nothing of churn-dev could be looked at: AWS does not let you see the tags of Topic jobs of churn-dev: "
            "no."
        ),
    )
    cloud.said["alarms"] = asked.expired("old")
    assert "AWS does not take your credentials" in typist.run(*CHECK).err


def test_what_is_gone(cloud: Cloud, typist: Typist) -> None:
    cloud.said["jobs"] = MissingError("it is not there.")
    told = typist.run(*CHECK, "--json")
    assert (told.code, told.json["resources"][0]["presence"], told.json["resources"][0]["why"]) == (
        *(1, "gone"),
        "it is not there.",
    )


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (
            ("tags", "check"),
            "target is local, and on this machine nothing carries tags that a bill is told apart by.",
            "Name the cloud: --target aws, gcp or azure",
        ),
        (
            ("tags", "check", "--state", "none.json"),
            "none.json cannot be read: No such file or directory.",
            "Write it with: pulumi stack export --file state.json",
        ),
        (
            ("tags", "check", "--state", "lastmile.yaml"),
            "lastmile.yaml is not JSON: Expecting value: line 1 column 1 (char 0).",
            "Write it with: pulumi stack export --file state.json",
        ),
        (
            ("tags", "check", "--state", "list.json"),
            "list.json holds no stack's state: deployment is not an object in it.",
            "Write it with: pulumi stack export --file state.json",
        ),
        (
            (*CHECK, "--target", "gcp"),
            "state.json is of a stack on aws, but --target is gcp.",
            "--target aws",
        ),
        (
            ("tags", "check", "--state", "here.json"),
            "here.json is of a stack on no cloud: it has no resource that takes tags.",
            "Write it with: pulumi stack export --file state.json",
        ),
        (
            ("tags", "check", "--state", "empty.json"),
            "the stack of churn-dev has no resource that takes tags.",
            "Deploy it: lastmile up --target aws",
        ),
        (
            (*CHECK, "--environment", "prod"),
            "the stack is of churn-dev, but the spec is of churn-prod.",
            "Name the other file, or the spec's environment: --environment NAME",
        ),
        (
            (*CHECK, "--requests", "many"),
            "--requests is 'many', but must be a number of at least 0.",
            "Write the number alone, without a unit.",
        ),
        (
            (*CHECK, "--estimate", "list.json"),
            "list.json",
            "Write it: lastmile estimate --json > estimate.json",
        ),
        ((*CHECK, "--junit", "no/such/folder.xml"), "no/such/folder.xml cannot be written", ""),
    ],
)
def test_what_is_refused(words: Sequence[str], error: str, hint: str, cloud: Cloud, typist: Typist) -> None:
    Path("list.json").write_text("[]")
    Path("here.json").write_text(json.dumps(state_of([], {})))
    Path("empty.json").write_text(json.dumps(state_of([], OUTPUTS)))
    cloud.said["jobs"] = {}
    told = typist.run(*words)
    assert (told.code, told.out) == (1, "")
    assert f"error: {error}" in told.err
    assert f"hint: {hint}" in told.err or not hint


def test_options_that_exclude_each_other(cloud: Cloud, typist: Typist) -> None:
    both = typist.run(*CHECK, "--outputs", "outputs.json")
    assert (both.code, both.err.splitlines()[-1]) == (2, "Error: --state and --outputs exclude each other.")
    more = typist.run(*CHECK, "--costs", "bill.csv", "--requests", "5")
    assert (more.code, more.err.splitlines()[-1]) == (
        2,
        "Error: --costs says what was billed: --estimate and --requests say nothing more.",
    )


def test_only_what_outputs_name_is_said_to_be_so(cloud: Cloud, typist: Typist) -> None:
    cloud.said = {"churn-dev-predict": TAGS, "abc": TAGS}
    typist.write_outputs(OUTPUTS)
    told = typist.ask("tags check")
    assert (told.code, told.err.splitlines()[-1]) == (
        0,
        (
            "note: only what the outputs name was looked at; all of churn-dev: leave --outputs out, or give --state FILE "
            "from `pulumi stack export`"
        ),
    )


def test_this_machine_is_no_cloud() -> None:
    with pytest.raises(ValueError, match="local is no cloud"):
        open_tags(CloudStack(None, "local", OUTPUTS, {}))
