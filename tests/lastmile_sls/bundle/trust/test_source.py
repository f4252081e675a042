"""Git tells the revision and what differs from it; without git it is said why there is none."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lastmile_sls.bundle.trust.source import Person, Source, find_person, find_source, without_password

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRON, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec's folder in a repository with one commit."""
    folder = tmp_path / "repository" / "models" / "churn"
    folder.mkdir(parents=True)
    git(folder.parents[1], "init", "-q")
    (folder / "lastmile.yaml").write_text("name: churn\n")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-qm", "first")
    return folder


def test_a_folder_as_it_was_committed(folder: Path) -> None:
    found = find_source(folder, ENVIRON)
    assert found == Source(git(folder, "rev-parse", "HEAD"))
    assert not found.dirty


def test_changes_in_the_folder_are_counted_and_no_others(folder: Path) -> None:
    (folder.parent / "elsewhere.txt").write_text("x")
    (folder / ".lastmile" / "churn-dev-local").mkdir(parents=True)
    (folder / ".lastmile" / "churn-dev-local" / "plan.json").write_text("{}")
    assert not find_source(folder, ENVIRON).dirty
    (folder / "lastmile.yaml").write_text("name: other\n")
    (folder / "new").mkdir()
    for name in ("new/a.joblib", "new/b ü\n.joblib"):
        (folder / name).write_text("x")
    found = find_source(folder, ENVIRON)
    assert (found.changes, found.dirty) == (3, True)
    assert find_source(folder, ENVIRON, output="new").changes == 2


def test_the_remote_is_told_without_its_password(folder: Path) -> None:
    git(folder, "remote", "add", "origin", "https://ann:s3cret@example.com/org/churn.git")
    assert find_source(folder, ENVIRON).remote == "https://example.com/org/churn.git"
    git(folder, "remote", "set-url", "origin", str(folder.parents[1]))
    assert find_source(folder, ENVIRON).remote == ""


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("https://token@example.com:8443/a/b.git", "https://example.com:8443/a/b.git"),
        ("https://example.com/a?token=s3cret#x", "https://example.com/a"),
        ("git@example.com:org/churn.git", "ssh://example.com/org/churn.git"),
        ("git@example.com:/org/churn.git", "ssh://example.com/org/churn.git"),
        ("ssh://git:s3cret@example.com/org/churn.git", "ssh://example.com/org/churn.git"),
        ("https://a@b:s3cret@example.com/x", "https://example.com/x"),
        ("/srv/git/churn.git", ""),
        ("../churn:1", ""),
        ("file:///srv/git/churn.git", ""),
        ("https:///x", ""),
    ],
)
def test_where_a_repository_is_kept(remote: str, told: str) -> None:
    assert without_password(remote) == told


def test_what_stands_in_the_way_is_told_without_paths(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert find_source(empty, ENVIRON) == Source(missing="the folder is in no git repository")
    git(empty, "init", "-q")
    assert find_source(empty, ENVIRON) == Source(missing="the folder's git repository has no commit")
    (folder.parents[1] / ".git" / "config").write_text("[broken")
    assert find_source(folder, ENVIRON) == Source(missing="git cannot read the folder's repository")
    assert find_source(folder, {"PATH": str(empty)}) == Source(missing="git is not installed")
    (empty / "git").write_text("no program")
    assert find_source(folder, {"PATH": str(empty)}).missing.startswith("git cannot be run: ")


def test_gits_own_variables_do_not_lead_elsewhere(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    assert find_source(folder, {**ENVIRON, "GIT_DIR": str(other / ".git")}).revision == git(
        folder, "rev-parse", "HEAD"
    )


def test_a_program_that_the_repository_names_is_not_run(folder: Path, tmp_path: Path) -> None:
    canary, program = tmp_path / "canary", tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch '{canary}'\n")
    program.chmod(0o755)
    git(folder, "config", "core.fsmonitor", str(program))
    find_source(folder, ENVIRON)
    assert not canary.exists()
    subprocess.run(["git", "status"], cwd=folder, env=ENVIRON, check=False, capture_output=True)
    assert canary.exists()


def test_the_index_is_only_read(folder: Path) -> None:
    index = folder.parents[1] / ".git" / "index"
    os.utime(folder / "lastmile.yaml", (1, 1))
    before = index.read_bytes()
    find_source(folder, ENVIRON)
    assert index.read_bytes() == before


def test_who_works_in_a_folder(folder: Path, tmp_path: Path) -> None:
    user = Person(getpass.getuser())
    assert find_person(folder, ENVIRON) == user
    git(folder, "config", "user.name", "Ann Ünal")
    assert find_person(folder, ENVIRON) == Person("Ann Ünal")
    git(folder, "config", "user.email", "ann@example.com")
    assert find_person(folder, ENVIRON) == Person("Ann Ünal", "ann@example.com")
    assert find_person(folder, {"PATH": str(tmp_path)}) == user
