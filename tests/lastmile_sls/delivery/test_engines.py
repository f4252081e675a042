"""Everything that is delivered, on both engines: made, left alone, updated after connections broke, and deleted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.engine.interface import UNKNOWN, EngineError, Secret
from tests.lastmile_sls.bundle.oci.registries import Proxy, RegistryProcess, needs_registry, proxy_to
from tests.lastmile_sls.delivery.built import build_image, registry_base
from tests.lastmile_sls.delivery.kudu import TOKEN, Kudu, kudu
from tests.lastmile_sls.delivery.project import Project
from tests.lastmile_sls.delivery.test_image import status_of
from tests.lastmile_sls.delivery.zips import make_zip

pytestmark = needs_registry
SENDING = ("POST", "PUT")


def uploads(proxy: Proxy) -> int:
    return sum(method in SENDING for method, _ in proxy.requests)


def things(folder: Path, service: Kudu, proxy: Proxy, image: Any, code: Any) -> list[dict[str, Any]]:
    return [
        {"type": "Key", "name": "key", "key": "first"},
        {"type": "Document", "name": "routing", "url": folder.as_uri(), "path": "r.json", "content": "made"},
        {"type": "Image", "name": "image", "repository": f"{proxy.address}/both/predict", **image},
        {"type": "Package", "name": "code", "app": "churn", "scm_url": service.url, **code},
    ]


def test_deliveries(
    project: Project,
    shared: RegistryProcess,
    azure_cli: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LASTMILE_CACHE", str(tmp_path / "cache"))
    base = registry_base(tmp_path / "base", shared.address, tmp_path / "cache" / "images")
    folder = tmp_path / "bucket"
    folder.mkdir()
    images = [build_image(tmp_path, base, f"{project.engine.name}-{n}") for n in range(2)]
    codes = [make_zip(tmp_path, f"code-{n}") for n in range(2)]
    with kudu() as service, proxy_to(shared.address) as proxy:
        project.want(*things(folder, service, proxy, images[0], codes[0]))
        planned = project.preview()
        assert planned.changes == {"create": 5}
        assert (service.asked, uploads(proxy), list(folder.iterdir())) == ([], 0, [])

        made = project.up().outputs
        assert made["Key.digest"] == digest_of(made["Key.value"])
        assert made["Document.location"] == f"{folder.as_uri()}/r.json"
        assert made["Package.deployment"] == "id-1"
        assert status_of(made["Image.reference"]) == 200
        if project.engine.name == "embedded":
            assert planned.outputs["Image.reference"] == made["Image.reference"]
            assert planned.outputs["Package.deployment"] is UNKNOWN
        assert service.deployed == [Path(codes[0]["source"]).read_bytes()]

        service.asked.clear()
        proxy.requests.clear()
        (folder / "r.json").write_text("changed by somebody else")
        again = project.up()
        assert again.changes == {"same": 5}
        assert again.outputs["Key.value"].reveal() == made["Key.value"].reveal()
        assert (service.asked, proxy.requests) == ([], [])

        # One connection to each is cut halfway; nothing but what changed is sent, and sent whole.
        project.want(*things(folder, service, proxy, images[1], codes[1]))
        service.faults = ["cut"]
        cuts = ["cut"]
        proxy.fault = lambda method, _: cuts.pop() if method == "PUT" and cuts else None
        assert project.up().changes == {"update": 2, "same": 3}
        assert cuts == []
        assert service.deployed[1:] == [Path(codes[1]["source"]).read_bytes()]
        assert (folder / "r.json").read_text() == "changed by somebody else"
        for secret in (TOKEN, *([made["Key.value"].reveal()] if project.engine.name == "pulumi" else [])):
            assert secret not in project.state()

        service.asked.clear()
        updated = project.engine.outputs(project.program)["Image.reference"]
        assert status_of(updated) == 200
        assert project.destroy().changes == {"delete": 5}
        assert status_of(updated) == 404
        assert service.asked == []
        assert (folder / "r.json").exists()


def test_what_failed_is_done_by_the_next_run(project: Project, azure_cli: Path, tmp_path: Path) -> None:
    with kudu() as service:
        package = {"type": "Package", "name": "code", "app": "churn", "scm_url": service.url}
        project.want({**package, **make_zip(tmp_path, "a")})
        service.states = [{"status": 3, "status_text": "no host.json"}]
        service.log = [{"message": "No host.json was found"}]
        with pytest.raises(EngineError) as caught:
            project.up()
        told = "churn: the deployment id-1 failed: no host.json.\nNo host.json was found\nMend what it says, then run again."
        assert told in str(caught.value)
        assert project.up().outputs["Package.deployment"] == "id-2"


def digest_of(value: object) -> str:
    assert isinstance(value, Secret)
    return f"sha256:{hashlib.sha256(value.reveal().encode()).hexdigest()}"
