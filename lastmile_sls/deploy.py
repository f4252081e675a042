"""From a project to a running deployment: which engine hosts it, and what must be free for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lastmile_sls.build.prepare import Prepared
from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import Engine, EngineError, EngineName, Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records, supervise
from lastmile_sls.local.home import Place, deployments, find_home
from lastmile_sls.local.resources.route import check_port
from lastmile_sls.plan.document import Target
from lastmile_sls.traffic.change import told, used_versions
from lastmile_sls.traffic.local import find_traffic

_SDKS: dict[Target, str] = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure": "pulumi_azure_native"}


def require_sdk(target: Target) -> None:
    """Raise LastmileError unless what a cloud's program is made of is installed here."""
    sdk = _SDKS.get(target)
    if sdk is not None and find_spec(sdk) is None:
        raise LastmileError(
            f"{sdk} is not installed, of which a deployment to {target} is made.",
            f"Install it: pip install 'lastmile-sls[{target}]', or in a checkout: make clouds",
        )


def embedded_engine(home: Path) -> EmbeddedEngine:
    """Return the embedded engine: it deploys to this machine, and previews every cloud without asking it anything."""
    from lastmile_sls.engine.embedded.offline import CLOUD_PACKAGES, OfflineProvider
    from lastmile_sls.provider.service import LastmileProvider

    clouds = {package: partial(OfflineProvider, package) for package in CLOUD_PACKAGES}
    return EmbeddedEngine(home / "stacks", {"lastmile": lambda: LastmileProvider("embedded", home), **clouds})


def get_engine(name: EngineName, environ: Mapping[str, str]) -> Engine:
    """Return an engine by its name. Raises LastmileError when the Pulumi CLI is asked for and is not there."""
    home = find_home(environ)
    if name == "embedded":
        return embedded_engine(home)
    from lastmile_sls.engine.pulumi_cli.command import find_command
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    find_command(search_path=environ.get("PATH"))
    return PulumiCliEngine(home, environ)


def choose_engine(
    program: Program,
    target: Target,
    asked: EngineName | None,
    environ: Mapping[str, str],
    *,
    take_over: bool = False,
) -> Engine:
    """Return the engine that carries a program's stack out.

    On this machine the embedded engine by default; a stack that the other engine made is refused, or with `take_over`
    handed to the one asked for: nothing is deployed anew. To clouds the Pulumi CLI deploys.
    """
    if target != "local":
        if asked == "embedded":
            raise EngineError(
                f"the embedded engine previews {target}, but deploys to this machine only.",
                "Leave --engine out: the Pulumi CLI deploys to clouds.",
            )
        return get_engine("pulumi", environ)
    engine = get_engine(asked or "embedded", environ)
    if engine.exists(program) and not take_over:
        return engine
    maker = _other_engine(engine, environ)
    if not maker.exists(program):
        return engine
    if not take_over:
        raise EngineError(
            f"the stack {program.stack} of {program.project} was made by the {maker.name} engine.",
            f"Go on with it: --engine {maker.name}\n"
            f"Or let the {engine.name} engine take it over, as it stands: "
            f"--engine {engine.name} --take-over",
        )
    hand_over(program, maker, engine, find_home(environ))
    return engine


def choose_preview(
    program: Program, target: Target, asked: EngineName | None, environ: Mapping[str, str]
) -> Engine:
    """Return the engine that previews a program: for clouds the Pulumi CLI where it has the stack already, to compare with.

    Otherwise the embedded engine says what would be made: without CLI, account or network.
    """
    if target == "local":
        return choose_engine(program, target, asked, environ)
    if asked is not None:
        return get_engine(asked, environ)
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    home = find_home(environ)
    cli = PulumiCliEngine(home, environ)
    return cli if cli.exists(program) else embedded_engine(home)


def hand_over(program: Program, source: Engine, destination: Engine, home: Path) -> None:
    """Move a stack from one engine to the other, without touching what is deployed; interrupted, it can be repeated."""
    if not destination.exists(program):
        destination.adopt_state(program, source.export_state(program))
    for place in deployments(home):
        records.set_engine(place, urn_prefix(program), destination.name)
    source.forget(program)


def check_free(prepared: Prepared, home: Path) -> None:
    """Raise LastmileError, before anything is made, when the names or the port that a plan needs are taken here."""
    place = Place.of(home, prepared.plan["deployment"])
    mine = urn_prefix(prepared.program)
    for kind in records.KINDS:
        for record in records.all_of(place, kind):
            if not record.owner.urn.startswith(mine):
                raise LastmileError(
                    f"the {kind} {record.name} of {place.deployment} belongs to another stack ({record.owner.urn}).",
                    "Destroy it there first, or give this deployment another name or environment.",
                )
    _check_traffic(prepared, place)
    port = prepared.plan["endpoint"]["port"]
    route = records.get(place, "route", prepared.plan["endpoint"]["name"])
    if port and not (route and route.outputs.get("port") == port and supervise.is_running(place)):
        check_port(port)


def _check_traffic(prepared: Prepared, place: Place) -> None:
    traffic = find_traffic(place)
    if traffic is not None:
        require_versions(prepared, traffic.read())


def require_versions(prepared: Prepared, document: dict[str, Any]) -> None:
    """Raise LastmileError when the spec drops a version that the live traffic still goes to."""
    kept = [version.id for version in prepared.spec.versions]
    dropped = sorted(used_versions(document) - set(kept))
    if dropped:
        raise LastmileError(
            f"the spec drops the version {dropped[0]}, but the live traffic goes to it: {told(document['weights'])}.",
            "Move it away first: lastmile traffic set, shadow or promote. Then run this again.",
        )
    if len(kept) == 1 and document["champion"] != kept[0]:
        raise LastmileError(
            f"the spec keeps {kept[0]} alone, but the champion is {document['champion']}.",
            f"lastmile traffic promote {kept[0]}",
        )


def urn_prefix(program: Program) -> str:
    """Return how the URN of every resource of a program's stack begins."""
    return f"urn:pulumi:{program.stack}::{program.project}::"


def _other_engine(engine: Engine, environ: Mapping[str, str]) -> Engine:
    """Return the engine that this one is not; the CLI need not be there for its local stacks to be seen."""
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    home = find_home(environ)
    return PulumiCliEngine(home, environ) if engine.name == "embedded" else embedded_engine(home)


def environ() -> Mapping[str, str]:
    """Return the process's environment."""
    return os.environ
