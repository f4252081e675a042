from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.gcp.queue import PUSH_PATH
from lastmile_runtime.adapters import gcp as runtime
from tests.lastmile_infra.gcp.recorded import (
    ACCOUNT,
    PROJECT,
    PUSHER,
    REGION,
    agent_of,
    run_of,
    subscription_of,
    topic_of,
    uri_of,
)
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.recorded import Run

QUEUE: dict[str, Any] = {
    "queue": {
        "max_attempts": 7,
        "visibility_timeout_s": 120,
        "retention_s": 3600,
        "callback": {"urls": ["https://hooks.example.com/"], "secret": "HOOK"},
    },
    "secrets": {"HOOK": "hook"},
}
PUBSUB = agent_of("pubsub")
AUDIENCE = "https://churn-dev/_lastmile/queue"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("gcp") / "project", **QUEUE)


def test_messages_wait_in_a_topic_and_are_set_aside_in_another(run: Run) -> None:
    stays = {"messageStoragePolicy": {"allowedPersistenceRegions": [REGION]}, "labels": TAGS}
    assert {r.name: r.inputs for r in run.all("Topic")} == {
        "churn-dev-jobs": {"name": "churn-dev-jobs", **stays},
        "churn-dev-jobs-dead": {"name": "churn-dev-jobs-dead", **stays},
    }
    assert run.inputs("Subscription", "churn-dev-jobs-dead-letters") == {
        "name": "churn-dev-jobs-dead",
        "topic": topic_of("churn-dev-jobs-dead"),
        "ackDeadlineSeconds": 60,
        "messageRetentionDuration": "1209600s",
        "expirationPolicy": {"ttl": ""},
        "labels": TAGS,
    }
    assert run.outputs["queue"] == {
        "topic": topic_of("churn-dev-jobs"),
        "subscription": subscription_of("churn-dev-jobs"),
        "dead_letters": subscription_of("churn-dev-jobs-dead"),
    }


def test_messages_are_pushed_until_they_were_worked_on(run: Run) -> None:
    pushes = run.one("Subscription", "churn-dev-jobs-pushes")
    assert pushes.inputs == {
        "name": "churn-dev-jobs",
        "topic": topic_of("churn-dev-jobs"),
        "pushConfig": {
            "pushEndpoint": f"{uri_of('churn-dev-predict')}/_lastmile/queue",
            "oidcToken": {"serviceAccountEmail": PUSHER, "audience": AUDIENCE},
        },
        "ackDeadlineSeconds": 120,
        "messageRetentionDuration": "3600s",
        "expirationPolicy": {"ttl": ""},
        "deadLetterPolicy": {
            "deadLetterTopic": topic_of("churn-dev-jobs-dead"),
            "maxDeliveryAttempts": 7,
        },
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "labels": TAGS,
    }
    rights = {"churn-dev-pushes-called", "churn-dev-jobs-proves", "churn-dev-jobs-sets-aside"}
    assert rights <= pushes.waits_for


def test_pushes_go_where_the_runtime_takes_them() -> None:
    assert PUSH_PATH == runtime.PUSH_PATH


def test_everybody_may_do_their_part_alone(run: Run) -> None:
    publisher = {"role": "roles/pubsub.publisher"}
    assert {r.name: r.inputs for r in run.all("TopicIAMMember")} == {
        "churn-dev-sends": {
            **publisher,
            "topic": topic_of("churn-dev-jobs"),
            "member": f"serviceAccount:{ACCOUNT}",
        },
        "churn-dev-jobs-sets-aside": {
            **publisher,
            "topic": topic_of("churn-dev-jobs-dead"),
            "member": PUBSUB,
        },
    }
    assert run.inputs("SubscriptionIAMMember") == {
        "subscription": "churn-dev-jobs",
        "role": "roles/pubsub.subscriber",
        "member": PUBSUB,
    }
    assert run.inputs("IAMMember") == {
        "serviceAccountId": f"projects/{PROJECT}/serviceAccounts/churn-dev-push",
        "role": "roles/iam.serviceAccountOpenIdTokenCreator",
        "member": PUBSUB,
    }
    assert run.inputs("ServiceIamMember") == {
        "name": "churn-dev-predict",
        "location": REGION,
        "role": "roles/run.servicesInvoker",
        "member": f"serviceAccount:{PUSHER}",
    }
    assert run.inputs("ServiceIdentity") == {"service": "pubsub.googleapis.com"}
    assert run.inputs("Account", "churn-dev-pusher") == {
        "accountId": "churn-dev-push",
        "displayName": "churn-dev",
        "description": "Pushes this deployment's messages to its function.",
    }


def variables_of(run: Run, function: str = "churn-dev-predict") -> dict[str, str]:
    """Return the variables of a function that are no secrets."""
    (container,) = run.inputs("Service", function)["template"]["containers"]
    return {variable["name"]: variable.get("value") for variable in container["envs"]}


def test_the_function_is_told_of_its_queue(run: Run) -> None:
    found = variables_of(run)
    assert {name: found[name] for name in found if name not in VARIABLES_OF_THE_BUNDLE} == {
        "HOOK": None,
        "LASTMILE_QUEUE_URL": f"pubsub://{PROJECT}/churn-dev-jobs",
        "LASTMILE_QUEUE_ATTEMPTS": "7",
        "LASTMILE_PUSH_AUDIENCE": AUDIENCE,
        "LASTMILE_PUSH_ACCOUNT": PUSHER,
        "LASTMILE_JOBS_URL": "gs://churn-dev-state-1234567/results",
        "LASTMILE_CALLBACK": '{"urls": ["https://hooks.example.com/"], "secret": "HOOK"}',
    }
    waits = run.one("Service", "churn-dev-predict").waits_for
    assert {"churn-dev-sends", "churn-dev-reads-jobs", "churn-dev-writes-jobs"} <= waits


VARIABLES_OF_THE_BUNDLE = {
    "GOOGLE_CLOUD_PROJECT",
    "LASTMILE_AUTH",
    "LASTMILE_CONCURRENCY",
    "LASTMILE_MANIFEST_DIGEST",
    "LASTMILE_ROUTING",
    "LASTMILE_TIMEOUT_S",
}


@pytest.mark.parametrize(
    ("endpoint", "is_open", "ingress", "audiences"),
    [
        ({"auth": "key"}, True, "INGRESS_TRAFFIC_ALL", None),
        ({"auth": "iam"}, False, "INGRESS_TRAFFIC_ALL", [AUDIENCE]),
        (
            {"auth": "iam", "domain": "a.example.com"},
            False,
            "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
            ["https://a.example.com", AUDIENCE],
        ),
        ({"auth": "key", "domain": "a.example.com"}, True, "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", None),
    ],
    ids=["key", "iam", "iam behind a domain", "key behind a domain"],
)
def test_pushes_get_through(
    tmp_path: Path, endpoint: dict[str, Any], is_open: bool, ingress: str, audiences: list[str] | None
) -> None:
    """Cloud Run's own address is there for them, and where Cloud Run checks tokens, it knows whom theirs are for."""
    callers = ["group:analysts@example.com"] if endpoint["auth"] == "iam" else []
    run = run_of(tmp_path, **QUEUE, endpoint=endpoint, targets={"gcp": {"callers": callers}})
    service = run.inputs("Service", "churn-dev-predict")
    assert service["invokerIamDisabled"] is is_open
    assert service["ingress"] == ingress
    assert service["defaultUriDisabled"] is False
    assert service.get("customAudiences") == audiences
    assert variables_of(run).get("LASTMILE_PUSH_CHECKED") == (None if is_open else "1")
