"""Installing: the folder's bytes depend on the lock alone; what is not as locked, or not honest, is refused whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import lastmile_sls
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.install import install
from lastmile_sls.bundle.dependencies.lock import LockedPackage, LockedSet
from lastmile_sls.bundle.dependencies.resolve import resolve
from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import (
    ARM,
    X86,
    elf_head,
    environ,
    make_wheel,
    record_hash,
    serve,
    sha256,
)

INSTALL = """
import os, sys
from pathlib import Path
from lastmile_sls.bundle.dependencies.install import install
from lastmile_sls.bundle.dependencies.lock_file import read_lock
os.umask(int(sys.argv[3], 8))
(locked,) = read_lock(Path(sys.argv[1])).sets.values()
install(locked, Path(sys.argv[2]))
"""


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def variables(tmp_path: Path, wheels: Path) -> dict[str, str]:
    return environ(tmp_path / "home", wheels)


def locked(*made: Path, environment: Environment = X86) -> LockedSet:
    parts = [(wheel.name.split("-"), wheel) for wheel in made]
    packages = (LockedPackage(p[0].replace("_", "-"), p[1], wheel.name, sha256(wheel)) for p, wheel in parts)
    return LockedSet(environment, (), (), tuple(sorted(packages, key=lambda package: package.name)))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the rights and the bytes of all that is in a folder."""
    paths = [folder, *folder.rglob("*")]
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            b"" if path.is_dir() else path.read_bytes(),
        )
        for path in paths
    }


def refusal(what: LockedSet, destination: Path, variables: Mapping[str, str]) -> LastmileError:
    before = sorted(destination.parent.iterdir())
    with pytest.raises(LastmileError) as refused:
        install(what, destination, environ=variables)
    after = [path for path in sorted(destination.parent.iterdir()) if path.name != "home"]
    assert after == [path for path in before if path.name != "home"]
    return refused.value


