"""Projects for every target: built once, the same bytes everywhere, left alone while nothing changes."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from lastmile_runtime.manifest import digest
from lastmile_sls.build.prepare import Prepared, measure_first_answers, prepare
from lastmile_sls.build.record import FILE as RECORD
from lastmile_sls.bundle.dependencies.elf import foreign_binaries
from lastmile_sls.bundle.needs import installed_here
from lastmile_sls.bundle.trust.beside import folder_of, read_documents, verify_documents
from lastmile_sls.bundle.verify import verify_bundle
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from tests.lastmile_sls.build.projects import (
    ABACUS,
    PLAIN,
    X,
    Y,
    make_environ,
    make_folder,
    needing,
    train,
    write,
)
from tests.lastmile_sls.bundle.dependencies.wheels import make_wheel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "work")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return make_environ(tmp_path)


def files(project: Path) -> dict[str, bytes]:
    bundles = project / "bundles"
    return {
        path.relative_to(bundles).as_posix(): path.read_bytes()
        for path in sorted(bundles.rglob("*"))
        if path.is_file() and not path.parent.name.endswith(".trust")
    }


@pytest.mark.parametrize("target", ["local", "aws", "azure"])
def test_a_compiled_model_is_small_and_needs_nothing(
    folder: Path, environ: dict[str, str], target: Target
) -> None:
    prepared = prepare(write(folder, bundle={"bytecode": "none"}), target, environ)
    bundle = prepared.bundle("predict")
    names = set(files(prepared.program.folder))
    assert sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) < 5_000_000
    assert verify_bundle(bundle, prepared.plan["functions"][0]["bundle"]["digest"]) > 50
    assert not (folder / "lastmile.lock").exists()
    assert {
        "local": "predict.zip" not in names,
        "aws": "predict.zip" in names,
        "azure": "predict/host.json" in names,
    }[target]
    assert (prepared.program.folder / "Pulumi.yaml").exists()
    documents = read_documents(folder_of(bundle)).contents
    assert set(documents) == {"bom.cdx.json", "model-card.md", "provenance.json", "certification-v1.json"}
    certified = json.loads(documents["certification-v1.json"])
    assert (certified["passed"], certified["predictor"], len(certified["examples"])) == (True, "trees", 5)


def test_a_zip_holds_the_bundle(folder: Path, environ: dict[str, str]) -> None:
    prepared = prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    bundle = prepared.bundle("predict")
    with ZipFile(prepared.program.folder / prepared.packages["predict"]) as archive:
        assert archive.testzip() is None
        there = {name: archive.read(name) for name in archive.namelist()}
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    assert there == {
        path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()
    }
    assert modes["lastmile_runtime/adapters/aws_bootstrap"] == 0o755
    assert set(modes.values()) == {0o755, 0o644}


def test_packages_come_locked_stripped_and_compiled(folder: Path, environ: dict[str, str]) -> None:
    prepared = prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    names = {
        path.relative_to(prepared.bundle("predict") / "libraries").as_posix()
        for path in (prepared.bundle("predict") / "libraries").rglob("*")
        if path.is_file()
    }
    assert names == {
        "abacus/__init__.py",
        "abacus/__pycache__/__init__.cpython-313.pyc",
        "abacus-1.0.dist-info/METADATA",
        "abacus-1.0.dist-info/WHEEL",
    }
    assert 'requirements = [\n  "abacus==1.0",\n]' in (folder / "lastmile.lock").read_text()
    azure = prepare(write(folder, **needing("abacus==1.0")), "azure", environ)
    assert (azure.bundle("predict") / ".python_packages/lib/site-packages/abacus/__init__.py").is_file()
    assert 'python = "3.13"\nprocessor = "arm64"' in (folder / "lastmile.lock").read_text()
    assert 'python = "3.13"\nprocessor = "x86_64"' in (folder / "lastmile.lock").read_text()


def test_an_unchanged_spec_is_not_built_again(folder: Path, environ: dict[str, str]) -> None:
    path = write(folder, **needing("abacus==1.0"))
    told: list[str] = []
    first = prepare(path, "aws", environ)
    before = {file: file.stat().st_mtime_ns for file in first.program.folder.rglob("*")}
    environ["UV_FIND_LINKS"] = "/nowhere"  # nobody is asked
    again = prepare(path, "aws", environ, tell=told.append)
    assert told == []
    assert (again.plan, again.predictors, again.packages) == (first.plan, first.predictors, first.packages)
    assert {file: file.stat().st_mtime_ns for file in first.program.folder.rglob("*")} == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder, project: train(folder, 2),
        lambda folder, project: write(folder, resources={"memory_mb": 256}),
        lambda folder, project: (project / "bundles/predict/manifest.json").unlink(),
        lambda folder, project: (project / "plan.json").write_text("{}"),
        lambda folder, project: (project / RECORD).write_text("{"),
        lambda folder, project: shutil.rmtree(project / "bundles/predict.trust"),
        lambda folder, project: (project / "bundles/predict.trust/model-card.md").write_text("mine"),
    ],
    ids=["model", "spec", "bundle", "plan", "record", "documents", "document"],
)
def test_what_changed_is_built_again(folder: Path, environ: dict[str, str], change: Any) -> None:
    project = prepare(write(folder), "local", environ).program.folder
    change(folder, project)
    told: list[str] = []
    prepared = prepare(folder / "lastmile.yaml", "local", environ, tell=told.append)
    assert "building the bundles" in told
    verify_bundle(prepared.bundle("predict"), prepared.plan["functions"][0]["bundle"]["digest"])
    assert (
        verify_documents(
            prepared.plan["functions"][0]["bundle"]["digest"], folder_of(prepared.bundle("predict"))
        )
        == []
    )


def test_a_model_that_did_not_change_is_not_compiled_again(folder: Path, environ: dict[str, str]) -> None:
    prepare(write(folder), "local", environ)
    told: list[str] = []
    prepared = prepare(write(folder, environment="prod"), "local", environ, tell=told.append)
    assert not [line for line in told if line.startswith(("compiling", "certifying"))]
    assert prepared.predictors[0].certified_rows is not None


def test_what_is_installed_here_later_is_noticed(
    folder: Path, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that could not be asked for want of a package is asked once that is there."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    path = write(folder, **needing("abacus==1.0"))

    def examples() -> list[Any]:
        documents = read_documents(folder_of(prepare(path, "aws", environ).bundle("predict"))).contents
        found: list[Any] = json.loads(documents["certification-v1.json"])["examples"]
        return found

    assert examples() == []
    with ZipFile(next(Path(environ["UV_FIND_LINKS"]).glob("abacus-1.0-*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    assert len(examples()) == 5


BUILD = """
import os, sys
from pathlib import Path
from lastmile_sls.build.prepare import prepare
prepare(Path("lastmile.yaml"), "aws", os.environ)
"""


def test_the_bytes_depend_on_spec_lock_and_artifacts_alone(
    folder: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    path = write(folder, **needing("abacus==1.0"))
    first = prepare(path, "aws", environ)
    other = tmp_path / "another folder"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns(".lastmile"))
    for file in other.rglob("*"):
        os.utime(file, (1, 1))
    variables = {
        **environ,
        "LASTMILE_CACHE": str(tmp_path / "cache2"),
        "UV_CACHE_DIR": str(tmp_path / "uv2"),
        "USER": "somebody",
        "LANG": "C",
        "TZ": "Asia/Tokyo",
        "PYTHONHASHSEED": "5",
    }
    subprocess.run([sys.executable, "-c", BUILD], cwd=other, env=variables, check=True, umask=0o077)
    second = other / first.program.folder.relative_to(folder)
    assert files(second) == files(first.program.folder)
    assert (other / "lastmile.lock").read_bytes() == (folder / "lastmile.lock").read_bytes()
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (second / "bundles/predict").rglob("*")}
    assert modes == {0o755, 0o644}


def test_two_builds_at_once_end_whole(folder: Path, environ: dict[str, str]) -> None:
    write(folder, **needing("abacus==1.0"))
    command = [sys.executable, "-c", BUILD]
    running = [
        subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running].count(0) >= 1, told
    prepared = prepare(folder / "lastmile.yaml", "aws", environ)
    verify_bundle(prepared.bundle("predict"), prepared.plan["functions"][0]["bundle"]["digest"])
    assert (
        verify_documents(
            prepared.plan["functions"][0]["bundle"]["digest"], folder_of(prepared.bundle("predict"))
        )
        == []
    )


def test_an_interrupted_build_leaves_what_was_there(folder: Path, environ: dict[str, str]) -> None:
    write(folder, **needing("abacus==1.0"))
    command = [sys.executable, "-c", BUILD]
    for delay in (0.6, 1.2, 1.8):
        process = subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
    prepared = prepare(folder / "lastmile.yaml", "aws", environ)
    verify_bundle(prepared.bundle("predict"), prepared.plan["functions"][0]["bundle"]["digest"])


def test_packages_that_somebody_changed_in_the_cache_are_made_again(
    folder: Path, environ: dict[str, str]
) -> None:
    prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    (cached,) = Path(environ["LASTMILE_CACHE"]).glob("libraries/*/packages/abacus/__init__.py")
    cached.write_text(ABACUS.replace("sum", "max"))
    told: list[str] = []
    prepared = prepare(
        write(folder, **needing("abacus==1.0"), environment="prod"), "aws", environ, tell=told.append
    )
    assert "the cache has a changed abacus/__init__.py; installing the packages again" in told
    assert (prepared.bundle("predict") / "libraries/abacus/__init__.py").read_text() == ABACUS


def test_a_compiled_model_that_somebody_changed_in_the_cache_is_made_again(
    folder: Path, environ: dict[str, str]
) -> None:
    first = prepare(write(folder), "local", environ)
    (cached,) = Path(environ["LASTMILE_CACHE"]).glob("models/*/model.forest")
    content = cached.read_bytes()
    cached.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    told: list[str] = []
    prepared = prepare(write(folder, environment="prod"), "local", environ, tell=told.append)
    assert "compiling v1 to trees" in told
    name = "models/v1/model.forest"
    assert (
        (prepared.bundle("predict") / name).read_bytes()
        == (first.bundle("predict") / name).read_bytes()
        == content
    )


def test_on_this_machine_what_is_installed_is_not_bundled(folder: Path, environ: dict[str, str]) -> None:
    joblib.dump(LogisticRegression().fit(X, Y), folder / "line.joblib")
    as_it_is = {"id": "v1", "artifact": "line.joblib", "framework": "sklearn", "compiled": False}
    prepared = prepare(write(folder, versions=[as_it_is]), "local", environ)
    assert not (prepared.bundle("predict") / "libraries").exists()
    prepared = prepare(write(folder, **needing("abacus==1.0")), "local", environ)
    assert (prepared.bundle("predict") / "libraries/abacus/__init__.py").is_file()
    answers = measure_first_answers(prepared)
    assert not isinstance(answers["v1"], str), answers


def test_first_answers_are_measured_once(folder: Path, environ: dict[str, str]) -> None:
    prepared = prepare(write(folder), "local", environ)
    told: list[str] = []
    first = measure_first_answers(prepared, told.append)
    assert told == ["measuring first answers of predict"]
    again = prepare(folder / "lastmile.yaml", "local", environ)
    assert measure_first_answers(again, told.append) == first
    assert len(told) == 1


def refusal(path: Path, target: Target, environ: dict[str, str]) -> str:
    with pytest.raises(LastmileError) as refused:
        prepare(path, target, environ)
    return str(refused.value)


def test_what_cannot_be_built_is_told_and_nothing_is_left(folder: Path, environ: dict[str, str]) -> None:
    told = refusal(write(folder, **needing("nowhere==1.0")), "aws", environ)
    assert "nowhere" in told
    assert not (folder / "lastmile.lock").exists()
    assert [path.name for path in (folder / ".lastmile").iterdir()] in ([], ["digests.json"])
    told = refusal(write(folder), "gcp", environ)
    assert (
        "targets.gcp.base_image is missing: Cloud Run takes images, and an image is built on one that has Python. "
        "Name one, such as docker.io/library/python:3.13-slim"
    ) in told
    told = refusal(write(folder, bundle={"python": "3.14"}, **needing("abacus==1.0")), "aws", environ)
    assert "3.14" in told
    assert "bytecode: none" in told


def test_a_bundle_that_is_too_large_for_a_zip_is_refused(folder: Path, environ: dict[str, str]) -> None:
    (folder / "big.py").write_text(PLAIN)
    (folder / "app").mkdir()
    (folder / "app/main.py").write_text("app = None\n")
    with (folder / "app/weights.bin").open("wb") as file:
        file.truncate(251 << 20)
    path = write(folder, endpoint={"app": "app/main.py:app"})
    make_wheel(Path(environ["UV_FIND_LINKS"]), "fastapi", str(installed_here("fastapi")))
    told = refusal(path, "aws", environ)
    assert told.startswith("the bundle of predict: unpacked size is 252"), told
    assert "targets.aws.package: image" in told


def test_each_function_has_a_bundle_and_those_of_former_builds_go(
    folder: Path, environ: dict[str, str]
) -> None:
    for number in ("1.0", "2.0"):
        make_wheel(Path(environ["UV_FIND_LINKS"]), "abacus", number, {"abacus/__init__.py": ABACUS})
    spec = needing("abacus==1.0")
    spec["versions"].append({**spec["versions"][0], "id": "v2", "requirements": ["abacus==2.0"]})
    spec["traffic"] = {"champion": "v1"}
    prepared = prepare(write(folder, **spec), "aws", environ)
    assert sorted(prepared.packages) == ["predict", "predict-v2"]
    for function, number in (("predict", "1.0"), ("predict-v2", "2.0")):
        assert (prepared.bundle(function) / f"libraries/abacus-{number}.dist-info").is_dir()
    prepared = prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    assert sorted(path.name for path in prepared.bundle("predict").parent.iterdir()) == [
        "predict", "predict.trust", "predict.zip",
    ]  # fmt: skip


def test_every_binary_is_for_the_functions_processor(folder: Path, environ: dict[str, str]) -> None:
    prepared = prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    # The runtime brings its evaluator for both processors, and loads the one that fits.
    assert foreign_binaries(prepared.bundle("predict") / "libraries", "arm64") == []
    found = foreign_binaries(prepared.bundle("predict"), "arm64")
    assert [path.parent.name for path in found] == ["x86_64"]


def pinned(prepared: Prepared) -> str:
    return digest((prepared.bundle("predict") / "manifest.json").read_bytes())


def test_the_plan_pins_the_manifest(folder: Path, environ: dict[str, str]) -> None:
    prepared = prepare(write(folder), "aws", environ)
    assert prepared.plan["functions"][0]["bundle"]["digest"] == pinned(prepared)


def test_what_is_known_of_a_model_is_found_anew_where_the_cache_was_changed(
    folder: Path, environ: dict[str, str]
) -> None:
    first = prepare(write(folder), "local", environ)
    (cached,) = Path(environ["LASTMILE_CACHE"]).glob("facts/*/facts.json")
    known = json.loads(cached.read_text())
    assert (known["framework"], len(known["inputs"])) == ("sklearn", 3)
    cached.write_text("{")
    prepared = prepare(write(folder, environment="prod"), "local", environ)
    assert prepared.predictors == first.predictors
    assert json.loads(cached.read_text()) == known


def test_a_build_removes_what_nobody_used_for_long_from_the_cache(
    folder: Path, environ: dict[str, str]
) -> None:
    old = Path(environ["LASTMILE_CACHE"]) / "models/old"
    old.mkdir(parents=True)
    os.utime(old, (1000, 1000))
    prepare(write(folder), "local", environ)
    assert not old.exists()
