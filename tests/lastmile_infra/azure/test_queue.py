from __future__ import annotations

from pathlib import Path

from tests.lastmile_infra.azure.recorded import DATA_GROUP, SUBSCRIPTION, Run, provisioned
from tests.lastmile_infra.plans import spec_of, two_versions

FUNCTIONS = "principal of churn-dev-identity"
CONTRIBUTOR, SENDER = "974c5e8b-45b9-4653-ba55-5f855dd0fb88", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"


def test_a_queue_and_its_dead_letters(watched: Run) -> None:
    queues = {r.name: r for r in watched.all("Queue")}
    assert {name: queue.inputs for name, queue in queues.items()} == {
        f"churn-dev-{name}": {
            "accountName": "churndevdata-1234567",
            "queueName": queue,
            "resourceGroupName": "churn-dev-data-1234567",
        }
        for name, queue in (("jobs", "churn-dev-jobs"), ("dead-letters", "churn-dev-jobs-poison"))
    }
    # The account is kept, but what waits in a queue is nobody's when the functions are gone.
    assert not [queue for queue in queues.values() if queue.request.retainOnDelete]


def test_what_the_functions_may_do_with_them(watched: Run) -> None:
    grants = watched.grants()
    service = (
        f"{DATA_GROUP}/Microsoft.Storage/storageAccounts/churndevdata-1234567/queueServices/default/queues"
    )
    assert {grant for grant in grants if "/queueServices/" in grant[2]} == {
        (FUNCTIONS, CONTRIBUTOR, f"{service}/churn-dev-jobs"),
        (FUNCTIONS, SENDER, f"{service}/churn-dev-jobs-poison"),
    }


def test_in_an_account_that_was_there(tmp_path: Path) -> None:
    place = {"bucket": "mine/models", "resource_group": "theirs"}
    run = provisioned(spec_of(queue={}, targets={"azure": place}), tmp_path)
    for queue in run.all("Queue"):
        assert (queue.inputs["accountName"], queue.inputs["resourceGroupName"]) == ("mine", "theirs")
    theirs = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/theirs/providers/Microsoft.Storage/storageAccounts"
    )
    scopes = {grant[2] for grant in run.grants() if "/queueServices/" in grant[2]}
    assert scopes == {
        f"{theirs}/mine/queueServices/default/queues/{name}"
        for name in ("churn-dev-jobs", "churn-dev-jobs-poison")
    }
    assert run.settings("churn-dev-predict")["LASTMILE_JOBS_URL"] == "az://mine/models/churn-dev/results"


def test_none_without_work_that_waits(tmp_path: Path) -> None:
    run = provisioned(spec_of(**two_versions()), tmp_path)
    assert not run.all("Queue")
    assert not [name for name in run.settings("churn-dev-predict") if name.startswith("LASTMILE_QUEUE")]
    assert not {"queue", "schedule"} & run.outputs.keys()
