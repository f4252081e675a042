"""The deployment whose budget is enforced: its spec, its store, and where what it costs is read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.budget.billed import Billed, Deployed, billed
from lastmile_sls.budget.document import Spend
from lastmile_sls.budget.enforce import Enforcer
from lastmile_sls.budget.period import Period
from lastmile_sls.budget.spend import FREE, Rates, rates_of, requests_since, spend_of
from lastmile_sls.control.usage import as_usage, midnight
from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.document import SECONDS
from lastmile_sls.plan.document import Target
from lastmile_sls.prices.book import UnpricedError
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.costs.usage import Usage
    from lastmile_sls.estimate.traffic_file import Shape
    from lastmile_sls.spec.operations import Budget
    from lastmile_sls.traffic.live import LiveTraffic

Tell = Callable[[str], None]
_DAY_S = 86_400


@dataclass(frozen=True)
class Sources:
    """What the user names."""

    costs: tuple[str, ...] = ()
    """FOCUS files, folders, URLs."""
    usage: tuple[Path, ...] = ()
    estimate: Path | None = None
    """From `lastmile estimate --json`."""


@dataclass(frozen=True)
class Deployment:
    """A deployment with a budget."""

    spec_path: Path
    spec: Spec
    target: Target
    environment: str | None
    """That was asked for in place of the spec's."""
    live: LiveTraffic | None
    """None where there is no routing document, and so no place to act through."""
    stack: CloudStack | None
    """None on this machine."""
    outputs_path: Path | None
    environ: Mapping[str, str]

    @property
    def name(self) -> str:
        """As resources' names begin."""
        return f"{self.spec.name}-{self.spec.environment}"

    @property
    def budget(self) -> Budget:
        """What it may cost."""
        assert self.spec.budget is not None
        return self.spec.budget

    @property
    def warm(self) -> int:
        """How many instances the spec keeps warm."""
        return self.spec.resources.min_instances

    def enforcer(self, who: str, now: datetime) -> Enforcer | None:
        """Return what acts; None where there is no store to act through."""
        if self.live is None:
            return None
        return Enforcer(self.live.store, self.live, who, self.warm, lambda: now)

    def without_store(self) -> str:
        """Return why nothing can be done."""
        if self.budget.actions is None:
            return "nothing is done, and nothing kept: add budget.actions to the spec, and run `lastmile up`"
        return (
            f"nothing can be done before `lastmile up --target {self.target}` has made the routing document"
        )

    def spend(self, sources: Sources, now: datetime, tell: Tell = lambda _: None) -> Spend:
        """Return what of the month is spent. Raises LastmileError for what cannot be read, or when nothing is known."""
        found = self._billed(sources, Period.of(now), tell)
        rows = self._usage(sources, now, tell)
        since = requests_since(found, rows or (), now)
        unpriced: tuple[str, ...] = ()
        try:
            rates = self._rates(sources, since, now, tell)
        except UnpricedError as error:
            if found is None or found.through is None:
                raise
            # What was billed is known, and reason enough to act.
            rates, unpriced = FREE, (f"the days since cannot be estimated: {error.message} {error.hint}",)
        spend = spend_of(found, rows, rates, self.budget.currency, now)
        return replace(spend, warnings=(*spend.warnings, *unpriced))

    def _billed(self, sources: Sources, period: Period, tell: Tell) -> Billed | None:
        if not sources.costs:
            return None
        from lastmile_sls.costs.read import read

        cloud = None if self.target == "local" else self.target
        whose = Deployed(self.spec.name, self.spec.environment, cloud)
        with (
            self._outputs() as outputs,
            read(sources.costs, self.environ, outputs=outputs, tell=tell) as reading,
        ):
            return billed(reading.connection, whose, period, self.budget.currency)

    @contextmanager
    def _outputs(self) -> Iterator[Sequence[Path]]:
        """Return the file with the stack's outputs, by which what has no tags is known; without its secrets."""
        from lastmile_sls.engine.interface import Secret

        if self.stack is None or self.outputs_path is not None:
            yield [self.outputs_path] if self.outputs_path else []
            return
        plain = {name: value for name, value in self.stack.outputs.items() if not isinstance(value, Secret)}
        with tempfile.TemporaryDirectory(prefix="lastmile-budget-") as folder:
            path = Path(folder) / "outputs.json"
            path.write_text(json.dumps(plain), encoding="utf-8")
            yield [path]

    def _usage(self, sources: Sources, now: datetime, tell: Tell) -> list[Usage] | None:
        """Return the deployment's requests by day: of the files, else as its telemetry counts them; None when unknown."""
        from lastmile_sls.costs.usage import read_usage

        mine = (self.spec.name, self.spec.environment)
        if sources.usage:
            rows = [row for row in read_usage(sources.usage) if (row.model, row.environment) == mine]
            if not rows:
                raise LastmileError(
                    f"{', '.join(map(str, sources.usage))} has no row of {mine[0]} in {mine[1]}.",
                    "Write it anew: lastmile usage -o usage.csv",
                )
            return rows
        since = Period.of(now).start
        if self.stack is not None:
            from lastmile_sls.control.open import open_control

            tell("asking how many requests there were")
            return list(as_usage(open_control(self.stack).usage(since), *mine))
        from lastmile_sls.local.home import Place, find_home
        from lastmile_sls.local.usage import counted

        return list(as_usage(counted(Place.of(find_home(self.environ), self.name), since), *mine))

    def _rates(self, sources: Sources, since: Sequence[Usage], now: datetime, tell: Tell) -> Rates:
        """Return what things cost: by the estimate that is given, else by one made now; nothing on this machine."""
        if sources.estimate is not None:
            from lastmile_sls.estimate.as_json import read_one

            return rates_of(read_one(sources.estimate, self.name))
        if self.target == "local":
            return FREE
        from lastmile_sls.estimate.project import look, months, price
        from lastmile_sls.prices.shelf import open_book

        project = look(self.spec_path, self.target, self.environ, environment=self.environment, tell=tell)
        traffic, _ = months(project, {"": month_of(since, now)}, self.spec_path, self.environ, tell)
        return rates_of(price(project, traffic[""], open_book(self.environ, [self.target])))


