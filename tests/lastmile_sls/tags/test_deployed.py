"""Which resources of a stack take tags."""

from __future__ import annotations

from dataclasses import replace

from lastmile_sls.engine.properties import SECRET_SIGNATURE, SIGNATURE_KEY
from lastmile_sls.tags.deployed import of_outputs, of_state, stack_outputs, target_of
from lastmile_sls.tags.document import Deployed
from tests.lastmile_sls.tags.states import TAGS, entry, state_of

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:churn-dev-predict"
SITES = "/subscriptions/s/resourceGroups/Churn-dev/providers/Microsoft.Web/sites/churn-dev1a2b"
SECRET = {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": "v1:abc"}


def urn(function: str) -> str:
    return str(entry("aws:lambda/function:Function", function, "")["urn"])


QUEUE = str(entry("aws:sqs/queue:Queue", "bare", "")["urn"])


def test_what_stands_takes_tags_and_is_the_stacks_own() -> None:
    site, tagged = "azure-native:web/v20240401:WebApp", {"tags": TAGS}
    state = state_of(
        [
            entry("aws:lambda/function:Function", "predict", "churn", tagged, {"arn": FUNCTION}),
            entry("aws:lambda/alias:Alias", "live", "live", dependencies=[urn("predict")]),
            entry("aws:lambda/permission:Permission", "may", "may", dependencies=[urn("predict"), QUEUE]),
            entry("aws:lambda/function:Function", "old", "old", tagged, delete=True),
            entry("aws:s3/bucket:Bucket", "theirs", "theirs", tagged, external=True),
            entry("aws:sqs/queue:Queue", "bare", "https://sqs/bare", {"tags": SECRET | {}}),
            entry(site, "site", SITES, tagged, {"azureApiVersion": "2024-04-01"}),
            entry("pulumi:providers:aws", "default", "id"),
        ],
        {"deployment": "churn-dev", "target": "aws", "key": SECRET},
    )
    found = of_state(state)
    assert [one.name for one in found] == ["predict", "bare", "site"]
    predict = Deployed("aws:lambda/function:Function", "predict", "churn", FUNCTION, recorded=TAGS)
    assert found[0] == replace(predict, bearing=(("aws:lambda/alias:Alias", "live"),))
    assert found[2] == Deployed("azure-native:web:WebApp", "site", SITES, "", "2024-04-01", TAGS)
    assert (str(found[0]), found[0].key, found[1].key) == ("Function predict", FUNCTION, "https://sqs/bare")
    assert stack_outputs(state) == {"deployment": "churn-dev", "target": "aws"}
    assert (target_of(found), target_of(found[2:]), target_of(())) == ("aws", "azure", None)
    assert (of_state({}), stack_outputs({"deployment": {}})) == ((), {})


def test_outputs_of_aws() -> None:
    outputs = {
        "deployment": "churn-dev",
        "region": "eu-west-1",
        "account": "123456789012",
        "url": "https://abc.execute-api.eu-west-1.amazonaws.com",
        "functions": {"predict": FUNCTION},
        "logs": {"predict": "/aws/lambda/churn-dev-predict", "v2": "/aws/lambda/churn-dev-predict"},
        "queue": {"jobs": "https://sqs.eu-west-1.amazonaws.com/123456789012/churn-dev-jobs"},
        "alarms": {"errors": "churn-dev-errors"},
        "bucket": "s3://churn-dev-state",
    }
    assert [(one.key, one.id) for one in of_outputs(outputs, "aws")] == [
        (FUNCTION, "churn-dev-predict"),
        (
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/churn-dev-predict",
            "/aws/lambda/churn-dev-predict",
        ),
        ("arn:aws:sqs:eu-west-1:123456789012:churn-dev-jobs", outputs["queue"]["jobs"]),  # type: ignore[index] # a table
        ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:churn-dev-errors", "churn-dev-errors"),
        ("arn:aws:apigateway:eu-west-1::/apis/abc", "abc"),
        ("arn:aws:s3:::churn-dev-state", "churn-dev-state"),
    ]
    assert of_outputs({**outputs, "bucket": "s3://shared/churn"}, "aws")[-1].name == "abc"


def test_outputs_of_google_and_azure() -> None:
    service = "projects/p/locations/l/services/churn-dev-predict"
    google = {
        "deployment": "churn-dev",
        "functions": {"predict": service},
        "queue": {"topic": "projects/p/topics/t", "subscription": "projects/p/subscriptions/s"},
        "alarms": {"errors": "projects/p/alertPolicies/1"},
        "bucket": "gs://b",
    }
    assert [(one.type.rpartition(":")[2], one.id) for one in of_outputs(google, "gcp")] == [
        ("Service", service),
        ("Topic", "projects/p/topics/t"),
        ("Subscription", "projects/p/subscriptions/s"),
        ("AlertPolicy", "projects/p/alertPolicies/1"),
        ("Bucket", "b"),
    ]
    azure = {
        "deployment": "churn-dev",
        "functions": {"predict": SITES},
        "alarms": {"errors": "/subscriptions/s"},
    }
    assert [(one.type.rpartition(":")[2], one.id) for one in of_outputs(azure, "azure")] == [
        ("WebApp", SITES),
        ("ResourceGroup", "/subscriptions/s/resourceGroups/Churn-dev"),
    ]
    shared = {**azure, "deployment": "fraud-dev"}
    assert [one.type for one in of_outputs(shared, "azure")] == ["azure-native:web:WebApp"]
