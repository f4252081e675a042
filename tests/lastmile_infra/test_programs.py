"""The two programs under the real CLI, as a user types it: the generated project's and the repository root's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_sls.bundle.dependencies.wheels import make_wheel
from tests.lastmile_sls.commands import Workspace

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.pulumi_cli


class Pulumi:
    """The CLI in a folder, with a backend of its own."""

    def __init__(self, work: Workspace, folder: Path) -> None:
        self.folder = folder
        backend = work.home / "backend"
        backend.mkdir(parents=True)
        self._environ = {
            **work.environ(),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def __call__(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        run = subprocess.run(
            ["pulumi", "--non-interactive", *words],
            cwd=self.folder,
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or run.returncode == 0, run.stdout + run.stderr
        return run.stdout + ("" if check else run.stderr)

    def up(self) -> dict[str, int]:
        """Run `pulumi up` and return the counts of its summary."""
        out = self("up", "--yes", "--skip-preview", "--json")
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        summaries = [event["summaryEvent"] for event in events if "summaryEvent" in event]
        changes: dict[str, int] = summaries[-1]["resourceChanges"]
        return changes

    def preview(self) -> dict[str, int]:
        document: Any = json.loads(self("preview", "--json"))
        changes: dict[str, int] = document["changeSummary"]
        return changes


def test_the_generated_project(work: Workspace) -> None:
    work.run("build")
    pulumi = Pulumi(work, work.folder / ".lastmile" / "dev-local")
    pulumi("stack", "init", "dev-local")
    assert pulumi.up() == {"create": 7}
    assert pulumi.up() == {"same": 7}
    assert work.predict().status == 200
    assert pulumi("stack", "output", "url").strip() == work.run("url").stdout.strip()
    assert pulumi("stack", "output", "key").strip() == "[secret]"
    assert pulumi("stack", "output", "key", "--show-secrets").strip() == work.run("key").stdout.strip()
    work.write_spec(resources={"memory_mb": 700})
    work.run("build")
    assert pulumi.preview() == {"update": 1, "same": 6}
    assert pulumi.up() == {"update": 1, "same": 6}
    pulumi("destroy", "--yes", "--skip-preview")
    assert "doubler-dev is not deployed" in work.fails("url")


def test_the_generated_project_of_versions_that_conflict(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2"):
        make_wheel(tmp_path / "wheels", "a", number)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    versions = [
        {"id": id_, "artifact": artifact, "framework": "python", "entry": "Doubler", "requirements": [pin]}
        for id_, artifact, pin in (("v1", "doubler.py", "a==1"), ("v2", "tripler.py", "a==2"))
    ]
    work.write_spec(versions=versions)
    work.run("build")
    pulumi = Pulumi(work, work.folder / ".lastmile" / "dev-local")
    pulumi("stack", "init", "dev-local")
    assert pulumi.up() == {"create": 8}
    assert work.predict({"x-model-version": "v2"}).document["outputs"][0]["data"] == [3, 7.5]
    assert pulumi.up() == {"same": 8}
    resources = json.loads(pulumi("stack", "export"))["deployment"]["resources"]
    functions = {r["inputs"]["name"]: r for r in resources if r["type"] == "lastmile:local:Function"}
    assert functions["predict"]["inputs"]["calls"] == ["predict-v2"]
    assert functions["predict"]["propertyDependencies"]["calls"] == [functions["predict-v2"]["urn"]]
    assert functions["predict-v2"]["inputs"]["calls"] == []
    pulumi("destroy", "--yes", "--skip-preview")


def test_an_embedded_stack_is_imported_unchanged(work: Workspace) -> None:
    work.run("up")
    pulumi = Pulumi(work, work.folder / ".lastmile" / "dev-local")
    assert "First make the stack: cd" in work.fails("stack", "export")
    told = pulumi("stack", "init", "dev-local")
    told = pulumi("up", "--yes", "--skip-preview", check=False)
    assert "was made by the embedded engine" in told
    pulumi("stack", "rm", "--yes", "--force", "dev-local")
    pulumi("stack", "init", "dev-local")
    pulumi("stack", "import", stdin=work.run("stack", "export").stdout)
    assert pulumi.preview() == {"same": 7}
    assert work.predict().status == 200


def test_the_repository_root(work: Workspace) -> None:
    root = work.folder / "repository"
    root.mkdir()
    (root / "infra").symlink_to(ROOT / "infra")
    text = (ROOT / "Pulumi.yaml").read_text()
    (root / "Pulumi.yaml").write_text(
        text.replace(".venv", str(Path(work.run("--version").args[0]).parents[1]))
    )
    pulumi = Pulumi(work, root)
    pulumi("stack", "init", "dev")
    told = pulumi("up", "--yes", "--skip-preview", check=False)
    assert "Missing required configuration variable 'lastmile-sls:spec'" in told
    pulumi("config", "set", "spec", str(work.folder))
    assert pulumi.up() == {"create": 6, "same": 1}  # the failed run made the stack itself
    assert pulumi.up() == {"same": 7}
    assert work.predict().status == 200
    pulumi("config", "set", "spec", "nowhere")
    told = pulumi("up", "--yes", "--skip-preview", check=False)
    assert "nowhere is not there." in told
    assert "Traceback" not in told
    pulumi("config", "set", "spec", str(work.folder))
    pulumi("destroy", "--yes", "--skip-preview")


def test_the_schema_is_one_that_pulumi_reads(tmp_path: Path) -> None:
    plugin = Path(
        shutil.which("pulumi-resource-lastmile") or ROOT / ".venv" / "bin" / "pulumi-resource-lastmile"
    )
    run = subprocess.run(
        ["pulumi", "package", "get-schema", str(plugin)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    schema = json.loads(run.stdout)
    assert sorted(schema["resources"]) == [
        *(f"lastmile:index:{k}" for k in ("Document", "Image", "Key", "Package", "Release")),
        *(
            f"lastmile:local:{k}"
            for k in ("Bucket", "Document", "Function", "Key", "Queue", "Route", "Schedule")
        ),
    ]
    assert schema["resources"]["lastmile:local:Key"]["properties"]["value"]["secret"] is True
