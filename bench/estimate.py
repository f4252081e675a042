"""How long an estimate of 1 000 plans takes, for every cloud: `python bench/estimate.py [PLANS]`.

Each plan is an example's with other traffic; its resources are what the golden files say that the program's providers are
told, so that nothing is built or previewed. What is timed is what `lastmile estimate` does after its preview: loads,
formulas, tiers, and the JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lastmile_sls.estimate.as_json import to_json  # noqa: E402
from lastmile_sls.estimate.document import Traffic  # noqa: E402
from lastmile_sls.estimate.estimate import estimate  # noqa: E402
from lastmile_sls.plan.document import Plan  # noqa: E402
from lastmile_sls.policy.resource import Resource  # noqa: E402
from lastmile_sls.prices.book import PriceBook  # noqa: E402
from lastmile_sls.prices.shelf import open_book  # noqa: E402
from tests.examples.projects import CLOUDS, plan_for  # noqa: E402

EXAMPLES = ("breast-cancer", "conflicting-versions", "overnight", "public", "watched", "web-app")
ROUNDS = 5


def resources_of(example: str, cloud: str) -> list[Resource]:
    records = json.loads((ROOT / "tests" / "examples" / "golden" / f"{example}-{cloud}.json").read_text())
    return [Resource(one["type"], one["name"], "", one["inputs"]) for one in records]


def run(plan: Plan, resources: list[Resource], book: PriceBook, number: int) -> int:
    versions = [version for function in plan["functions"] for version in function["versions"]]
    traffic = Traffic(
        requests=Decimal(1000 * (number + 1)),
        duration_ms=dict.fromkeys(versions, Decimal(20 + number % 50)),
        cold_share=Decimal("0.01"),
    )
    return len(json.dumps(to_json({"": estimate(plan, resources, traffic, book)})))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for cloud in CLOUDS:
        began = time.perf_counter()
        book = open_book({}, [cloud])
        opened = time.perf_counter() - began
        plans = [(plan_for(example, cloud), resources_of(example, cloud)) for example in EXAMPLES]
        lines = statistics.mean(len(resources) for _, resources in plans)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for number in range(count):
                plan, resources = plans[number % len(plans)]
                run(plan, resources, book, number)
            took.append(time.perf_counter() - began)
        print(
            f"{cloud:>5}  {count} plans of {lines:.0f} resources  {statistics.median(took):.2f} s  (best {min(took):.2f}); "
            f"prices opened in {opened * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