def test_a_package_is_there_without_what_is_of_this_machine(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    wheel = make_wheel(
        wheels,
        "a",
        "1.0",
        {
            "a/__init__.py": "x = 1\n",
            "a/run.sh": "#!/bin/sh\n",
            "a/old.pyc": b"sourceless",
            "a/__pycache__/b.cpython-313.pyc": b"compiled",
            "a-1.0.data/scripts/tool": "#!python\n",
            "a-1.0.data/data/share/a.txt": "kept",
            "a-1.0.data/purelib/more.py": "",
            "a-1.0.dist-info/entry_points.txt": "[console_scripts]\na = a:x\n",
            "a-1.0.dist-info/licenses/LICENSE": "free",
        },
    )
    told: list[str] = []
    found = install(locked(wheel), tmp_path / "site", tell=told.append, environ=variables)
    assert names(tmp_path / "site") == [
        "a-1.0.dist-info/METADATA",
        "a-1.0.dist-info/WHEEL",
        "a-1.0.dist-info/entry_points.txt",
        "a-1.0.dist-info/licenses/LICENSE",
        "a/__init__.py",
        "a/old.pyc",
        "a/run.sh",
        "more.py",
        "share/a.txt",
    ]
    assert told == ["installing 1 packages"]
    assert found.folder == tmp_path / "site"
    assert found.packages == locked(wheel).packages
    assert found.size_bytes == sum(len(data) for _, data in content(tmp_path / "site").values())
    assert found.system_libraries == {}
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o755


def test_no_packages_are_an_empty_folder(tmp_path: Path) -> None:
    install(LockedSet(X86, (), (), ()), tmp_path / "site", environ={})
    assert list((tmp_path / "site").iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    told = refusal(LockedSet(X86, (), (), ()), tmp_path, {})
    assert told.message == f"{tmp_path} is there already; packages are installed into a new folder."


def test_a_place_that_is_not_there(tmp_path: Path, wheels: Path, variables: dict[str, str]) -> None:
    with pytest.raises(LastmileError, match=r"^installing the packages failed: .*No such file or directory"):
        install(locked(make_wheel(wheels, "a", "1.0")), tmp_path / "nowhere/site", environ=variables)


def pythons() -> Iterator[str]:
    yield sys.executable
    yield str(find_interpreter("3.13"))


def test_the_bytes_are_the_same_wherever_and_by_whomever_it_is_installed(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    try:
        interpreters = list(pythons())
    except LastmileError:
        pytest.skip("no Python 3.13 here")
    for name in ("a", "b"):
        files = {
            f"{name}/__init__.py": "",
            f"{name}/c/d.txt": "",
            f"{name}-1.0.data/scripts/{name}": "#!python\n",
        }
        make_wheel(
            wheels,
            name,
            "1.0",
            {**files, f"{name}-1.0.dist-info/entry_points.txt": "[console_scripts]\nx=a:b\n"},
        )
    lock = tmp_path / "lastmile.lock"
    from lastmile_sls.bundle.dependencies.lock_file import current_sets

    current_sets(lock, {"predict": ["a", "b"]}, X86, environ=variables)
    seen = []
    for number, (python, umask) in enumerate(
        zip(interpreters * 2, ("022", "077", "000", "022"), strict=True)
    ):
        place = tmp_path / f"elsewhere {number}"
        place.mkdir()
        somebody = environ(
            place / "home", wheels, PYTHONPATH=os.pathsep.join(paths()), UV_COMPILE_BYTECODE="1"
        )
        command = [python, "-c", INSTALL, str(lock), str(place / "site"), umask]
        subprocess.run(command, env={**somebody, "UV_LINK_MODE": "symlink"}, check=True, cwd=place)
        seen.append(content(place / "site"))
    assert len(seen[0]) > 8
    assert seen[1:] == seen[:1] * 3


def paths() -> list[str]:
    """Return where another Python finds this package and what it imports."""
    import packaging
    import uv

    places = (lastmile_sls.__file__, packaging.__file__, uv.__file__)
    return [str(Path(place).parents[1]) for place in places]


def test_the_locked_wheel_is_taken_though_a_better_one_appears(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "a", "1.0", {"a.py": "plain"})
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        what = resolve(["a"], X86, environ=variables)
        make_wheel(wheels, "a", "1.0", {"a.py": "fast"}, tag="cp313-cp313-manylinux_2_28_x86_64")
        install(what, tmp_path / "site", environ=variables)
    assert (tmp_path / "site/a.py").read_text() == "plain"


@pytest.mark.parametrize("environment", [X86, ARM])
def test_each_environment_gets_its_own_files(
    tmp_path: Path, wheels: Path, variables: dict[str, str], environment: Environment
) -> None:
    for processor, machine in (("x86_64", "x86_64"), ("arm64", "aarch64")):
        files = {"a/_a.so": elf_head(processor)}
        make_wheel(wheels, "a", "1.0", files, tag=f"cp313-cp313-manylinux_2_28_{machine}")
    install(resolve(["a"], environment, environ=variables), tmp_path / "site", environ=variables)
    assert (tmp_path / "site/a/_a.so").read_bytes() == elf_head(environment.processor)


def test_a_wheel_with_other_bytes_than_were_locked(tmp_path: Path, wheels: Path) -> None:
    wheel = make_wheel(wheels, "a", "1.0")
    what = locked(wheel)
    make_wheel(wheels, "a", "1.0", {"a.py": "evil = True\n"})
    careless = tmp_path / "uv.toml"
    careless.write_text("[pip]\nverify-hashes = false\n")
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url, UV_NO_VERIFY_HASHES="1")
        variables["UV_CONFIG_FILE"] = str(careless)
        told = refusal(what, tmp_path / "site", variables)
        assert told.message == (
            f"The wheel of a 1.0 that the registry serves is not the one that was locked: its sha256 is {sha256(wheel)}, "
            f"locked is {what.packages[0].sha256}."
        )
        assert told.hint.startswith("Find out why before you trust it.")
        make_wheel(wheels, "a", "1.0")  # the registry is mended
        install(what, tmp_path / "site", environ=variables)
    assert (tmp_path / "site/a.py").read_text() == "version = '1.0'\n"


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py"])
def test_a_wheel_that_reaches_out_of_its_folder(
    tmp_path: Path, wheels: Path, name: str, is_listed: bool
) -> None:
    wheel = make_wheel(wheels, "a", "1.0", {"a.py": "", name: "evil"}, unlisted=[] if is_listed else [name])
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        for _ in range(2):  # the second time it would be taken from the cache
            told = refusal(locked(wheel), tmp_path / "site", variables)
            assert (
                told.message
                == f"A wheel has a file named {name}, which lies outside of the package's own folder."
            )
            assert told.hint == "No honest wheel has one. Find out where it came from; nothing was installed."
    assert list(tmp_path.rglob("evil.py")) == []


def test_a_wheel_with_an_absolute_name(tmp_path: Path, wheels: Path, variables: dict[str, str]) -> None:
    evil = tmp_path / "evil.py"
    wheel = make_wheel(wheels, "a", "1.0", {"a.py": "", str(evil): "evil"})
    told = refusal(locked(wheel), tmp_path / "site", variables)
    assert told.message == f"A wheel has a file named {evil}, which lies outside of the package's own folder."
    assert not evil.exists()


def test_a_wheel_whose_data_reaches_out(tmp_path: Path, wheels: Path, variables: dict[str, str]) -> None:
    name = "a-1.0.data/data/../../evil.py"
    wheel = make_wheel(wheels, "a", "1.0", {"a.py": "", name: "evil"})
    told = refusal(locked(wheel), tmp_path / "site", variables)
    assert told.message == f"a 1.0 has a file named {name}, which lies outside of the package's own folder."


@pytest.mark.parametrize("told", ["", record_hash(b"root:x:0:0"), record_hash(b"/etc/passwd")])
def test_a_wheel_with_a_link(tmp_path: Path, wheels: Path, variables: dict[str, str], told: str) -> None:
    """Whether RECORD says nothing of it, or has what the link led to, or is for a library has the link's own text."""
    name = "a/lib.so.1" if told == record_hash(b"/etc/passwd") else "a/passwd"
    wheel = make_wheel(wheels, "a", "1.0", {"a/b.py": ""}, links={name: "/etc/passwd"}, hashes={name: told})
    refused = refusal(locked(wheel), tmp_path / "site", variables)
    assert refused.message == f"a 1.0 has a symbolic link, {name}, which a wheel cannot hold."
    assert refused.hint.startswith("Build its wheel again with the file itself in the link's place;")


def test_a_link_beside_what_it_leads_to(tmp_path: Path, wheels: Path, variables: dict[str, str]) -> None:
    wheel = make_wheel(wheels, "a", "1.0", {"a/b.txt": ""}, links={"a/c.txt": "b.txt"})
    assert refusal(locked(wheel), tmp_path / "site", variables).message.startswith(
        "a 1.0 has a symbolic link, a/c.txt,"
    )


def test_a_file_that_record_knows_nothing_of_is_kept(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    files: dict[str, bytes | str] = {
        "a/b.py": "",
        "a/c.txt": "words",
        "a/d.txt": "two\nlines",
        "a/e.bin": b"\xff\0",
        "a/f.so": b"\xff",
    }
    wheel = make_wheel(wheels, "a", "1.0", files, unlisted=["a/c.txt", "a/d.txt", "a/e.bin"])
    install(locked(wheel), tmp_path / "site", environ=variables)
    assert {name: (tmp_path / "site" / name).read_bytes() for name in files} == {
        name: text.encode() if isinstance(text, str) else text for name, text in files.items()
    }


@pytest.mark.parametrize("damage", ["cut", "junk"])
def test_a_file_that_is_no_wheel(
    tmp_path: Path, wheels: Path, variables: dict[str, str], damage: str
) -> None:
    wheel = make_wheel(wheels, "a", "1.0")
    wheel.write_bytes(wheel.read_bytes()[:-40] if damage == "cut" else b"junk")
    told = refusal(locked(wheel), tmp_path / "site", variables).message
    assert told.startswith(
        "uv failed at installing the packages: Failed to download `a==1.0`: Failed to extract archive"
    )


def test_binaries_for_another_processor_are_refused_by_name(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    files = {"a/ours.so": elf_head("x86_64"), "a/theirs.so": elf_head("arm64")}
    wheel = make_wheel(wheels, "a", "1.0", files)
    assert refusal(locked(wheel), tmp_path / "site", variables).message == (
        "a 1.0 has a/theirs.so, which is for arm64, but the function runs on x86_64; the wheel, a-1.0-py3-none-any.whl, "
        "says that it fits."
    )


def test_packages_with_a_module_in_common_are_refused(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    one = make_wheel(wheels, "a", "1.0", {"x/cv.py": "1"})
    other = make_wheel(wheels, "b", "1.0", {"x/cv.py": "2"})
    told = refusal(locked(one, other), tmp_path / "site", variables)
    assert told.message == (
        "a 1.0 and b 1.0 both have x/cv.py, with different bytes: which of them a function gets is chance."
    )
    assert told.hint == "Require only one of these packages."


def test_a_package_that_pretends_to_be_another(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    for name in ("c-9.0.dist-info/METADATA", "c-9.0.dist-info/RECORD"):
        wheel = make_wheel(wheels, "a", "1.0", {"a.py": "", f"a-1.0.data/data/{name}": ""})
        told = refusal(locked(wheel), tmp_path / "site", variables)
        assert told.message == "What was installed is not what is locked: c is only in one of them."
        assert told.hint.startswith("A package brings files of another one.")


def test_what_packages_have_in_common_beside_their_modules_is_left_out(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    for name in ("a", "b"):
        files = {
            f"{name}.py": "",
            "README.md": name,
            "tests/test.py": name,
            "ns/__init__.py": "same",
            "bin/x": name,
        }
        make_wheel(wheels, name, "1.0", files)
    install(resolve(["a", "b"], X86, environ=variables), tmp_path / "site", environ=variables)
    kept = [name for name in names(tmp_path / "site") if "dist-info" not in name]
    assert kept == ["a.py", "b.py", "ns/__init__.py"]


def test_a_cache_that_somebody_changed_is_noticed(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    """An environment shares its files with uv's cache: who edits one there edits it for all."""
    wheel = make_wheel(wheels, "a", "1.0")
    install(locked(wheel), tmp_path / "first", environ=variables)
    (cached,) = (tmp_path / "home/cache").rglob("a.py")
    cached.write_text("import pdb\n")
    told: list[str] = []
    install(locked(wheel), tmp_path / "second", tell=told.append, environ=variables)
    assert told[1:] == ["uv's cache has a 1.0 with a changed a.py; fetching the wheels anew"]
    assert content(tmp_path / "second") == content(tmp_path / "first")


def test_what_is_stripped_later_is_not_the_caches(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    wheel = make_wheel(wheels, "a", "1.0")
    for name in ("first", "second"):
        install(locked(wheel), tmp_path / name, environ={**variables, "UV_LINK_MODE": "hardlink"})
        assert (tmp_path / name / "a.py").stat().st_nlink == 1
        (tmp_path / name / "a.py").write_text("stripped")


def test_a_warm_cache_needs_no_registry(tmp_path: Path, wheels: Path) -> None:
    with serve(wheels) as index:
        make_wheel(wheels, "a", "1.0")
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        what = resolve(["a"], X86, environ=variables)
        cold = {**variables, "UV_CACHE_DIR": str(tmp_path / "home/cold")}
        install(what, tmp_path / "first", environ=variables)
    install(what, tmp_path / "second", environ=variables)
    assert content(tmp_path / "second") == content(tmp_path / "first")
    told = refusal(what, tmp_path / "third", cold).message
    assert told.startswith(
        "The package registry could not be reached for installing the packages: Connection refused"
    )


def test_what_chooses_versions_does_not_touch_locked_ones(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    wheel = make_wheel(wheels, "a", "1.0")
    make_wheel(wheels, "a", "2.0")
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("a==2.0\n")
    choosing = {
        "UV_CONSTRAINT": str(constraints),
        "UV_OVERRIDE": str(constraints),
        "UV_EXCLUDE_NEWER": "2001-01-01",
    }
    install(locked(wheel), tmp_path / "site", environ={**variables, **choosing})
    assert (tmp_path / "site/a.py").read_text() == "version = '1.0'\n"


CONFIGURED = {
    "UV_BREAK_SYSTEM_PACKAGES": "1",
    "UV_COMPILE_BYTECODE": "1",
    "UV_LINK_MODE": "symlink",
    "UV_MANAGED_PYTHON": "1",
    "UV_NO_CACHE": "1",
    "UV_NO_VERIFY_HASHES": "1",
    "UV_OFFLINE": "1",
    "UV_PYTHON": "3.9",
    "UV_PYTHON_DOWNLOADS": "automatic",
    "UV_REQUIRE_HASHES": "1",
    "UV_SYSTEM_PYTHON": "1",
    "RUST_LOG": "trace",
    "VIRTUAL_ENV": "/nowhere",
}


def test_what_else_is_configured_for_uv_changes_nothing(
    tmp_path: Path, wheels: Path, variables: dict[str, str]
) -> None:
    make_wheel(wheels, "a", "1.0", requires=["b"])
    make_wheel(wheels, "b", "1.0")
    what = resolve(["a"], X86, environ={**variables, **CONFIGURED})
    assert [package.name for package in what.packages] == ["a", "b"]
    install(what, tmp_path / "site", environ={**variables, **CONFIGURED})
    install(what, tmp_path / "plain", environ=variables)
    assert content(tmp_path / "site") == content(tmp_path / "plain")
    assert not any(path.is_symlink() for path in (tmp_path / "site").rglob("*"))


@pytest.mark.parametrize("sent", [signal.SIGINT])
def test_an_interrupted_install_leaves_nothing(tmp_path: Path, wheels: Path, sent: signal.Signals) -> None:
    make_wheel(wheels, "a", "1.0")
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        lock = tmp_path / "lastmile.lock"
        from lastmile_sls.bundle.dependencies.lock_file import current_sets

        current_sets(lock, {"predict": ["a"]}, X86, environ=variables)
        shutil.rmtree(variables["UV_CACHE_DIR"])
        index.gate.clear()
        index.asked.clear()
        place = tmp_path / "place"
        place.mkdir()
        # Who was started in the background ignores the signal, and so would what it starts.
        listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        command = [sys.executable, "-c", listening + INSTALL, str(lock), str(place / "site"), "022"]
        variables["PYTHONPATH"] = os.pathsep.join(paths())
        process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while not any(path.startswith("/files/") for path in index.asked):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert any(place.iterdir())
        process.send_signal(sent)
        _, told = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in told
    assert process.returncode != 0
    assert list(place.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("what", ["place", "cache"])
def test_no_room_leaves_nothing(
    tmp_path: Path, wheels: Path, variables: dict[str, str], small_disk: Path, what: str
) -> None:
    wheel = make_wheel(wheels, "a", "1.0", {"a.bin": bytes(1_000_000)})
    place, cache = (
        (small_disk, tmp_path / "cache") if what == "place" else (tmp_path / "place", small_disk / "cache")
    )
    place.mkdir(exist_ok=True)
    told = refusal(locked(wheel), place / "site", {**variables, "UV_CACHE_DIR": str(cache)})
    assert told.message == "The disk is full: installing the packages needs more space."
    assert told.hint.startswith(
        "Free some, here and where uv has its cache (uv cache prune), then run again;"
    )


def test_wheels_made_here_are_what_installers_take(wheels: Path) -> None:
    """A check of the tests' own tool: its entries can be read, and its links are links."""
    wheel = make_wheel(wheels, "a", "1.0", links={"a/b": "c"})
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        assert archive.getinfo("a/b").external_attr >> 28 == 0xA
