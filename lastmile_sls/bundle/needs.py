"""What a function must have installed: only what the predictors that were chosen for its versions need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lastmile_sls.plan.document import Target
from lastmile_sls.plan.requirements import Needs, needs_of
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.compile.choose import Choice

FREE = ("trees", "pipeline", "remote")
"""Predictors that need nothing but the runtime."""
PACKAGES = {
    "sklearn": ("scikit-learn",),
    "onnx": ("onnxruntime",),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "lightgbm": ("lightgbm",),
    "python": (),
}
"""The package of a predictor; the first is taken where no requirement names another."""
Installed = Callable[[str], str | None]
"""From a package to its version here; None where it is not installed."""


def needs(
    spec: Spec,
    target: Target,
    versions: Sequence[str],
    chosen: Mapping[str, Choice],
    markers: Mapping[str, str],
    installed: Installed,
    *,
    is_router: bool,
) -> list[str]:
    """Return the requirements of a function, as pip writes them, sorted.

    What no requirement of the spec names is taken in the version that is installed here: with that one the model was
    certified, or looked at.

    Args:
        spec: The spec.
        target: Where the function runs.
        versions: The versions that it serves itself.
        chosen: What serves each version.
        markers: What requirements' markers are evaluated with.
        installed: Tells what is installed here.
        is_router: Whether callers reach it.
    """
    asked: dict[str, set[str]] = {}
    for index, version in enumerate(spec.versions):
        choice = chosen[version.id].version
        if version.id not in versions or choice.predictor in FREE:
            continue
        own = needs_of(index, version, markers)
        _add(asked, own)
        _add_packages(asked, own, PACKAGES[choice.predictor], installed)
        if choice.frame:
            _add_packages(asked, own, ("pandas",), installed)
    if is_router and spec.endpoint.app:
        _add_packages(asked, asked, ("fastapi",), installed)
    works = is_router and bool(spec.queue or spec.schedule)
    checks = is_router and spec.endpoint.auth == "jwt" and target in ("gcp", "azure")
    if checks or (works and target == "gcp"):  # Pub/Sub proves who pushes by a token
        _add_packages(asked, asked, ("pyjwt[crypto]",), installed)
    if works and target != "local":  # answers that come later, and predictions, are written to the bucket
        _add_packages(asked, asked, ("obstore",), installed)
    if is_router and spec.schedule and spec.schedule.format == "parquet":
        _add_packages(asked, asked, ("pyarrow",), installed)
    return sorted(text for texts in asked.values() for text in texts)


def are_met(requirements: Iterable[str], installed: Installed) -> bool:
    """Tell whether all of some requirements are installed here."""
    for text in requirements:
        requirement = Requirement(text)
        version = installed(requirement.name)
        if (
            version is None
            or requirement.url
            or not requirement.specifier.contains(version, prereleases=True)
        ):
            return False
    return True


def installed_here(package: str) -> str | None:
    """Return the version of a package that is installed beside lastmile; None where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _add(asked: dict[str, set[str]], own: Needs) -> None:
    for name, requirements in own.items():
        # Without their markers: they apply, and where they would not is no matter.
        asked.setdefault(name, set()).update(_unmarked(requirement) for requirement in requirements)


def _unmarked(requirement: Requirement) -> str:
    found = Requirement(str(requirement))
    found.marker = None
    return str(found)


def _add_packages(
    asked: dict[str, set[str]], named: Iterable[str], packages: Sequence[str], installed: Installed
) -> None:
    names = [canonicalize_name(Requirement(package).name) for package in packages]
    if not packages or set(names) & set(named):
        return
    here = [
        (package, version)
        for package, name in zip(packages, names, strict=True)
        if (version := installed(name))
    ]
    package, version = (packages[0], here[0][1]) if here else (packages[0], None)
    asked.setdefault(names[0], set()).add(f"{package}=={version}" if version else package)
