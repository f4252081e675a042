"""One bundle per function: the versions that it serves, and for the router's, how the others are reached."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import Version
from lastmile_sls.bundle.build import LAYOUTS, BuiltBundle, Layout, build_bundle
from lastmile_sls.bundle.libraries import Libraries
from lastmile_sls.compile.choose import Choice
from lastmile_sls.plan.grouping import Group
from lastmile_sls.spec.model import Spec

REMOTE = "remote"
"""The predictor of a version that another function serves (`lastmile_runtime.predictors.remote`)."""


def build_bundles(
    spec: Spec,
    groups: Sequence[Group],
    models: Sequence[Choice],
    folder: Path,
    destination: Path,
    *,
    libraries: Mapping[str, Libraries] | None = None,
    interpreter: Path | None = Path(sys.executable),
    layout: Layout = LAYOUTS["local"],
) -> dict[str, BuiltBundle]:
    """Build the bundle of each function.

    Args:
        spec: The spec; its files are there.
        groups: Which versions share a function, the router's first.
        models: What was chosen for each version (`lastmile_sls.bundle.models`).
        folder: What the spec's paths are relative to.
        destination: Where to: a folder per function.
        libraries: The packages of each function that carries some.
        interpreter: A Python of the functions' version, which compiles them; None leaves them uncompiled.
        layout: How the target wants bundles.

    Returns the bundles by function. The router's manifest holds the digests of the others', so its own digest stands
    for all of them. Raises LastmileError as `build_bundle` does.
    """
    chosen = {model.version.id: model for model in models}
    router, *others = groups
    built: dict[str, BuiltBundle] = {}
    carried = libraries or {}

    def build(function: str, mine: list[Choice], *, is_router: bool) -> BuiltBundle:
        more: dict[str, Any] = {
            "libraries": carried.get(function),
            "interpreter": interpreter,
            "layout": layout,
        }
        return build_bundle(spec, folder, destination / function, mine, is_router=is_router, **more)

    for group in others:
        mine = [chosen[id_] for id_ in group.versions]
        built[group.function] = build(group.function, mine, is_router=False)
    for group in others:
        digest = built[group.function].digest
        chosen |= {id_: _elsewhere(chosen[id_].version, group.function, digest) for id_ in group.versions}
    built[router.function] = build(router.function, [*chosen.values()], is_router=True)
    return built


def _elsewhere(version: Version, function: str, digest: str) -> Choice:
    """Return what the router's bundle has of a version that another function serves."""
    remote = Version(
        id=version.id,
        predictor=REMOTE,
        artifact="",
        columns=version.columns,
        frame=version.frame,
        inputs=version.inputs,
        outputs=version.outputs,
        remote={"function": function, "digest": digest},
    )
    return Choice(remote, [], [], None)