def find(
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    *,
    needs_budget: bool = True,
) -> Deployment:
    """Return the deployment that a spec describes, where it runs.

    Raises LastmileError when nothing of it is deployed there, or the spec has no budget, unless none is needed.
    """
    from lastmile_sls import deploy
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.cloud_stack import find_stack, read_outputs
    from lastmile_sls.spec.load import load

    path, environ = find_spec(spec_path), deploy.environ()
    spec = load(path, environment)
    if spec.budget is None and needs_budget:
        raise LastmileError(
            f"{spec.name} has no budget.",
            "Add budget: {monthly_limit: 250} to the spec.\n"
            "What an earlier one did still stands; to undo it: lastmile budget release",
        )
    if target == "local" and outputs_path is None:
        return Deployment(path, spec, "local", environment, _live_here(spec, environ), None, None, environ)
    asked = as_target(target)
    if outputs_path is not None:
        stack = read_outputs(outputs_path, None if asked == "local" else asked, environ, spec)
    else:
        stack = find_stack(path, asked, environment, environ)
    name = f"{spec.name}-{spec.environment}"
    if stack.deployment != name:
        raise LastmileError(
            f"the outputs are of {stack.deployment}, but the spec is of {name}.",
            "Name the other file, or the spec's environment: --environment NAME",
        )
    live = stack.traffic() if stack.outputs.get("routing") else None
    return Deployment(path, spec, stack.target, environment, live, stack, outputs_path, environ)


def _live_here(spec: Spec, environ: Mapping[str, str]) -> LiveTraffic | None:
    from lastmile_sls.local.home import Place, deployments, find_home
    from lastmile_sls.traffic.local import find_traffic

    home, name = find_home(environ), f"{spec.name}-{spec.environment}"
    if name not in [place.deployment for place in deployments(home)]:
        raise LastmileError(f"{name} is not deployed on this machine.", "Deploy it: lastmile up")
    return find_traffic(Place.of(home, name))


def month_of(since: Sequence[Usage], now: datetime) -> Shape:
    """Return a month like the days that were counted, as an estimate takes it; one request's time is their mean."""
    from lastmile_sls.estimate.traffic_file import EVERY, Shape

    requests = sum(row.requests for row in since)
    if not requests:
        return Shape(Decimal(0), {EVERY: Decimal(1)}, cold_share=Decimal(0))
    passed = now - midnight(min(row.day for row in since))
    passed_s = max(_DAY_S, int(passed.total_seconds()))
    measured = [row for row in since if row.duration_ms and row.requests]
    times = {
        version: _mean([row for row in measured if row.version == version])
        for version in sorted({row.version for row in measured})
    }
    everybody = {EVERY: _mean(measured)} if measured else {}
    return Shape(requests * SECONDS / passed_s, {**times, **everybody})


def _mean(rows: Sequence[Usage]) -> Decimal:
    total = sum((row.duration_ms * row.requests for row in rows if row.duration_ms is not None), Decimal(0))
    return total / sum(row.requests for row in rows)
