"""The lock's text: the same for the same content, read back as it was, and what was edited into nonsense refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.bundle.dependencies.lock import Lock, LockedPackage, LockedSet, parse_lock
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import ARM, X86

ONE, TWO = "1" * 64, "2" * 64
NUMPY = LockedPackage("numpy", "2.4.6", "numpy-2.4.6-cp313-cp313-manylinux_2_28_x86_64.whl", ONE)
JOBLIB = LockedPackage("joblib", "1.6.0", "joblib-1.6.0-py3-none-any.whl", TWO)
SET = LockedSet(X86, ("joblib", "numpy>=2"), ("numpy<3",), (JOBLIB, NUMPY))
TEXT = f"""\
# Written by lastmile: commit it, and change it with lastmile.
version = 1

[[base]]
reference = "example.org/python:3.13"
digest = "sha256:{ONE}"

[[set]]
function = "predict"
python = "3.13"
processor = "arm64"
libc = "manylinux_2_34"
requirements = []
constraints = []
packages = []

[[set]]
function = "predict"
python = "3.13"
processor = "x86_64"
libc = "manylinux_2_34"
requirements = [
  "joblib",
  "numpy>=2",
]
constraints = [
  "numpy<3",
]
packages = [
  {{ name = "joblib", version = "1.6.0", wheel = "joblib-1.6.0-py3-none-any.whl", sha256 = "{TWO}" }},
  {{ name = "numpy", version = "2.4.6", wheel = "numpy-2.4.6-cp313-cp313-manylinux_2_28_x86_64.whl", sha256 = "{ONE}" }},
]
"""
EMPTY = LockedSet(ARM, (), (), ())


def lock() -> Lock:
    found = Lock().with_set("predict", SET).with_set("predict", EMPTY)
    return found.with_base("example.org/python:3.13", f"sha256:{ONE}")


def test_the_text_is_for_people_and_for_diffs() -> None:
    assert lock().render() == TEXT
    assert parse_lock(TEXT) == lock()


def test_it_does_not_matter_what_was_put_in_first() -> None:
    other = Lock().with_base("example.org/python:3.13", f"sha256:{TWO}").with_set("predict", EMPTY)
    other = other.with_set("predict", SET).with_base("example.org/python:3.13", f"sha256:{ONE}")
    assert other.render() == TEXT


def test_an_empty_lock_is_one() -> None:
    assert parse_lock(Lock().render()) == Lock()


text = st.text(min_size=1, max_size=20).filter(lambda t: t.isprintable() or "\n" in t or "\x7f" in t)
hexadecimal = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.from_regex(r"[a-z0-9]([a-z0-9]|-[a-z0-9])*", fullmatch=True)


@st.composite
def packages(draw: st.DrawFn) -> tuple[LockedPackage, ...]:
    chosen = draw(st.lists(names, unique=True, max_size=3))
    return tuple(
        LockedPackage(name, "1.0", f"{name.replace('-', '_')}-1.0-py3-none-any.whl", draw(hexadecimal))
        for name in sorted(chosen)
    )


@given(
    st.dictionaries(
        st.tuples(text, st.sampled_from([X86, ARM])),
        st.tuples(st.lists(text), st.lists(text), packages()),
        max_size=3,
    ),
    st.dictionaries(text, hexadecimal.map(lambda digits: f"sha256:{digits}"), max_size=2),
)
def test_what_is_written_is_read_back(
    sets: dict[tuple[str, object], tuple[list[str], list[str], tuple[LockedPackage, ...]]],
    bases: dict[str, str],
) -> None:
    made = Lock(bases=bases)
    for (function, environment), (requirements, constraints, found) in sets.items():
        assert environment in (X86, ARM)
        where = X86 if environment == X86 else ARM
        made = made.with_set(function, LockedSet(where, tuple(requirements), tuple(constraints), found))
    assert parse_lock(made.render()) == made
    assert set(made.render().encode()) - set(range(0x80, 0x100)) <= set(string.printable.encode())


def test_sets_are_found_by_function_and_environment() -> None:
    found = lock().with_set("predict-v2", SET)
    assert found.find("predict", X86) == SET
    assert found.find("predict", ARM) == EMPTY
    assert found.find("predict-v2", ARM) is None
    assert found.nearest("predict", X86) == SET
    assert found.nearest("predict-v2", ARM) == SET
    assert found.nearest("predict-v3", ARM) is None


def test_functions_that_are_gone_are_taken_out_of_their_environment_alone() -> None:
    found = lock().with_set("predict-v2", SET).only(["predict-v2"], X86)
    assert list(found.sets) == [("predict", ARM), ("predict-v2", X86)]
    assert found.bases == lock().bases


def edited(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


HINT = "Take lastmile.lock as it was last committed; or delete it, and all is chosen anew."
WHEEL = "numpy-2.4.6-cp313-cp313-manylinux_2_28_x86_64.whl"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            edited("version = 1\n", "version = \n"),
            "lastmile.lock is not TOML: Invalid value (at line 2, column 11).",
        ),
        ("<<<<<<< HEAD\n", "lastmile.lock is not TOML: Invalid statement (at line 1, column 1)."),
        (edited("digest", "hash"), "lastmile.lock: base[0].digest is missing."),
        (edited('"sha256:1', '"sha256:g'), "lastmile.lock: base[0].digest is 'sha256:g1"),
        (
            edited('"example.org/python:3.13"', "3"),
            "lastmile.lock: base[0].reference is 3; it must be a text.",
        ),
        (
            f'{TEXT}[[base]]\nreference = "example.org/python:3.13"\ndigest = "sha256:{TWO}"\n',
            "lastmile.lock: base[1].reference is 'example.org/python:3.13'; there is another base of that name.",
        ),
        (
            edited("[[base]]", "[base]"),
            "lastmile.lock: base is {'reference': 'example.org/python:3.13', 'digest': ",
        ),
        (edited("\n[[base]]", "sets = 1\n[[base]]"), "lastmile.lock: sets is unknown."),
        (edited("constraints = []", "limits = []"), "lastmile.lock: set[0].constraints is missing."),
        (edited("constraints = []", "constraints = []\nnote = 1"), "lastmile.lock: set[0].note is unknown."),
        (
            edited('processor = "arm64"', 'processor = "arm"'),
            "lastmile.lock: set[0]: processor is 'arm'; it must be ",
        ),
        (
            edited('processor = "arm64"', 'processor = ""'),
            "lastmile.lock: set[0].processor is ''; it must be a text.",
        ),
        (
            edited("packages = []", 'packages = "none"'),
            "lastmile.lock: set[0].packages is 'none'; it must be a list.",
        ),
        (
            edited("packages = []", "packages = [1]"),
            "lastmile.lock: set[0].packages[0] is 1; it must be a table.",
        ),
        (edited('"numpy<3"', "3"), "lastmile.lock: set[1].constraints[0] is 3; it must be a text."),
        (
            edited('processor = "arm64"', 'processor = "x86_64"'),
            "lastmile.lock: set[1] is 'predict'; there is another set for it in Python 3.13 on x86_64 with manylinux_2_34.",
        ),
        (
            edited(f'"{TWO}"', '"none"'),
            "lastmile.lock: set[1].packages[0].sha256 is 'none'; it must be 64 lower-case hexadecimal digits.",
        ),
        (edited('version = "2.4.6", ', ""), "lastmile.lock: set[1].packages[1].version is missing."),
        (
            edited('version = "2.4.6"', 'version = "2.5"'),
            f"lastmile.lock: set[1].packages[1].wheel is '{WHEEL}'; it must be of numpy 2.5.",
        ),
        (
            edited('version = "2.4.6"', 'version = "new"'),
            f"lastmile.lock: set[1].packages[1].wheel is '{WHEEL}'; that is no wheel's name: Invalid version: 'new'.",
        ),
        (
            edited(WHEEL, "numpy-2.4.6.tar.gz"),
            "lastmile.lock: set[1].packages[1].wheel is 'numpy-2.4.6.tar.gz'; that is no wheel's name: ",
        ),
        (
            edited(WHEEL, WHEEL.replace("x86_64", "aarch64")),
            f"lastmile.lock: set[1].packages[1].wheel is '{WHEEL.replace('x86_64', 'aarch64')}'; it does not fit Python 3",
        ),
        (
            edited('name = "numpy"', 'name = "joblib"').replace(WHEEL, "joblib-2.4.6-py3-none-any.whl"),
            "lastmile.lock: set[1].packages[1].name is 'joblib'; there is another package of that name.",
        ),
    ],
)
def test_what_was_edited_into_nonsense_is_refused_by_line_or_field(content: str, told: str) -> None:
    with pytest.raises(LastmileError) as refused:
        parse_lock(content)
    assert refused.value.message.startswith(told)
    assert refused.value.hint == HINT


@pytest.mark.parametrize("version", ["2", "true", '"1"'])
def test_another_versions_file_is_not_guessed_at(version: str) -> None:
    with pytest.raises(LastmileError) as refused:
        parse_lock(edited("version = 1\n", f"version = {version}\n"), "other.lock")
    assert refused.value.message.startswith("other.lock: version is ")
    assert refused.value.message.endswith("; this lastmile reads 1.")
    assert refused.value.hint == "Use the lastmile that wrote it, or delete the file, and all is chosen anew."
