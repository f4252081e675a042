"""What a plan says about queues and clocks on each target."""

from __future__ import annotations

from lastmile_sls.plan import work
from lastmile_sls.plan.document import Target
from tests.lastmile_infra.plans import plan_of, spec_of

SCHEDULE = {"cron": "0 6 * * 1", "input": "batch/in", "output": "batch/out", "format": "parquet"}
TARGETS: tuple[Target, ...] = ("local", "aws", "gcp", "azure")


def test_a_queue_by_its_names_in_each_cloud() -> None:
    spec = spec_of(queue={"max_attempts": 7}, resources={"max_instances": 1})
    queues = {target: work.queue_of(target, spec) for target in TARGETS}
    assert {
        target: (queue["resource"], queue["dead_letters"]) for target, queue in queues.items() if queue
    } == {
        "local": ("jobs", "jobs"),
        "aws": ("churn-dev-jobs", "churn-dev-jobs-dead"),
        "gcp": ("churn-dev-jobs", "churn-dev-jobs-dead"),
        "azure": ("churn-dev-jobs", "churn-dev-jobs-poison"),
    }
    assert {target: queue["workers"] for target, queue in queues.items() if queue} == {
        "local": None,
        "aws": 2,  # the fewest that Lambda's event sources take
        "gcp": None,
        "azure": None,
    }


def test_names_are_short_enough_for_what_is_added() -> None:
    spec = spec_of(name="m" * 40, environment="e" * 20, queue={})
    queues = {target: work.queue_of(target, spec) for target in TARGETS}
    lengths = {target: len(queue["dead_letters"]) for target, queue in queues.items() if queue}
    assert lengths == {"local": 4, "aws": 69, "gcp": 71, "azure": 55}


def test_a_clock_needs_a_queue_but_takes_no_requests_that_are_answered_later() -> None:
    plan = plan_of(spec_of(schedule=SCHEDULE), "aws")
    assert plan["queue"] is not None
    assert plan["storage"] is not None
    assert plan["schedule"] == {
        "name": "schedule",
        "resource": "churn-dev-schedule",
        "cron": "0 6 * * 1",
        "expression": "cron(0 6 ? * MON *)",
        "message": '{"kind": "batch"}',
    }
    (function,) = plan["functions"]
    assert (function["queue"], function["bucket"], function["jobs"]) == ("jobs", "state", None)
    assert function["batch"] == {"input": "batch/in", "output": "batch/out", "format": "parquet"}
    assert function["environment"]["LASTMILE_QUEUE_ATTEMPTS"] == "5"


def test_what_a_function_is_told_of_its_queue() -> None:
    spec = spec_of(queue={"max_attempts": 7}, schedule=SCHEDULE)
    assert work.settings_of("local", spec) == {}
    assert work.settings_of("aws", spec) == {"LASTMILE_QUEUE_ATTEMPTS": "7"}
    assert work.settings_of("gcp", spec) == {
        "LASTMILE_QUEUE_ATTEMPTS": "7",
        "LASTMILE_PUSH_AUDIENCE": "https://churn-dev/_lastmile/queue",
    }
    checked = work.settings_of("gcp", spec_of(queue={}, endpoint={"auth": "iam"}))
    assert checked["LASTMILE_PUSH_CHECKED"] == "1"
    assert work.settings_of("azure", spec) == {
        "LASTMILE_QUEUE_NAME": "churn-dev-jobs",
        "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "7",
        "LASTMILE_SCHEDULE": "0 0 6 * * 1",
    }
    assert work.settings_of("aws", spec_of()) == {}


def test_answers_lie_below_the_deployment_in_a_bucket_that_is_shared() -> None:
    assert work.jobs_path("aws", spec_of(queue={})) == "results"
    adopted = spec_of(queue={}, targets={"aws": {"bucket": "company-models"}})
    assert work.jobs_path("aws", adopted) == "churn-dev/results"
    assert work.jobs_path("aws", spec_of()) is None


def test_who_may_be_told() -> None:
    callback = {"urls": ["https://app.example/hooks/"], "secret": "HOOKS"}
    spec = spec_of(queue={"callback": callback}, secrets={"HOOKS": "hooks"})
    (function,) = plan_of(spec, "gcp")["functions"]
    assert function["callback"] == callback
