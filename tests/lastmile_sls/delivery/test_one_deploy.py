"""What an app answers while it is not ready, is busy, refuses or fails, and how long that is borne."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.delivery.one_deploy import OneDeploy
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.delivery.kudu import TOKEN, Kudu, kudu
from tests.lastmile_sls.delivery.waiting import FakePatience
from tests.ports import free_port


@pytest.fixture
def service() -> Iterator[Kudu]:
    with kudu() as found:
        yield found


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "code.zip"
    path.write_bytes(b"a zip" * 100_000)
    return path


def deploy(service: Kudu, zipped: Path, patience: FakePatience | None = None) -> str:
    with OneDeploy("churn", f"{service.url}/", lambda: TOKEN, patience or FakePatience()) as deployer:
        return deployer.deploy(zipped)


def refused(service: Kudu, zipped: Path) -> tuple[str, str]:
    with pytest.raises(LastmileError) as caught:
        deploy(service, zipped)
    assert TOKEN not in str(caught.value)
    return caught.value.message, caught.value.hint


def test_an_app_that_is_not_ready_or_busy_is_asked_again(service: Kudu, zipped: Path) -> None:
    patience = FakePatience()
    service.faults = [404, 503, 409, "cut", "lose"]
    assert deploy(service, zipped, patience) == "id-2"
    assert patience.pauses == [1, 2, 4, 8, 15]
    assert service.deployed == [zipped.read_bytes()] * 2


def test_an_app_that_does_not_become_ready_is_given_up(service: Kudu, zipped: Path) -> None:
    service.faults = [503] * 100
    service.says = "The service is unavailable."
    assert refused(service, zipped) == (
        "churn: sending the code was answered with 503 (The service is unavailable).",
        "If it is a passing fault of Azure's, run again.",
    )
    assert 15 < service.count("POST") < 30
    service.faults = [409] * 100
    assert refused(service, zipped)[1] == (
        "Another deployment may be in progress: wait until it ends, then run again."
    )


def test_who_may_not_deploy_is_told_at_once(service: Kudu, zipped: Path) -> None:
    service.faults = [403]
    service.says = f"no rights for {TOKEN}"
    assert refused(service, zipped) == (
        "churn: sending the code was answered with 403 (no rights for ***).",
        "Give whoever runs this the role Website Contributor on the app.",
    )
    assert service.count("POST") == 1


def test_an_app_that_cannot_be_reached_is_told(zipped: Path) -> None:
    port = free_port()
    message, hint = refused(Kudu(f"http://127.0.0.1:{port}"), zipped)
    assert message == f"churn: 127.0.0.1:{port} cannot be reached: Connection refused."
    assert hint == "Check the app's name and the network, then run again."


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"status": 3, "status_text": "no\nhost.json."}, "failed: no host.json."),
        ({"status": -1}, "was cancelled."),
        ({"status": 6, "status_text": "triggers"}, "succeeded in part only: triggers."),
        (
            {"status": 3, "build_summary": {"errors": ["first", "second"], "warnings": ["w"]}},
            "failed.\nfirst\nsecond",
        ),
    ],
)
def test_a_deployment_that_fails_is_told(
    service: Kudu, zipped: Path, state: dict[str, Any], told: str
) -> None:
    service.states = [{"status": 1, "complete": False}, state]
    message, hint = refused(service, zipped)
    assert message == f"churn: the deployment id-1 {told}"
    assert hint == "Mend what it says, then run again."


def test_the_log_of_a_failed_deployment_is_told(service: Kudu, zipped: Path) -> None:
    service.states = [{"status": 3}]
    service.log = [
        {"message": "Updating\nDone", "details_url": f"{service.url}/api/deployments/id-1/log/1/details"},
        {"message": f"the token was {TOKEN}", "details_url": "http://127.0.0.1:1/elsewhere"},
    ]
    service.details = [{"message": "a detail", "details_url": f"{service.url}/deeper/details"}]
    message, _ = refused(service, zipped)
    assert message.splitlines()[1:] == ["Updating", "Done", "a detail", "the token was ***"]


def test_a_deployment_that_another_one_cancelled_is_begun_again(service: Kudu, zipped: Path) -> None:
    service.states = [{"status": 5}, {"status": 2, "complete": False}, {"status": 4}]
    assert deploy(service, zipped) == "id-2"
    service.states = [{"status": 5}] * 100
    assert refused(service, zipped) == (
        "churn: another deployment has been in progress for 300 s.",
        "Wait until it ends, then run again.",
    )


def test_a_success_is_one_when_it_is_complete(service: Kudu, zipped: Path) -> None:
    service.states = [{"status": 4, "complete": False}] * 3
    deploy(service, zipped)
    assert service.count("GET") == 4


def test_a_record_that_is_gone_after_it_was_seen_is_that_of_a_finished_deployment(
    service: Kudu, zipped: Path
) -> None:
    service.states = [404, 404, {"status": 2, "complete": False}, 404]
    assert deploy(service, zipped) == "id-1"
    assert service.count("GET") == 4


def test_a_deployment_that_does_not_end_is_given_up(service: Kudu, zipped: Path) -> None:
    service.states = [{"status": 1, "complete": False}] * 2000
    assert refused(service, zipped) == (
        "churn: the deployment id-1 did not end within 900 s.",
        f"See {service.url}/api/deployments/id-1, then run again.",
    )


def test_a_status_that_nobody_knows_is_told(service: Kudu, zipped: Path) -> None:
    service.states = [{"status": 17}]
    message, _ = refused(service, zipped)
    assert message == "churn says that its deployment is 17, which is no status that is known."
