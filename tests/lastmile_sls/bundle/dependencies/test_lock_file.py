"""The lock on disk: changed whole, by one build at a time, and kept current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.bundle.dependencies.lock import FILE, Lock, LockedSet
from lastmile_sls.bundle.dependencies.lock_file import change_lock, current_sets, read_lock
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import ARM, X86, environ, make_wheel

DIGEST = f"sha256:{'1' * 64}"
ADD = """
import sys
from pathlib import Path
from lastmile_sls.bundle.dependencies.lock_file import change_lock
for number in range(40):
    change_lock(Path(sys.argv[1]), lambda lock: lock.with_base(f"{sys.argv[2]}-{number}", "sha256:" + "1" * 64))
"""
NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from lastmile_sls.bundle.dependencies.lock_file import change_lock
from lastmile_sls.errors import LastmileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    change_lock(Path(sys.argv[1]), lambda lock: lock.with_base("b", "sha256:" + "1" * 64))
except LastmileError as error:
    print(error)
"""


def test_no_file_is_an_empty_lock(tmp_path: Path) -> None:
    assert read_lock(tmp_path / FILE) == Lock()
    assert change_lock(tmp_path / FILE, lambda lock: lock) == Lock()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(b"version = 1\n\xff")
    with pytest.raises(LastmileError, match=r"^lastmile\.lock is no text: byte 12 is not UTF-8\."):
        read_lock(path)
    with pytest.raises(LastmileError, match=rf"^{tmp_path} could not be read: Is a directory\."):
        read_lock(tmp_path)


def test_builds_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / FILE
    running = [subprocess.Popen([sys.executable, "-c", ADD, str(path), name]) for name in ("a", "b")]
    for process in running:
        assert process.wait(60) == 0
    assert len(read_lock(path).bases) == 80
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / FILE
    change_lock(path, lambda lock: lock.with_base("a", DIGEST))
    before = path.read_bytes()
    run = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(path)], capture_output=True, text=True, check=False
    )
    told = f"{path} could not be written: File too large.\nThe file is as it was. Free space or mend the folder's rights"
    assert run.stdout.startswith(told)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_a_file_that_stays_the_same_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / FILE
    change_lock(path, lambda lock: lock.with_base("a", DIGEST))
    before = path.stat()
    change_lock(path, lambda lock: lock.with_base("a", DIGEST))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_stays_one_and_rights_stay_as_they_are(tmp_path: Path) -> None:
    path, real = tmp_path / FILE, tmp_path / "shared.lock"
    real.write_text(Lock().render())
    real.chmod(0o640)
    path.symlink_to(real)
    change_lock(path, lambda lock: lock.with_base("a", DIGEST))
    assert path.is_symlink()
    assert read_lock(real).bases == {"a": DIGEST}
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / FILE
    with pytest.raises(LastmileError) as refused:
        change_lock(path, lambda lock: lock.with_base("a", DIGEST))
    assert refused.value.message == f"{path} could not be written: No such file or directory."
    assert refused.value.hint.startswith("The file is as it was.")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(folder, "a", version, requires=["b"])
        make_wheel(folder, "b", version)
        make_wheel(folder, "c", version)
    return folder


def versions(locked: LockedSet) -> dict[str, str]:
    return {package.name: package.version for package in locked.packages}


def test_only_what_changed_is_chosen_anew(tmp_path: Path, wheels: Path) -> None:
    path, variables = tmp_path / FILE, environ(tmp_path / "home", wheels)
    old = {"predict": ["a==1.0", "b==1.0"], "predict-v2": ["c==1.0"]}
    current_sets(path, old, X86, environ=variables)
    before = path.read_text()
    changed = {"predict": ["a", "c"], "predict-v2": ["c==1.0"]}
    found = current_sets(path, changed, X86, environ=variables)
    assert versions(found["predict"]) == {"a": "1.0", "b": "1.0", "c": "2.0"}
    start = before.index('[[set]]\nfunction = "predict-v2"')
    assert path.read_text().endswith(before[start:])
    assert path.read_text() != before
    found = current_sets(path, changed, X86, upgrade=True, environ=variables)
    assert versions(found["predict"]) == {"a": "2.0", "b": "2.0", "c": "2.0"}
    assert versions(found["predict-v2"]) == {"c": "1.0"}


def test_a_current_lock_asks_nobody(tmp_path: Path, wheels: Path) -> None:
    path, variables = tmp_path / FILE, environ(tmp_path / "home", wheels)
    first = current_sets(path, {"predict": ["a>=1", "c"]}, X86, environ=variables)
    told: list[str] = []
    nowhere = environ(tmp_path / "home", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert (
        current_sets(path, {"predict": ["C", "A >= 1", "c"]}, X86, tell=told.append, environ=nowhere) == first
    )
    assert told == []


def test_another_environment_prefers_the_same_versions(tmp_path: Path, wheels: Path) -> None:
    path, variables = tmp_path / FILE, environ(tmp_path / "home", wheels)
    current_sets(path, {"predict": ["a==1.0", "b==1.0"]}, X86, environ=variables)
    found = current_sets(path, {"predict": ["a"]}, ARM, environ=variables)
    assert versions(found["predict"]) == {"a": "1.0", "b": "1.0"}
    assert [environment for _, environment in read_lock(path).sets] == [ARM, X86]


def test_a_function_that_is_gone_leaves_the_lock(tmp_path: Path, wheels: Path) -> None:
    path, variables = tmp_path / FILE, environ(tmp_path / "home", wheels)
    current_sets(path, {"predict": ["a"], "predict-v2": ["c"]}, X86, environ=variables)
    change_lock(path, lambda lock: lock.with_base("image", DIGEST))
    current_sets(path, {"predict": ["a"]}, X86, environ=variables)
    assert list(read_lock(path).sets) == [("predict", X86)]
    assert read_lock(path).bases == {"image": DIGEST}


def test_a_set_that_cannot_be_resolved_changes_nothing(tmp_path: Path, wheels: Path) -> None:
    path, variables = tmp_path / FILE, environ(tmp_path / "home", wheels)
    current_sets(path, {"predict": ["a"]}, X86, environ=variables)
    before = path.read_bytes()
    with pytest.raises(LastmileError, match="No versions satisfy all requirements"):
        current_sets(path, {"predict": ["c"], "predict-v2": ["a==3.0"]}, X86, environ=variables)
    assert path.read_bytes() == before


def test_the_lock_names_no_place_and_no_secret(tmp_path: Path, wheels: Path) -> None:
    path = tmp_path / FILE
    current_sets(path, {"predict": ["a"]}, X86, environ=environ(tmp_path / "home", wheels))
    assert str(tmp_path) not in path.read_text()
    assert "//" not in path.read_text()
