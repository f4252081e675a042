"""Google's REST APIs, held against their discovery documents: `lastmile tags check` of a deployment, as on AWS."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from lastmile_sls.control.gcp import client, tags
from lastmile_sls.policy.rules.tags import taggable
from tests.clouds.stacks import GOLDEN, read_golden
from tests.conformance.google_apis import Session, require_schema
from tests.lastmile_infra.plans import spec_of
from tests.lastmile_sls.control.commands import Typist
from tests.lastmile_sls.costs.exports import google, write_csv
from tests.lastmile_sls.tags.states import TAGS, entry, state_of

pytestmark = pytest.mark.conformance
PROJECT = "projects/acme-models"
HERE = f"{PROJECT}/locations/europe-west1"
SERVICE, TOPIC = f"{HERE}/services/churn-dev-predict", f"{PROJECT}/topics/churn-dev-jobs"
PLACE = "churn-dev (europe-west1, account acme-models)"
IDS: dict[str, tuple[str, str, str]] = {
    "gcp:artifactregistry/repository:Repository": (
        *(f"{HERE}/repositories/churn-dev", "artifactregistry"),
        "Repository",
    ),
    "gcp:cloudrunv2/service:Service": (SERVICE, "run", "GoogleCloudRunV2Service"),
    "gcp:compute/globalAddress:GlobalAddress": (
        *(f"{PROJECT}/global/addresses/churn-dev", "compute"),
        "Address",
    ),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        *(f"{PROJECT}/global/forwardingRules/churn-dev", "compute"),
        "ForwardingRule",
    ),
    "gcp:compute/securityPolicy:SecurityPolicy": (
        *(f"{PROJECT}/global/securityPolicies/churn-dev", "compute"),
        "SecurityPolicy",
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": (f"{PROJECT}/alertPolicies/1", "monitoring", "AlertPolicy"),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        *(f"{PROJECT}/notificationChannels/2", "monitoring"),
        "NotificationChannel",
    ),
    "gcp:pubsub/subscription:Subscription": (
        *(f"{PROJECT}/subscriptions/churn-dev-jobs", "pubsub"),
        "Subscription",
    ),
    "gcp:pubsub/topic:Topic": (TOPIC, "pubsub", "Topic"),
    "gcp:secretmanager/secret:Secret": (f"{PROJECT}/secrets/churn-dev-key", "secretmanager", "Secret"),
    "gcp:storage/bucket:Bucket": ("churn-dev-state", "storage", "Bucket"),
}
"""By type: the id as Pulumi's provider has it, the service, and the schema of its answer."""
OUTPUTS = {
    "deployment": "churn-dev",
    "target": "gcp",
    "region": "europe-west1",
    "account": "acme-models",
    "url": "https://churn-dev-predict-abc.a.run.app",
    "functions": {"predict": SERVICE},
    "queue": {"topic": TOPIC},
    "bucket": "gs://churn-dev-state",
}
CHECK = ("tags", "check", "--state", "state.json")


@pytest.fixture
def session() -> Session:
    found = Session()
    for type_, (id_, _, _) in IDS.items():
        field = taggable()[type_]
        found.answers[id_] = {field: {**TAGS, "goog-pulumi-provisioned": "true"}}
    found.answers[SERVICE]["template"] = {"labels": dict(TAGS)}
    return found


