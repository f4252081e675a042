"""Resource Manager's shapes, which Azure's own models must know: `lastmile tags check` of a deployment, as on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from lastmile_sls.control.azure import client, tags
from lastmile_sls.policy.resource import plain_type
from lastmile_sls.policy.rules.tags import taggable
from tests.clouds.api_models.azure import MODEL
from tests.clouds.stacks import GOLDEN, read_golden
from tests.conformance.test_control_azure import Login, Redirected
from tests.lastmile_infra.plans import spec_of
from tests.lastmile_sls.control.commands import Typist
from tests.lastmile_sls.costs.exports import azure, write_csv
from tests.lastmile_sls.tags.states import TAGS, entry, state_of

pytestmark = pytest.mark.conformance
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/churn-dev"
PLACE = f"churn-dev (westeurope, account {SUBSCRIPTION})"
KINDS = {
    "app:ContainerApp": "Microsoft.App/containerApps",
    "app:ManagedEnvironment": "Microsoft.App/managedEnvironments",
    "applicationinsights:Component": "Microsoft.Insights/components",
    "applicationinsights:Workbook": "Microsoft.Insights/workbooks",
    "cdn:AFDEndpoint": "Microsoft.Cdn/profiles/churn/afdEndpoints",
    "cdn:Profile": "Microsoft.Cdn/profiles",
    "containerregistry:Registry": "Microsoft.ContainerRegistry/registries",
    "frontdoor:Policy": "Microsoft.Network/frontdoorWebApplicationFirewallPolicies",
    "keyvault:Secret": "Microsoft.KeyVault/vaults/churn/secrets",
    "keyvault:Vault": "Microsoft.KeyVault/vaults",
    "managedidentity:UserAssignedIdentity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "monitor:ActionGroup": "Microsoft.Insights/actionGroups",
    "monitor:MetricAlert": "Microsoft.Insights/metricAlerts",
    "monitor:ScheduledQueryRule": "Microsoft.Insights/scheduledQueryRules",
    "operationalinsights:Workspace": "Microsoft.OperationalInsights/workspaces",
    "resources:ResourceGroup": "",
    "storage:StorageAccount": "Microsoft.Storage/storageAccounts",
    "web:AppServicePlan": "Microsoft.Web/serverfarms",
    "web:WebApp": "Microsoft.Web/sites",
}
"""By type: the provider's part of the id."""
CHECK = ("tags", "check", "--state", "state.json")


def id_of(kind: str) -> str:
    part = KINDS[kind]
    return f"{GROUP}/providers/{part}/churn-dev" if part else GROUP


SITE, STORE = id_of("web:WebApp"), id_of("storage:StorageAccount")
OUTPUTS = {
    "deployment": "churn-dev",
    "target": "azure",
    "region": "westeurope",
    "account": SUBSCRIPTION,
    "url": "https://churn-dev.azurewebsites.net",
    "functions": {"predict": SITE},
    "alarms": {"errors": id_of("monitor:ScheduledQueryRule")},
}


