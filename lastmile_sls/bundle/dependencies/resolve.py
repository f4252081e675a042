"""Chooses the packages' versions and wheels with uv, for the function's environment: wheels only, nothing is built."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import LockedPackage, LockedSet
from lastmile_sls.bundle.dependencies.uv_process import (
    Run,
    forget,
    is_of_the_registry,
    reason,
    refusal,
    run_uv,
    shortened,
    unsafe,
    without_secrets,
)
from lastmile_sls.errors import LastmileError

Tell = Callable[[str], None]
_NO_WHEEL = re.compile(
    r"(?<![\w.-])([a-z0-9][a-z0-9-]*)(?:[=<>!~]\S*)? ha(?:s|ve) no (?:usable wheels|wheels with a matching)"
)
_UNKNOWN = re.compile(r"Because (\S+) was not found in the (?:package registry|provided package locations)")


def resolve(
    requirements: Sequence[str],
    environment: Environment,
    *,
    previous: LockedSet | None = None,
    upgrade: bool = False,
    constraints: Sequence[str] = (),
    tell: Tell = lambda _: None,
    environ: Mapping[str, str] | None = None,
) -> LockedSet:
    """Return the packages that requirements need in an environment.

    Where `previous` is of the same requirements, constraints and environment, it is returned and nothing is asked of
    anybody. Versions that were withdrawn (PEP 592) are taken only where a requirement or `previous` names them; uv's
    warning is passed on.

    Args:
        requirements: As pip writes them (PEP 508), but no URLs: these would be in the lock, with what is secret in them.
        environment: What the packages must run in.
        previous: Its versions are kept where they still satisfy the requirements, and nothing else moves.
        upgrade: Do not look at `previous`.
        constraints: What versions must satisfy, if the packages are needed at all.
        tell: Told what is being done, and of warnings.
        environ: The environment's variables, for uv; by default this process's.

    Raises LastmileError for requirements that are none, that nothing satisfies, or that need a package which has no
    wheel for the environment, and when the registry cannot be reached.
    """
    wanted, limits = normalised(requirements, "requirement"), normalised(constraints, "constraint")
    if previous and not upgrade and _is_of(previous, wanted, limits, environment):
        return previous
    if not wanted:
        return LockedSet(environment, (), limits, ())
    tell(f"choosing packages for {environment}")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pylock.toml"
        if previous and not upgrade:
            output.write_text(_preferences(previous.packages), encoding="utf-8")
        run = run_uv(_arguments(Path(folder), output, wanted, limits, environment), environ)
        if not run.succeeded:
            raise _refusal(run, environment)
        found = _packages(output.read_text(encoding="utf-8"), environment)
    if run.unsafe_names:
        forget([package.name for package in found], environ)
        raise unsafe(run.unsafe_names[0])
    for warning in run.warnings:
        tell(f"warning: {warning}")
    return LockedSet(environment, wanted, limits, found)


def normalised(requirements: Iterable[str], kind: str = "requirement") -> tuple[str, ...]:
    """Return requirements in one spelling, sorted, each once. Raises LastmileError for what is none, and for URLs."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found = set()
    for text in requirements:
        try:
            parsed = Requirement(text)
        except InvalidRequirement:
            raise LastmileError(
                f"{without_secrets(text)!r} is no {kind}.",
                "Write one as pip does, such as scikit-learn==1.5.2.",
            ) from None
        if parsed.url:
            raise LastmileError(
                f"{kind} {parsed.name} names a URL, which the lock would hold.",
                f"Put the wheel into a folder, name the folder in UV_FIND_LINKS, and require {parsed.name} by version.",
            )
        parsed.name = canonicalize_name(parsed.name)
        found.add(str(parsed))
    return tuple(sorted(found))


def _is_of(
    locked: LockedSet, wanted: tuple[str, ...], limits: tuple[str, ...], environment: Environment
) -> bool:
    return (locked.requirements, locked.constraints, locked.environment) == (wanted, limits, environment)


def _preferences(packages: Iterable[LockedPackage]) -> str:
    """Return a file of versions that uv prefers: it reads the one that it is about to replace."""
    entries = [
        f'[[packages]]\nname = "{package.name}"\nversion = "{package.version}"\n' for package in packages
    ]
    return "\n".join(['lock-version = "1.0"\ncreated-by = "lastmile"\n', *entries])


def _arguments(
    folder: Path, output: Path, wanted: tuple[str, ...], limits: tuple[str, ...], environment: Environment
) -> list[str]:
    source, constraints = folder / "requirements.in", folder / "constraints.txt"
    for path, lines in ((source, wanted), (constraints, limits)):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [
        *("pip", "compile"),
        str(source),
        *(("--constraints", str(constraints)) if limits else ()),
        *("--only-binary", ":all:"),
        "--generate-hashes",
        *("--python-version", environment.python),
        *("--python-platform", environment.python_platform),
        "--no-header",
        *("--format", "pylock.toml", "--output-file", str(output)),
    ]


def _packages(text: str, environment: Environment) -> tuple[LockedPackage, ...]:
    """Read what uv wrote (PEP 751), and take of each package the wheel that fits best."""
    found = [_package(entry, environment) for entry in tomllib.loads(text).get("packages", [])]
    return tuple(sorted(found, key=lambda package: package.name))


def _package(entry: Mapping[str, Any], environment: Environment) -> LockedPackage:
    from packaging.utils import canonicalize_name

    name, version = entry["name"], entry.get("version")
    wheels = {_file_name(wheel): wheel for wheel in entry.get("wheels", [])}
    best = environment.best_wheel(wheels)
    if version is None or best is None:
        raise LastmileError(
            f"{name} has no wheel for {environment} whose file is named as wheels are: {', '.join(wheels) or 'none'}.",
            "Require another version of it.",
        )
    sha256 = wheels[best].get("hashes", {}).get("sha256")
    if not sha256:
        raise LastmileError(
            f"The registry does not tell the sha256 of {best}.",
            "Use a registry that does, or a folder of wheels.",
        )
    return LockedPackage(str(canonicalize_name(name)), version, best, sha256)


def _file_name(wheel: Mapping[str, Any]) -> str:
    return str(
        wheel.get("name") or unquote(urlsplit(wheel.get("url") or wheel["path"]).path).rpartition("/")[2]
    )


def _refusal(run: Run, environment: Environment) -> LastmileError:
    """Return the error for requirements that uv could not resolve."""
    if "No solution found" not in run.told or is_of_the_registry(run):
        return refusal(run, "choosing the packages")
    why = reason(run.told).removeprefix("No solution found when resolving dependencies:").strip()
    why = shortened(
        why.replace("we can conclude that your requirements are unsatisfiable", "this cannot be met")
    )
    if found := _NO_WHEEL.search(re.sub(r"\s+", " ", run.told)):
        return LastmileError(
            f"{found[1]} has no wheel for {environment} in a version that is asked for. {why}",
            "Ask for a version that has one; or build a wheel of it for that environment, put it into a folder and name "
            "the folder in UV_FIND_LINKS; or choose another processor.",
        )
    if found := _UNKNOWN.search(run.told):
        return LastmileError(
            f"{found[1]} is not in the package registry. {why}",
            "Correct the name, or configure its registry.",
        )
    return LastmileError(
        f"No versions satisfy all requirements for {environment}. {why}", "Loosen one of them."
    )