@pytest.fixture
def typist(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typist:
    google_ = partial(client.Google, session=session, pause=lambda seconds: None)
    monkeypatch.setattr(tags, "Google", google_)
    monkeypatch.setenv("COLUMNS", "100")
    made = Typist(tmp_path, monkeypatch, capsys)
    content = spec_of().model_dump(mode="json", by_alias=True, exclude_unset=True)
    (tmp_path / "lastmile.yaml").write_text(yaml.safe_dump(content))
    entries = [
        entry(type_, f"churn-dev-{number}", id_, {taggable()[type_]: TAGS})
        for number, (type_, (id_, _, _)) in enumerate(IDS.items())
    ]
    (tmp_path / "state.json").write_text(json.dumps(state_of(entries, OUTPUTS)))
    return made


def test_each_type_of_our_programs_is_known_and_answered_as_google_would(session: Session) -> None:
    paths = sorted(GOLDEN.parents[1].glob("*/golden/*.json"))
    types = {record.type for path in paths for record in read_golden(path) if record.type in taggable()}
    assert {type_ for type_ in types if type_.startswith("gcp:")} <= tags.TYPES == IDS.keys()
    for id_, service, schema in IDS.values():
        require_labels(service, schema, session.answers[id_])


def require_labels(service: str, schema: str, answer: dict[str, Any]) -> None:
    """Hold what is not a map of labels against the schema, and that the schema has the labels."""
    require_schema(service, schema, {name: {} for name in answer})
    if "template" in answer:
        require_schema(service, schema, {"template": {"labels": {}}})


def test_all_is_well(session: Session, typist: Typist) -> None:
    told = typist.run(*CHECK)
    assert (told.code, told.out.splitlines()) == (
        0,
        ["churn-dev on gcp, europe-west1, account acme-models", "  11 resources take tags: 11 well"],
    )
    assert "note: " not in told.err
    assert [path for path, _ in session.asked][:2] == [
        f"/v1/{IDS['gcp:artifactregistry/repository:Repository'][0]}",
        f"/v2/{SERVICE}",
    ]
    assert session.asked[-1] == ("/storage/v1/b/churn-dev-state", {})


def test_one_missing_one_wrong_one_gone(session: Session, typist: Typist) -> None:
    del session.answers[SERVICE]["labels"]["owner"]
    session.answers[SERVICE]["template"] = {"labels": {**TAGS, "model": "other"}}
    session.answers["churn-dev-state"] = {}
    del session.answers[TOPIC]
    number = f"//run.googleapis.com/projects/123456/{SERVICE.split('/', 2)[2]}"
    without = [{"Key": key, "Value": value} for key, value in TAGS.items() if key != "owner"]
    asked = google(ResourceId=number, EffectiveCost="0.000000012", x_Labels=without, x_ProjectLabels=[])
    plain = google(ResourceId="churn-dev-state", EffectiveCost="3.1", x_Labels=[], x_ProjectLabels=[])
    rows = [
        {**line, **{name: json.dumps(line[name]) for name in ("x_Labels", "x_ProjectLabels")}}
        for line in (asked, plain)
    ]
    write_csv(Path("bill.csv"), rows)
    told = typist.run(*CHECK, "--costs", "bill.csv")
    refresh = "cd PROJECT && pulumi up --refresh"
    assert (told.code, told.out.splitlines()) == (
        1,
        [
            "churn-dev on gcp, europe-west1, account acme-models",
            "  Service churn-dev-1",
            "    missing  owner: should be growth-team                                                  <0.01 USD",
            "    wrong    model of its instances: is other, should be churn",
            "  Topic churn-dev-8",
            "    gone     the stack has it, the cloud does not",
            "  Bucket churn-dev-10",
            "    missing  model: should be churn                                                         3.10 USD",
            "    missing  environment: should be dev                                                     3.10 USD",
            "    missing  owner: should be growth-team                                                   3.10 USD",
            "    missing  cost-center: should be cc-1                                                    3.10 USD",
            "    missing  managed-by: should be lastmile",
            "  11 resources take tags: 8 well, 2 with missing or wrong ones, 1 gone",
            "  without model: 3.10 USD",
            "  without environment: 3.10 USD",
            "  without owner: 3.10 USD",
            "  without cost-center: 3.10 USD",
            "  in all: 3.10 USD, billed from 2026-10-03 to 2026-10-03 without the tag, so nobody's",
            "",
            "what to do:",
            f"  It was taken off beside the stack; this puts it back: {refresh}",
            f"  Somebody set it by hand; this puts churn back: {refresh}; if other is right, change name in the spec",
            f"  It was deleted beside the stack; this makes it again: {refresh}",
        ],
    )
    document = typist.run(*CHECK, "--costs", "bill.csv", "--json").json
    assert document["by_tag"]["owner"] == {"USD": "3.100000012"}
    typist.write_outputs(OUTPUTS)
    few = typist.run("tags", "check", "--outputs", str(typist.outputs_file), "--costs", "bill.csv", "--json")
    assert [(one["name"], one["presence"], len(one["findings"])) for one in few.json["resources"]] == [
        ("churn-dev-predict", "there", 2),
        ("churn-dev-jobs", "gone", 1),
        ("churn-dev-state", "there", 5),
    ]
    assert few.json["cost"] == document["cost"]


def test_refusals(session: Session, typist: Typist) -> None:
    session.refusals = [(403, "Secret Manager API has not been used in project 1 before or it is disabled.")]
    told = typist.run(*CHECK)
    assert (told.code, told.out.splitlines()[2:]) == (
        0,
        [
            (
                f"    not looked at: Google Cloud does not let you see the labels of Repository churn-dev-0 of {PLACE}: "
                "Secret Manager API has not been used in project 1 before or it is disabled."
            ),
            "  11 resources take tags: 10 well, 1 not looked at",
        ],
    )
    session.refusals = [(403, "no")] * len(IDS)
    told = typist.run(*CHECK)
    assert (told.code, told.err.splitlines()[-2:]) == (
        1,
        [
            (
                "error: nothing of churn-dev could be looked at: Google Cloud does not let you see the labels of Repository "
                f"churn-dev-0 of {PLACE}: no."
            ),
            "hint: Are these the right credentials? They must be allowed to read what lastmile made.",
        ],
    )
    for status, error in (
        (401, f"error: Google Cloud does not take your credentials for {PLACE}: no."),
        (
            429,
            (
                f"error: Google Cloud was asked for the labels of Repository churn-dev-0 of {PLACE} again and again, and "
                "refused because there are too many requests: no."
            ),
        ),
    ):
        session.refusals = [(status, "no")] * client.ATTEMPTS
        told = typist.run(*CHECK)
        assert (told.code, told.out, told.err.splitlines()[-2]) == (1, "", error)
        session.refusals = []