class World:
    """Resource Manager: what each path is answered with."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            id_of(kind): {"id": id_of(kind), "tags": {**TAGS, "hidden-link: x": "y"}} for kind in KINDS
        }
        self.refusals: list[tuple[int, str]] = []
        self.asked: list[tuple[str, str]] = []

    def answer(self, address: str) -> tuple[int, dict[str, Any]]:
        path, version = urlsplit(address).path, parse_qs(urlsplit(address).query)["api-version"][0]
        self.asked.append((path, version))
        if self.refusals:
            status, code = self.refusals.pop(0)
            return status, {"error": {"code": code, "message": "no, because"}}
        if path in self.answers:
            return 200, self.answers[path]
        said = f"The Resource '{path}' was not found."
        return 404, {"error": {"code": "ResourceNotFound", "message": said}}


class _Handler(BaseHTTPRequestHandler):
    world: World

    def do_GET(self) -> None:
        assert self.headers["authorization"] == "Bearer the-token"
        status, document = self.world.answer(self.path)
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def typist(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typist]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"world": world}))
    Thread(target=server.serve_forever, daemon=True).start()
    options = {"transport": Redirected(server.server_port), "retry_backoff_factor": 0}
    monkeypatch.setattr(tags, "Azure", partial(client.Azure, options=options, login=Login()))
    monkeypatch.setenv("COLUMNS", "100")
    made = Typist(tmp_path, monkeypatch, capsys)
    content = spec_of().model_dump(mode="json", by_alias=True, exclude_unset=True)
    (tmp_path / "lastmile.yaml").write_text(yaml.safe_dump(content))
    entries = [
        entry(
            f"azure-native:{kind}", kind, id_of(kind), {"tags": TAGS}, {"azureApiVersion": f"2025-01-{at:02}"}
        )
        for at, kind in enumerate(KINDS, 1)
    ]
    (tmp_path / "state.json").write_text(json.dumps(state_of(entries, OUTPUTS)))
    yield made
    server.shutdown()
    server.server_close()


def test_azures_models_have_the_tags_of_each_type() -> None:
    paths = sorted(GOLDEN.parents[1].glob("*/golden/*.json"))
    types = {plain_type(record.type) for path in paths for record in read_golden(path)}
    ours = {type_.removeprefix("azure-native:") for type_ in types & taggable().keys() if "azure" in type_}
    assert ours == KINDS.keys()
    for kind in KINDS:
        body, *_ = MODEL.roots[f"azure-native:{kind}"]
        assert "tags" in MODEL.load(body).members, kind
    at_scope = MODEL.load("resource.resources.v2022_09_01:TagsResource").members["properties"]
    assert "tags" in at_scope.members


def test_all_is_well_and_asked_with_the_providers_versions(world: World, typist: Typist) -> None:
    told = typist.run(*CHECK)
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            f"churn-dev on azure, westeurope, account {SUBSCRIPTION}",
            "  19 resources take tags: 19 well",
        ],
    )
    assert world.asked == [(id_of(kind), f"2025-01-{at:02}") for at, kind in enumerate(KINDS, 1)]


def test_one_missing_one_wrong_one_gone(world: World, typist: Typist) -> None:
    world.answers[SITE]["tags"] = {key: value for key, value in TAGS.items() if key != "owner"}
    world.answers[STORE]["tags"] = {**TAGS, "environment": "prod"}
    del world.answers[id_of("cdn:Profile")]
    without = json.dumps(world.answers[SITE]["tags"])
    rows = [
        azure(ResourceId=SITE.upper(), EffectiveCost="4.5", Tags=without),
        azure(ResourceId=f"{STORE}/queueServices/default", EffectiveCost="0.25", Tags=None),
    ]
    write_csv(Path("bill.csv"), rows)
    told = typist.run(*CHECK, "--costs", "bill.csv")
    refresh = "cd PROJECT && pulumi up --refresh"
    assert (told.code, told.out.splitlines()) == (
        1,
        [
            f"churn-dev on azure, westeurope, account {SUBSCRIPTION}",
            "  Profile cdn:Profile",
            "    gone     the stack has it, the cloud does not",
            "  StorageAccount storage:StorageAccount",
            "    wrong    environment: is prod, should be dev",
            "  WebApp web:WebApp",
            "    missing  owner: should be growth-team                                                   4.50 EUR",
            "  19 resources take tags: 16 well, 2 with missing or wrong ones, 1 gone",
            "  without owner: 4.50 EUR",
            "  in all: 4.50 EUR, billed from 2026-10-03 to 2026-10-03 without the tag, so nobody's",
            "",
            "what to do:",
            f"  It was deleted beside the stack; this makes it again: {refresh}",
            (
                f"  Somebody set it by hand; this puts dev back: {refresh}; if prod is right, change environment in "
                "the spec"
            ),
            f"  It was taken off beside the stack; this puts it back: {refresh}",
        ],
    )
    document = typist.run(*CHECK, "--costs", "bill.csv", "--json").json
    typist.write_outputs(OUTPUTS)
    for kind in ("web:WebApp", "monitor:ScheduledQueryRule", "resources:ResourceGroup"):
        found = world.answers.pop(id_of(kind))
        world.answers[f"{id_of(kind)}/providers/Microsoft.Resources/tags/default"] = {
            "properties": {"tags": found["tags"]}
        }
    few = typist.run("tags", "check", "--outputs", str(typist.outputs_file), "--costs", "bill.csv", "--json")
    assert few.json["cost"] == document["cost"] == {"EUR": "4.5"}
    assert [(one["type"], len(one["findings"])) for one in few.json["resources"]] == [
        ("azure-native:web:WebApp", 1),
        ("azure-native:monitor:ScheduledQueryRule", 0),
        ("azure-native:resources:ResourceGroup", 0),
    ]
    assert world.asked[-1][1] == "2021-04-01"


def test_refusals(world: World, typist: Typist) -> None:
    world.refusals = [(403, "AuthorizationFailed")]
    told = typist.run(*CHECK)
    assert (told.code, told.out.splitlines()[2:]) == (
        0,
        [
            (
                "    not looked at: Azure does not let you see the tags of ContainerApp app:ContainerApp of "
                f"{PLACE}: AuthorizationFailed: no, because."
            ),
            "  19 resources take tags: 18 well, 1 not looked at",
        ],
    )
    what = f"the tags of ContainerApp app:ContainerApp of {PLACE}"
    for status, code, error in (
        (
            *(401, "ExpiredAuthenticationToken"),
            (
                f"error: Azure does not take your credentials for {PLACE}: ExpiredAuthenticationToken: no, because."
            ),
        ),
        (
            *(429, "TooManyRequests"),
            (
                f"error: Azure was asked for {what} again and again, and refused because there are too many requests: "
                "TooManyRequests: no, because."
            ),
        ),
        (
            *(404, "SubscriptionNotFound"),
            (
                f"error: nothing of churn-dev could be looked at: Azure does not let you see the subscription of {PLACE}: "
                f"{what} is not there: SubscriptionNotFound: no, because."
            ),
        ),
    ):
        world.refusals = [(status, code)] * 40
        told = typist.run(*CHECK)
        assert (told.code, told.out, told.err.splitlines()[-2]) == (1, "", error)
